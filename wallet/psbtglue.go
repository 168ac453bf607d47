package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet/psbt"
)

var (
	// ErrForeignInput is returned for a PSBT input that is not the wallet's.
	ErrForeignInput = errors.New("input is not this wallet's")
	// ErrForeignTx is returned for a PSBT whose transaction is not one the
	// wallet would build, or not the spend at hand.
	ErrForeignTx = errors.New("transaction differs from the wallet's")
	// ErrPrevTx is returned for a previous transaction that does not hold the
	// coin an input spends.
	ErrPrevTx = errors.New("previous transaction does not match")
)

// PSBT returns the unsigned packet of version 0 or 2 (BIP174, BIP370), with
// scripts, amounts, key derivations, account keys and those previous
// transactions that are given. Errors: ErrPrevTx, ErrForeignTx (an own output
// that pays another script), ErrScriptIndex, or what the codec refuses.
func (s *Spend) PSBT(version int, prevTxs map[chainhash.Hash]*wire.MsgTx, own ...OwnOutput) (*psbt.Packet, error) {
	if version != 0 && version != 2 {
		return nil, fmt.Errorf("build psbt: %w: %d", psbt.ErrVersion, version)
	}
	p, err := psbt.New(s.Tx(), uint32(version))
	if err != nil {
		return nil, fmt.Errorf("build psbt: %w", err)
	}
	p.XPubs = s.d.psbtXPubs()
	for i, in := range s.in {
		script := s.scripts[i]
		out := &p.Inputs[i]
		if prev := prevTxs[in.OutPoint.Hash]; prev != nil {
			n := in.OutPoint.Index
			if prev.TxHash() != in.OutPoint.Hash || uint64(n) >= uint64(len(prev.TxOut)) ||
				prev.TxOut[n].Value != in.Amount || !bytes.Equal(prev.TxOut[n].PkScript, script.PkScript) {
				return nil, fmt.Errorf("build psbt: input %d: %w", i, ErrPrevTx)
			}
			out.NonWitnessUTXO = prev.Copy()
		}
		out.WitnessUTXO = &wire.TxOut{Value: in.Amount, PkScript: bytes.Clone(script.PkScript)}
		s.d.form.psbtInput(s.d, script, in.Branch, in.Index, out)
	}
	for _, o := range own {
		if o.Output < 0 || o.Output >= len(s.out) {
			return nil, fmt.Errorf("build psbt: own output %d: %w", o.Output, ErrForeignTx)
		}
		script, err := s.d.script(o.Branch, o.Index)
		if err != nil {
			return nil, fmt.Errorf("build psbt: own output %d: %w", o.Output, err)
		}
		if !bytes.Equal(script.PkScript, s.out[o.Output].PkScript) {
			return nil, fmt.Errorf("build psbt: own output %d: %w", o.Output, ErrForeignTx)
		}
		s.d.form.psbtOutput(s.d, script, o.Branch, o.Index, &p.Outputs[o.Output])
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("build psbt: %w", err)
	}
	return p, nil
}

// psbtXPubs returns the account keys of the wallet, all of them or none: signers
// take the list to be whole, and one that lacks their own key for that of a
// wallet which is not theirs. It is none where an origin does not have as many
// steps as its key is deep, which BIP174 refuses.
func (d *Descriptor) psbtXPubs() []psbt.XPub {
	out := make([]psbt.XPub, 0, len(d.keys))
	for _, k := range d.keys {
		raw := base58.Decode(k.XPub)
		if len(raw) != 82 || int(raw[4]) != len(k.Path) {
			return nil
		}
		out = append(out, psbt.XPub{Key: [78]byte(raw[:78]), Origin: psbt.Origin{Fingerprint: k.Fingerprint, Path: slices.Clone(k.Path)}})
	}
	return out
}

