package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

var errBackend = errors.New("backend is not there")

// block is one of a chain that is made up: no proof of work, but every spend of
// a known output runs through the script engine.
type block struct {
	ref  port.BlockRef
	prev chainhash.Hash
	txs  []*wire.MsgTx
}

// chain is the Bitcoin network: the best chain, one mempool, and every
// transaction that was valid once.
type chain struct {
	salt    uint64
	made    uint64 // blocks ever
	blocks  []*block
	mempool []*wire.MsgTx
	ever    []*wire.MsgTx
	known   map[chainhash.Hash]*wire.MsgTx
	checked map[chainhash.Hash]bool // by hash with witness: the engine ran
	ids     map[*wire.MsgTx]chainhash.Hash
}

// id is a transaction's, computed once.
func (c *chain) id(tx *wire.MsgTx) chainhash.Hash {
	h, ok := c.ids[tx]
	if !ok {
		h = tx.TxHash()
		c.ids[tx] = h
	}
	return h
}

func newChain(salt uint64) *chain {
	return &chain{salt: salt, known: map[chainhash.Hash]*wire.MsgTx{}, checked: map[chainhash.Hash]bool{}, ids: map[*wire.MsgTx]chainhash.Hash{}}
}

func (c *chain) clone(salt uint64) *chain {
	out := newChain(salt)
	out.made, out.blocks, out.mempool, out.ever = c.made, slices.Clone(c.blocks), slices.Clone(c.mempool), slices.Clone(c.ever)
	for _, tx := range c.ever {
		out.known[c.id(tx)] = tx
	}
	return out
}

func (c *chain) height() int32 { return int32(len(c.blocks)) }

// learn remembers a transaction, whatever becomes of it.
func (c *chain) learn(tx *wire.MsgTx) {
	if id := c.id(tx); c.known[id] == nil {
		c.known[id] = tx
		c.ever = append(c.ever, tx)
	}
}

// deposit pays scripts from outside.
func (c *chain) deposit(outs ...*wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	c.made++
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], c.salt)
	binary.BigEndian.PutUint64(b[8:], c.made)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH(b[:])}})
	tx.TxOut = outs
	c.learn(tx)
	c.mempool = append(c.mempool, tx)
	return tx
}

// confirmed returns the height of a transaction in the best chain, or 0.
func (c *chain) confirmed(id chainhash.Hash) int32 {
	for _, b := range c.blocks {
		for _, tx := range b.txs {
			if c.id(tx) == id {
				return b.ref.Height
			}
		}
	}
	return 0
}

// spender returns the transaction of the best chain that spends an output.
func (c *chain) spender(o wire.OutPoint) (chainhash.Hash, bool) {
	for _, b := range c.blocks {
		for _, tx := range b.txs {
			for _, in := range tx.TxIn {
				if in.PreviousOutPoint == o {
					return c.id(tx), true
				}
			}
		}
	}
	return chainhash.Hash{}, false
}

func external(tx *wire.MsgTx) bool { return len(tx.TxIn[0].Witness) == 0 }

// available says whether the inputs of a transaction are there to be mined now.
func (c *chain) available(tx *wire.MsgTx) bool {
	for _, in := range tx.TxIn {
		if _, spent := c.spender(in.PreviousOutPoint); spent {
			return false
		}
		if !external(tx) && c.confirmed(in.PreviousOutPoint.Hash) == 0 {
			return false
		}
	}
	return true
}

// accept takes a transaction into the mempool, as a Bitcoin node does.
func (c *chain) accept(tx *wire.MsgTx) error {
	id := c.id(tx)
	if c.confirmed(id) > 0 || slices.ContainsFunc(c.mempool, func(x *wire.MsgTx) bool { return c.id(x) == id }) {
		return nil
	}
	if err := c.check(tx); err != nil {
		return fmt.Errorf("%w: %w", port.ErrTxRejected, err)
	}
	var rivals []*wire.MsgTx
	for _, in := range tx.TxIn {
		if by, spent := c.spender(in.PreviousOutPoint); spent {
			return fmt.Errorf("%w: spent by %v", port.ErrTxRejected, by)
		}
		for _, x := range c.mempool {
			if spends(x, in.PreviousOutPoint) && !slices.Contains(rivals, x) {
				rivals = append(rivals, x)
			}
		}
		parent := in.PreviousOutPoint.Hash
		if c.confirmed(parent) == 0 && !slices.ContainsFunc(c.mempool, func(x *wire.MsgTx) bool { return c.id(x) == parent }) {
			return fmt.Errorf("%w: missing input", port.ErrTxRejected)
		}
	}
	var fees int64
	for _, x := range rivals {
		fees += c.fee(x)
	}
	if len(rivals) > 0 && c.fee(tx) <= fees {
		return fmt.Errorf("%w: insufficient fee for a replacement", port.ErrTxRejected)
	}
	for _, x := range rivals {
		c.evict(x)
	}
	c.learn(tx)
	c.mempool = append(c.mempool, tx)
	return nil
}

