package psbt

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// LockTime returns the lock time of the transaction as BIP370 determines it: of
// the kind that every input with a requirement allows, height before time, the
// greatest; without any requirement the fallback, or 0. It fails with
// [ErrLockTime] where no kind fits all.
func (p *Packet) LockTime() (uint32, error) {
	byTime, byHeight, any := true, true, false
	var time, height uint32
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if in.RequiredTime == nil && in.RequiredHeight == nil {
			continue
		}
		any = true
		if in.RequiredTime == nil {
			byTime = false
		} else {
			time = max(time, *in.RequiredTime)
		}
		if in.RequiredHeight == nil {
			byHeight = false
		} else {
			height = max(height, *in.RequiredHeight)
		}
	}
	switch {
	case !any && p.FallbackLockTime == nil:
		return 0, nil
	case !any:
		return *p.FallbackLockTime, nil
	case byHeight:
		return height, nil
	case byTime:
		return time, nil
	}
	return 0, fmt.Errorf("lock time: %w", ErrLockTime)
}

// UnsignedTx returns the transaction without scriptSigs and witnesses. It shares
// no memory with the packet. It fails with [ErrLockTime].
func (p *Packet) UnsignedTx() (*wire.MsgTx, error) {
	lockTime, err := p.LockTime()
	if err != nil {
		return nil, err
	}
	tx := &wire.MsgTx{
		Version:  p.TxVersion,
		TxIn:     make([]*wire.TxIn, len(p.Inputs)),
		TxOut:    make([]*wire.TxOut, len(p.Outputs)),
		LockTime: lockTime,
	}
	for i := range p.Inputs {
		in := &p.Inputs[i]
		tx.TxIn[i] = &wire.TxIn{
			PreviousOutPoint: wire.OutPoint{Hash: in.PrevTxID, Index: in.OutputIndex},
			Sequence:         in.sequence(),
		}
	}
	for i := range p.Outputs {
		out := &p.Outputs[i]
		tx.TxOut[i] = &wire.TxOut{Value: out.Amount, PkScript: append([]byte(nil), out.Script...)}
	}
	return tx, nil
}

// UniqueID returns what identifies the transaction of a packet before it is
// final: the id of the unsigned transaction, in version 2 with every sequence
// number 0 because updaters may change it (BIP370). It fails with [ErrLockTime].
func (p *Packet) UniqueID() (chainhash.Hash, error) {
	tx, err := p.UnsignedTx()
	if err != nil {
		return chainhash.Hash{}, err
	}
	if p.Version == 2 {
		for _, in := range tx.TxIn {
			in.Sequence = 0
		}
	}
	return tx.TxHash(), nil
}
