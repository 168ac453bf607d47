package coordinator

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal/pmap"
)

// checkIndexes compares what a View finds its transactions by with plain loops.
func checkIndexes(t *rapid.T, m *Machine) {
	v := m.View
	before := func(a, b ledger.ViewTx) bool {
		x, y := a.Block.Height, b.Block.Height
		if (x == 0) != (y == 0) || x != y {
			return y != 0 && (x == 0 || x > y)
		}
		m, n := a.Tx.TxHash(), b.Tx.TxHash()
		return bytes.Compare(m[:], n[:]) < 0
	}
	txs := maps.Collect(v.Txs())
	var last *ledger.ViewTx
	listed := 0
	for id, x := range v.Newest(nil) {
		if _, known := txs[id]; !known || last != nil && !before(*last, x) {
			t.Fatalf("transaction %v is none, or out of order", id)
		}
		last = &x
		listed++
	}
	if listed != len(txs) {
		t.Fatalf("%d places of %d transactions", listed, len(txs))
	}
	unspent := map[wire.OutPoint]bool{}
	for o := range v.Unspent() {
		unspent[o.OutPoint] = true
	}
	for id, x := range txs {
		for _, o := range v.Outputs(x.Tx, id) {
			if _, ours := v.Out(o.OutPoint); !ours {
				t.Fatalf("coin %v is not known", o.OutPoint)
			}
			_, spent := v.SpentBy(o.OutPoint)
			if unspent[o.OutPoint] == spent {
				t.Fatalf("coin %v: spent %v, listed %v", o.OutPoint, spent, !spent)
			}
			delete(unspent, o.OutPoint)
		}
	}
	if len(unspent) > 0 {
		t.Fatalf("coins that are none: %v", unspent)
	}
	for id := range txs {
		if want := m.foreign(id); want != m.strange.has(mapkey.Of(id)) {
			t.Fatalf("transaction %v: foreign %v, noted %v", id, want, !want)
		}
	}
	// The history, page by page.
	var all, paged []HistoryItem
	all, _ = m.History(nil, 1000, Period{})
	var after *ledger.HistoryPos
	for more := true; more; {
		var page []HistoryItem
		page, more = m.History(after, 2, Period{})
		paged = append(paged, page...)
		if len(page) > 0 {
			last := page[len(page)-1]
			after = &ledger.HistoryPos{Height: last.Block.Height, TxID: last.TxID}
		}
	}
	ids := func(xs []HistoryItem) (out []chainhash.Hash) {
		for _, x := range xs {
			out = append(out, x.TxID)
		}
		return out
	}
	if !slices.Equal(ids(all), ids(paged)) {
		t.Fatalf("pages %v, all %v", ids(paged), ids(all))
	}
	n := 0
	for id, x := range txs {
		if counts(m.State, v, id) && v.Moves(x.Tx, x.Tx.TxHash()) {
			n++
		}
	}
	if n != len(all) {
		t.Fatalf("%d in the history, want %d", len(all), n)
	}
}

// Blocks, reorgs, mempools and rescans in any order leave the indexes as they
// would be made anew, live and after a restart.
func TestViewIndexesEqualPlainLoops(t *testing.T) {
	base := active(t, 2, 3)
	base.fund(1_000_000, 500_000)
	coins := base.fund(20_000, 30_000)
	rapid.Check(t, func(r *rapid.T) {
		c := base.clone(t)
		p := c.peers[0]
		pool := []*wire.MsgTx{c.blocks[0].Txs[0], c.blocks[1].Txs[0], thief(coins[0]), thief(coins...)}
		for i := range uint32(3) {
			pool = append(pool, c.pays(0, i+4, 1000))
		}
		spend := thief(wire.OutPoint{Hash: pool[4].TxHash()})
		spend.AddTxOut(pool[1].TxOut[0])
		base := wire.NewMsgTx(2)
		base.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}})
		base.AddTxOut(pool[0].TxOut[0])
		pool = append(pool, spend, thief(wire.OutPoint{Hash: spend.TxHash(), Index: 1}), base)
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 3, rapid.ID[*wire.MsgTx]).Draw(r, "txs")
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0, 1:
				c.mine(some, p)
			case 2:
				if n := len(c.blocks) - 1; n > 2 {
					last := c.blocks[n]
					last.Kind = port.Disconnected
					p.must(ChainIn{last})
					c.blocks, c.height, c.tip = c.blocks[:n], c.height-1, last.Prev
				}
			case 3:
				p.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: some}})
			case 4:
				var ids []chainhash.Hash
				for _, tx := range some {
					ids = append(ids, tx.TxHash())
				}
				p.must(ChainIn{port.ChainNotice{Kind: port.Unseen, TxIDs: ids}})
			case 5:
				n := c.blocks[rapid.IntRange(0, len(c.blocks)-1).Draw(r, "block")]
				n.Kind = port.Rescanned
				p.must(ChainIn{n})
			}
			checkIndexes(r, &p.m)
		}
		p.must(Tick{})
		m, err := Load(t.Context(), &p.Disk, p.self, p.m.State.Group())
		if err != nil {
			r.Fatal(err)
		}
		m.strange = p.m.strange
		checkIndexes(r, &m)
		if now, was := slices.Collect(maps.Keys(maps.Collect(m.View.Txs()))), slices.Collect(maps.Keys(maps.Collect(p.m.View.Txs()))); len(now) != len(was) {
			r.Fatalf("%d transactions after a restart, %d before", len(now), len(was))
		}
		if now, was := slices.Collect(m.View.Unspent()), slices.Collect(p.m.View.Unspent()); len(now) != len(was) {
			r.Fatalf("%d unspent after a restart, %d before", len(now), len(was))
		}
	})
}

