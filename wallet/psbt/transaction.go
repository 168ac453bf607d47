package psbt

import (
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// Least sizes of the parts of a transaction, in bytes: outpoint, empty script
// and sequence; amount and empty script.
const (
	minTxIn  = 32 + 4 + 1 + 4
	minTxOut = 8 + 1
)

// readTx reads a transaction that fills r. With witness it reads both
// serializations of BIP144, without only the old one. The wire package's
// decoder is not used because it allocates by the counts that it is told.
func readTx(r *reader, witness bool) (*wire.MsgTx, error) {
	version, err := r.uint32()
	if err != nil {
		return nil, err
	}
	tx := &wire.MsgTx{Version: int32(version)}
	extended := witness && len(r.buf) >= 2 && r.buf[0] == 0 && r.buf[1] == 1
	if extended {
		r.buf = r.buf[2:]
	}
	if err := readTxIns(r, tx); err != nil {
		return nil, err
	}
	if err := readTxOuts(r, tx); err != nil {
		return nil, err
	}
	if extended {
		if err := readWitnesses(r, tx); err != nil {
			return nil, err
		}
	}
	if tx.LockTime, err = r.uint32(); err != nil {
		return nil, err
	}
	return tx, r.end()
}

func readTxIns(r *reader, tx *wire.MsgTx) error {
	n, err := r.count(minTxIn)
	if err != nil {
		return err
	}
	ins := make([]wire.TxIn, n)
	tx.TxIn = make([]*wire.TxIn, n)
	for i := range ins {
		in := &ins[i]
		if err := r.fill(in.PreviousOutPoint.Hash[:]); err != nil {
			return err
		}
		if in.PreviousOutPoint.Index, err = r.uint32(); err != nil {
			return err
		}
		if in.SignatureScript, err = r.bytes(); err != nil {
			return err
		}
		if in.Sequence, err = r.uint32(); err != nil {
			return err
		}
		tx.TxIn[i] = in
	}
	return nil
}

func readTxOuts(r *reader, tx *wire.MsgTx) error {
	n, err := r.count(minTxOut)
	if err != nil {
		return err
	}
	outs := make([]wire.TxOut, n)
	tx.TxOut = make([]*wire.TxOut, n)
	for i := range outs {
		if err := readTxOut(r, &outs[i]); err != nil {
			return err
		}
		tx.TxOut[i] = &outs[i]
	}
	return nil
}

func readTxOut(r *reader, out *wire.TxOut) error {
	value, err := r.uint64()
	if err != nil {
		return err
	}
	out.Value = int64(value)
	out.PkScript, err = r.bytes()
	return err
}

func readWitnesses(r *reader, tx *wire.MsgTx) error {
	any := false
	for _, in := range tx.TxIn {
		w, err := readWitness(r)
		if err != nil {
			return err
		}
		if len(w) != 0 {
			in.Witness = w
			any = true
		}
	}
	if !any {
		return fmt.Errorf("%w: witness serialization without a witness", ErrMalformed)
	}
	return nil
}

// readWitness reads one witness. The result is never nil.
func readWitness(r *reader) (wire.TxWitness, error) {
	n, err := r.count(1)
	if err != nil {
		return nil, err
	}
	if err := checkCount("witness items", n, MaxWitnessItems); err != nil {
		return nil, err
	}
	w := make(wire.TxWitness, n)
	for i := range w {
		if w[i], err = r.bytes(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// appendTx appends a transaction, in the serialization of BIP144 where an input
// has a witness.
func appendTx(b []byte, tx *wire.MsgTx) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(tx.Version))
	extended := tx.HasWitness()
	if extended {
		b = append(b, 0, 1)
	}
	b = appendCompact(b, uint64(len(tx.TxIn)))
	for _, in := range tx.TxIn {
		b = append(b, in.PreviousOutPoint.Hash[:]...)
		b = binary.LittleEndian.AppendUint32(b, in.PreviousOutPoint.Index)
		b = appendBytes(b, in.SignatureScript)
		b = binary.LittleEndian.AppendUint32(b, in.Sequence)
	}
	b = appendCompact(b, uint64(len(tx.TxOut)))
	for _, out := range tx.TxOut {
		b = appendTxOut(b, out)
	}
	if extended {
		for _, in := range tx.TxIn {
			b = appendWitness(b, in.Witness)
		}
	}
	return binary.LittleEndian.AppendUint32(b, tx.LockTime)
}

func appendTxOut(b []byte, out *wire.TxOut) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(out.Value))
	return appendBytes(b, out.PkScript)
}

func appendWitness(b []byte, w wire.TxWitness) []byte {
	b = appendCompact(b, uint64(len(w)))
	for _, item := range w {
		b = appendBytes(b, item)
	}
	return b
}
