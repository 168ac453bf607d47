package main

import (
	"os"
	"strings"
	"testing"

	"github.com/quorate/quorate/api/apitest"
)

const longPassphrase = "correct horse battery"

func setupSession() session {
	return session{
		name:  "Setting up a node",
		about: "Nothing is made before the words are on paper. They are shown on a screen apart, which leaves nothing in the terminal's history.",
		args:  []string{"setup"},
		bare:  true,
		play: func(t *testing.T, s *screen, _ *apitest.Backend) {
			s.answer("Network [signet]: ", "")
			s.answer("see it [alice]: ", "")
			s.answer("Bitcoin [light]: ", "1")
			s.answer("Passphrase: ", "short")
			s.answer("again: ", "short")
			s.answer("Passphrase: ", longPassphrase)
			s.answer("again: ", longPassphrase)
			writeDown(t, s)
			s.answer("in the background? [Y/n] ", "n")
		},
		same: sameWords,
	}
}

func initSession() session {
	return session{
		name:  "A node alone",
		about: "`init` makes a node from flags, and asks for the passphrase and the words alone.",
		args:  []string{"init", "--network", "regtest", "--name", "bob"},
		bare:  true,
		play: func(t *testing.T, s *screen, _ *apitest.Backend) {
			s.answer("Passphrase: ", longPassphrase)
			s.answer("again: ", longPassphrase)
			writeDown(t, s)
		},
		same: sameWords,
	}
}

// Words that are not on paper are shown again, and until they are nothing is made.
func TestWordsAreAskedBack(t *testing.T) {
	dir := t.TempDir() + "/n"
	s := onTerminal(t, []string{"QUORATE_DATA_DIR=" + dir}, "init", "--network", "regtest", "--name", "bob")
	s.answer("Passphrase: ", longPassphrase)
	s.answer("again: ", longPassphrase)
	s.answer("on paper.", "")
	for range maxTries {
		s.expect("  word ")
		s.answer(": ", "zoo0")
	}
	s.expect("They are shown again.")
	s.answer("on paper.", "")
	s.expect("  word ")
	s.expect(": ")
	s.keys("\x04") // the end of what is typed
	s.ends(2)
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was made")
	}
}

// The words of a seed are shown again to who knows the passphrase, apart from the rest
// of the screen.
func TestSeedShow(t *testing.T) {
	dir := t.TempDir() + "/n"
	env := []string{"QUORATE_DATA_DIR=" + dir}
	s := onTerminal(t, env, "init", "--network", "regtest", "--name", "bob")
	s.answer("Passphrase: ", longPassphrase)
	s.answer("again: ", longPassphrase)
	writeDown(t, s)
	first := wordsOf(s.ends(0))

	s = onTerminal(t, env, "seed", "show")
	s.answer("Passphrase: ", longPassphrase)
	s.answer("Press Enter", "")
	text := s.ends(0)
	for n, w := range first {
		if wordsOf(text)[n] != w {
			t.Errorf("word %s is %q, and was %q", n, wordsOf(text)[n], w)
		}
	}
	if !strings.HasSuffix(text, "[the screen apart is wiped]\n") {
		t.Errorf("it is not wiped:\n%s", text)
	}

	s = onTerminal(t, env, "seed", "show")
	s.answer("Passphrase: ", longPassphrase+"x")
	if text := s.ends(1); len(wordsOf(text)) > 0 || !strings.Contains(text, "wrong passphrase") {
		t.Error(text)
	}
}
