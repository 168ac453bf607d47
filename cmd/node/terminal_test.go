package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api/apitest"
)

// session is a command as it looks on a terminal of 80 columns: what docs/terminal.md
// shows, and what this test has played.
type session struct {
	name  string // the heading
	about string // what it shows, in a sentence or two
	args  []string
	// play answers what is asked. The node is a stand-in that knows one wallet.
	play func(t *testing.T, s *screen, node *apitest.Backend)
	// same replaces what is another at each run, by what stands for it.
	same func(text string) string
	// exit is the exit status.
	exit int
	// bare sessions have no node.
	bare bool
}

// sessions are those of docs/terminal.md, in its order.
func sessions() []session {
	return []session{setupSession(), initSession(), createSession(), joinSession(), ratifyTypoSession(), proposeSession(), pendingSession(), approveSession()}
}

const terminalIntro = `# What it looks like

Sessions on a terminal of 80 columns. A test plays each of them and compares (` + "`go test ./cmd/node -run TestTerminal -update`" + `
writes them); words of a seed, keys, ids and paths stand for those of a run. What is asked on standard error is asked of people only:
without a terminal, and with ` + "`--json`" + `, nothing is.
`

// Each session is as docs/terminal.md shows it, and no line of it is too long.
func TestTerminal(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(terminalIntro)
	for _, x := range sessions() {
		text := ""
		if t.Run(x.name, func(t *testing.T) { text = x.run(t) }); text == "" {
			return
		}
		fmt.Fprintf(&doc, "\n## %s\n\n%s\n\n```text\n%s```\n", x.name, x.about, text)
	}
	path := filepath.Join("..", "..", "docs", "terminal.md")
	if *update {
		if err := os.WriteFile(path, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), doc.String()); d != "" {
		t.Errorf("docs/terminal.md is not current, run go test ./cmd/node -run TestTerminal -update: %s", d)
	}
}

func (x session) run(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, ".local", "share", "quorate")
	var node *apitest.Backend
	if !x.bare {
		node = apitest.New()
		dir = serveFake(t, node)
	}
	s := onTerminal(t, []string{"HOME=" + home, "QUORATE_DATA_DIR=" + dir, "USER=alice", "PATH=" + os.Getenv("PATH")}, x.args...)
	x.play(t, s, node)
	text := strings.ReplaceAll(s.ends(x.exit), dir, "~/.local/share/quorate")
	text = strings.ReplaceAll(text, home, "~")
	if x.same != nil {
		text = x.same(text)
	}
	text = trimLines(text)
	for _, line := range wide(text) {
		t.Errorf("over %d columns: %s", columns, line)
	}
	return "$ quorate " + strings.Join(x.args, " ") + "\n" + text
}

// trimLines takes blanks off the ends of lines, which nobody sees.
func trimLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

var (
	numbered = regexp.MustCompile(`(\d+) ([a-z]{3,8}) *`)
	peerIDs  = regexp.MustCompile(`12D3KooW\w+`)
	prints   = regexp.MustCompile(`(fingerprint +)[0-9a-f]{8}`)
	back     = regexp.MustCompile(`word +\d+: [a-z]+`)
)

// wordsOf reads the words off the screen, as somebody writes them down.
func wordsOf(text string) map[string]string {
	words := map[string]string{}
	for line := range strings.Lines(text) {
		if m := numbered.FindAllStringSubmatch(line, -1); len(m) == 3 {
			for _, w := range m {
				words[w[1]] = w[2]
			}
		}
	}
	return words
}

// writeDown plays somebody who writes the 24 words down and is asked for some.
func writeDown(t *testing.T, s *screen) {
	t.Helper()
	s.expect("Press Enter when they are on paper.")
	words := wordsOf(s.text())
	if len(words) != 24 {
		t.Fatalf("%d words in:\n%s", len(words), s.text())
	}
	s.keys("\r")
	for range askedBack {
		s.expect("  word ")
		s.expect(": ")
		text := s.text()
		at := strings.TrimSpace(text[strings.LastIndex(text, "  word ")+7 : strings.LastIndex(text, ":")])
		s.keys(words[at] + "\r")
	}
}

// sameWords replaces the secrets of a new node, and what is drawn.
func sameWords(text string) string {
	var b strings.Builder
	n, asked := 0, 0
	for line := range strings.Lines(text) {
		if m := numbered.FindAllStringSubmatch(line, -1); len(m) == 3 {
			fmt.Fprintf(&b, "   %2s %-12s   %2s %-12s   %2s %s\n", m[0][1], "word"+m[0][1], m[1][1], "word"+m[1][1], m[2][1], "word"+m[2][1])
			n++
			continue
		}
		if back.MatchString(line) {
			at := []int{4, 11, 19}[asked%3]
			line = fmt.Sprintf("  word %2d: word%d\n", at, at)
			asked++
		}
		b.WriteString(line)
	}
	text = peerIDs.ReplaceAllString(b.String(), "12D3KooW…")
	return prints.ReplaceAllString(text, "${1}0badc0de")
}
