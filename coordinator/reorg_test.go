package coordinator

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// pays returns a transaction of somebody else that pays the wallet at an index.
func (c *circle) pays(branch, index uint32, amount int64) *wire.MsgTx {
	c.tb.Helper()
	s, err := c.peers[0].m.State.Active().Descriptor.Script(branch, index)
	if err != nil {
		c.tb.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH(binary.BigEndian.AppendUint64([]byte{byte(branch)}, uint64(amount)<<16|uint64(index)))}})
	tx.AddTxOut(wire.NewTxOut(amount, s.PkScript))
	return tx
}

// balance is what a peer believes to hold.
func (p *peer) balance() Balance { return Sum(Coins(p.m.State, p.m.View, *p.clock)) }

// another is a chain beside the one of a circle: blocks from a height on, of
// which some hold transactions.
func another(from, to int32, prev chainhash.Hash, txs map[int32][]*wire.MsgTx) []port.ChainNotice {
	var out []port.ChainNotice
	for h := from; h <= to; h++ {
		n := port.ChainNotice{Kind: port.Connected, Prev: prev, Txs: txs[h]}
		prev = chainhash.HashH(binary.BigEndian.AppendUint32([]byte("another"), uint32(h)))
		n.Block = port.BlockRef{Height: h, Hash: prev}
		out = append(out, n)
	}
	return out
}

// reorg plays a follower that knows the blocks of one run (all of them, or the
// kept ones alone after a restart), and starts again as an actor does when the
// machine does not take a notice. It says how often it had to.
func (p *peer) reorg(fork int32, restarted bool, branch []port.ChainNotice) int {
	p.tb.Helper()
	starts := 0
	old := slices.Clone(p.circle.blocks)
	if restarted {
		old = old[len(old)-len(p.m.View.Follow().Known):]
	}
	best := append(slices.Clone(p.circle.blocks[:fork]), branch...)
	var stream []port.ChainNotice
	for _, n := range slices.Backward(old) {
		if n.Block.Height > fork {
			n.Kind = port.Disconnected
			stream = append(stream, n)
		}
	}
	if restarted && int32(len(p.circle.blocks)-len(old)) >= fork {
		// Nothing it knows is left: it goes on from where it was told to start.
		stream = append(stream, best[p.m.View.Birthday():]...)
	} else {
		stream = append(stream, branch...)
	}
	for len(stream) > 0 {
		if _, err := p.do(ChainIn{stream[0]}); err != nil {
			if starts++; len(p.m.View.Follow().Known) != 0 || starts > 3 {
				p.tb.Fatalf("%s: %v", p.name, err)
			}
			stream = slices.Clone(best[p.m.View.Birthday():])
			continue
		}
		stream = stream[1:]
	}
	p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	return starts
}

// A reorg below the blocks that are kept takes away a deposit that was
// confirmed further down: the balance is that of the new chain, whether the
// follower remembers the old blocks or not, and also after a crash halfway.
func TestADeepReorgIsScannedAgain(t *testing.T) {
	c := active(t, 2, 3)
	gone, moved, kept := c.pays(0, 1, 500_000), c.pays(0, 2, 70_000), c.pays(0, 3, 8_000)
	c.mine([]*wire.MsgTx{kept})
	c.mine(nil)
	c.mine([]*wire.MsgTx{gone})
	c.mine([]*wire.MsgTx{moved})
	for c.height < 304 {
		c.mine(nil)
	}
	const fork = 2
	if n := len(c.peers[0].m.View.Follow().Known); n != ledger.KeptBlocks {
		t.Fatalf("%d blocks are kept", n)
	}
	branch := another(fork+1, 310, c.blocks[fork-1].Block.Hash, map[int32][]*wire.MsgTx{200: {moved}})
	for i, p := range c.peers {
		if got := p.balance(); got.Confirmed != 578_000 {
			t.Fatalf("before the reorg: %+v", got)
		}
		if i == 2 {
			// It dies in the middle, and reads back what it had stored.
			for _, n := range slices.Backward(c.blocks) {
				if len(p.m.View.Follow().Known) == 0 {
					break
				}
				n.Kind = port.Disconnected
				p.must(ChainIn{n})
			}
			m, err := Load(t.Context(), &p.Disk, p.self, p.m.State.Group())
			if err != nil {
				t.Fatal(err)
			}
			if p.m = m; p.m.View.Synced() {
				t.Fatal("synced with nothing scanned")
			}
			p.must(Started{})
			if got := p.balance(); got.Confirmed != 0 || got.Spendable != 0 {
				t.Fatalf("nothing is scanned yet: %+v", got)
			}
			p.refused(refusal.ChainBehind, pay(1, 1000))
			p.reorg(fork, true, branch)
		} else if starts := p.reorg(fork, i == 1, branch); i == 0 && starts != 1 {
			t.Fatalf("the stream began anew %d times", starts)
		}
		if got := p.balance(); got.Confirmed != 78_000 || got.Unconfirmed != 0 || got.Spendable != 78_000 {
			t.Errorf("%s: %+v after the reorg", p.name, got)
		}
		if p.m.View.Confirmations(moved.TxHash()) != 111 || p.m.View.Confirmations(kept.TxHash()) != 310 {
			t.Errorf("%s: %d and %d confirmations", p.name, p.m.View.Confirmations(moved.TxHash()), p.m.View.Confirmations(kept.TxHash()))
		}
	}
}

