package coordinator

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

func bump(p *group.Proposal, rate wallet.FeeRate) Propose {
	return Propose{Follows: FollowUp{Bump: p.Ref.ID}, FeeRate: rate}
}

// hears has a peer hear of what all others hold.
func (c *circle) hear(p *peer, from ...*peer) {
	if len(from) == 0 {
		from = c.peers
	}
	c.settle()
	for _, x := range from {
		if x != p {
			p.must(ClaimIn{From: x.id(), Claim: port.Claim{Frontier: x.m.State.Chains().Frontier()}})
		}
	}
}

func keyOf(p *peer) int {
	k, _ := p.m.State.Active().Index(p.id())
	return k
}

func oneTx(tx *wire.MsgTx) []*wire.MsgTx { return []*wire.MsgTx{tx} }

// coinsOfAmount is a coin that holds just so much.
func coinsOfAmount(tb testing.TB, p *peer, amount int64) []wire.OutPoint {
	tb.Helper()
	for o := range p.m.View.Unspent() {
		if o.Amount == amount {
			return []wire.OutPoint{o.OutPoint}
		}
	}
	tb.Fatalf("no coin of %d", amount)
	return nil
}

func changeAmount(p *group.Proposal) (sum int64) {
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			sum += o.Amount
		}
	}
	return sum
}

func TestABumpPaysTheSameWithLessChange(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 400_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 100_000)
	x.Outputs = append(x.Outputs, event.ProposalOutput{PkScript: recipient(2), Amount: 50_000, Label: "rent"})
	x.Note = "May"
	p := a.proposed(x)
	c.settle()
	if _, err := b.do(bump(p, 2000)); !refusedBy(err, refusal.ReplaceFee) {
		t.Errorf("the same rate: %v", err)
	}
	for _, bad := range []Propose{
		{Follows: FollowUp{Bump: p.Ref.ID, Cancel: p.Ref.ID}, FeeRate: 5000},
		{Follows: FollowUp{Bump: p.Ref.ID}, FeeRate: 5000, Outputs: x.Outputs},
		{Follows: FollowUp{Bump: journal.EntryID{1}}, FeeRate: 5000},
	} {
		if _, err := b.do(bad); err == nil {
			t.Errorf("%+v is no error", bad)
		}
	}
	q := b.proposed(bump(p, 5000)) // another member's, too
	c.settle()
	bumps, over := q.Bumps(p)
	if !bumps || !over || q.Body.Note != "May" || !q.Replaces(p) || changeAmount(q) != changeAmount(p)-(q.Fee()-p.Fee()) {
		t.Errorf("bumps %v, over its coins %v: %+v of %+v", bumps, over, q.Body, p.Body)
	}
	spend, _ := q.Spend(a.m.State.Active())
	if got := q.Fee() * 1000 / spend.VSize(); got < 5000 || got > 5010 {
		t.Errorf("it pays %d sat/kvB", got)
	}
	a.must(Approve{Proposal: q.Ref.ID})
	c.settle()
	if got := a.status(q.Ref.ID); got != group.StatusFinal {
		t.Errorf("%s", got)
	}
	// The next one replaces both, of which one is final.
	r := a.proposed(bump(p, 9000))
	if len(r.Body.Replaces) != 2 || !r.Replaces(q) || !r.Replaces(p) {
		t.Errorf("replaces %v", r.Body.Replaces)
	}
}

// Where the change does not suffice, a further confirmed coin does, the least that will.
func TestABumpTakesFurtherCoinsOnlyWhereItMust(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(101_000, 60_000, 300_000)
	a := c.peers[0]
	x := pay(1, 100_000)
	x.Coins = coinsOfAmount(t, a, 101_000)
	p := a.proposed(x)
	c.settle()
	q := a.proposed(bump(p, 20_000))
	if bumps, over := q.Bumps(p); !bumps || over || len(q.Body.Inputs) != 2 || q.Body.Inputs[1].Amount != 60_000 || changeAmount(q) == 0 {
		t.Errorf("%+v", q.Body)
	}
	if _, err := a.do(bump(p, 3_000_000)); !refusedBy(err, refusal.Funds) {
		t.Errorf("more than all coins hold: %v", err)
	}
}

