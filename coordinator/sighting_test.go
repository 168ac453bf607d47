package coordinator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
)

// unsees shows a peer that transactions have left the mempool.
func (p *peer) unsees(txs ...*wire.MsgTx) {
	p.tb.Helper()
	var ids []chainhash.Hash
	for _, tx := range txs {
		ids = append(ids, tx.TxHash())
	}
	p.must(ChainIn{port.ChainNotice{Kind: port.Unseen, TxIDs: ids}})
}

// A deposit that left every mempool is nobody's coin, until it is there again. A
// crash before that is stored leaves it among what the next stream is asked about.
func TestADepositThatLeftTheMempoolIsNoCoin(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(40_000)
	deposit := c.pays(0, 1, 500_000)
	a := c.peers[0]
	a.sees(deposit)
	a.ticks(1)
	if got := a.balance(); got != (Balance{Confirmed: 40_000, Unconfirmed: 500_000, Spendable: 40_000}) {
		t.Fatalf("seen: %+v", got)
	}
	if got := a.m.View.Sighted(); !slices.Equal(got, []chainhash.Hash{deposit.TxHash()}) {
		t.Fatalf("sighted: %v", got)
	}
	without := Balance{Confirmed: 40_000, Spendable: 40_000}
	a.unsees(deposit)
	if got := a.balance(); got != without || len(a.m.View.Sighted()) != 0 {
		t.Fatalf("unseen: %+v", got)
	}
	if items, _ := a.m.History(nil, 10, Period{}); len(items) != 1 {
		t.Errorf("the history has %d items", len(items))
	}
	a.crash()
	if got := a.m.View.Sighted(); len(got) != 1 {
		t.Fatalf("after a crash at once the next stream is asked about %d", len(got))
	}
	a.unsees(deposit)
	a.ticks(1)
	a.crash()
	if got := a.balance(); got != without || len(a.m.View.Sighted()) != 0 {
		t.Fatalf("unseen, after a restart: %+v", got)
	}
	a.sees(deposit)
	if got := a.balance(); got.Unconfirmed != 500_000 {
		t.Errorf("seen again: %+v", got)
	}
	// Late: it is in a block by now.
	c.mine([]*wire.MsgTx{deposit})
	a.unsees(deposit, c.pays(0, 7, 1))
	if got := a.balance(); got.Confirmed != 540_000 {
		t.Errorf("mined: %+v", got)
	}
}

// The alarm of a foreign spend ends when it left every mempool, its coin is ours
// again, and what was told stays told.
func TestAForeignSpendThatLeftTheMempoolIsOver(t *testing.T) {
	c := active(t, 2, 3)
	tx := thief(c.fund(1_000_000)...)
	a := c.peers[0]
	a.sees(tx)
	a.ticks(foreignGrace)
	a.expect("seen", 1, 1)
	if got := a.balance(); got != (Balance{}) {
		t.Fatalf("seen: %+v", got)
	}
	a.unsees(tx)
	a.expect("unseen", 1, 0)
	over := slices.DeleteFunc(slices.Clone(a.told), func(n port.Notice) bool { return n.Type != "wallet" || n.TxID != tx.TxHash() })
	if len(over) != 1 {
		t.Errorf("told %d times that it is over", len(over))
	}
	if got := a.balance(); got != (Balance{Confirmed: 1_000_000, Spendable: 1_000_000}) {
		t.Errorf("unseen: %+v", got)
	}
	a.ticks(2 * foreignGrace)
	a.crash()
	a.ticks(2 * foreignGrace)
	a.expect("after a restart", 1, 0)
	a.sees(tx)
	a.ticks(2 * foreignGrace)
	a.expect("seen again", 1, 1)
}

