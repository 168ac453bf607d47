package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// hashType is ALL: what a signature does not cover, others could change.
func (wsh) hashType() txscript.SigHashType { return txscript.SigHashAll }

// hashes are BIP143's with SIGHASH_ALL, one for each input.
func (f wsh) hashes(s *Spend) ([][32]byte, error) {
	out := make([][32]byte, len(s.in))
	for i, script := range s.scripts {
		hash, err := txscript.CalcWitnessSigHash(script.WitnessScript, s.mid, f.hashType(), s.tx, i, s.in[i].Amount)
		if err != nil {
			return nil, fmt.Errorf("hash of input %d: %w", i, err)
		}
		out[i] = [32]byte(hash)
	}
	return out, nil
}

// sign makes one signature an input, with SIGHASH_ALL.
func (f wsh) sign(s *Spend, a *AccountKey) ([]Signature, error) {
	key := a.keyIndex(s.d)
	if key < 0 {
		return nil, ErrNotCosigner
	}
	branches, err := a.branchKeys(s.d.branches[key])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	defer func() {
		for i := range branches {
			branches[i].priv.Zero()
		}
	}()
	sigs := make([]Signature, len(s.in))
	errs := make([]error, len(s.in))
	parallel(len(s.in), func(i int) {
		priv, err := branches[s.in[i].Branch].child(s.in[i].Index)
		if err != nil {
			errs[i] = fmt.Errorf("sign input %d: %w", i, err)
			return
		}
		defer priv.Zero()
		der := signLowR(&priv, s.hashes[i]).Serialize()
		sigs[i] = Signature{Input: uint32(i), Key: uint32(key), Bytes: append(der, byte(f.hashType()))}
	})
	return sigs, errors.Join(errs...)
}

// verify holds a signature to strict DER, low S and SIGHASH_ALL.
func (f wsh) verify(s *Spend, sig Signature, cache *SigCache) error {
	parsed, err := parseTxSignature(sig.Bytes, f.hashType())
	if err != nil {
		return fmt.Errorf("input %d, key %d: %w", sig.Input, sig.Key, err)
	}
	script := s.scripts[sig.Input]
	hash := &s.hashes[sig.Input]
	digest := sigDigest(hash, script.PubKeys[sig.Key], sig.Bytes)
	if cache.has(digest) {
		return nil
	}
	if !parsed.Verify(hash[:], script.parsed[sig.Key]) {
		return fmt.Errorf("input %d, key %d: %w", sig.Input, sig.Key, ErrSignatureInvalid)
	}
	cache.add(digest)
	return nil
}

// satisfy takes the signatures of the k lowest key indexes that have a valid
// one, of several by one key the first.
func (f wsh) satisfy(s *Spend, tx *wire.MsgTx, i int, candidates []Signature, cache *SigCache) error {
	byKey := make([][]byte, len(s.d.keys))
	have := 0
	for _, sig := range candidates {
		if have == s.d.threshold {
			break
		}
		if byKey[sig.Key] == nil && s.Verify(sig, cache) == nil {
			byKey[sig.Key] = sig.Bytes
			have++
		}
	}
	if have < s.d.threshold {
		return fmt.Errorf("input %d has %d of %d: %w", i, have, s.d.threshold, ErrMissingSignatures)
	}
	script := s.scripts[i]
	witness := make(wire.TxWitness, 0, s.d.threshold+2)
	witness = append(witness, nil) // OP_CHECKMULTISIG pops one item too many
	for _, key := range script.Order {
		if byKey[key] != nil {
			witness = append(witness, bytes.Clone(byKey[key]))
		}
	}
	tx.TxIn[i].Witness = append(witness, bytes.Clone(script.WitnessScript))
	return f.execute(s, tx, i, byKey)
}

// missing counts: any threshold of the keys will do.
func (wsh) missing(d *Descriptor, have uint64) int {
	return max(0, d.threshold-bits.OnesCount64(have))
}
