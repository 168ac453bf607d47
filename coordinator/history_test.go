package coordinator

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
)

func TestHistory(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 500_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 100_000)
	x.Outputs[0].Label = "rent"
	id := a.must(x).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	c.settle()
	p, _ := a.m.State.Proposal(id)
	spent := p.Body.Inputs[0].OutPoint()
	left := coins[0]
	if left == spent {
		left = coins[1]
	}
	// Final and ours to broadcast, so part of it before anybody saw it.
	items, more := a.m.History(nil, 10, Period{})
	if len(items) != 2 || more {
		t.Fatalf("%d items, more %v", len(items), more)
	}
	fee := p.Fee()
	if x := items[0]; x.TxID != p.TxID || x.Amount != -100_000-fee || x.Fee == nil || *x.Fee != fee || x.Proposal != id || x.Block.Height != 0 {
		t.Errorf("the spend: %+v, fee %d", x, fee)
	}
	if x := items[0]; len(x.Paid) != 1 || string(x.Paid[0].PkScript) != string(recipient(1)) || x.Paid[0].Amount != 100_000 || x.Paid[0].Label != "rent" {
		t.Errorf("the spend pays %+v", x.Paid)
	}
	if x := items[1]; x.TxID != coins[0].Hash || x.Paid != nil || x.Amount != 1_500_000 || x.Fee != nil || x.Proposal != (journal.EntryID{}) || x.Block != c.blocks[0].Block {
		t.Errorf("the deposit: %+v", x)
	}
	c.clock = c.clock.Add(time.Hour) // the next block is later
	c.mine(b.sent[:1])
	// A coin of ours together with one of somebody else: the fee is not known.
	joint := thief(left, wire.OutPoint{Hash: [32]byte{9}})
	a.sees(joint)
	items, _ = a.m.History(nil, 10, Period{})
	if len(items) != 3 || items[0].TxID != joint.TxHash() || items[0].Fee != nil || items[0].Proposal != (journal.EntryID{}) {
		t.Fatalf("with a joint spend: %+v", items)
	}
	if items[0].Paid != nil {
		t.Errorf("a joint spend pays %+v", items[0].Paid)
	}
	// By the times of blocks, from the first on and before the second.
	at := func(n int) int64 { return c.blocks[n].Block.Time }
	for want, within := range map[string]Period{
		"joint":               {Since: at(1) + 1},
		"joint spend":         {Since: at(1)},
		"joint spend deposit": {Since: at(0), Until: 0},
		"spend":               {Since: at(1), Until: at(1) + 1},
		"deposit":             {Until: at(1)},
		"":                    {Until: at(0)},
	} {
		got := ""
		page, _ := a.m.History(nil, 10, within)
		for _, x := range page {
			got += " " + map[chainhash.Hash]string{joint.TxHash(): "joint", p.TxID: "spend", coins[0].Hash: "deposit"}[x.TxID]
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("within %+v: %q, want %q", within, got, want)
		}
	}
	var sum int64
	for _, x := range items {
		sum += x.Amount
	}
	if got := a.balance(); got.Confirmed+got.Unconfirmed != sum {
		t.Errorf("the history sums up to %d, the balance is %+v", sum, got)
	}
	// A rival that is mined takes the joint spend out.
	rival := thief(left)
	c.mine([]*wire.MsgTx{rival})
	items, _ = a.m.History(nil, 10, Period{})
	if len(items) != 3 || items[0].TxID != rival.TxHash() || items[0].Block.Height != 3 {
		t.Errorf("with a rival mined: %+v", items)
	}
}

// Pages follow each other without gap or repetition, whatever their size, and
// also when what was unconfirmed is mined meanwhile.
func TestHistoryIsPaged(t *testing.T) {
	c := active(t, 1, 1)
	a := c.peers[0]
	index, amount := uint32(0), int64(1000)
	next := func() *wire.MsgTx { index++; amount++; return c.pays(0, index%ledger.GapLimit, amount) }
	for range 3 {
		c.mine([]*wire.MsgTx{next(), next(), next()})
	}
	a.sees(next())
	a.sees(next())
	all, more := a.m.History(nil, 100, Period{})
	if len(all) != 11 || more || all[0].Block.Height != 0 || all[1].Block.Height != 0 || all[2].Block.Height != 3 || all[10].Block.Height != 1 {
		t.Fatalf("%d items, more %v: %+v", len(all), more, all)
	}
	for size := 1; size <= 12; size++ {
		var got []HistoryItem
		var after *ledger.HistoryPos
		for {
			page, more := a.m.History(after, size, Period{})
			got = append(got, page...)
			if !more {
				break
			}
			last := page[len(page)-1]
			after = &ledger.HistoryPos{Height: last.Block.Height, TxID: last.TxID}
		}
		if !reflect.DeepEqual(got, all) {
			t.Errorf("pages of %d give %d items", size, len(got))
		}
	}
	tx, _ := a.m.View.Tx(all[0].TxID)
	c.mine([]*wire.MsgTx{tx.Tx})
	rest, _ := a.m.History(&ledger.HistoryPos{Height: 0, TxID: all[0].TxID}, 100, Period{})
	if len(rest) != 11 || rest[0].TxID != all[1].TxID || rest[1].TxID != all[0].TxID {
		t.Errorf("after the first was mined, %d items follow", len(rest))
	}
}
