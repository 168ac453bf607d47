package coordinator

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// frozen is who froze a coin, as a peer sees it, and with which words; "" for nobody.
func (p *peer) frozen(coin wire.OutPoint) string {
	f, ok := p.m.State.Frozen(coin)
	if !ok {
		return ""
	}
	return p.m.MemberName(f.Ref.Chain.Author) + ": " + f.Note
}

func (c *circle) allFrozen(coin wire.OutPoint, want string) {
	c.tb.Helper()
	c.settle()
	for _, p := range c.peers {
		if got := p.frozen(coin); got != want {
			c.tb.Errorf("%s has the coin frozen by %q, want %q", p.name, got, want)
		}
	}
}

// wildFreeze is what a member of whatever rules says of a coin.
func (p *peer) wildFreeze(coin wire.OutPoint, frozen bool, over ...journal.EntryID) journal.EntryID {
	p.tb.Helper()
	e, err := p.wild(&event.CoinFrozen{Coin: event.OutputTarget(coin).Bytes(), Frozen: frozen, Supersedes: over})
	if err != nil {
		p.tb.Fatal(err)
	}
	return e.ID()
}

func TestAFreezeIsSharedAndLifted(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000, 400_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	if _, err := a.do(Freeze{Coin: coins[0]}); !refusedBy(err, refusal.Outdated) {
		t.Fatalf("before the others said what they know: %v", err)
	}
	c.featured()
	a.must(Freeze{Coin: coins[0], Note: "a stranger's dust"})
	c.allFrozen(coins[0], a.name+": a stranger's dust")
	entries := a.written()
	a.must(Freeze{Coin: coins[0]})
	a.must(Freeze{Coin: coins[0], Note: "a stranger's dust"})
	a.must(Freeze{Coin: coins[1], Undo: true})
	if n := a.written() - entries; n != 0 {
		t.Errorf("%d entries say what is so already", n)
	}
	if got := Sum(Coins(b.m.State, b.m.View, c.clock)); got != (Balance{Confirmed: 900_000, Frozen: 500_000, Spendable: 400_000}) {
		t.Errorf("balance %+v", got)
	}
	b.must(Freeze{Coin: coins[0], Note: "of the tax office"})
	c.allFrozen(coins[0], b.name+": of the tax office")
	z.crash()
	if got := z.frozen(coins[0]); got != b.name+": of the tax office" {
		t.Errorf("after a crash the coin is frozen by %q", got)
	}
	if f, ok := throughSnapshot(t, z, z.m.State).Frozen(coins[0]); !ok || f.Note != "of the tax office" {
		t.Errorf("a snapshot has the freeze as %+v", f)
	}
	z.must(Freeze{Coin: coins[0], Undo: true})
	c.allFrozen(coins[0], "")
	if got := Sum(Coins(b.m.State, b.m.View, c.clock)); got.Frozen != 0 || got.Spendable != 900_000 {
		t.Errorf("balance %+v", got)
	}
}

// Who lifts a freeze does not lift one that it has not heard of, and however often a
// member freezes a coin, one entry lifts all of it.
func TestAFreezeStandsAgainstWhoDidNotHearOfIt(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	c.featured()
	a.must(Freeze{Coin: coins[0]})
	c.settle()
	evil.wildFreeze(coins[0], true)
	b.must(Freeze{Coin: coins[0], Undo: true}) // it heard of a's alone
	c.allFrozen(coins[0], evil.name+": ")
	b.must(Freeze{Coin: coins[0], Undo: true})
	c.allFrozen(coins[0], "")
	for range event.MaxSupersedes + 20 {
		evil.wildFreeze(coins[0], true)
	}
	c.allFrozen(coins[0], evil.name+": ")
	before := a.written()
	a.must(Freeze{Coin: coins[0], Undo: true})
	if n := a.written() - before; n != 1 {
		t.Errorf("%d entries lift the freezes of one member", n)
	}
	c.allFrozen(coins[0], "")
}

