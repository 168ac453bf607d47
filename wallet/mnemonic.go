package wallet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/tyler-smith/go-bip39"
	"golang.org/x/text/unicode/norm"

	"github.com/quorate/quorate/filetext"
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

// ReadMnemonic returns the words of a mnemonic as people write them down: in one
// line or many, numbered or not, in any order of their numbers, with commas or
// quotation marks, in capital letters, or only the first four letters of each,
// which no two words of the list have in common. It returns ErrMnemonic where a
// word is not in the list or a number is missing; the error never holds a word.
func ReadMnemonic(raw []byte) (string, error) {
	text, ok := filetext.Text(raw)
	if !ok {
		return "", fmt.Errorf("%w: the file is not text", ErrMnemonic)
	}
	tokens := strings.FieldsFunc(strings.ToLower(filetext.Unwrap(text)), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;|\"'`.:)(-#*=[]{}", r)
	})
	var words []string
	var numbers []int
	for i, token := range tokens {
		if n, err := strconv.Atoi(token); err == nil {
			numbers = append(numbers, n)
			if len(numbers) != len(words)+1 {
				return "", fmt.Errorf("%w: number %d does not stand before a word", ErrMnemonic, i+1)
			}
			continue
		}
		// "1legal", without a blank.
		rest := strings.TrimLeft(token, "0123456789")
		if n, err := strconv.Atoi(token[:len(token)-len(rest)]); err == nil {
			numbers = append(numbers, n)
		}
		word, ok := wholeWord(rest)
		if !ok {
			return "", fmt.Errorf("%w: word %d is not in the English list of BIP39", ErrMnemonic, len(words)+1)
		}
		words = append(words, word)
	}
	if len(numbers) == 0 {
		return strings.Join(words, " "), nil
	}
	// A list in columns is not in the order of its lines.
	sorted := make([]string, len(words))
	for i, n := range numbers {
		if len(numbers) != len(words) || n < 1 || n > len(words) || sorted[n-1] != "" {
			return "", fmt.Errorf("%w: its numbers do not count the words from 1 to %d", ErrMnemonic, len(words))
		}
		sorted[n-1] = words[i]
	}
	return strings.Join(sorted, " "), nil
}

// wholeWord returns the word of the list that a text is, or has the first four
// letters of.
func wholeWord(s string) (string, bool) {
	if _, ok := bip39.GetWordIndex(s); ok {
		return s, true
	}
	if len(s) != 4 {
		return "", false
	}
	for _, w := range bip39.GetWordList() {
		if strings.HasPrefix(w, s) {
			return w, true
		}
	}
	return "", false
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
