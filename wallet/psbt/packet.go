// Package psbt reads, writes, converts and combines partially signed Bitcoin
// transactions: version 0 (BIP174) and version 2 (BIP370), with the taproot
// fields of BIP371 and the MuSig2 fields of BIP373.
//
// The written form is canonical: the same content always gives the same bytes,
// in the order Bitcoin Core writes them. Fields this package does not know are
// kept. Everything read is held to hard limits, and its values are checked
// before a Packet is handed out.
package psbt

import (
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// Packet is one PSBT. Both versions share one shape: what version 0 keeps in
// its unsigned transaction is spread over the packet, its inputs and its
// outputs, as version 2 does. Optional fields are nil where absent; an empty
// slice that is not nil is a field present with an empty value.
//
// A Packet that came from [Parse] may share memory with itself only, never with
// the bytes it was parsed from.
type Packet struct {
	Version          uint32  // PSBT version, 0 or 2
	TxVersion        int32   // version of the transaction
	FallbackLockTime *uint32 // BIP370; in version 0 the lock time of the unsigned transaction
	Modifiable       *uint8  // BIP370 flags, version 2 only; see [InputsModifiable]
	XPubs            []XPub
	Inputs           []Input
	Outputs          []Output
	Proprietary      []Proprietary
	Unknown          []Unknown
}

// New returns a packet for the unsigned transaction tx, in PSBT version 0 or 2.
// It fails with [ErrVersion] on another version and with [ErrSigned] where an
// input already holds a scriptSig or a witness.
func New(tx *wire.MsgTx, version uint32) (*Packet, error) {
	if version != 0 && version != 2 {
		return nil, fmt.Errorf("new psbt: %w: %d", ErrVersion, version)
	}
	p := &Packet{Version: version}
	if err := p.setTx(tx); err != nil {
		return nil, fmt.Errorf("new psbt: %w", err)
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("new psbt: %w", err)
	}
	return p, nil
}

// setTx spreads an unsigned transaction over the packet.
func (p *Packet) setTx(tx *wire.MsgTx) error {
	if err := checkCount("inputs", len(tx.TxIn), MaxInputs); err != nil {
		return err
	}
	if err := checkCount("outputs", len(tx.TxOut), MaxOutputs); err != nil {
		return err
	}
	p.TxVersion = tx.Version
	p.FallbackLockTime = new(tx.LockTime)
	p.Inputs = make([]Input, len(tx.TxIn))
	p.Outputs = make([]Output, len(tx.TxOut))
	for i, in := range tx.TxIn {
		if len(in.SignatureScript) != 0 || len(in.Witness) != 0 {
			return fmt.Errorf("input %d: %w", i, ErrSigned)
		}
		p.Inputs[i].PrevTxID = in.PreviousOutPoint.Hash
		p.Inputs[i].OutputIndex = in.PreviousOutPoint.Index
		p.Inputs[i].Sequence = new(in.Sequence)
	}
	for i, out := range tx.TxOut {
		p.Outputs[i].Amount = out.Value
		p.Outputs[i].Script = append([]byte{}, out.PkScript...)
	}
	return nil
}