func TestACancelTakesTheCoinsBack(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	if got := a.status(p.Ref.ID); got != group.StatusFinal {
		t.Fatalf("%s", got)
	}
	q := b.proposed(Propose{Follows: FollowUp{Cancel: p.Ref.ID}})
	c.settle()
	if !q.PaysOnlyUs() || len(q.Body.Outputs) != 1 || !q.Replaces(p) || q.Fee() <= p.Fee() {
		t.Fatalf("%+v", q.Body)
	}
	a.must(Approve{Proposal: q.Ref.ID})
	c.settle()
	tx, err := a.m.State.FinalTx(q)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range c.peers {
		if !x.m.State.Broadcastable(x.m.View, q) || x.m.State.Broadcastable(x.m.View, p) {
			t.Errorf("%s would broadcast the payment", x.name)
		}
	}
	c.mine(oneTx(tx))
	if _, err := b.do(Propose{Follows: FollowUp{Cancel: q.Ref.ID}}); !refusedBy(err, refusal.AlreadyFinal) {
		t.Errorf("a cancel of what is mined: %v", err)
	}
	if _, err := b.do(Propose{Follows: FollowUp{Cancel: p.Ref.ID}}); !refusedBy(err, refusal.Conflict) {
		t.Errorf("a cancel of what was cancelled: %v", err)
	}
}

// What was replaced and is mined all the same is confirmed, and its rivals are over.
func TestWhatIsMinedAgainstExpectation(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	q := a.proposed(Propose{Follows: FollowUp{Cancel: p.Ref.ID}})
	c.settle()
	b.must(Approve{Proposal: q.Ref.ID})
	c.settle()
	tx, err := a.m.State.FinalTx(p)
	if err != nil {
		t.Fatal(err)
	}
	c.mine(oneTx(tx))
	for _, x := range c.peers {
		if p, q := x.status(p.Ref.ID), x.status(q.Ref.ID); p != group.StatusConfirmed || q != group.StatusDead {
			t.Errorf("%s: %s and %s", x.name, p, q)
		}
		for _, coin := range Coins(x.m.State, x.m.View, c.clock) {
			if len(coin.LeasedBy) > 0 || !coin.Spendable {
				t.Errorf("%s: %v is held", x.name, coin.OutPoint)
			}
		}
	}
}

func TestAChildPaysForItsParent(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	p := c.spent(100_000)
	tx, err := a.m.State.FinalTx(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range c.peers {
		x.sees(tx)
	}
	q := a.proposed(Propose{Follows: FollowUp{Child: p.TxID}, FeeRate: 10_000})
	c.settle()
	parent, _ := p.Spend(a.m.State.Active())
	child, _ := q.Spend(a.m.State.Active())
	if got := (p.Fee() + q.Fee()) * 1000 / (parent.VSize() + child.VSize()); !q.PaysOnlyUs() || got < 10_000 || got > 10_010 {
		t.Errorf("both pay %d sat/kvB: %+v", got, q.Body)
	}
	b.must(Approve{Proposal: q.Ref.ID})

	// A deposit in no block: its sender may still take it back, and that has a name.
	deposit := c.pays(wallet.BranchExternal, 9, 80_000)
	for _, x := range c.peers {
		x.sees(deposit)
	}
	y := Propose{Follows: FollowUp{Child: deposit.TxHash()}, FeeRate: 10_000}
	if _, err := a.do(y); !refusedBy(err, refusal.UnconfirmedParent) {
		t.Fatalf("without its name: %v", err)
	}
	y.Allow = []string{refusal.UnconfirmedParent}
	r := a.proposed(y)
	c.settle()
	if _, err := b.do(Approve{Proposal: r.Ref.ID}); !refusedBy(err, refusal.UnconfirmedParent) {
		t.Errorf("its approval without the name: %v", err)
	}
	if _, err := a.do(Propose{Follows: FollowUp{Child: deposit.TxHash()}, FeeRate: 900_000, Allow: y.Allow}); !refusedBy(err, refusal.Coin) && !refusedBy(err, refusal.Funds) {
		t.Errorf("a fee that is more than it rescues: %v", err)
	}
	c.mine(oneTx(deposit))
	if _, err := a.do(y); !refusedBy(err, refusal.AlreadyFinal) {
		t.Errorf("of one in a block: %v", err)
	}
}

// preApproved is a proposal by A that B approved with bumps up to a fee. C is away.
func preApproved(t *testing.T, upTo UpTo) (*circle, *group.Proposal) {
	t.Helper()
	c := active(t, 2, 3)
	c.fund(500_000, 400_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 100_000)
	x.Unsigned, x.Expires = true, c.clock.Add(72*time.Hour)
	p := a.proposed(x)
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID, UpTo: &upTo})
	c.settle()
	return c, p
}

