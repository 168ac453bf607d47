package explore

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
)

// block is one on top of the chain that the wallet begins with.
type block struct {
	ref  coordinator.BlockRef
	prev chainhash.Hash
	txs  []*wire.MsgTx
}

// chain is the Bitcoin network as a value: all nodes see the same, at once.
type chain struct {
	base    coordinator.BlockRef
	blocks  []block
	mempool []*wire.MsgTx
	forks   uint64 // counts reorgs, so that blocks differ
}

func (c chain) tip() coordinator.BlockRef {
	if n := len(c.blocks); n > 0 {
		return c.blocks[n-1].ref
	}
	return c.base
}

func conflict(a, b *wire.MsgTx) bool {
	for _, x := range a.TxIn {
		for _, y := range b.TxIn {
			if x.PreviousOutPoint == y.PreviousOutPoint {
				return true
			}
		}
	}
	return false
}

func (c chain) confirmed(id chainhash.Hash) bool {
	return slices.ContainsFunc(c.blocks, func(b block) bool {
		return slices.ContainsFunc(b.txs, func(tx *wire.MsgTx) bool { return tx.TxHash() == id })
	})
}

// spent says whether a transaction of the chain, another one, spends an input.
func (c chain) spent(tx *wire.MsgTx) bool {
	return slices.ContainsFunc(c.blocks, func(b block) bool {
		return slices.ContainsFunc(b.txs, func(x *wire.MsgTx) bool { return conflict(x, tx) })
	})
}

// accept takes a transaction into the mempool in place of what it outbids.
func (c *chain) accept(tx *wire.MsgTx, fee func(*wire.MsgTx) int64) bool {
	if c.spent(tx) || slices.ContainsFunc(c.mempool, func(x *wire.MsgTx) bool { return x.TxHash() == tx.TxHash() }) {
		return false
	}
	var rest []*wire.MsgTx
	for _, x := range c.mempool {
		if !conflict(x, tx) {
			rest = append(rest, x)
		} else if fee(x) >= fee(tx) {
			return false
		}
	}
	c.mempool = append(rest, tx)
	return true
}

// mine puts the mempool, or nothing, in a block.
func (c *chain) mine(txs []*wire.MsgTx) block {
	var raw []byte
	tip := c.tip()
	raw = append(raw, tip.Hash[:]...)
	for _, tx := range txs {
		h := tx.TxHash()
		raw = append(raw, h[:]...)
	}
	raw = append(raw, byte(c.forks))
	h := journal.H("block", raw)
	b := block{prev: tip.Hash, txs: txs, ref: coordinator.BlockRef{Height: tip.Height + 1, Hash: chainhash.Hash(h), Time: tip.Time + 600, MedianTime: tip.MedianTime + 600}}
	c.blocks = append(slices.Clone(c.blocks), b)
	c.mempool = slices.DeleteFunc(slices.Clone(c.mempool), func(x *wire.MsgTx) bool {
		return slices.ContainsFunc(txs, func(y *wire.MsgTx) bool { return conflict(x, y) })
	})
	return b
}

// drop takes the last block away; what it held is in the mempool again.
func (c *chain) drop() block {
	last := c.blocks[len(c.blocks)-1]
	c.blocks = slices.Clone(c.blocks[:len(c.blocks)-1])
	c.forks++
	c.mempool = append(slices.Clone(c.mempool), last.txs...)
	return last
}
