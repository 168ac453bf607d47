package ops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
)

// A passphrase that is chosen has twelve characters, not bytes; none at all is no
// choice, and mainnet takes none of that.
func TestCheckPassphrase(t *testing.T) {
	for _, c := range []struct{ pass, network, code string }{
		{"", "regtest", ""}, {"", "mainnet", "empty_passphrase"},
		{"a", "regtest", "short_passphrase"}, {"elevenchars", "mainnet", "short_passphrase"}, {"twelve chars", "mainnet", ""},
		{"äöüäöü", "signet", "short_passphrase"}, {"äöüäöüäöüäöü", "signet", ""},
	} {
		err := CheckPassphrase([]byte(c.pass), c.network)
		if c.code == "" && err != nil || c.code != "" && codeOf(t, err) != c.code {
			t.Errorf("%q on %s: %v", c.pass, c.network, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "n")
	o := initOptions(dir)
	o.Passphrase = []byte("elevenchars")
	if _, err := Init(o); codeOf(t, err) != "short_passphrase" {
		t.Errorf("init: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was made")
	}
}

// Words are written into a new file of their owner's, which --mnemonic-file reads, and
// never over another.
func TestWriteWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words")
	words, err := NewWords()
	if err != nil || len(strings.Fields(words)) != 24 {
		t.Fatalf("%d words, %v", len(strings.Fields(words)), err)
	}
	if again, err := NewWords(); err != nil || again == words {
		t.Errorf("the same words twice, %v", err)
	}
	if err := WriteWords(path, words); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi.Mode(), err)
	}
	o := initOptions(filepath.Join(t.TempDir(), "n"))
	if o.Mnemonic, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	made, err := Init(o)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := ShowSeed(o.DataDir, o.Passphrase)
	if err != nil || strings.Join(seed.Words, " ") != words || seed.Fingerprint != made.Fingerprint {
		t.Errorf("the keystore has other words, or another key: %v", err)
	}
	if err := WriteWords(path, abandon); codeOf(t, err) != "exists" {
		t.Errorf("a second time: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(b)) != words {
		t.Errorf("the file was written over, %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	if err := WriteWords(link, words); codeOf(t, err) != "exists" {
		t.Errorf("through a link to nothing: %v", err)
	}
}

// A node that was made without a seed says so, and has none.
func TestNoSeed(t *testing.T) {
	o := initOptions(filepath.Join(t.TempDir(), "n"))
	o.Config.Signer = config.NoSigner
	made, err := Init(o)
	if err != nil || made.Mnemonic != "" || made.Fingerprint != "" || made.PeerID == "" {
		t.Fatalf("%+v %v", made.Fingerprint, err)
	}
	if c, err := app.Unlock(o.DataDir, "regtest", o.Passphrase); err != nil || c.Mnemonic != "" {
		t.Errorf("it has a seed, %v", err)
	}
	if _, err := ShowSeed(o.DataDir, o.Passphrase); codeOf(t, err) != "no_seed" {
		t.Errorf("show: %v", err)
	}
	o.DataDir, o.Mnemonic = filepath.Join(t.TempDir(), "m"), []byte(abandon)
	if _, err := Init(o); codeOf(t, err) != "two_seeds" {
		t.Errorf("with words: %v", err)
	}
}

// What is no word is a typing error; another word is more than that.
func TestCheckWords(t *testing.T) {
	const own = "cement cactus used rival require beyond"
	for typed, want := range map[string]string{
		own: "", " Cement  CACTUS used rival require beyond ": "",
		"cement cactus used rival require beyong":       "bad_words",
		"cement cactus used rival require":              "bad_words",
		"cement cactus used rival require beyond trick": "bad_words",
		"": "bad_words",
		"cement cactus useful rival require beyond": "words_differ",
		"useful cactus used rival require beyong":   "bad_words", // before anybody is suspected
		"beyond require rival used cactus cement":   "words_differ",
		"cement cactus used rival require b\x1bnd":  "bad_words",
	} {
		err := CheckWords(typed, own)
		if want == "" && err != nil || want != "" && codeOf(t, err) != want {
			t.Errorf("%q: %v", typed, err)
		}
		if err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: the error moves the cursor", typed)
		}
	}
	if err := CheckWords("cement cactus used rival require beyong", own); !strings.Contains(err.Error(), `word 6, "beyong"`) {
		t.Errorf("%v", err)
	}
}

func TestSeedWord(t *testing.T) {
	for typed, want := range map[string]string{"abandon": "abandon", "Abandon ": "abandon", "aban": "abandon", "zoo": "zoo", "zooo": "", "": "", "abandon zoo": "", "7": ""} {
		if got, ok := SeedWord(typed); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v", typed, got, ok)
		}
	}
}
