package coordinator

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func (p *peer) proposed(x Propose) *group.Proposal {
	p.tb.Helper()
	q, ok := p.m.State.Proposal(p.must(x).(Proposed).Proposal)
	if !ok {
		p.tb.Fatalf("%s does not hold what it proposed", p.name)
	}
	return q
}

func spends(p *group.Proposal, o wire.OutPoint) bool {
	return slices.Contains(coinsOf([]*group.Proposal{p}), o)
}

// Who withdraws a proposal pays somebody else next, with coins that nothing holds.
func TestAfterAWithdrawalOtherCoinsAreTaken(t *testing.T) {
	for range 20 { // the selection is random
		c := active(t, 2, 3)
		c.fund(500_000, 500_000, 500_000)
		a, b := c.peers[0], c.peers[1]
		first := a.proposed(pay(1, 200_000))
		a.must(Withdraw{Proposal: first.Ref.ID})
		second := a.proposed(pay(2, 200_000))
		if len(second.Body.Replaces) != 0 || spends(second, first.Body.Inputs[0].OutPoint()) {
			t.Fatalf("it takes %v, which %s holds, and replaces %v", coinsOf([]*group.Proposal{second}), first.Ref.ID, second.Body.Replaces)
		}
		c.settle()
		b.must(Approve{Proposal: second.Ref.ID})
	}
}

// Of two payments to one payee, the first of which was given up with a signature out,
// only one can be mined.
func TestWhoIsPaidAgainAfterAWithdrawalIsPaidOnce(t *testing.T) {
	for name, giveUp := range map[string]func(c *circle, id journal.EntryID){
		"withdrawn": func(c *circle, id journal.EntryID) { c.peers[0].must(Withdraw{Proposal: id}) },
		"rejected": func(c *circle, id journal.EntryID) {
			c.peers[1].must(Reject{Proposal: id})
			c.peers[2].must(Reject{Proposal: id})
		},
		"expired": func(c *circle, _ journal.EntryID) { c.clock = c.clock.Add(2 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 2, 3)
			c.fund(500_000, 500_000, 500_000)
			a, b := c.peers[0], c.peers[1]
			x := pay(1, 200_000)
			x.Expires = c.clock.Add(time.Hour)
			first := a.proposed(x)
			c.settle()
			giveUp(c, first.Ref.ID)
			c.settle()
			second := a.proposed(pay(1, 250_000))
			if !second.Replaces(first) || !spends(second, first.Body.Inputs[0].OutPoint()) {
				t.Fatalf("both could be mined: the second replaces %v", second.Body.Replaces)
			}
			c.settle()
			b.must(Approve{Proposal: second.Ref.ID})
			c.settle()
			if got := a.status(second.Ref.ID); got != group.StatusFinal {
				t.Fatalf("%s", got)
			}
		})
	}
}

// Where it is meant to be paid beside the first, it says so, and nothing is replaced.
func TestPaidBesideIsNotReplaced(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 500_000)
	a := c.peers[0]
	first := a.proposed(pay(1, 200_000))
	a.must(Withdraw{Proposal: first.Ref.ID})
	x := pay(1, 200_000)
	x.Allow = []string{refusal.DoublePayment}
	if second := a.proposed(x); len(second.Body.Replaces) != 0 || spends(second, first.Body.Inputs[0].OutPoint()) {
		t.Fatalf("it replaces %v", second.Body.Replaces)
	}
}

// The only coin of a wallet is not lost with a proposal that was withdrawn.
func TestTheOnlyCoinIsTakenAgain(t *testing.T) {
	for _, payee := range []byte{1, 2} {
		c := active(t, 2, 3)
		c.fund(500_000)
		a, b := c.peers[0], c.peers[1]
		first := a.proposed(pay(1, 200_000))
		if _, err := a.do(pay(payee, 100_000)); rule(err) != refusal.Funds {
			t.Fatalf("while the first lives: %v", err)
		}
		a.must(Withdraw{Proposal: first.Ref.ID})
		second := a.proposed(pay(payee, 100_000))
		if !second.Replaces(first) {
			t.Fatalf("it replaces %v", second.Body.Replaces)
		}
		c.settle()
		b.must(Approve{Proposal: second.Ref.ID})
	}
}

// What others may still complete, and this node has not seen given up, holds its coins.
func TestAFinalProposalKeepsItsCoins(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a := c.peers[0]
	first := c.spent(200_000)
	x := pay(2, 100_000)
	x.Coins = coinsOf([]*group.Proposal{first})
	if _, err := a.do(x); rule(err) != refusal.Coin {
		t.Fatalf("error %v", err)
	}
}

