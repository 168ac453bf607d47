package ops

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/wallet"
)

// minPassphrase is how many characters a passphrase has that is chosen for a
// keystore or a backup. Twelve are few for what nobody may guess who has a copy of
// the file; fewer are no hindrance at all.
const minPassphrase = 12

// CheckPassphrase refuses a new passphrase that is too short. An empty one is none:
// it is refused on mainnet, and elsewhere the caller says what it means. Errors are
// *api.Error.
func CheckPassphrase(pass []byte, network string) error {
	n := utf8.RuneCount(pass)
	if n == 0 && network == string(wallet.Mainnet) {
		return api.Refuse("empty_passphrase", "the passphrase is empty", "choose one: whoever reads the keystore has the keys otherwise")
	}
	if n > 0 && n < minPassphrase {
		return api.Refuse("short_passphrase", fmt.Sprintf("the passphrase has %d characters, and needs %d", n, minPassphrase), "take five words or more that nobody would guess together")
	}
	return nil
}

// NewWords draws a mnemonic of 24 words. Errors are *api.Error.
func NewWords() (string, error) {
	var entropy [32]byte
	defer clear(entropy[:])
	if _, err := rand.Read(entropy[:]); err != nil {
		return "", api.Fail("no_entropy", "random bytes could not be drawn: "+err.Error(), "")
	}
	words, err := wallet.NewMnemonic(entropy[:])
	if err != nil {
		return "", api.Fail("failed", err.Error(), "")
	}
	return words, nil
}

// WriteWords writes a mnemonic into a file of mode 0600 that must not exist yet,
// in a line that --mnemonic-file reads. When it returns nil the file is on the
// disk; else there is none that was not there before. Errors are *api.Error.
func WriteWords(path, words string) error {
	const hint = "give --words-file a path at which nothing is, on a disk that is yours"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return api.Refuse("exists", path+" exists already", hint)
	}
	if err != nil {
		return api.Fail("not_written", "the words could not be written: "+err.Error(), hint)
	}
	_, err = f.WriteString(words + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return api.Fail("not_written", "the words could not be written: "+errors.Join(err, os.Remove(path)).Error(), hint)
	}
	return nil
}

// Seed is what brings the Bitcoin keys of a node back. It is for the user's eyes.
type Seed struct {
	Words []string
	// Passphrase is that of BIP39, which goes with the words, or "".
	Passphrase  string
	Fingerprint string
}

// ShowSeed reads the words of a keystore, of a running node or a stopped one.
// Errors are *api.Error.
func ShowSeed(dataDir string, pass []byte) (Seed, error) {
	c, err := app.Unlock(dataDir, "", pass)
	if err != nil {
		return Seed{}, err
	}
	defer c.Zero()
	if c.Mnemonic == "" {
		return Seed{}, api.Refuse("no_seed", "this node has no seed: its keys are on a device or with a signer", "the words are those of the device, or `quorate seed show` of the signer's directory")
	}
	s := Seed{Words: strings.Fields(c.Mnemonic), Passphrase: c.MnemonicPassphrase}
	if s.Fingerprint, err = fingerprint(c); err != nil {
		return Seed{}, api.Fail("keystore_corrupt", err.Error(), "restore it from a backup")
	}
	return s, nil
}

// SeedWord returns the word of a mnemonic that somebody typed, whole or its first
// four letters; false for what is none of the list.
func SeedWord(typed string) (string, bool) {
	word, err := wallet.ReadMnemonic([]byte(typed))
	return word, err == nil && word != "" && !strings.Contains(word, " ")
}
