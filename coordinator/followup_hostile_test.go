package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// A cancel pays what it takes to replace the one of P and its bumps that a mempool can
// hold, not all of them; and one member alone does not raise that.
func TestACancelPaysForWhatItReplacesOnce(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(5_000_000, 400_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 100_000)
	x.Coins = coinsOfAmount(t, a, 5_000_000)
	p := a.proposed(x)
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	last := p
	for rate := wallet.FeeRate(5_000); rate <= 25_000; rate += 5_000 {
		last = a.proposed(bump(p, rate))
		c.settle()
		b.must(Approve{Proposal: last.Ref.ID})
		c.settle()
	}
	clone := c.clone(t)
	cancel := func(c *circle) *group.Proposal {
		return c.peers[1].proposed(Propose{Follows: FollowUp{Cancel: p.Ref.ID}})
	}
	q := cancel(c)
	spend, _ := q.Spend(a.m.State.Active())
	if most := last.Fee() + last.Fee()/8 + wallet.FeeRate(1000).Fee(spend.VSize()) + 2; q.Fee() > most {
		t.Errorf("the cancel pays %d, the highest of what it replaces %d", q.Fee(), last.Fee())
	}
	for name, raise := range map[string]func(evil *peer) *event.ProposalCreated{
		"a rate without end": func(*peer) *event.ProposalCreated {
			x := *p.Body
			x.Outputs = append([]event.ProposalOutput{}, x.Outputs...)
			for i := range x.Outputs {
				if x.Outputs[i].Change != nil {
					x.Outputs[i].Amount -= 45_000
				}
			}
			return &x
		},
		"a coin that is not there": func(*peer) *event.ProposalCreated {
			x := *p.Body
			x.Inputs = append(append([]event.ProposalInput{}, x.Inputs...), event.ProposalInput{TxID: [32]byte{7}, Amount: 100_000_000})
			return &x
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := clone.clone(t)
			evil := c.peers[2]
			body := raise(evil)
			body.Replaces = nil
			e, err := evil.wild(body)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := evil.wild(&event.ProposalApproved{Proposal: e.ID(), Signatures: evil.signedBy(body)}); err != nil {
				t.Fatal(err)
			}
			c.settle()
			v, err := c.peers[1].do(Propose{Follows: FollowUp{Cancel: p.Ref.ID}})
			if err != nil {
				t.Fatal(err)
			}
			r, _ := c.peers[1].m.State.Proposal(v.(Proposed).Proposal)
			if r.Fee() != q.Fee() {
				t.Errorf("the cancel pays %d, without it %d", r.Fee(), q.Fee())
			}
		})
	}
}