// What a fork left says nothing, neither for nor against; nor what one says who is no member.
func TestWhoFreezesNothing(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000, 400_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	c.featured()
	a.must(Freeze{Coin: coins[0]})
	c.settle()
	f, _ := a.m.State.Frozen(coins[0])
	before := evil.m
	evil.wildFreeze(coins[0], false, f.Ref.ID)
	evil.wildFreeze(coins[1], true)
	c.allFrozen(coins[0], "")
	if a.frozen(coins[1]) == "" {
		t.Fatal("an untainted freeze does not count")
	}
	evil.m = before
	evil.wildFreeze(coins[0], false)
	for _, p := range []*peer{a, b} {
		for _, e := range evil.Held {
			_, _ = p.do(EntryIn{e})
		}
		if p.frozen(coins[0]) == "" || p.frozen(coins[1]) != "" {
			t.Errorf("%s, after a fork: %q and %q", p.name, p.frozen(coins[0]), p.frozen(coins[1]))
		}
	}
	who := a.stranger(20)
	id := who.wildFreeze(coins[1], true)
	st := a.m.State
	for _, chain := range who.Chains() {
		for _, e := range chain {
			if next, _, err := st.Add(e, false); err == nil {
				st = next.Derived()
			}
		}
	}
	if _, frozen := st.Frozen(coins[1]); frozen || !st.Chains().Has(id) {
		t.Errorf("a stranger's freeze counts: %v, held: %v", frozen, st.Chains().Has(id))
	}
}

func TestFrozenCoinsAreLeftOut(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000, 400_000)
	a := c.peers[0]
	c.featured()
	a.must(Freeze{Coin: coins[0]})
	spends := func(x Propose) wire.OutPoint {
		t.Helper()
		d, err := a.m.Preview(x, a.input(nil))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(d.Proposal.Body.Inputs); n != 1 {
			t.Fatalf("it spends %d coins", n)
		}
		return d.Proposal.Body.Inputs[0].OutPoint()
	}
	if got := spends(pay(1, 100_000)); got != coins[1] {
		t.Errorf("it spends %v", got)
	}
	all := Propose{Outputs: []event.ProposalOutput{{PkScript: recipient(1)}}, All: 1, FeeRate: 2000}
	if got := spends(all); got != coins[1] {
		t.Errorf("all is sent, and it spends %v", got)
	}
	if d, err := a.m.Preview(all, a.input(nil)); err != nil || len(d.Left) != 1 || d.Left[0].Frozen == nil {
		t.Errorf("what is left: %+v, %v", d.Left, err)
	}
	r := a.refused(refusal.Funds, pay(1, 450_000))
	if !strings.Contains(r.Hint, "froze 0.005") || !strings.Contains(r.Hint, "--allow "+refusal.CoinFrozen) {
		t.Errorf("the hint is %q", r.Hint)
	}
	named := pay(1, 100_000)
	named.Coins = coins[:1]
	r = a.refused(refusal.CoinFrozen, named)
	if !r.Overridable || !strings.Contains(r.Text, a.name) {
		t.Errorf("refused with %+v", r)
	}
	// By name they are taken, after all others.
	named.Allow = []string{refusal.CoinFrozen}
	if got := spends(named); got != coins[0] {
		t.Errorf("a named coin: it spends %v", got)
	}
	x := pay(1, 100_000)
	x.Allow = []string{refusal.CoinFrozen}
	if got := spends(x); got != coins[1] {
		t.Errorf("it spends %v before what is not frozen", got)
	}
	x = pay(1, 450_000)
	x.Allow = []string{refusal.CoinFrozen}
	if d, err := a.m.Preview(x, a.input(nil)); err != nil || len(d.Overridden) != 1 || d.Overridden[0].Rule != refusal.CoinFrozen {
		t.Errorf("more than what is not frozen holds: %+v, %v", d, err)
	}
	all.Allow = []string{refusal.CoinFrozen}
	if d, err := a.m.Preview(all, a.input(nil)); err != nil || len(d.Proposal.Body.Inputs) != 2 || len(d.Overridden) != 1 || d.Overridden[0].Rule != refusal.CoinFrozen {
		t.Errorf("all, frozen ones too: %+v, %v", d, err)
	}
}

func TestAPaymentOfFrozenCoinsIsSignedByNameOnly(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	c.featured()
	p := a.proposed(pay(1, 100_000))
	c.settle()
	z.must(Freeze{Coin: coins[0], Note: "wait for the\u00a0lawyer"})
	c.settle()
	if w := b.m.Warn(p, c.clock, 0, port.Policy{}); len(w) != 1 || w[0].Rule != refusal.CoinFrozen || !strings.Contains(w[0].Text, z.name) {
		t.Errorf("warned of %v", w)
	}
	b.refused(refusal.CoinFrozen, Approve{Proposal: p.Ref.ID})
	if st := b.status(p.Ref.ID); st != group.StatusPending {
		t.Fatalf("it is %s", st)
	}
	b.must(Approve{Proposal: p.Ref.ID, Allow: []string{refusal.CoinFrozen}})
	if st := b.status(p.Ref.ID); st != group.StatusFinal {
		t.Errorf("it is %s", st)
	}
	// What takes the coin otherwise is refused as well, and one name is enough.
	cancel := Propose{Follows: FollowUp{Cancel: p.Ref.ID}}
	a.refused(refusal.CoinFrozen, cancel)
	cancel.Allow = []string{refusal.CoinFrozen}
	a.proposed(cancel)
}

