package psbt

import (
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// validatePubKey checks a compressed or uncompressed public key, also that it
// is on the curve. Hybrid keys are refused: no standard script takes them.
func validatePubKey(k []byte) error {
	compressed := len(k) == 33 && (k[0] == 2 || k[0] == 3)
	uncompressed := len(k) == 65 && k[0] == 4
	if !compressed && !uncompressed {
		return fmt.Errorf("%w: public key of %d bytes", ErrMalformed, len(k))
	}
	if _, err := btcec.ParsePubKey(k); err != nil {
		return fmt.Errorf("%w: public key: %v", ErrMalformed, err)
	}
	return nil
}

// validateXOnly checks that an x-only public key is on the curve (BIP340).
func validateXOnly(k *[32]byte) error {
	if _, err := schnorr.ParsePubKey(k[:]); err != nil {
		return fmt.Errorf("%w: x-only public key: %v", ErrMalformed, err)
	}
	return nil
}

// definedSighash tells whether a sighash byte has a meaning (BIP341).
func definedSighash(b byte) bool {
	base := b &^ 0x80
	return base >= 1 && base <= 3
}

// validateECDSA checks the shape of a signature with its sighash byte: strict
// DER (BIP66) and a sighash type that exists.
func validateECDSA(sig []byte) error {
	if len(sig) == 0 || !definedSighash(sig[len(sig)-1]) {
		return fmt.Errorf("%w: signature without a known sighash type", ErrMalformed)
	}
	der := sig[:len(sig)-1]
	if len(der) < 8 || len(der) > 72 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return fmt.Errorf("%w: signature is not DER", ErrMalformed)
	}
	rest := der[2:]
	for range 2 {
		if len(rest) < 3 || rest[0] != 0x02 || int(rest[1]) == 0 || int(rest[1]) > len(rest)-2 {
			return fmt.Errorf("%w: signature is not DER", ErrMalformed)
		}
		n := rest[2 : 2+rest[1]]
		padded := len(n) > 1 && n[0] == 0 && n[1]&0x80 == 0
		if n[0]&0x80 != 0 || padded {
			return fmt.Errorf("%w: signature has a negative or padded integer", ErrMalformed)
		}
		rest = rest[2+len(n):]
	}
	if len(rest) != 0 {
		return fmt.Errorf("%w: signature is not DER", ErrMalformed)
	}
	return nil
}

// validateSchnorr checks the shape of a signature (BIP341): 64 bytes, or 65 with
// a sighash byte that is not the default one.
func validateSchnorr(sig []byte) error {
	if len(sig) == 64 || len(sig) == 65 && definedSighash(sig[64]) {
		return nil
	}
	return fmt.Errorf("%w: taproot signature of %d bytes", ErrMalformed, len(sig))
}

// validateScalar checks a MuSig2 partial signature: below the group order.
func validateScalar(s *[32]byte) error {
	var scalar btcec.ModNScalar
	if scalar.SetBytes(s) != 0 {
		return fmt.Errorf("%w: partial signature over the group order", ErrMalformed)
	}
	return nil
}