// Of rivals without end what a node signed, and what others signed, is replaced all the same.
func TestRivalsWithoutEndKeepNoBumpOut(t *testing.T) {
	c := active(t, 3, 4)
	c.fund(2_000_000, 400_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[3]
	x := pay(1, 100_000)
	x.Coins = coinsOfAmount(t, a, 2_000_000)
	p := a.proposed(x)
	c.settle()
	first := a.proposed(bump(p, 5000))
	c.settle()
	b.must(Approve{Proposal: first.Ref.ID})
	c.settle()
	next := evil.nextPlace()
	for n := range 2 * 100 {
		y := *p.Body
		y.Replaces = nil
		y.Outputs = []event.ProposalOutput{{PkScript: recipient(9), Amount: int64(900_000 - n)}}
		e := evil.forge(next, &y)
		for _, x := range []*peer{a, b} {
			x.must(EntryIn{e})
		}
	}
	second, err := a.do(bump(p, 9000))
	if err != nil {
		t.Fatal(err)
	}
	q, _ := a.m.State.Proposal(second.(Proposed).Proposal)
	if !q.Replaces(first) {
		t.Errorf("it replaces %v, and not %v", q.Body.Replaces, first.TxID)
	}
	c.settle(a, b)
	b.must(Approve{Proposal: q.Ref.ID})
}

// Two colluders who sign each other's bumps without end do not fill the list either.
func TestColludersFillNoListOfWhatIsReplaced(t *testing.T) {
	c := active(t, 4, 5)
	c.fund(2_000_000, 400_000)
	a, b, evil, other := c.peers[0], c.peers[1], c.peers[3], c.peers[4]
	x := pay(1, 100_000)
	x.Coins = coinsOfAmount(t, a, 2_000_000)
	p := a.proposed(x)
	c.settle()
	first := a.proposed(bump(p, 5000))
	c.settle()
	b.must(Approve{Proposal: first.Ref.ID})
	c.settle()
	next, also := evil.nextPlace(), other.nextPlace()
	for n := range 2 * event.MaxReplaces {
		y := *first.Body
		y.Replaces = nil
		y.Outputs = append([]event.ProposalOutput{}, y.Outputs...)
		for i := range y.Outputs {
			if y.Outputs[i].Change != nil {
				y.Outputs[i].Amount -= int64(n) + 1
			}
		}
		e := evil.forge(next, &y)
		s := other.forge(also, &event.ProposalApproved{Proposal: e.ID(), Signatures: other.signedBy(&y)})
		for _, x := range []*peer{a, b, c.peers[2]} {
			x.must(EntryIn{e})
			x.must(EntryIn{s})
		}
	}
	z := c.peers[2] // it signed neither, so that its own guard names nothing
	q := z.proposed(bump(p, 20_000))
	if !q.Replaces(first) || len(q.Body.Replaces) > event.MaxReplaces {
		t.Errorf("it replaces %d, %v is not among them", len(q.Body.Replaces), first.TxID)
	}
	c.settle(a, b, z)
	b.must(Approve{Proposal: q.Ref.ID})
}

// What a child and its own bump pay counts once, as what a payment and its bumps pay does.
func TestChildrenThatExcludeEachOtherCountOnce(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	p := c.spent(100_000)
	show := func(q *group.Proposal) {
		tx, err := a.m.Tx(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range c.peers {
			x.sees(tx)
		}
	}
	show(p)
	child := a.proposed(Propose{Follows: FollowUp{Child: p.TxID}, FeeRate: 5_000})
	c.settle()
	b.must(Approve{Proposal: child.Ref.ID})
	c.settle()
	show(child)
	var fees int64
	again := child
	for _, rate := range []wallet.FeeRate{20_000, 40_000} {
		x := Propose{Follows: FollowUp{Bump: child.Ref.ID}, FeeRate: rate}
		again = a.proposed(x)
		c.settle()
		b.must(Approve{Proposal: again.Ref.ID})
		c.settle()
		show(again)
		fees = max(fees, again.Fee())
	}
	q := &group.Proposal{}
	body := *p.Body
	body.Replaces = append(body.Replaces, p.TxID)
	*q = *p
	q.Body = &body
	q.TxID[0]++
	if got, want := a.m.replacedFees(q), p.Fee()+fees; got != want {
		t.Errorf("%d sat are replaced, want %d", got, want)
	}
}

// A bump that the wallet's many small coins cannot pay for is refused soon.
func TestABumpLooksAtSmallCoinsOnce(t *testing.T) {
	slow(t)
	c := active(t, 2, 3)
	derived := func(n int) float64 {
		c := c.clone(t)
		amounts := make([]int64, n+1)
		for i := range amounts {
			amounts[i] = 700
		}
		amounts[0] = 101_000
		c.fund(amounts...)
		a := c.peers[0]
		x := pay(1, 100_000)
		x.Coins = coinsOfAmount(t, a, 101_000)
		p := a.proposed(x)
		if _, err := a.do(bump(p, 40_000)); !refusedBy(err, refusal.Funds) {
			t.Fatalf("%v", err)
		}
		return testing.AllocsPerRun(1, func() { _, _, _ = Step(a.m, a.input(bump(p, 40_000))) })
	}
	few, many := derived(10), derived(40)
	t.Logf("%.0f allocations with 10 coins, %.0f with 40", few, many)
	if many > 5*few {
		t.Errorf("%.0f allocations with 10 coins, %.0f with 40", few, many)
	}
}
