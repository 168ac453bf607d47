package rawblock

import (
	"bytes"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Header returns the header of a serialized block, or ErrMalformed.
func Header(raw []byte) (wire.BlockHeader, error) {
	var h wire.BlockHeader
	if err := h.Deserialize(bytes.NewReader(raw)); err != nil {
		return h, fmt.Errorf("%w: block header", ErrMalformed)
	}
	return h, nil
}

// Measure walks through a serialized block. It returns ErrMalformed for what is
// none, or has bytes after its end.
func Measure(raw []byte) (Shape, error) {
	return walk(raw, func(tx) error { return nil })
}

// walk calls f for each transaction.
func walk(raw []byte, f func(tx) error) (Shape, error) {
	r := reader{b: raw}
	r.skip(wire.MaxBlockHeaderPayload)
	n := r.count()
	s := Shape{Size: r.at, Base: r.at}
	if r.bad {
		return s, fmt.Errorf("%w: block", ErrMalformed)
	}
	for range n {
		t, err := readTx(raw[s.Size:])
		if err != nil {
			return s, err
		}
		s.add(t.Shape)
		if err := f(t); err != nil {
			return s, err
		}
	}
	if s.Size != len(raw) {
		return s, fmt.Errorf("%w: bytes after the block", ErrMalformed)
	}
	return s, nil
}

// Check walks through a serialized block and checks that its transactions and
// their witnesses (BIP141) are those that its header commits to. It returns
// ErrMalformed or ErrFalse. Work, and all rules but these, are for others.
func Check(raw []byte) (Shape, error) {
	header, err := Header(raw)
	if err != nil {
		return Shape{}, err
	}
	var ids, wids []chainhash.Hash
	var first tx
	s, err := walk(raw, func(t tx) error {
		if len(ids) == 0 {
			first = t
			wids = append(wids, chainhash.Hash{})
		} else {
			wids = append(wids, t.wid())
		}
		ids = append(ids, t.id())
		return nil
	})
	switch {
	case err != nil:
		return s, err
	case len(ids) == 0:
		return s, fmt.Errorf("%w: no transactions", ErrFalse)
	case root(ids) != header.MerkleRoot:
		return s, fmt.Errorf("%w: transactions", ErrFalse)
	}
	commitment, err := first.commitment()
	switch {
	case err != nil:
		return s, err
	case commitment == nil && s.Items > 0:
		return s, fmt.Errorf("%w: witnesses without a commitment", ErrFalse)
	case commitment == nil:
		return s, nil
	case first.Inputs != 1 || len(first.stacks) != 34 || first.stacks[0] != 1 || first.stacks[1] != 32:
		return s, fmt.Errorf("%w: witness of the coinbase", ErrFalse)
	}
	all := root(wids)
	if got := chainhash.DoubleHashB(append(all[:], first.stacks[2:]...)); !bytes.Equal(got, commitment) {
		return s, fmt.Errorf("%w: witnesses", ErrFalse)
	}
	return s, nil
}

// commitment returns that of a coinbase to the block's witnesses, or nil.
func (t tx) commitment() ([]byte, error) {
	var msg wire.MsgTx
	plain := append(append(append([]byte(nil), t.raw[:4]...), t.body...), t.raw[len(t.raw)-4:]...)
	if err := msg.DeserializeNoWitness(bytes.NewReader(plain)); err != nil {
		return nil, fmt.Errorf("%w: coinbase", ErrMalformed)
	}
	got, _ := blockchain.ExtractWitnessCommitment(btcutil.NewTx(&msg))
	return got, nil
}

// root computes a merkle root, in the place of the hashes.
func root(hashes []chainhash.Hash) chainhash.Hash {
	var pair [2 * chainhash.HashSize]byte
	for n := len(hashes); n > 1; n = (n + 1) / 2 {
		for i := 0; i < n; i += 2 {
			copy(pair[:], hashes[i][:])
			copy(pair[chainhash.HashSize:], hashes[min(i+1, n-1)][:])
			hashes[i/2] = chainhash.DoubleHashH(pair[:])
		}
	}
	return hashes[0]
}

// Decode decodes a block that was checked, of that shape. Sparse witnesses are
// left out, so that it takes at most eight times its bytes. The miner of a block
// may put a million empty items into a witness that spends what anybody can; it is
// no spend of a wallet of ours, and no transaction's id covers it.
func Decode(raw []byte, s Shape) (*wire.MsgBlock, error) {
	if s.Sparse > 0 {
		r := reader{b: raw}
		r.skip(wire.MaxBlockHeaderPayload)
		r.count()
		out := append(make([]byte, 0, len(raw)), raw[:r.at]...)
		if _, err := walk(raw, func(t tx) error {
			out = t.trim(out)
			return nil
		}); err != nil {
			return nil, err
		}
		raw = out
	}
	msg := new(wire.MsgBlock)
	r := bytes.NewReader(raw)
	if err := msg.Deserialize(r); err != nil || r.Len() != 0 {
		return nil, fmt.Errorf("%w: block", ErrMalformed)
	}
	return msg, nil
}
