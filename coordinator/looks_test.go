package coordinator

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal/pmap"
)

// goThrough goes through a part of what is due, as State.VisitSpending does.
func goThrough(m pmap.Map[string, struct{}], what, from string, most int, visit func(string)) (used int, next string) {
	for k := range pmap.PrefixFrom(m, what, from) {
		if used >= most {
			return used, k
		}
		visit(k)
		used++
	}
	return used, ""
}

// Whatever becomes due meanwhile, and how often, each key of a thing that is due is
// gone through within two passes of that thing, and a pass has its share of every round.
func TestRoundsGoThroughAllWithinABound(t *testing.T) {
	const share, each = 4, 16 // each is how much a step does
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 40), 1, 8).Draw(rt, "sizes")
		var all pmap.Map[string, struct{}]
		thing := func(i int) string { return fmt.Sprintf("%02d", i) }
		place := func(i, n int) string { return thing(i) + fmt.Sprintf("/%02d", n) }
		bound, turns := map[string]int{}, each/share
		for i, size := range sizes {
			for n := range size {
				all = all.Set(place(i, n), struct{}{})
			}
			passes := 2*((size+share-1)/share) + 1
			bound[thing(i)] = (len(sizes)*passes+turns-1)/turns + 1
		}
		var r rounds[string, string]
		since, now := map[string]int{}, 0
		mark := func(i, n int) {
			r = r.add(thing(i), place(i, n))
			for n < sizes[i] {
				if _, due := since[place(i, n)]; !due {
					since[place(i, n)] = now
				}
				n++
			}
		}
		step := func() {
			now++
			for left := each; left > 0; {
				next, what, at, ok := r.next()
				if !ok {
					break
				}
				used, at := goThrough(all, what, at, min(share, left), func(k string) { delete(since, k) })
				left -= max(1, used)
				r = next.left(what, at)
			}
			for k, then := range since {
				if most := bound[k[:2]]; now-then > most {
					rt.Fatalf("%s is due for %d steps, %d at most", k, now-then, most)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "actions") {
			for range rapid.IntRange(0, 6).Draw(rt, "marks") {
				i := rapid.IntRange(0, len(sizes)-1).Draw(rt, "thing")
				mark(i, rapid.IntRange(0, sizes[i]-1).Draw(rt, "from"))
			}
			step()
		}
		for r.Len() > 0 {
			step() // comes to an end, since nothing is due again
		}
		if len(since) > 0 || r.turns.Len() > 0 {
			rt.Fatalf("%d are due and %d turns are left", len(since), r.turns.Len())
		}
	})
}

// bump is one of many transactions that spend a coin and pay the wallet, each
// with another fee.
func (p *peer) bump(coin wire.OutPoint, n int) *wire.MsgTx {
	p.tb.Helper()
	s, err := p.m.State.Active().Descriptor.Script(0, 9)
	if err != nil {
		p.tb.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: coin})
	tx.AddTxOut(wire.NewTxOut(int64(900_000-n), s.PkScript))
	return tx
}

// Whoever proposed many transactions that spend one coin, and brings about with
// every step that they are looked at, keeps nothing from being looked at: neither
// another payment nor the last of the rivals.
func TestRivalsThatAreAlwaysDueKeepNoStatusWaiting(t *testing.T) {
	slow(t)
	const rivals = 4 * looksEach
	for name, x := range map[string]struct{ ours, mined bool }{
		"a coin of the wallet, a block with every step":   {true, true},
		"a coin of the attacker, a block with every step": {false, true},
		"a coin of the attacker, a fee with every step":   {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 2, 3)
			coins := c.fund(1_000_000, 1_000_000)
			a, b, evil := c.peers[0], c.peers[1], c.peers[2]
			ins := a.coinsOf(coins[1:])
			if !x.ours {
				ins = []event.ProposalInput{{Vout: 3, Amount: 1_000_000}}
			}
			next := evil.nextPlace()
			for n := range rivals {
				a.must(EntryIn{evil.forge(next, &event.ProposalCreated{
					Inputs: ins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: int64(1000 + n)}},
				})})
			}
			a.rest()
			pays := pay(1, 100_000)
			pays.Coins = coins[:1]
			id := a.must(pays).(Proposed).Proposal
			c.settle(a, b)
			b.must(Approve{Proposal: id})
			c.settle(a, b)
			coin := ins[0].OutPoint()
			a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: []*wire.MsgTx{a.bump(coin, 0)}}})
			// The payment is in a block, and so is what makes all rivals impossible.
			c.mine(append(b.sent[:1:1], a.bump(coin, 0)), a)
			steps := 2*(rivals+2*looksEach)/looksEach + 1
			for n := range steps {
				if more := []*wire.MsgTx{a.bump(coin, n+1)}; x.mined {
					c.mine(more, a)
				} else {
					a.must(ChainIn{port.ChainNotice{Kind: port.Seen, Txs: more}})
				}
				if was, _ := a.m.watch.told.Get(mapkey.Of(id)); n >= 2 && was.said != group.StatusConfirmed {
					t.Fatalf("after %d steps the payment counts as %q", n, was.said)
				}
			}
			if n := a.m.CountProposals()[group.StatusDead]; n != rivals {
				t.Errorf("after %d steps %d of %d rivals count as dead", steps, n, rivals)
			}
			if n := a.m.watch.looks.Len(); !x.mined && n > 0 {
				t.Errorf("%d looks are due for what only a mempool showed", n)
			}
			a.rest()
		})
	}
}