// A reorg that takes exactly the kept blocks leaves those below them in doubt
// too: nothing may be connected on top of what nobody looked at again.
func TestAReorgOfAllKeptBlocksIsScannedAgain(t *testing.T) {
	c := active(t, 2, 3)
	c.mine([]*wire.MsgTx{c.pays(0, 3, 8_000)})
	for c.height < 304 {
		c.mine(nil)
	}
	const fork = 304 - ledger.KeptBlocks
	a := c.peers[0]
	if starts := a.reorg(fork, false, another(fork+1, 305, c.blocks[fork-1].Block.Hash, nil)); starts != 1 {
		t.Errorf("the stream began anew %d times", starts)
	}
	if got := a.balance(); got.Confirmed != 8_000 {
		t.Errorf("%+v after the reorg", got)
	}
}

// A shallow reorg takes a deposit away; it counts again once a mempool shows
// it or a block holds it.
func TestADepositThatAReorgTookCountsOnceItIsSeen(t *testing.T) {
	c := active(t, 2, 3)
	deposit := c.pays(0, 0, 500_000)
	c.mine([]*wire.MsgTx{deposit})
	a := c.peers[0]
	last := c.blocks[len(c.blocks)-1]
	last.Kind = port.Disconnected
	a.must(ChainIn{last})
	if got := a.balance(); got != (Balance{}) {
		t.Fatalf("in no block and no mempool: %+v", got)
	}
	a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{deposit}}})
	if got := a.balance(); got != (Balance{Unconfirmed: 500_000}) {
		t.Fatalf("in the mempool: %+v", got)
	}
}

// The gap moves with use: a history that is found by scanning is found to its
// end, on both branches, though it begins within the first addresses alone.
func TestAHistoryBeyondTheFirstGapIsFound(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	var blocks [][]*wire.MsgTx
	var want int64
	for branch, indexes := range [][]uint32{
		wallet.BranchExternal: {119, 238, 358, 477, 597},
		wallet.BranchChange:   {19, 38, 58, 77, 97},
	} {
		for n, index := range indexes {
			amount := int64(1000*n) + 10_000
			want += amount
			blocks = append(blocks, []*wire.MsgTx{c.pays(uint32(branch), index, amount)})
		}
	}
	// What lies beyond the gap is not watched, so not found: the other side of the rule.
	blocks = append(blocks, []*wire.MsgTx{c.pays(wallet.BranchExternal, 598+ledger.Watchable, 5)})
	for _, txs := range blocks {
		c.mine(txs, a)
	}
	if got := a.balance(); got.Confirmed != want {
		t.Errorf("%d sat found of %d", got.Confirmed, want)
	}
	if a.m.View.Watched() != [2]uint32{598 + ledger.Watchable, 98 + ledger.ChangeGap} {
		t.Errorf("%v scripts are watched", a.m.View.Watched())
	}
	var from []int32
	b := c.peers[1]
	for i, n := range c.blocks {
		_, effects, err := Step(b.m, b.input(ChainIn{n}))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range effects {
			if w, ok := e.(WatchScripts); ok {
				from = append(from, w.From)
			}
		}
		b.must(ChainIn{c.blocks[i]})
	}
	// Each further part of the gap is asked for, from before the block that used it.
	if len(from) != 10 || slices.Max(from) != 0 {
		t.Errorf("further scripts were asked for from %v", from)
	}
}
