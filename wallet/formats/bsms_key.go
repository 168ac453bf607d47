package formats

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet"
)

// ErrSignature is returned for a message signature that is not of the key it
// should be of.
var ErrSignature = errors.New("message signature is not of this key")

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

// ParseKeyRecord takes a key record apart: ErrFormat. It does not verify.
func ParseKeyRecord(text string) (KeyRecord, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) != 5 || lines[0] != bsmsVersion {
		return KeyRecord{}, fmt.Errorf("%w: want five lines, the first of them %q", ErrFormat, bsmsVersion)
	}
	r := KeyRecord{lines[1], lines[2], lines[3], lines[4]}
	if _, err := ParseToken(r.Token); err != nil {
		return KeyRecord{}, err
	}
	if !strings.HasPrefix(r.Key, "[") || len(r.Description) > 80 {
		return KeyRecord{}, fmt.Errorf("%w: want [fingerprint/path]key, and a description of at most 80 characters", ErrFormat)
	}
	return r, nil
}

// signed is what the signature is of.
func (r KeyRecord) signed() string {
	return strings.Join([]string{bsmsVersion, r.Token, r.Key, r.Description}, "\n")
}

// Verify checks the signature, by the record's own key: ErrSignature.
func (r KeyRecord) Verify(net wallet.Network) error {
	_, text, _ := strings.Cut(r.Key, "]")
	pub, err := hex.DecodeString(text)
	if err != nil || len(pub) != 33 {
		k, err := wallet.ParseKey(r.Key, net)
		if err != nil {
			return err
		}
		if pub, err = k.AccountPublicKey(); err != nil {
			return err
		}
	}
	return VerifyMessage(pub, r.signed(), r.Signature)
}

// VerifyMessage checks the signature that wallets call a signed message: 65
// bytes in base64, from which the key can be recovered (the "Bitcoin Signed
// Message" of Bitcoin Core). pub is a compressed public key. ErrSignature.
func VerifyMessage(pub []byte, message, signature string) error {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
	if err != nil || len(raw) != 65 || raw[0] < 27 || raw[0] > 42 {
		return fmt.Errorf("%w: want 65 bytes in base64", ErrSignature)
	}
	// Some signers put the kind of address into the first byte (BIP137): the key is the same.
	raw[0] = 27 + (raw[0]-27)%4 + 4
	var b strings.Builder
	for _, s := range []string{"Bitcoin Signed Message:\n", message} {
		if err := wire.WriteVarString(&b, 0, s); err != nil {
			return fmt.Errorf("hash message: %w", err)
		}
	}
	got, _, err := ecdsa.RecoverCompact(raw, chainhash.DoubleHashB([]byte(b.String())))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	want, err := btcec.ParsePubKey(pub)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if !got.IsEqual(want) {
		return ErrSignature
	}
	return nil
}
