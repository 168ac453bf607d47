package wallet

import (
	"bytes"
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet/psbt"
)

func (wsh) psbtInput(d *Descriptor, s *Script, branch, index uint32, to *psbt.Input) {
	to.RedeemScript = bytes.Clone(s.RedeemScript)
	to.WitnessScript = bytes.Clone(s.WitnessScript)
	to.Derivations = d.psbtDerivations(s, branch, index)
}

func (wsh) psbtOutput(d *Descriptor, s *Script, branch, index uint32, to *psbt.Output) {
	to.RedeemScript = bytes.Clone(s.RedeemScript)
	to.WitnessScript = bytes.Clone(s.WitnessScript)
	to.Derivations = d.psbtDerivations(s, branch, index)
}

// psbtDerivations returns the origin of each key of a script.
func (d *Descriptor) psbtDerivations(script *Script, branch, index uint32) []psbt.Derivation {
	out := make([]psbt.Derivation, len(d.keys))
	for i, k := range d.keys {
		path := append(slices.Clone(k.Path), branch, index)
		out[i] = psbt.Derivation{PubKey: bytes.Clone(script.PubKeys[i]), Origin: psbt.Origin{Fingerprint: k.Fingerprint, Path: path}}
	}
	slices.SortFunc(out, func(a, b psbt.Derivation) int { return bytes.Compare(a.PubKey, b.PubKey) })
	return out
}

func (wsh) psbtOrigins(in *psbt.Input) []psbt.Origin {
	out := make([]psbt.Origin, len(in.Derivations))
	for i, derivation := range in.Derivations {
		out[i] = derivation.Origin
	}
	return out
}

// psbtSignatures reads partial signatures, and those of an input that its
// signer finalized.
func (f wsh) psbtSignatures(s *Spend, i int, in *psbt.Input) ([]Signature, error) {
	var sigs []Signature
	for _, partial := range in.PartialSigs {
		key := slices.IndexFunc(s.scripts[i].PubKeys, func(pub []byte) bool { return bytes.Equal(pub, partial.PubKey) })
		if key < 0 {
			return nil, ErrSignatureKey
		}
		sigs = append(sigs, Signature{Input: uint32(i), Key: uint32(key), Bytes: bytes.Clone(partial.Signature)})
	}
	return append(sigs, f.witnessSignatures(s, i, in.FinalWitness)...), nil
}

// witnessSignatures returns the signatures of a finished witness of input i,
// each with the key it verifies by; others are left out.
func (wsh) witnessSignatures(s *Spend, i int, witness wire.TxWitness) []Signature {
	if len(witness) < 3 || len(witness) > MaxKeys+2 {
		return nil
	}
	var sigs []Signature
	order := s.scripts[i].Order
	for _, item := range witness[1 : len(witness)-1] {
		for position, key := range order {
			sig := Signature{Input: uint32(i), Key: uint32(key), Bytes: bytes.Clone(item)}
			if s.Verify(sig, nil) == nil {
				sigs = append(sigs, sig)
				order = order[position+1:] // signatures stand in the order of keys
				break
			}
		}
	}
	return sigs
}
