package formats

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// KeyRecord is the first round's record of BIP129: one signer's key, signed by it.
type KeyRecord struct {
	// Token is of the setup, in hex; "00" without encryption.
	Token string
	// Key is "[fingerprint/path]" and an extended key, or a public key in hex.
	Key string
	// Description is what the signer is called, one line of 80 characters.
	Description string
	// Signature is of the lines before it, in base64.
	Signature string
}

// ParseKeyRecord takes a key record apart: ErrFormat. It does not verify: who is
// asked for a wallet says no to the key of one signer.
func ParseKeyRecord(text string) (KeyRecord, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) != 5 || lines[0] != bsmsVersion {
		return KeyRecord{}, fmt.Errorf("%w: want five lines, the first of them %q", ErrFormat, bsmsVersion)
	}
	r := KeyRecord{lines[1], lines[2], lines[3], lines[4]}
	if err := checkToken(r.Token); err != nil {
		return KeyRecord{}, err
	}
	if !strings.HasPrefix(r.Key, "[") || len(r.Description) > 80 {
		return KeyRecord{}, fmt.Errorf("%w: want [fingerprint/path]key, and a description of at most 80 characters", ErrFormat)
	}
	return r, nil
}

// checkToken says whether a text is the token of a setup in hex: 8 bytes
// (standard) or 16 (extended), or 00 for none. ErrFormat.
func checkToken(s string) error {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(s), "0x"))
	none := len(raw) == 1 && raw[0] == 0
	if err != nil || !(none || len(raw) == 8 || len(raw) == 16) {
		return fmt.Errorf("%w: token is not 00, nor 8 or 16 bytes in hex", ErrFormat)
	}
	return nil
}
