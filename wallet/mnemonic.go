package wallet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tyler-smith/go-bip39"
	"golang.org/x/text/unicode/norm"
)

// ErrMnemonic is returned for words that are no BIP39 mnemonic, or entropy of a wrong size.
var ErrMnemonic = errors.New("invalid mnemonic")

// NewMnemonic returns the English BIP39 words for 16, 20, 24, 28 or 32 bytes of
// entropy, or ErrMnemonic.
func NewMnemonic(entropy []byte) (string, error) {
	words, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return "", fmt.Errorf("%w: entropy of %d bytes", ErrMnemonic, len(entropy))
	}
	return words, nil
}

// MnemonicSeed returns the 64-byte seed of a mnemonic (BIP39), or ErrMnemonic
// where a word or the checksum is wrong. The error never holds a word. Spaces
// around and between the words, and capital letters, do not matter.
func MnemonicSeed(mnemonic, passphrase string) ([]byte, error) {
	words := strings.Fields(strings.ToLower(mnemonic))
	if n := len(words); n < 12 || n > 24 || n%3 != 0 {
		return nil, fmt.Errorf("%w: %d words, want 12, 15, 18, 21 or 24", ErrMnemonic, n)
	}
	for i, word := range words {
		if _, ok := bip39.GetWordIndex(word); !ok {
			return nil, fmt.Errorf("%w: word %d is not in the list", ErrMnemonic, i+1)
		}
	}
	seed, err := bip39.NewSeedWithErrorChecking(strings.Join(words, " "), norm.NFKD.String(passphrase))
	if err != nil {
		return nil, fmt.Errorf("%w: the checksum does not match", ErrMnemonic)
	}
	return seed, nil
}
