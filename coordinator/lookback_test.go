package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// asked is what a step asks of the chain.
func (p *peer) asked(msg Message) (watched []WatchScripts, back []LookBack) {
	p.tb.Helper()
	next, effects, err := Step(p.m, p.input(msg))
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, e := range effects {
		switch x := e.(type) {
		case WatchScripts:
			watched = append(watched, x)
		case LookBack:
			back = append(back, x)
		}
	}
	if _, err := p.execute(next, effects); err != nil {
		p.tb.Fatal(err)
	}
	return watched, back
}

// paysAt is a transaction that pays an address of a wallet.
func paysAt(t *testing.T, d *wallet.Descriptor, branch, index uint32, amount int64) *wire.MsgTx {
	t.Helper()
	s, err := d.Script(branch, index)
	if err != nil {
		t.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{byte(branch), byte(index), byte(index >> 8), 7}}})
	tx.AddTxOut(wire.NewTxOut(amount, s.PkScript))
	return tx
}

// mayPropose fails where the chain view keeps a peer from proposing.
func (p *peer) mayPropose(what string) {
	p.tb.Helper()
	if _, _, err := Step(p.m, p.input(pay(1, 100_000))); err != nil {
		p.tb.Fatalf("%s: propose: %v", what, err)
	}
}

// Whatever indexes a member leases, no address comes to be watched by it, so
// that nothing is scanned, and everybody may go on signing.
func TestALeaseStartsNoScan(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	for range 3 * ledger.FreshMargin {
		c.mine(nil)
	}
	a, evil := c.peers[0], c.peers[2]
	a.must(Watched{})
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	used := a.m.View.Used(0)
	for i := range uint32(ledger.Watchable + ledger.GapLimit) {
		e, err := evil.wild(&event.AddressLeased{Index: used + i})
		if err != nil {
			t.Fatal(err)
		}
		if watched, back := a.asked(EntryIn{e}); len(watched)+len(back) > 0 {
			t.Fatalf("the lease of address %d is looked for: %d and %d scans", used+i, len(watched), len(back))
		}
	}
	a.mayPropose("after the leases")
	if len(a.m.View.Incomplete()) > 0 {
		t.Errorf("incomplete: %v", a.m.View.Incomplete())
	}
	// One output moves what is watched. Those that were leased before are looked
	// for in old blocks, beside the stream, and not again within a day.
	scans := 0
	for i := range uint32(50) {
		c.height++
		pays := port.ChainNotice{Kind: port.Connected, Prev: c.tip, Txs: []*wire.MsgTx{c.pays(0, used+i, 600)}}
		c.tip = chainhash.Hash{byte(i), 'd'}
		pays.Block = port.BlockRef{Height: c.height, Hash: c.tip, Time: c.clock.Unix()}
		watched, back := a.asked(ChainIn{pays})
		for _, w := range watched {
			if w.From < a.m.View.Tip().Height-ledger.FreshMargin {
				t.Fatalf("payment %d: blocks from %d on are scanned, the tip is %d", i, w.From, c.height)
			}
		}
		scans += len(back)
		a.mayPropose("after a payment")
		for range back {
			a.must(LookedBackIn{ledger.LookedBack{End: pays.Block}})
		}
	}
	if scans != 1 {
		t.Errorf("%d scans of old blocks in a day", scans)
	}
	a.mayPropose("at the end")
}

// However fast payments come, so that no scan of the newest blocks is finished
// before the next one is asked for, the wallet goes on.
func TestPaymentsWithoutEndStopNobody(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	for i := range uint32(3 * ledger.FreshMargin) {
		c.mine([]*wire.MsgTx{c.pays(0, i, 600)}, a)
		if !a.m.View.Synced() {
			t.Fatalf("behind after %d payments", i)
		}
	}
	// An old scan counts as before, whatever came first.
	s := &step{m: a.m, in: a.input(nil)}
	s.watchFrom(nil, 1)
	if s.m.View.Synced() {
		t.Error("a scan of old blocks does not count")
	}
	if s.watchFrom(nil, s.m.View.Tip().Height); s.m.View.Synced() {
		t.Error("one of new blocks hides it")
	}
}