func TestConfirmedCoinsComeFirst(t *testing.T) {
	for range 20 {
		c := active(t, 2, 3)
		c.fund(900_000, 400_000)
		a, b := c.peers[0], c.peers[1]
		x := pay(1, 100_000)
		x.Coins = []wire.OutPoint{c.coin(900_000)}
		first := a.proposed(x)
		c.settle()
		b.must(Approve{Proposal: first.Ref.ID})
		c.settle() // the change of some 800,000 is spendable, and not confirmed
		second := a.proposed(pay(2, 300_000))
		if spends(second, wire.OutPoint{Hash: first.TxID}) || spends(second, wire.OutPoint{Hash: first.TxID, Index: 1}) {
			t.Fatal("it spends what is not confirmed")
		}
		c.settle()
		third := a.proposed(pay(3, 500_000))
		if !spends(third, wire.OutPoint{Hash: first.TxID}) && !spends(third, wire.OutPoint{Hash: first.TxID, Index: 1}) {
			t.Fatal("it does not spend what is not confirmed, where nothing else suffices")
		}
	}
}

// coin finds the unspent coin of an amount.
func (c *circle) coin(amount int64) wire.OutPoint {
	c.tb.Helper()
	for o := range c.peers[0].m.View.Unspent() {
		if o.Amount == amount {
			return o.OutPoint
		}
	}
	c.tb.Fatalf("no coin of %d", amount)
	return wire.OutPoint{}
}

// A replacement that pays more than the first takes further coins.
func TestAReplacementTakesFurtherCoins(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(300_000, 300_000, 300_000, 300_000)
	a, b := c.peers[0], c.peers[1]
	first := a.proposed(pay(1, 200_000))
	x := pay(1, 550_000)
	x.Replaces = []journal.EntryID{first.Ref.ID}
	second := a.proposed(x)
	if n := len(second.Body.Inputs); n != 2 || !spends(second, first.Body.Inputs[0].OutPoint()) {
		t.Fatalf("%d inputs: %v", n, coinsOf([]*group.Proposal{second}))
	}
	c.settle()
	b.must(Approve{Proposal: second.Ref.ID})
	x = pay(1, 5_500_000)
	x.Replaces = []journal.EntryID{second.Ref.ID}
	if _, err := a.do(x); rule(err) != refusal.Funds {
		t.Fatalf("error %v", err)
	}
}

func TestACoinNamedTwiceIsRefused(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(300_000)
	x := pay(1, 100_000)
	x.Coins = []wire.OutPoint{coins[0], coins[0]}
	if _, err := c.peers[0].do(x); rule(err) != refusal.Coin {
		t.Fatalf("error %v", err)
	}
}

// A node that was restored pays the same payee again: what it may have signed is replaced.
func TestARestoredNodeReplacesWhatItMayHaveSigned(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 200_000)
	x.Unsigned = true
	first := b.proposed(x)
	b.must(Withdraw{Proposal: first.Ref.ID})
	c.settle()
	a.m.bound = &boundRecord{At: c.clock.Unix()}
	for ch, at := range a.m.State.Chains().Frontier() {
		a.m.bound.Seen = append(a.m.bound.Seen, boundSeen{ch, at.Seq})
	}
	slices.SortFunc(a.m.bound.Seen, compareSeen)
	second := a.proposed(pay(2, 100_000))
	if !second.Replaces(first) {
		t.Fatalf("it replaces %v", second.Body.Replaces)
	}
	c.settle()
	b.must(Approve{Proposal: second.Ref.ID})
}

// The guard's refusal names the proposal, and says what each of the two can do.
func TestTheGuardNamesTheProposal(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	first := a.proposed(pay(1, 200_000))
	c.settle()
	x := pay(2, 200_000)
	x.Coins = coins
	_, err := a.do(x)
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Rule != refusal.SignGuard || r.Hint != "propose with --replaces "+first.Ref.ID.String()+", or choose other coins" {
		t.Fatalf("its author is told %v, %+v", err, r)
	}
	x.Unsigned = true
	second := a.proposed(x)
	c.settle()
	_, err = a.do(Approve{Proposal: second.Ref.ID})
	if rule(err) != refusal.SignGuard {
		t.Fatalf("error %v", err)
	}
	b.must(Approve{Proposal: first.Ref.ID})
	_, err = b.do(Approve{Proposal: second.Ref.ID})
	if !errors.As(err, &r) || r.Hint != "have its author propose it again with --replaces "+first.Ref.ID.String()+", or with other coins" {
		t.Fatalf("the approver is told %v, %+v", err, r)
	}
}
