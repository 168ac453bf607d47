package psbt

import "fmt"

// maxTapDepth is how deep a leaf can be (BIP341).
const maxTapDepth = 128

func (in *Input) validateTaproot() error {
	if in.TapKeySig != nil {
		if err := validateSchnorr(in.TapKeySig); err != nil {
			return err
		}
	}
	for i := range in.TapScriptSigs {
		if err := validateXOnly(&in.TapScriptSigs[i].PubKey); err != nil {
			return fmt.Errorf("taproot script signature: %w", err)
		}
		if err := validateSchnorr(in.TapScriptSigs[i].Signature); err != nil {
			return fmt.Errorf("taproot script signature: %w", err)
		}
	}
	for i := range in.TapLeafScripts {
		n := len(in.TapLeafScripts[i].ControlBlock)
		if n < 33 || (n-33)%32 != 0 || n > 33+32*maxTapDepth {
			return wrongSize("control block", n)
		}
	}
	if in.TapInternalKey != nil {
		if err := validateXOnly(in.TapInternalKey); err != nil {
			return fmt.Errorf("taproot internal key: %w", err)
		}
	}
	return validateTapDerivations(in.TapDerivations)
}

func (in *Input) validateMuSig2() error {
	if err := validateMuSig2Participants(in.MuSig2Participants); err != nil {
		return err
	}
	for i := range in.MuSig2PubNonces {
		n := &in.MuSig2PubNonces[i]
		// Both halves: adding a point at infinity goes unnoticed later.
		for _, k := range [][]byte{n.Participant[:], n.Aggregate[:], n.Nonce[:33], n.Nonce[33:]} {
			if err := validatePubKey(k); err != nil {
				return fmt.Errorf("musig2 public nonce: %w", err)
			}
		}
	}
	for i := range in.MuSig2PartialSigs {
		s := &in.MuSig2PartialSigs[i]
		for _, k := range [][]byte{s.Participant[:], s.Aggregate[:]} {
			if err := validatePubKey(k); err != nil {
				return fmt.Errorf("musig2 partial signature: %w", err)
			}
		}
		if err := validateScalar(&s.Signature); err != nil {
			return fmt.Errorf("musig2 partial signature: %w", err)
		}
	}
	return nil
}

func (out *Output) validate() error {
	if err := validateAmount(out.Amount); err != nil {
		return err
	}
	if err := validateDerivations(out.Derivations); err != nil {
		return err
	}
	if out.TapInternalKey != nil {
		if err := validateXOnly(out.TapInternalKey); err != nil {
			return fmt.Errorf("taproot internal key: %w", err)
		}
	}
	if out.TapTree != nil {
		if err := validateTapTree(out.TapTree); err != nil {
			return err
		}
	}
	if err := validateTapDerivations(out.TapDerivations); err != nil {
		return err
	}
	if err := validateMuSig2Participants(out.MuSig2Participants); err != nil {
		return err
	}
	return validateUnknown(outputMap, out.Unknown)
}

// validateTapTree checks that the leaves, in depth-first order, are exactly one
// binary tree: each leaf fills a place, and two full siblings fill their
// parent's.
func validateTapTree(leaves []TapLeaf) error {
	var full [maxTapDepth + 1]bool // a left sibling waits at this depth
	deepest := 0                   // of the waiting ones
	for i, l := range leaves {
		if l.Depth > maxTapDepth {
			return fmt.Errorf("%w: taproot leaf at depth %d", ErrMalformed, l.Depth)
		}
		if l.LeafVersion&1 != 0 {
			return fmt.Errorf("%w: taproot leaf version %#x", ErrMalformed, l.LeafVersion)
		}
		d := int(l.Depth)
		if d < deepest || i > 0 && full[0] {
			return fmt.Errorf("%w: taproot tree out of order", ErrMalformed)
		}
		for d > 0 && full[d] {
			full[d] = false
			d--
		}
		full[d] = true
		deepest = d
	}
	if !full[0] {
		return fmt.Errorf("%w: taproot tree is not complete", ErrMalformed)
	}
	return nil
}
