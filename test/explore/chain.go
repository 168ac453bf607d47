package explore

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// block is one on top of the chain that the wallet begins with.
type block struct {
	ref  port.BlockRef
	prev chainhash.Hash
	txs  []uint32
}

// transaction is one that was broadcast, with its signatures. It has passed the
// script engine.
type transaction struct {
	id  chainhash.Hash
	tx  *wire.MsgTx
	fee int64
}

// chain is the Bitcoin network as a value: all nodes see the same, at once.
// Blocks and transactions are numbers in the setting.
type chain struct {
	blocks, mempool []uint32
	forks           uint8  // counts reorgs, so that blocks differ
	number          uint32 // of this chain, and one more; 0 where it is not looked up
}

// key tells chains apart.
func (c chain) key() string { return fmt.Sprint(c.blocks, c.mempool, c.forks) }

func (w *world) tip() port.BlockRef {
	if n := len(w.chain.blocks); n > 0 {
		return w.blocks[w.chain.blocks[n-1]].ref
	}
	return w.blocks[w.base-1].ref
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

// mined says whether a block holds a transaction that is as it is asked for.
func (w *world) mined(is func(t *transaction) bool) bool {
	return slices.ContainsFunc(w.chain.blocks, func(b uint32) bool {
		return slices.ContainsFunc(w.blocks[b].txs, func(t uint32) bool { return is(&w.txs[t]) })
	})
}

func (w *world) confirmed(id chainhash.Hash) bool {
	return w.mined(func(t *transaction) bool { return t.id == id })
}

func (w *world) pooled(id chainhash.Hash) bool {
	return slices.ContainsFunc(w.chain.mempool, func(t uint32) bool { return w.txs[t].id == id })
}

// accept takes a transaction into the mempool in place of what it outbids.
func (w *world) accept(n uint32) bool {
	t := &w.txs[n]
	if w.mined(func(x *transaction) bool { return conflict(x.tx, t.tx) }) {
		return false
	}
	var rest []uint32
	for _, x := range w.chain.mempool {
		if !conflict(w.txs[x].tx, t.tx) {
			rest = append(rest, x)
		} else if w.txs[x].fee >= t.fee {
			return false
		}
	}
	w.chain.mempool, w.chain.number = append(rest, n), 0
	return true
}

// extend puts transactions in a block, and shows it to all.
func (w *world) extend(txs []uint32) error {
	tip := w.tip()
	raw := append([]byte{w.chain.forks}, tip.Hash[:]...)
	for _, t := range txs {
		raw = binary.BigEndian.AppendUint32(raw, t)
	}
	h := chainhash.Hash(journal.H("block", raw))
	n, ok := w.blockOf[h]
	if !ok {
		n = uint32(len(w.blocks))
		w.blockOf[h] = n
		w.blocks = append(w.blocks, block{prev: tip.Hash, txs: txs, ref: port.BlockRef{
			Height: tip.Height + 1, Hash: h, Time: tip.Time + 600, MedianTime: tip.MedianTime + 600,
		}})
	}
	w.chain.blocks, w.chain.number = append(slices.Clone(w.chain.blocks), n), 0
	w.chain.mempool = slices.DeleteFunc(slices.Clone(w.chain.mempool), func(x uint32) bool {
		return slices.ContainsFunc(txs, func(y uint32) bool { return conflict(w.txs[x].tx, w.txs[y].tx) })
	})
	for i := range w.each() {
		if err := w.tell(i, call{connected, n}, call{caughtUp, 0}); err != nil {
			return err
		}
	}
	return nil
}

// reorg takes the last block away, and puts two others in its place: what it held
// waits in the mempool again.
func (w *world) reorg() error {
	end := len(w.chain.blocks) - 1
	last := w.chain.blocks[end]
	w.chain.blocks = w.chain.blocks[:end:end]
	w.chain.forks++
	w.chain.mempool = append(slices.Clone(w.chain.mempool), w.blocks[last].txs...)
	for i := range w.each() {
		if err := w.tell(i, call{disconnected, last}); err != nil {
			return err
		}
		if err := w.tell(i, sightings(w.blocks[last].txs)...); err != nil {
			return err
		}
	}
	for range 2 {
		if err := w.extend(nil); err != nil {
			return err
		}
	}
	return nil
}