func TestABumpIsSignedAsAgreedBefore(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 5000})
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	if got := z.m.PreApprovals(p); len(got) != 1 || got[0].Fee != 5000 || got[0].Member.Identity != b.id() || !got[0].Until.Equal(time.Unix(p.Body.Expires, 0)) {
		t.Errorf("shown is %+v", got)
	}
	q := a.proposed(bump(p, 5000))
	c.settle()
	b.must(Tick{})
	if b.m.State.Signed(q, keyOf(b)) {
		t.Fatal("it was signed before anybody was heard")
	}
	c.hear(b)
	b.told = nil
	b.must(Tick{})
	c.settle()
	if got := z.status(q.Ref.ID); got != group.StatusFinal {
		t.Fatalf("%s", got)
	}
	told := 0
	for _, n := range b.told {
		if n.Type == "signed_by_pre_approval" && n.Proposal == q.Ref.ID {
			told++
		}
	}
	if told != 1 {
		t.Errorf("its owner was told %d times", told)
	}
	// What came of a pre-approval carries none, and the next bump is agreed to by the first.
	if got := z.m.PreApprovals(q); len(got) != 0 {
		t.Errorf("the bump carries %+v", got)
	}
	r := a.proposed(bump(p, 9000))
	c.hear(b)
	b.must(Tick{})
	c.hear(b)
	b.must(Tick{})
	if !b.m.State.Signed(r, keyOf(b)) {
		_, err := b.m.mayBump(r, b.input(nil))
		t.Errorf("a second bump is not signed: %v", err)
	}
}

// Everything that ends what was agreed to, one at a time: a person is asked.
func TestWhatEndsAPreApproval(t *testing.T) {
	forked := func(c *circle, who *peer, body event.Body) {
		// Past a fork of its chain: tainted.
		next := *who.nextPlace()
		for _, e := range []*journal.Entry{who.forge(&next, &event.AddressLeased{Index: 1}), who.forge(who.nextPlace(), body)} {
			for _, x := range c.peers {
				_, _ = x.do(EntryIn{e})
			}
		}
	}
	why := map[string]string{
		"a higher fee": "its fee is higher", "its time is over": "its time is over", "its user ended it": "agreed to no such bump",
		"another payee": "agreed to no such bump", "another amount": "agreed to no such bump", "further coins": "agreed to no such bump",
		"a rejection by one who is away": "somebody is against it", "a rejection past a fork": "somebody is against it",
		"a cancel that nobody signed": "something else", "a cancel that was withdrawn": "something else spends", "a rival payment": "something else",
		"the wallet was put aside": "does not sign by itself", "its node was restored": "agreed to no such bump",
		"its time was over once": "its time is over", "somebody withdrew a copy": "somebody is against it",
	}
	for name, do := range map[string]func(c *circle, p *group.Proposal) Propose{
		"nothing":      nil,
		"a higher fee": func(c *circle, p *group.Proposal) Propose { return bump(p, 30_000) },
		"its time is over": func(c *circle, p *group.Proposal) Propose {
			c.clock = c.clock.Add(2 * time.Hour)
			return bump(p, 5000)
		},
		"its user ended it": func(c *circle, p *group.Proposal) Propose {
			c.peers[1].must(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{}})
			return bump(p, 5000)
		},
		"another payee": func(c *circle, p *group.Proposal) Propose {
			x := pay(9, 100_000)
			x.Replaces, x.FeeRate = []journal.EntryID{p.Ref.ID}, 5000
			return x
		},
		"another amount": func(c *circle, p *group.Proposal) Propose {
			x := pay(1, 100_001)
			x.Replaces, x.FeeRate = []journal.EntryID{p.Ref.ID}, 5000
			return x
		},
		"further coins": func(c *circle, p *group.Proposal) Propose {
			x := pay(1, 100_000)
			x.Replaces, x.FeeRate = []journal.EntryID{p.Ref.ID}, 3000
			x.Coins = append(coinsOf([]*group.Proposal{p}), coinsOfAmount(c.tb, c.peers[0], 400_000+500_000-p.Body.Inputs[0].Amount)...)
			return x
		},
		"a rejection by one who is away": func(c *circle, p *group.Proposal) Propose {
			c.peers[2].must(Reject{Proposal: p.Ref.ID, Reason: "no"})
			return bump(p, 5000)
		},
		"a rejection past a fork": func(c *circle, p *group.Proposal) Propose {
			forked(c, c.peers[2], &event.ProposalRejected{Proposal: p.Ref.ID, Reason: "no"})
			return bump(p, 5000)
		},
		"a cancel that nobody signed": func(c *circle, p *group.Proposal) Propose {
			c.peers[2].must(Propose{Follows: FollowUp{Cancel: p.Ref.ID}, Unsigned: true})
			return bump(p, 5000)
		},
		"a cancel that was withdrawn": func(c *circle, p *group.Proposal) Propose {
			x := c.peers[2].proposed(Propose{Follows: FollowUp{Cancel: p.Ref.ID}, Unsigned: true})
			c.peers[2].must(Withdraw{Proposal: x.Ref.ID})
			return bump(p, 5000)
		},
		"a rival payment": func(c *circle, p *group.Proposal) Propose {
			x := pay(7, 20_000)
			x.Replaces, x.FeeRate, x.Unsigned = []journal.EntryID{p.Ref.ID}, 3000, true
			c.peers[2].must(x)
			return bump(p, 5000)
		},
		"the wallet was put aside": func(c *circle, p *group.Proposal) Propose {
			c.peers[1].must(Archive{Allow: []string{refusal.NotEmpty}})
			return bump(p, 5000)
		},
		"its node was restored": func(c *circle, p *group.Proposal) Propose {
			if err := c.peers[1].restored(c.peers[1].m); err != nil {
				c.tb.Fatal(err)
			}
			return bump(p, 5000)
		},
		"its time was over once": func(c *circle, p *group.Proposal) Propose {
			c.peers[1].m.unaskedAt = c.clock.Add(2 * time.Hour).Unix() // and then the clock was turned back
			return bump(p, 5000)
		},
		"somebody withdrew a copy": func(c *circle, p *group.Proposal) Propose {
			e, err := c.peers[2].wild(p.Body)
			if err != nil {
				c.tb.Fatal(err)
			}
			c.peers[2].must(Withdraw{Proposal: e.ID()})
			return bump(p, 5000)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := preApproved(t, UpTo{Fee: 3000})
			b := c.peers[1]
			b.must(Approve{Proposal: p.Ref.ID, UpTo: &UpTo{Fee: 3000, Until: c.clock.Add(time.Hour)}})
			c.settle()
			x := bump(p, 5000)
			if do != nil {
				x = do(c, p)
				c.settle()
			}
			x.Allow = append(x.Allow, refusal.ReplaceFee, refusal.DoublePayment)
			q := c.peers[0].proposed(x)
			c.hear(b)
			for range 3 {
				b.must(Tick{})
				c.hear(b)
			}
			signed := b.m.State.Signed(q, keyOf(b))
			if signed != (do == nil) {
				t.Errorf("signed: %v", signed)
			}
			if _, err := b.m.mayBump(q, b.input(nil)); do != nil && (!errors.Is(err, errAsked) || !strings.Contains(err.Error(), why[name])) {
				t.Errorf("asked since %v, want %q", err, why[name])
			}
		})
	}
}