// A transaction of ours that left the mempool is final, and handed over again at
// once and for as long as it takes. Nobody is alarmed, and its change stays ours.
func TestOursIsHandedOverAgainWhenItLeftTheMempool(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	c.settle()
	for _, p := range c.peers {
		if len(p.sent) == 0 {
			t.Fatalf("%s broadcast nothing", p.name)
		}
		tx := p.sent[0]
		p.must(Broadcasted{TxID: tx.TxHash()})
		p.sees(tx)
		if got := p.status(id); got != group.StatusBroadcast {
			t.Fatalf("%s: status %s", p.name, got)
		}
		before, sent := p.balance(), len(p.sent)
		p.told = nil
		p.unsees(tx)
		if got := p.status(id); got != group.StatusFinal || len(p.sent) != sent+1 || p.sent[sent].TxHash() != tx.TxHash() {
			t.Errorf("%s: status %s, handed over %d times more", p.name, got, len(p.sent)-sent)
		}
		p.ticks(retryEach)
		if len(p.sent) != sent+2 {
			t.Errorf("%s: handed over %d times after some ticks", p.name, len(p.sent)-sent)
		}
		p.ticks(2 * foreignGrace)
		for _, n := range p.told {
			if n.Type == "alarm" {
				t.Errorf("%s: alarm %s", p.name, n.Detail)
			}
		}
		if got := p.balance(); got != before {
			t.Errorf("%s: %+v, was %+v", p.name, got, before)
		}
		p.must(Broadcasted{TxID: tx.TxHash()})
		if got := p.status(id); got != group.StatusBroadcast {
			t.Errorf("%s: status %s after it was taken again", p.name, got)
		}
	}
}

// sightings writes down what a view says of unconfirmed transactions.
func sightings(v ledger.View) string {
	out := ""
	for id, t := range v.Txs() {
		out += fmt.Sprintf("%x %d %v\n", id[:], t.Block.Height, t.Seen)
	}
	return out
}

// Whatever a mempool does, and whenever the node crashes, the view holds for seen
// what is in the mempool, once the stream has told of it. A step is a function of
// machine and notice, and telling twice changes nothing.
func TestTheViewFollowsTheMempool(t *testing.T) {
	base := active(t, 2, 3)
	coins := base.fund(100_000, 200_000, 300_000)
	var txs []*wire.MsgTx
	for i, o := range coins {
		txs = append(txs, thief(o), base.pays(0, uint32(i+3), int64(i+1)*1000))
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := base.clone(t)
		a := c.peers[0]
		pool, mined := map[chainhash.Hash]bool{}, map[chainhash.Hash]bool{}
		tell := func(n port.ChainNotice) {
			before := a.m
			one, effects, err := Step(before, a.input(ChainIn{n}))
			if err != nil {
				rt.Fatal(err)
			}
			a.drawn--
			two, again, err := Step(before, a.input(ChainIn{n}))
			if err != nil || sightings(one.View) != sightings(two.View) || len(effects) != len(again) {
				rt.Fatal("the same step gave another result")
			}
			if _, err := a.execute(one, effects); err != nil {
				rt.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 30).Draw(rt, "notices") {
			tx := rapid.SampledFrom(txs).Draw(rt, "tx")
			id := tx.TxHash()
			n := port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}}
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0, 1:
				if mined[id] {
					continue
				}
				pool[id] = true
			case 2:
				n = port.ChainNotice{Kind: port.Unseen, TxIDs: []chainhash.Hash{id}}
				delete(pool, id)
			case 3:
				a.ticks(1)
				continue
			case 4:
				if mined[id] {
					continue
				}
				delete(pool, id)
				mined[id] = true
				c.mine([]*wire.MsgTx{tx}, a)
				continue
			case 5:
				// Only some of it was stored: the next stream asks, and is told.
				a.crash()
				var left []chainhash.Hash
				for _, id := range a.m.View.Sighted() {
					if !pool[id] {
						left = append(left, id)
					}
				}
				for _, tx := range txs {
					if pool[tx.TxHash()] {
						tell(port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{tx}})
					}
				}
				n = port.ChainNotice{Kind: port.Unseen, TxIDs: left}
			}
			tell(n)
			if rapid.Bool().Draw(rt, "twice") {
				was := sightings(a.m.View)
				if tell(n); sightings(a.m.View) != was {
					rt.Fatalf("told twice: %s, was %s", sightings(a.m.View), was)
				}
			}
		}
		for _, tx := range txs {
			id := tx.TxHash()
			got, known := a.m.View.Tx(id)
			if in := known && got.Block.Height > 0; in != mined[id] {
				rt.Errorf("%s: in a block %v, want %v", id, in, mined[id])
			}
			if sighted := slices.Contains(a.m.View.Sighted(), id); sighted != pool[id] {
				rt.Errorf("%s: sighted %v, want %v", id, sighted, pool[id])
			}
		}
	})
}