// What is paid to an existing wallet after it was taken in starts no scan that
// stops it. Its further addresses are looked for beside the stream, and what is
// found comes all at once.
func TestAPaymentToAnExistingWalletStopsNobody(t *testing.T) {
	c, d := existingGroup(t, 0)
	c.ratifyAll(false)
	a := c.peers[0]
	old := paysAt(t, d, 0, 390, 70_000)
	spend := wire.NewMsgTx(2)
	spend.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: old.TxHash()}})
	spend.AddTxOut(wire.NewTxOut(1, []byte{1}))
	c.fund(1_000_000)
	first := c.blocks[0].Block
	for range 3 * ledger.FreshMargin {
		c.mine(nil, a)
	}
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	c.clock = c.clock.Add(time.Hour)
	c.mine(nil, a)
	n := c.block(paysAt(t, d, 0, 170, 600))
	watched, back := a.asked(ChainIn{n})
	if len(watched) != 1 || watched[0].From != n.Block.Height-ledger.FreshMargin {
		t.Errorf("scans from %v, at block %d", watched, n.Block.Height)
	}
	if len(back) != 1 || back[0].From != 0 || back[0].Until != n.Block.Height || len(back[0].Scripts) != aheadOfUse {
		t.Fatalf("looks back %d times", len(back))
	}
	a.mayPropose("while it looks back")
	if got := a.m.View.Incomplete(); !slices.Equal(got, []ledger.AddressRange{{Branch: 0, First: aheadOfUse, Last: 2*aheadOfUse - 1}}) {
		t.Errorf("incomplete: %v", got)
	}
	found := LookedBackIn{ledger.LookedBack{End: n.Block, Blocks: []ledger.LookedBlock{{Block: first, Txs: []*wire.MsgTx{old, spend}}}}}
	foreign := found
	foreign.Found.End.Hash = chainhash.Hash{9}
	a.must(foreign)
	if got := a.m.View.Incomplete(); len(got) != 1 || a.balance().Confirmed != 1_000_600 {
		t.Errorf("what another chain holds is taken: %+v", a.balance())
	}
	// A crash loses nothing: it is looked for again.
	a.crash()
	if got := a.m.View.Incomplete(); len(got) != 1 {
		t.Fatalf("after a crash: %v", got)
	}
	var retried int
	for range 3 {
		c.clock = c.clock.Add(ledger.LookBackRetry)
		_, back = a.asked(Tick{})
		retried += len(back)
	}
	if retried != 1 {
		t.Fatalf("tried again %d times", retried)
	}
	found.Found.End = a.m.View.Tip()
	a.must(found)
	if _, known := a.m.View.Tx(old.TxHash()); !known || len(a.m.View.Incomplete()) == 0 {
		t.Error("what was found is not known, or leads to no further addresses")
	}
	if _, spent := a.m.View.SpentBy(wire.OutPoint{Hash: old.TxHash()}); !spent {
		t.Error("the coin is known without its spend")
	}
	a.mayPropose("with further addresses to look for")
	if _, back := a.asked(Tick{}); len(back) != 0 {
		t.Error("looks back twice in a day")
	}
	c.clock = c.clock.Add(ledger.LookBackEach)
	if _, back := a.asked(Tick{}); len(back) != 1 {
		t.Error("does not go on the next day")
	}
}

// An earlier version watched 20 addresses: the others are looked for in old blocks.
func TestMoreAddressesOfAnOlderVersionAreLookedFor(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	v := a.m.View
	recs, err := v.ScriptRecords(a.m.State.Active().Descriptor, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range recs {
		a.Kept[name] = b[:21*(1+34)] // of each a byte for its length, and itself
	}
	a.crash()
	if got := a.m.View.Incomplete(); !slices.Equal(got, []ledger.AddressRange{{First: 21, Last: ledger.Watchable}}) {
		t.Errorf("incomplete: %v", got)
	}
	if _, _, due := a.m.View.LookBack(c.clock.Add(1000 * time.Hour)); due || !a.m.View.Synced() {
		t.Error("nothing is looked for")
	}
}