// Of bumps without end only so many are signed, each a tenth above the one before.
func TestBumpsSignedUnaskedAreFew(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 50_000})
	a, b := c.peers[0], c.peers[1]
	signed := 0
	for rate := wallet.FeeRate(2200); rate < 20_000; rate += max(rate/8, 1300) {
		q := a.proposed(bump(p, rate))
		c.hear(b)
		for range 2 {
			b.must(Tick{})
			c.hear(b)
		}
		if b.m.State.Signed(q, keyOf(b)) {
			signed++
		}
	}
	if signed != maxSignedUnasked {
		t.Errorf("%d were signed, want %d", signed, maxSignedUnasked)
	}

	c, p = preApproved(t, UpTo{Fee: 50_000})
	a, b = c.peers[0], c.peers[1]
	q := a.proposed(bump(p, 2150))
	c.hear(b)
	for range 2 {
		b.must(Tick{})
		c.hear(b)
	}
	if b.m.State.Signed(q, keyOf(b)) {
		t.Error("a rate that rises by less than a tenth is signed")
	}
}

// A member who writes a malformed pre-approval, or one of an older or newer version, has
// given its signatures all the same.
func TestAMalformedPreApprovalCountsAsAnApproval(t *testing.T) {
	for _, raw := range [][]byte{{0xf6}, {0x00}, {0xa1, 0x01, 0x20}, {0xa2, 0x01, 0x1a, 0, 1, 0, 0, 0x02, 0x20}} {
		t.Run(fmt.Sprintf("%x", raw), func(t *testing.T) {
			c := active(t, 2, 3)
			c.fund(500_000)
			a, b := c.peers[0], c.peers[1]
			p := a.proposed(pay(1, 100_000))
			c.settle()
			body := &event.ProposalApproved{Proposal: p.Ref.ID, Signatures: b.signedBy(p.Body), Bump: bytes.Clone(raw), By: bytes.Clone(raw)}
			if _, err := b.wild(body); err != nil {
				t.Fatal(err)
			}
			c.settle()
			if got := a.status(p.Ref.ID); got != group.StatusFinal {
				t.Errorf("%s", got)
			}
			if got := a.m.PreApprovals(p); len(got) != 0 {
				t.Errorf("it agrees to %+v", got)
			}
		})
	}
}
