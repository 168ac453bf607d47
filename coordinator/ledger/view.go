package ledger

import (
	"fmt"
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Depths and limits of what a node sees of the chain.
const (
	// GapLimit is how many unused addresses past the last used one are watched
	// and may be handed out, on each branch (BIP44).
	GapLimit = 20
	// BeyondGap is how many more may be handed out when the user insists.
	BeyondGap = 100
	// Watchable is how many receive indexes past the last used one are watched at most.
	Watchable = GapLimit + BeyondGap
	// ChangeGap is how far past the last used change index a proposal may go.
	ChangeGap = 20
	// BuriedDepth is how deep a spend must be before a rival is given up.
	BuriedDepth = 6
	// CoinbaseMaturity is consensus: 100 blocks.
	CoinbaseMaturity = 100
	// FreshMargin is how many blocks are looked at again for an address that
	// came to be watched because one before it was used: a node that saw that
	// earlier may have handed it out, and it may have been paid.
	FreshMargin = 144
	// KeptBlocks is how many block references are kept for reorgs. A deeper
	// one means a rescan from the wallet's birthday.
	KeptBlocks = 288
	// deepReorg is how far the birthday moves back when a reorg takes all known
	// blocks: payments may have come to lie in blocks below it. Two weeks.
	deepReorg = 2016
)

// View is what this node sees of the Bitcoin chain for one wallet: every
// transaction that pays to it or spends from it, and in which block. It is an
// immutable value, like State, and never decides State or storage.
type View struct {
	tip      port.BlockRef
	birthday int32
	caughtUp bool
	blocks   []port.BlockRef // the newest keptBlocks, oldest first; never changed in Place

	txs    pmap.Map[mapkey.ByTx, ViewTx] // by txid
	outs   pmap.Map[mapkey.ByCoin, ViewOut]
	spends pmap.Map[mapkey.ByCoinTx, chainhash.Hash] // by outpoint | spending txid
	// Each of these holds at most one line for each of the above. A line takes
	// money to make: whoever pays the wallet pays the network for it.
	places  pmap.Map[byHeight, bool]         // by height, newest first | txid: see historyPlace
	unspent pmap.Map[mapkey.ByCoin, ViewOut] // by outpoint: of outs, those that no block spends

	scripts pmap.Map[byScript, Place] // watched scripts
	sieve   *sieve                    // nil, or of all of scripts, outs and spends
	watched [2]uint32                 // how many indexes are watched, by branch
	used    [2]uint32                 // one past the last index paid to, by branch
	handed  [2]uint32                 // one past the last index handed out, by branch

	// rescan is one past the lowest height of a rescan that is not known to be
	// finished, 0 for none; asked says that the follower has taken it.
	rescan int32
	asked  bool
	call   uint64 // of Watch that asked
	near   int32  // rescan, where that was near the tip when it was asked for

	// Addresses that must be looked for in old blocks: those due, and those that
	// are being looked for; by branch. The next time is not before lookNext (Unix
	// seconds).
	late, looking [2]Span
	lookNext      int64

	unsent  pmap.Map[mapkey.ByTx, Unsent] // by txid: of ours, those that the network does not have
	changed pmap.Map[mapkey.ByTx, bool]   // by txid: transactions that differ from what is stored
	news    pmap.Map[mapkey.ByTx, bool]   // by txid: those that changed in this step
}

// Keys of what a View finds its transactions by.
type (
	byHeight string // height, newest first | txid: see historyPlace
	byScript string // the script itself
)

// ViewTx is a transaction of interest. Height is 0 while it is unconfirmed.
type ViewTx struct {
	Tx    *wire.MsgTx
	Block port.BlockRef
	// Seen says that it is in the backend's mempool, or that the backend took it from us.
	Seen bool
}

// ViewOut is an output that pays the wallet.
type ViewOut struct {
	OutPoint wire.OutPoint
	Amount   int64
	Branch   uint32
	Index    uint32
	Coinbase bool
}

// Place is that of an address in the wallet.
type Place struct{ Branch, Index uint32 }

// Tip returns the newest block seen.
func (v View) Tip() port.BlockRef { return v.tip }

// Synced says whether the view has caught up with its backend since the start.
// It has not while a scan of old blocks is unfinished: a coin may be known
// before its spend. (Blocks near the tip are looked at again with every spend,
// and that is so for as long as it takes: payments may come faster than one such
// scan ends.) Looking back beside the stream does not count: see LookBack.
func (v View) Synced() bool {
	return v.caughtUp && (v.rescan == 0 || v.rescan == v.near || v.nearTip(v.rescan))
}

func (v View) nearTip(rescan int32) bool { return rescan > v.tip.Height-2*FreshMargin }

// Tx returns a transaction of interest.
func (v View) Tx(id chainhash.Hash) (ViewTx, bool) { return v.txs.Get(mapkey.Of(id)) }

// Confirmations returns the depth of a transaction: 0 when it is not in a block.
func (v View) Confirmations(id chainhash.Hash) int32 {
	t, ok := v.Tx(id)
	if !ok || t.Block.Height == 0 {
		return 0
	}
	return v.tip.Height - t.Block.Height + 1
}

// SpentBy returns the deepest confirmed transaction that spends a coin, if any.
func (v View) SpentBy(o wire.OutPoint) (chainhash.Hash, bool) {
	for _, tx := range pmap.Prefix(v.spends, mapkey.ByCoinTx(mapkey.Coin(o))) {
		if v.Confirmations(tx) > 0 {
			return tx, true
		}
	}
	return chainhash.Hash{}, false
}

// Rivals yields all known transactions that spend a coin, confirmed or not.
func (v View) Rivals(o wire.OutPoint) iter.Seq[chainhash.Hash] {
	return func(yield func(chainhash.Hash) bool) {
		for _, tx := range pmap.Prefix(v.spends, mapkey.ByCoinTx(mapkey.Coin(o))) {
			if !yield(tx) {
				return
			}
		}
	}
}

// ahead is how many addresses past the last used one are watched on a branch:
// of receive addresses all that may be handed out, so that it makes no
// difference to the chain view which ones are. 140 scripts of 100 B and 0.1 ms.
func ahead(branch uint32) uint32 {
	if branch == wallet.BranchExternal {
		return Watchable
	}
	return ChangeGap
}

// Watch derives scripts as far ahead of the last used index of each branch as
// are watched, and returns the new ones.
func (v View) Watch(d *wallet.Descriptor) (View, [][]byte, error) {
	var fresh [][]byte
	for branch := range v.watched {
		for v.watched[branch] < max(v.used[branch]+ahead(uint32(branch)), v.handed[branch]) {
			i := v.watched[branch]
			s, err := d.PkScript(uint32(branch), i)
			if err != nil {
				return v, nil, fmt.Errorf("derive script %d/%d: %w", branch, i, err)
			}
			if v.sieve == nil && v.scripts.Len() == 0 {
				v.sieve = newSieve()
			}
			v.sieve.add(scriptMark(s))
			v.scripts = v.scripts.Set(byScript(s), Place{uint32(branch), i})
			fresh = append(fresh, s)
			v.watched[branch]++
		}
	}
	return v, fresh, nil
}

// Scripts returns all watched scripts.
func (v View) Scripts() [][]byte {
	out := make([][]byte, 0, v.scripts.Len())
	for s := range v.scripts.All() {
		out = append(out, []byte(s))
	}
	return out
}

// Follow is what a follower is asked for that goes on from this view.
func (v View) Follow() port.Follow {
	return port.Follow{Known: v.blocks, From: v.birthday, Scripts: v.Scripts()}
}

// Unfinished is what a follower is asked to look at again, where a scan of old
// blocks is not known to be finished.
func (v View) Unfinished() (port.Watch, bool) {
	if v.rescan == 0 {
		return port.Watch{}, false
	}
	return port.Watch{Scripts: v.Scripts(), From: v.rescan - 1}, true
}

// Hand makes sure that an index that was handed out is watched, even where it
// lies beyond the gap.
func (v View) Hand(branch, index uint32) View {
	v.handed[branch] = max(v.handed[branch], index+1)
	return v
}

// Connect applies a block. It returns an error, and the old view, when the
// block does not extend the tip. Where no block is known it must be the first
// one after the birthday: whatever lies between would be missed.
func (v View) Connect(b port.BlockRef, prev chainhash.Hash, txs []*wire.MsgTx) (View, bool, error) {
	switch n := len(v.blocks); {
	case n > 0 && (v.tip.Hash != prev || b.Height != v.tip.Height+1):
		return v, false, fmt.Errorf("connect block %d: it does not extend block %d", b.Height, v.tip.Height)
	case n == 0 && b.Height != max(v.birthday, -1)+1:
		return v, false, fmt.Errorf("connect block %d: the scan begins after block %d", b.Height, v.birthday)
	}
	kept := v.blocks
	if len(kept) >= KeptBlocks {
		kept = kept[len(kept)-KeptBlocks+1:]
	}
	v.blocks = append(append(make([]port.BlockRef, 0, len(kept)+1), kept...), b)
	v.tip = b
	next, touched := v.apply(b, txs)
	return next, touched, nil
}

// Rescan applies transactions of a block that was connected before.
func (v View) Rescan(b port.BlockRef, txs []*wire.MsgTx) (View, bool) { return v.apply(b, txs) }

func (v View) apply(b port.BlockRef, txs []*wire.MsgTx) (View, bool) {
	touched := false
	for _, tx := range txs {
		if !v.concerns(tx) {
			continue
		}
		touched = true
		v = v.add(tx, ViewTx{Tx: tx, Block: b, Seen: true})
	}
	return v, touched
}

// Disconnect takes the tip block away; its transactions become unconfirmed,
// and unseen until a mempool shows them. With the last known block everything
// confirmed is in doubt, and the scan begins anew before the birthday.
func (v View) Disconnect(b port.BlockRef) (View, error) {
	n := len(v.blocks) - 1
	switch {
	case n < 0:
		return v, fmt.Errorf("disconnect block %d: it lies below the blocks kept: the chain is scanned again from block %d", b.Height, v.birthday)
	case v.tip.Hash != b.Hash:
		return v, fmt.Errorf("disconnect block %d: it is not the tip", b.Height)
	}
	of := v.at(b.Height)
	if n == 0 {
		of = v.confirmed()
	}
	for _, t := range of {
		if t.Block.Hash != b.Hash && n > 0 {
			continue
		}
		if isCoinbase(t.Tx) {
			v = v.remove(t.Tx)
			continue
		}
		t.Block, t.Seen = port.BlockRef{}, false
		v = v.put(t)
	}
	v.blocks = v.blocks[:n:n]
	if n > 0 {
		v.tip = v.blocks[n-1]
		return v, nil
	}
	v.tip, v.caughtUp = port.BlockRef{}, false
	v.birthday = max(0, v.birthday-deepReorg)
	return v, nil
}

func (v View) concerns(tx *wire.MsgTx) bool {
	if !v.sieve.passes(tx) {
		return false
	}
	if _, ok := v.Tx(tx.TxHash()); ok {
		return true
	}
	for _, o := range tx.TxOut {
		if _, ok := v.scripts.Get(byScript(o.PkScript)); ok {
			return true
		}
	}
	for _, i := range tx.TxIn {
		if _, ok := v.outs.Get(mapkey.Coin(i.PreviousOutPoint)); ok {
			return true
		}
	}
	return false
}

func (v View) add(tx *wire.MsgTx, t ViewTx) View {
	id := tx.TxHash()
	if old, ok := v.Tx(id); ok && old.Block.Height > 0 && t.Block.Height == 0 {
		return v
	}
	v = v.put(t)
	for _, o := range v.Outputs(tx, id) {
		v.sieve.add(coinMark(o.OutPoint))
		v.outs = v.outs.Set(mapkey.Coin(o.OutPoint), o)
		v = v.recount(o.OutPoint)
		v.used[o.Branch] = max(v.used[o.Branch], o.Index+1)
	}
	for _, i := range tx.TxIn {
		v.sieve.add(coinMark(i.PreviousOutPoint)) // by which the transaction is known again
		v.spends = v.spends.Set(mapkey.CoinTx(i.PreviousOutPoint, id), id)
		v = v.recount(i.PreviousOutPoint)
	}
	return v
}

// Outputs returns what a transaction pays to watched scripts.
func (v View) Outputs(tx *wire.MsgTx, id chainhash.Hash) []ViewOut {
	var out []ViewOut
	for n, o := range tx.TxOut {
		if at, ok := v.scripts.Get(byScript(o.PkScript)); ok {
			out = append(out, ViewOut{wire.OutPoint{Hash: id, Index: uint32(n)}, o.Value, at.Branch, at.Index, isCoinbase(tx)})
		}
	}
	return out
}

func isCoinbase(tx *wire.MsgTx) bool {
	return len(tx.TxIn) == 1 && tx.TxIn[0].PreviousOutPoint.Index == wire.MaxPrevOutIndex &&
		tx.TxIn[0].PreviousOutPoint.Hash == (chainhash.Hash{})
}

// Valid says whether an unconfirmed transaction can still confirm: none of its
// inputs is spent by another confirmed one, or made by one that cannot.
func (v View) Valid(tx chainhash.Hash) bool { return v.validAmong(tx, map[chainhash.Hash]bool{}) }

// validAmong looks at each transaction once: anybody may pay the wallet from
// trees of unconfirmed transactions.
func (v View) validAmong(tx chainhash.Hash, seen map[chainhash.Hash]bool) bool {
	seen[tx] = true
	t, ok := v.Tx(tx)
	if !ok {
		return false
	}
	if t.Block.Height > 0 {
		return true
	}
	for _, i := range t.Tx.TxIn {
		if by, ok := v.SpentBy(i.PreviousOutPoint); ok && by != tx {
			return false
		}
		parent := i.PreviousOutPoint.Hash
		if seen[parent] {
			continue // an invalid one would have ended this already
		}
		if _, ours := v.Tx(parent); ours && !v.validAmong(parent, seen) {
			return false
		}
	}
	return true
}