// evict takes a transaction and what spends it out of the mempool.
func (c *chain) evict(tx *wire.MsgTx) {
	id := c.id(tx)
	c.mempool = slices.DeleteFunc(slices.Clone(c.mempool), func(x *wire.MsgTx) bool { return c.id(x) == id })
	for _, x := range slices.Clone(c.mempool) {
		if slices.ContainsFunc(x.TxIn, func(in *wire.TxIn) bool { return in.PreviousOutPoint.Hash == id }) {
			c.evict(x)
		}
	}
}

func spends(tx *wire.MsgTx, o wire.OutPoint) bool {
	return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool { return in.PreviousOutPoint == o })
}

func (c *chain) prevOut(o wire.OutPoint) (*wire.TxOut, bool) {
	tx := c.known[o.Hash]
	if tx == nil || int(o.Index) >= len(tx.TxOut) {
		return nil, false
	}
	return tx.TxOut[o.Index], true
}

func (c *chain) fee(tx *wire.MsgTx) int64 {
	var fee int64
	for _, in := range tx.TxIn {
		if o, ok := c.prevOut(in.PreviousOutPoint); ok {
			fee += o.Value
		}
	}
	for _, o := range tx.TxOut {
		fee -= o.Value
	}
	return fee
}

// check runs the script engine over a transaction.
func (c *chain) check(tx *wire.MsgTx) error {
	if c.checked[tx.WitnessHash()] {
		return nil
	}
	var prev []wallet.Output
	for _, in := range tx.TxIn {
		o, ok := c.prevOut(in.PreviousOutPoint)
		if !ok {
			return fmt.Errorf("missing input %v", in.PreviousOutPoint)
		}
		prev = append(prev, wallet.Output{PkScript: o.PkScript, Amount: o.Value})
	}
	if c.fee(tx) < 0 {
		return wallet.ErrNegativeFee
	}
	if err := wallet.CheckTx(tx, prev); err != nil {
		return err
	}
	c.checked[tx.WitnessHash()] = true
	return nil
}

// mine makes a block of what pick chooses from the mempool.
func (c *chain) mine(unix int64, pick func() bool) {
	b := &block{}
	if n := len(c.blocks); n > 0 {
		b.prev = c.blocks[n-1].ref.Hash
	}
	c.made++
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], c.salt)
	binary.BigEndian.PutUint64(raw[8:], c.made)
	b.ref = port.BlockRef{Height: c.height() + 1, Hash: chainhash.HashH(raw[:]), Time: unix, MedianTime: unix - 3600}
	c.blocks = append(c.blocks, b)
	for _, tx := range slices.Clone(c.mempool) {
		if pick() && c.available(tx) {
			b.txs = append(b.txs, tx)
			id := c.id(tx)
			c.mempool = slices.DeleteFunc(slices.Clone(c.mempool), func(x *wire.MsgTx) bool { return c.id(x) == id })
			for _, in := range tx.TxIn {
				for _, x := range slices.Clone(c.mempool) {
					if spends(x, in.PreviousOutPoint) {
						c.evict(x)
					}
				}
			}
		}
	}
}

// reorg takes blocks away. What they held goes back to the mempool, or a rival
// of it takes its place there.
func (c *chain) reorg(depth int, swap func() bool) {
	n := max(1, len(c.blocks)-depth)
	gone := c.blocks[n:]
	c.blocks = slices.Clone(c.blocks[:n])
	pool := c.mempool
	c.mempool = nil
	var again []*wire.MsgTx
	for _, b := range gone {
		again = append(again, b.txs...)
	}
	if swap() {
		// What lost the first time comes first now.
		again = append(slices.Clone(c.ever), again...)
	}
	for _, tx := range append(again, pool...) {
		if external(tx) {
			if !c.inPool(tx) && c.confirmed(c.id(tx)) == 0 {
				c.mempool = append(c.mempool, tx)
			}
			continue
		}
		_ = c.accept(tx) // what it spends may be gone
	}
}

func (c *chain) inPool(tx *wire.MsgTx) bool {
	id := c.id(tx)
	return slices.ContainsFunc(c.mempool, func(x *wire.MsgTx) bool { return c.id(x) == id })
}