// SpendFromPSBT returns the spend of a packet whose inputs are all the
// wallet's: each must name its derivation. Own says which outputs the packet names
// the derivation of. The amounts are the packet's; the caller compares them with the chain. Errors: ErrForeignInput, ErrForeignTx,
// those of NewSpend, or what the codec refuses.
func SpendFromPSBT(d *Descriptor, p *psbt.Packet) (*Spend, error) {
	tx, err := p.UnsignedTx()
	if err != nil {
		return nil, fmt.Errorf("read psbt: %w", err)
	}
	if tx.Version != spendVersion {
		return nil, fmt.Errorf("read psbt: %w: version %d", ErrForeignTx, tx.Version)
	}
	in := make([]Input, len(tx.TxIn))
	for i, txIn := range tx.TxIn {
		if txIn.Sequence != spendSequence {
			return nil, fmt.Errorf("read psbt: input %d: %w: sequence %08x", i, ErrForeignTx, txIn.Sequence)
		}
		if err := p.CheckInput(i); err != nil {
			return nil, fmt.Errorf("read psbt: %w", err)
		}
		spent := p.Inputs[i].Spent()
		branch, index, err := d.locate(spent.PkScript, d.form.psbtOrigins(&p.Inputs[i]))
		if err != nil {
			return nil, fmt.Errorf("read psbt: input %d: %w", i, err)
		}
		in[i] = Input{OutPoint: txIn.PreviousOutPoint, Amount: spent.Value, Branch: branch, Index: index}
	}
	out := make([]Output, len(tx.TxOut))
	for i, txOut := range tx.TxOut {
		out[i] = Output{PkScript: txOut.PkScript, Amount: txOut.Value}
	}
	s, err := NewSpend(d, in, out, tx.LockTime)
	if err != nil {
		return nil, err
	}
	for i := range p.Outputs {
		var origins []psbt.Origin
		for _, x := range p.Outputs[i].Derivations {
			origins = append(origins, x.Origin)
		}
		if branch, index, err := d.locate(out[i].PkScript, origins); err == nil {
			s.own = append(s.own, OwnOutput{i, branch, index})
		}
	}
	return s, nil
}

// locate finds the branch and index of a script by what a packet says of its keys.
func (d *Descriptor) locate(pkScript []byte, origins []psbt.Origin) (branch, index uint32, err error) {
	// Each place named costs the derivation of all keys: an honest packet names one.
	const maxPlaces = 4
	var tried []scriptPosition
	for _, origin := range origins {
		path := origin.Path
		if len(path) < 2 {
			continue
		}
		n := len(path) - 2
		at := scriptPosition{path[n], path[n+1]}
		known := slices.ContainsFunc(d.keys, func(k Key) bool {
			return k.Fingerprint == origin.Fingerprint && slices.Equal(k.Path, path[:n])
		})
		if !known || slices.Contains(tried, at) || len(tried) == maxPlaces {
			continue
		}
		tried = append(tried, at)
		if script, err := d.script(at.branch, at.index); err == nil && bytes.Equal(script.PkScript, pkScript) {
			return at.branch, at.index, nil
		}
	}
	return 0, 0, ErrForeignInput
}

// SignaturesFromPSBT returns the signatures a packet of this transaction
// carries, by input and key, unverified. Those of an input that its signer
// finalized are taken out of the witness; only there each is tried against the
// keys. Errors: ErrForeignTx, or ErrSignatureKey for one by no key of the wallet.
func (s *Spend) SignaturesFromPSBT(p *psbt.Packet) ([]Signature, error) {
	tx, err := p.UnsignedTx()
	if err != nil {
		return nil, fmt.Errorf("read psbt: %w", err)
	}
	if tx.TxHash() != s.Tx().TxHash() {
		return nil, fmt.Errorf("read psbt: %w", ErrForeignTx)
	}
	var sigs []Signature
	for i := range p.Inputs {
		of, err := s.d.form.psbtSignatures(s, i, &p.Inputs[i])
		if err != nil {
			return nil, fmt.Errorf("read psbt: input %d: %w", i, err)
		}
		sigs = append(sigs, of...)
	}
	return sigs, nil
}
