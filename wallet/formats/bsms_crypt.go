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
)

// Token is the secret of an encrypted setup (BIP129): 8 bytes (standard) or 16
// (extended), or the one byte 00 for none.
type Token []byte

// ParseToken reads a token in hex. ErrFormat.
func ParseToken(s string) (Token, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(s), "0x"))
	t := Token(raw)
	if err != nil || !(t.none() || len(t) == 8 || len(t) == 16) {
		return nil, fmt.Errorf("%w: token is not 00, nor 8 or 16 bytes in hex", ErrFormat)
	}
	return t, nil
}

func (t Token) none() bool { return len(t) == 1 && t[0] == 0 }

// String is the token in hex.
func (t Token) String() string { return hex.EncodeToString(t) }

// Decimal is the token as a number, which devices with digits only take.
func (t Token) Decimal() string { return new(big.Int).SetBytes(t).String() }

// Mnemonic is the token in English words of BIP39, made from fewer bytes than
// mnemonics have: of every 32 bits one is added, as the checksum.
func (t Token) Mnemonic() string {
	sum := sha256.Sum256(t)
	bits := len(t) * 8
	check := bits / 32
	n := new(big.Int).SetBytes(t)
	n.Lsh(n, uint(check)).Or(n, big.NewInt(int64(sum[0]>>(8-check))))
	list := bip39.GetWordList()
	words := make([]string, (bits+check)/11)
	for i := len(words) - 1; i >= 0; i-- {
		words[i] = list[new(big.Int).And(n, big.NewInt(2047)).Int64()]
		n.Rsh(n, 11)
	}
	return strings.Join(words, " ")
}

// keys are the encryption key and the key of the MAC.
func (t Token) keys() (encrypt, mac []byte, err error) {
	if t.none() {
		return nil, nil, fmt.Errorf("%w: a setup without a token has no encryption", ErrFormat)
	}
	encrypt, err = pbkdf2.Key(sha512.New, "No SPOF", t, 2048, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("derive key from token: %w", err)
	}
	sum := sha256.Sum256(encrypt)
	return encrypt, sum[:], nil
}

// Encrypt closes a record with the token: the MAC, then the ciphertext, in hex.
// The initialization vector is of the MAC, so one text has one encryption.
func (t Token) Encrypt(record string) (string, error) {
	encrypt, macKey, err := t.keys()
	if err != nil {
		return "", err
	}
	mac := t.mac(macKey, record)
	out, err := ctr(encrypt, mac, []byte(record))
	return hex.EncodeToString(mac) + hex.EncodeToString(out), err
}

// Decrypt opens what Encrypt closed. Errors: ErrFormat, and ErrEncrypted where
// the token is not the right one or a byte was changed.
func (t Token) Decrypt(file string) (string, error) {
	encrypt, macKey, err := t.keys()
	if err != nil {
		return "", err
	}
	raw, err := hex.DecodeString(strings.TrimSpace(file))
	if err != nil || len(raw) < sha256.Size || len(raw) > maxTextSize {
		return "", fmt.Errorf("%w: not an encrypted BSMS record in hex", ErrFormat)
	}
	mac := raw[:sha256.Size]
	text, err := ctr(encrypt, mac, raw[sha256.Size:])
	if err != nil {
		return "", err
	}
	if !hmac.Equal(mac, t.mac(macKey, string(text))) {
		return "", fmt.Errorf("%w: with another token, or damaged", ErrEncrypted)
	}
	return string(text), nil
}

func (t Token) mac(key []byte, record string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(t.String()))
	h.Write([]byte(record))
	return h.Sum(nil)
}

// ctr is AES-256 in counter mode, the same both ways.
func ctr(key, mac, text []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("BSMS encryption: %w", err)
	}
	out := make([]byte, len(text))
	cipher.NewCTR(block, mac[:aes.BlockSize]).XORKeyStream(out, text)
	return out, nil
}