// A block with more payments than one batch of the store takes is stored in
// several, and its own record with the last of them.
func TestABlockOfManyPaymentsIsStoredBitByBit(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	c.mine(nil, a)
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	var txs []*wire.MsgTx
	for i := range 2*savedTxs + 1 {
		tx := c.pays(0, 0, int64(1000+i))
		tx.LockTime = uint32(i)
		txs = append(txs, tx)
	}
	c.mine(txs, a)
	batch := func(msg Message) port.Batch {
		next, effects, err := Step(a.m, a.input(msg))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.execute(next, effects); err != nil {
			t.Fatal(err)
		}
		for _, e := range effects {
			if p, ok := e.(Persist); ok {
				return p.Batch
			}
		}
		return port.Batch{}
	}
	// A crash now is one before the block: nothing of it counts.
	m, err := Load(t.Context(), &a.Disk, a.self, a.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, x := range m.View.Txs() {
		if x.Block.Height > 0 {
			blocks++
		}
	}
	if m.View.Tip().Height > 1 || blocks > 0 {
		t.Errorf("a block that was stored in part counts: tip %d", m.View.Tip().Height)
	}
	steps, puts := 0, 0
	for a.m.View.Changes() && steps < 10 {
		b := batch(Tick{})
		if _, whole := b.Puts[ledger.RecView]; whole == a.m.View.Changes() {
			t.Error("the view is stored with transactions missing, or not with the last")
		}
		if len(b.Puts) > savedTxs+10 {
			t.Errorf("%d records in one batch", len(b.Puts))
		}
		puts += len(b.Puts)
		steps++
	}
	if steps != 2 {
		t.Errorf("stored in %d steps, %d records", steps, puts)
	}
	a.crash()
	if got := len(maps.Collect(a.m.View.Txs())); got != len(txs) {
		t.Errorf("%d of %d transactions after a restart", got, len(txs))
	}
}

// The guard finds the coins of a transaction without going through all it knows.
func TestGuardKnowsTheCoinsOfATransaction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var g Guard
		want := map[chainhash.Hash]map[mapkey.ByCoin]bool{}
		for range rapid.IntRange(0, 40).Draw(t, "records") {
			r := port.GuardRecord{OutPoint: wire.OutPoint{Index: rapid.Uint32Range(0, 5).Draw(t, "coin")}, TxID: chainhash.Hash{rapid.ByteRange(0, 5).Draw(t, "tx")}}
			g = g.add(r)
			if want[r.TxID] == nil {
				want[r.TxID] = map[mapkey.ByCoin]bool{}
			}
			want[r.TxID][mapkey.Coin(r.OutPoint)] = true
		}
		for tx := range want {
			got := map[mapkey.ByCoin]bool{}
			for k := range pmap.Prefix(g.coins, byTxCoin(tx[:])) {
				got[mapkey.ByCoin(k[len(tx):])] = true
			}
			if !maps.Equal(got, want[tx]) {
				t.Fatalf("%v: %d coins, want %d", tx, len(got), len(want[tx]))
			}
		}
	})
}
