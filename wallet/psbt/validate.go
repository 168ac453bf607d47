package psbt

import (
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// lockTimeThreshold is the least lock time that is a time, not a height.
const lockTimeThreshold = 500_000_000

// maxMoney is the most satoshis there can be.
const maxMoney = 21_000_000 * 100_000_000

// Validate checks the packet: version and counts, fields that the version
// forbids, the format of every key and value, public keys on the curve,
// preimages against their hashes, spent transactions against the outpoint, and
// that no outpoint is spent twice. It does not check signatures, nor scripts
// against what they unlock: see [Packet.CheckInput]. Duplicate keys show when
// the packet is written.
func (p *Packet) Validate() error {
	if p.Version != 0 && p.Version != 2 {
		return fmt.Errorf("%w: %d", ErrVersion, p.Version)
	}
	if p.Version == 0 && p.Modifiable != nil {
		return fmt.Errorf("modifiable flags: %w", ErrForbidden)
	}
	if err := checkCount("inputs", len(p.Inputs), MaxInputs); err != nil {
		return err
	}
	if err := checkCount("outputs", len(p.Outputs), MaxOutputs); err != nil {
		return err
	}
	for i := range p.XPubs {
		if err := p.XPubs[i].validate(); err != nil {
			return fmt.Errorf("extended public key %d: %w", i, err)
		}
	}
	if err := validateUnknown(globalMap, p.Unknown); err != nil {
		return err
	}
	spent := make(map[wire.OutPoint]struct{}, len(p.Inputs))
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if err := in.validate(p.Version); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		spent[wire.OutPoint{Hash: in.PrevTxID, Index: in.OutputIndex}] = struct{}{}
		if len(spent) != i+1 {
			return fmt.Errorf("input %d: %w: outpoint already spent by another input", i, ErrMalformed)
		}
	}
	for i := range p.Outputs {
		if err := p.Outputs[i].validate(); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

// validate checks that the key is a public one and as deep as its path is long
// (BIP174).
func (x *XPub) validate() error {
	if err := validatePubKey(x.Key[45:]); err != nil {
		return err
	}
	if int(x.Key[4]) != len(x.Origin.Path) {
		return fmt.Errorf("%w: depth %d with a path of %d", ErrMalformed, x.Key[4], len(x.Origin.Path))
	}
	return nil
}

// validateUnknown refuses unknown fields whose type is known after all: they
// would be read back as something else.
func validateUnknown(kind mapKind, us []Unknown) error {
	for _, u := range us {
		if _, err := newReader(u.Key).compact(); err != nil {
			return fmt.Errorf("unknown field: type: %w", err)
		}
		known := kind.rank(u.Key[0]) != kind.rank(0xff) || kind == inputMap && u.Key[0] == inPorCommitment
		if known {
			return fmt.Errorf("unknown field %#02x: %w: its type is known", u.Key[0], ErrMalformed)
		}
	}
	return nil
}

func validateAmount(sat int64) error {
	if sat < 0 || sat > maxMoney {
		return fmt.Errorf("%w: amount out of range", ErrMalformed)
	}
	return nil
}

func validatePath(o Origin) error {
	return checkCount("steps of a path", len(o.Path), MaxPath)
}

func validateDerivations(ds []Derivation) error {
	for _, d := range ds {
		if err := validatePubKey(d.PubKey); err != nil {
			return fmt.Errorf("derivation: %w", err)
		}
		if err := validatePath(d.Origin); err != nil {
			return fmt.Errorf("derivation: %w", err)
		}
	}
	return nil
}

func validateTapDerivations(ds []TapDerivation) error {
	for i := range ds {
		if err := validateXOnly(&ds[i].PubKey); err != nil {
			return fmt.Errorf("taproot derivation: %w", err)
		}
		if err := validatePath(ds[i].Origin); err != nil {
			return fmt.Errorf("taproot derivation: %w", err)
		}
	}
	return nil
}

func validateMuSig2Participants(ps []MuSig2Participants) error {
	for i := range ps {
		if err := validatePubKey(ps[i].Aggregate[:]); err != nil {
			return fmt.Errorf("musig2 aggregate key: %w", err)
		}
		for j := range ps[i].Participants {
			if err := validatePubKey(ps[i].Participants[j][:]); err != nil {
				return fmt.Errorf("musig2 participant key: %w", err)
			}
		}
	}
	return nil
}
