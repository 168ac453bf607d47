package formats

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"github.com/quorate/quorate/filetext"
)

// Decrypt opens an encrypted BSMS record (BIP129) with the token of its setup:
// 8 bytes (standard) or 16 (extended), in hex, as a decimal number, or in words.
// The file is hex, as its writers have it, or binary. Errors: ErrToken for a
// text that is no token, and ErrEncrypted where it is not the right one or the
// file was changed.
func Decrypt(raw []byte, token string) ([]byte, error) {
	tokens := readToken(token)
	if len(tokens) == 0 {
		return nil, fmt.Errorf("decrypt BSMS record: %w: want 8 or 16 bytes, as hex, as a number, or as 6 or 12 words", ErrToken)
	}
	closed := raw
	if text, ok := filetext.Text(raw); ok {
		text = strings.TrimPrefix(strings.Join(strings.Fields(filetext.Unwrap(text)), ""), "0x")
		if b, err := hex.DecodeString(text); err == nil {
			closed = b
		}
	}
	if len(closed) <= sha256.Size || len(closed) > maxTextSize {
		return nil, fmt.Errorf("decrypt BSMS record: %w: it is no encrypted record", ErrFormat)
	}
	for _, t := range tokens {
		text, err := t.open(closed)
		if err != nil {
			return nil, fmt.Errorf("decrypt BSMS record: %w", err)
		}
		if text != nil {
			return text, nil
		}
	}
	return nil, fmt.Errorf("decrypt BSMS record: %w with another token, or it was damaged", ErrEncrypted)
}

// bsmsToken is the secret of an encrypted setup.
type bsmsToken []byte

// readToken returns what a text can stand for: digits alone are hex and a number.
func readToken(s string) []bsmsToken {
	words := strings.Fields(strings.ToLower(filetext.Unquote(filetext.Plain(s))))
	var out []bsmsToken
	add := func(t []byte) {
		if len(t) == 8 || len(t) == 16 {
			out = append(out, t)
		}
	}
	joined := strings.Join(words, "")
	if raw, err := hex.DecodeString(strings.TrimPrefix(joined, "0x")); err == nil {
		add(raw)
	}
	if n, ok := new(big.Int).SetString(joined, 10); ok && n.Sign() > 0 {
		for _, size := range []int{8, 16} {
			if n.BitLen() <= 8*size {
				add(n.FillBytes(make([]byte, size)))
			}
		}
	}
	add(tokenOfWords(words))
	return out
}

// tokenOfWords reads a token in English words of BIP39, made of fewer bytes than
// mnemonics have: of every 32 bits one is added, as the checksum. It is nil for
// anything else.
func tokenOfWords(words []string) []byte {
	if len(words) != 6 && len(words) != 12 {
		return nil
	}
	n := new(big.Int)
	for _, w := range words {
		at, ok := bip39.GetWordIndex(w)
		if !ok {
			return nil
		}
		n.Lsh(n, 11).Or(n, big.NewInt(int64(at)))
	}
	check := uint(len(words) / 3)
	sum := new(big.Int).And(n, big.NewInt(1<<check-1)).Int64()
	raw := n.Rsh(n, check).FillBytes(make([]byte, int(check)*4))
	if hash := sha256.Sum256(raw); int64(hash[0]>>(8-check)) != sum {
		return nil
	}
	return raw
}

// open returns the record, or nil where it was closed with another token. The
// MAC stands before the ciphertext, and holds its initialization vector.
func (t bsmsToken) open(closed []byte) ([]byte, error) {
	key, err := pbkdf2.Key(sha512.New, "No SPOF", t, 2048, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("prepare key: %w", err)
	}
	mac, text := closed[:sha256.Size], make([]byte, len(closed)-sha256.Size)
	cipher.NewCTR(block, mac[:aes.BlockSize]).XORKeyStream(text, closed[sha256.Size:])
	macKey := sha256.Sum256(key)
	h := hmac.New(sha256.New, macKey[:])
	h.Write([]byte(hex.EncodeToString(t)))
	h.Write(text)
	if !hmac.Equal(mac, h.Sum(nil)) {
		return nil, nil
	}
	return text, nil
}
