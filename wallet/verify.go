package wallet

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
)

var (
	// ErrSignatureInput is returned for an input index the spend does not have.
	ErrSignatureInput = errors.New("signature for an unknown input")
	// ErrSignatureKey is returned for a key index the descriptor does not have.
	ErrSignatureKey = errors.New("signature by an unknown key")
	// ErrSignatureEncoding is returned for a signature that is not strict DER (BIP66).
	ErrSignatureEncoding = errors.New("signature is not strict DER")
	// ErrSignatureHighS is returned for a signature whose S is above half the order (BIP146).
	ErrSignatureHighS = errors.New("signature has a high S")
	// ErrSignatureHashType is returned for a sighash byte other than SIGHASH_ALL.
	ErrSignatureHashType = errors.New("signature is not SIGHASH_ALL")
	// ErrSignatureInvalid is returned for a well-formed signature that is not
	// this key's over this hash.
	ErrSignatureInvalid = errors.New("signature does not verify")
)

// Signature is one key's signature on one input.
type Signature struct {
	// Input indexes the spend's inputs, Key the descriptor's keys.
	Input, Key uint32
	// Bytes are strict DER with low S, and the sighash byte SIGHASH_ALL.
	Bytes []byte
}

// Verify checks a signature as the wallet's form asks (strict DER, low S,
// SIGHASH_ALL), by that key over that input. A signature in the cache is not computed again; one that verifies
// is added (cache may be nil). Errors are the ErrSignature sentinels.
func (s *Spend) Verify(sig Signature, cache *SigCache) error {
	if uint64(sig.Input) >= uint64(len(s.in)) {
		return fmt.Errorf("%w: %d", ErrSignatureInput, sig.Input)
	}
	if uint64(sig.Key) >= uint64(len(s.d.keys)) {
		return fmt.Errorf("%w: %d", ErrSignatureKey, sig.Key)
	}
	return s.d.form.verify(s, sig, cache)
}

// VerifyAll is Verify of each signature, on all cores: result i belongs to sigs[i].
func (s *Spend) VerifyAll(sigs []Signature, cache *SigCache) []error {
	errs := make([]error, len(sigs))
	parallel(len(sigs), func(i int) { errs[i] = s.Verify(sigs[i], cache) })
	return errs
}

// parseTxSignature splits off the sighash byte, which must be want, and parses the rest.
func parseTxSignature(sig []byte, want txscript.SigHashType) (*ecdsa.Signature, error) {
	if len(sig) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrSignatureEncoding)
	}
	der, hashType := sig[:len(sig)-1], sig[len(sig)-1]
	parsed, err := parseDER(der)
	if err != nil {
		return nil, err
	}
	if hashType != byte(want) {
		return nil, fmt.Errorf("%w: %#02x", ErrSignatureHashType, hashType)
	}
	return parsed, nil
}

// parseDER parses a strict DER signature with low S, without a sighash byte.
func parseDER(der []byte) (*ecdsa.Signature, error) {
	parsed, err := ecdsa.ParseDERSignature(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignatureEncoding, err)
	}
	s := parsed.S()
	if s.IsOverHalfOrder() {
		return nil, ErrSignatureHighS
	}
	// btcec's parser lets bytes after the sequence pass. There is one strict
	// encoding of a low-S signature, and Serialize writes it.
	if !bytes.Equal(parsed.Serialize(), der) {
		return nil, fmt.Errorf("%w: not the canonical encoding", ErrSignatureEncoding)
	}
	return parsed, nil
}