// A child takes what is not frozen of its parent; a bump no further coin that is.
func TestFollowUpsLeaveFrozenCoinsOut(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(100_000, 50_000)
	a := c.peers[0]
	c.featured()
	p := a.proposed(Propose{Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 99_500}}, Coins: coins[:1], FeeRate: 1000})
	c.settle()
	a.must(Freeze{Coin: coins[1]})
	a.refused(refusal.Funds, bump(p, 20_000))
	x := bump(p, 20_000)
	a.must(Freeze{Coin: coins[1], Undo: true})
	if q := a.proposed(x); len(q.Body.Inputs) != 2 {
		t.Errorf("it spends %d coins", len(q.Body.Inputs))
	}
}

func TestAFreezeEndsAPreApproval(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 5000})
	b := c.peers[1]
	c.featured()
	q := c.peers[0].proposed(bump(p, 8000))
	c.hear(b)
	if _, err := b.m.mayBump(q, b.input(nil)); err != nil {
		t.Fatalf("without a freeze: %v", err)
	}
	coin := p.Body.Inputs[0].OutPoint()
	c.peers[2].must(Freeze{Coin: coin})
	c.hear(b)
	if _, err := b.m.mayBump(q, b.input(nil)); !refusedBy(err, refusal.CoinFrozen) {
		t.Errorf("a bump of a frozen coin: %v", err)
	}
}

func TestFreezeRefusals(t *testing.T) {
	forming := newCircle(t, 2, 2)
	forming.settle()
	forming.peers[0].refused(refusal.NotActive, Freeze{Coin: wire.OutPoint{Hash: [32]byte{1}}})
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	c.featured()
	a := c.peers[0]
	a.refused(refusal.NotOfWallet, Freeze{Coin: wire.OutPoint{Hash: coins[0].Hash, Index: 1}})
	a.refused(refusal.NotOfWallet, Freeze{Coin: wire.OutPoint{Hash: [32]byte{1}}})
	for name, note := range map[string]string{"too long": strings.Repeat("x", event.MaxLabelBytes+1), "a line break": "a\nb", "turned around": "\u202eyas"} {
		if _, err := a.do(Freeze{Coin: coins[0], Note: note}); !errors.Is(err, event.ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
	if a.frozen(coins[0]) != "" {
		t.Error("a refused command froze a coin")
	}
	p := a.proposed(pay(1, 100_000))
	c.settle()
	c.peers[1].must(Approve{Proposal: p.Ref.ID})
	c.settle()
	tx, err := a.m.Tx(p)
	if err != nil {
		t.Fatal(err)
	}
	c.mine(oneTx(tx))
	a.refused(refusal.Coin, Freeze{Coin: coins[0]})
	a.must(Freeze{Coin: coins[0], Undo: true})
}

// Who watches is told when a coin of the wallet is frozen and when that is lifted, once,
// also over a restart, and not of coins of nobody or of what changes nothing.
func TestAFreezeIsTold(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	c.featured()
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	told := func(p *peer) (out []string) {
		for _, n := range p.told {
			if n.Type == "freeze" && n.TxID == coins[0].Hash {
				out = append(out, n.Status+" by "+p.m.MemberName(n.By)+": "+n.Detail)
			}
		}
		return out
	}
	a.must(Freeze{Coin: coins[0], Note: "dust"})
	c.settle()
	z.wildFreeze(coins[0], true) // again, and by another one
	z.wildFreeze(wire.OutPoint{Index: 7}, true)
	c.settle()
	b.crash()
	b.must(Freeze{Coin: coins[0], Undo: true})
	c.settle()
	coin := ": coin " + coins[0].String()
	for _, p := range c.peers {
		if got := told(p); !slices.Equal(got, []string{"frozen by A" + coin, "lifted by B" + coin}) {
			t.Errorf("%s tells %q", p.name, got)
		}
		for _, n := range p.told {
			if n.Type == "freeze" && n.TxID != coins[0].Hash {
				t.Errorf("%s tells of what is not the wallet's: %+v", p.name, n)
			}
		}
	}
	// Nobody fills the others' outbox by it.
	for range maxTold {
		id := z.wildFreeze(coins[0], true)
		z.wildFreeze(coins[0], false, id)
		z.pass(a)
	}
	kept := 0
	for _, r := range a.Told {
		if n, err := DecodeNotice(r); err != nil {
			t.Fatal(err)
		} else if n.Type == "freeze" {
			kept++
		}
	}
	if kept > maxTold+2 || kept < maxTold/2 {
		t.Errorf("%d notices are kept, want some %d", kept, maxTold)
	}
}
