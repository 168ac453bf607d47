package coordinator

import (
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// withheld is a restored node whose earlier self signed first, which only a
// hostile member saw, who claims that there is no such thing.
func withheld(t *testing.T) (c *circle, r, evil *peer, first, second journal.EntryID) {
	t.Helper()
	c = active(t, 2, 3)
	coins := c.fund(1_000_000, 500_000)
	a, evil, z := c.peers[0], c.peers[1], c.peers[2]
	x := withUnsigned(pay(1, 400_000))
	x.Coins = coins[:1]
	first = evil.must(x).(Proposed).Proposal
	c.settle()
	y := withUnsigned(pay(2, 300_000))
	y.Coins = coins[:1]
	second = a.must(y).(Proposed).Proposal
	c.settle()
	saved := z.backup()
	before := evil.m.State.Chains().Frontier()
	z.must(Approve{Proposal: first})
	c.settle(evil, z) // and then z's disk dies
	r = saved.restore()
	r.must(ClaimIn{From: a.id(), Claim: port.Claim{Frontier: a.m.State.Chains().Frontier()}})
	r.must(ClaimIn{From: evil.id(), Claim: port.Claim{Frontier: before}})
	c.settle(a, r)
	r.must(Tick{Online: []journal.Author{a.id(), evil.id()}})
	if r.m.Restored() != nil {
		t.Fatalf("it still waits: %+v", r.m.Restored())
	}
	return c, r, evil, first, second
}

// TestAKeySignsNoRivalOfWhatItMayHaveSigned: one key never has signatures on two
// transactions over one coin in the union of all stores, though the member who
// holds the first one hides it.
func TestAKeySignsNoRivalOfWhatItMayHaveSigned(t *testing.T) {
	c, r, evil, first, second := withheld(t)
	a := c.peers[0]
	refused := func(what string, id journal.EntryID) {
		t.Helper()
		for _, msg := range []Message{Approve{Proposal: id}, Approve{Proposal: id, Allow: []string{refusal.Restored}}, Export{Proposal: id, ForSigning: true}} {
			refusal := r.refused(refusal.MaybeSigned, msg)
			if !refusal.Overridable || !strings.Contains(refusal.Error(), first.String()) {
				t.Errorf("%s: %v, overridable %v", what, refusal, refusal.Overridable)
			}
		}
	}
	refused("after it has synced with all", second)
	r.crash()
	refused("after a restart", second)
	p, _ := r.m.State.Proposal(second)
	warned := false
	for _, w := range r.m.Warn(p, c.clock, 0, port.Policy{}) {
		warned = warned || w.Rule == refusal.MaybeSigned
	}
	if !warned {
		t.Error("the approver is not told")
	}
	// Its own proposal over that coin is no other thing.
	coin := p.Body.Inputs[0].OutPoint()
	x := pay(3, 200_000)
	x.Coins = append(x.Coins, coin)
	r.refused(refusal.MaybeSigned, x)
	c.clock = c.clock.Add(40 * 24 * time.Hour) // time alone takes no signature back
	r.refused(refusal.MaybeSigned, x)
	c.clock = c.clock.Add(-40 * 24 * time.Hour)

	c.settle(a, r)
	evil.Careless = true
	evil.must(Approve{Proposal: first})
	k := memberIndex(a, r)
	p1, _ := evil.m.State.Proposal(first)
	p2, _ := a.m.State.Proposal(second)
	if evil.m.State.SignedInputs(p1, k) == 0 || a.m.State.SignedInputs(p2, k) != 0 {
		t.Fatalf("signed by z's key: first %d, second %d", evil.m.State.SignedInputs(p1, k), a.m.State.SignedInputs(p2, k))
	}
	c.settle(a, r, evil)
	// Once it is shown, it is the guard's, which nothing overrides.
	_, err := r.do(Approve{Proposal: second, Allow: []string{refusal.MaybeSigned, refusal.Restored}})
	mustRefuse(t, err, refusal.SignGuard)
}

// TestARestoredNodeSignsWhatIsNoRival: what it may have signed, what replaces
// that, what spends other coins, what it says by name, and all that came later.
func TestARestoredNodeSignsWhatIsNoRival(t *testing.T) {
	t.Run("the same again", func(t *testing.T) {
		_, r, _, first, _ := withheld(t)
		_, err := r.do(Approve{Proposal: first, Allow: []string{refusal.MaybeSigned}})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a declared replacement", func(t *testing.T) {
		_, r, _, first, second := withheld(t)
		x := pay(3, 200_000)
		x.Replaces = []journal.EntryID{first, second}
		r.must(x)
	})
	t.Run("another coin, and what comes later", func(t *testing.T) {
		c, r, _, _, second := withheld(t)
		a := c.peers[0]
		x := withUnsigned(pay(3, 100_000))
		x.Allow = []string{refusal.DoublePayment}
		one, _ := r.m.State.Proposal(second)
		c.clock = c.clock.Add(time.Minute)
		later := a.must(x).(Proposed).Proposal
		c.settle(a, r)
		p, _ := r.m.State.Proposal(later)
		if p.Body.Inputs[0].OutPoint() == one.Body.Inputs[0].OutPoint() {
			t.Fatal("the test wants another coin")
		}
		y := withUnsigned(pay(4, 90_000))
		y.Coins, y.Allow = append(y.Coins, p.Body.Inputs[0].OutPoint()), []string{refusal.DoublePayment}
		rival := a.must(y).(Proposed).Proposal
		c.settle(a, r)
		r.must(Approve{Proposal: rival}) // it knows that it did not sign p
		r.refused(refusal.SignGuard, Approve{Proposal: later})
	})
	t.Run("by name", func(t *testing.T) {
		_, r, _, _, second := withheld(t)
		r.must(Approve{Proposal: second, Allow: []string{refusal.MaybeSigned}})
	})
	t.Run("what says that it is older", func(t *testing.T) {
		c, r, evil, _, _ := withheld(t)
		x := withUnsigned(pay(3, 100_000))
		old := evil.must(x).(Proposed).Proposal // its clock says it is as old as the restore
		c.clock = c.clock.Add(time.Minute)
		c.settle(evil, r)
		p, _ := r.m.State.Proposal(old)
		y := pay(4, 90_000)
		y.Coins = append(y.Coins, p.Body.Inputs[0].OutPoint())
		r.refused(refusal.MaybeSigned, y)
	})
}
