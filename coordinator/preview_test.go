package coordinator

import (
	"errors"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func (p *peer) preview(x Propose) Drafted {
	p.tb.Helper()
	d, err := p.m.Preview(x, p.input(x))
	if err != nil {
		p.tb.Fatalf("%s: preview: %v", p.name, err)
	}
	return d
}

func refusedBy(err error, rule string) bool {
	var r *refusal.Refusal
	return errors.As(err, &r) && r.Rule == rule
}

// What is shown is what is proposed and signed, to the last satoshi and coin, whatever is
// drawn afterwards.
func TestWhatIsShownIsWhatIsProposed(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 400_000, 300_000, 200_000, 90_000, 1000)
	rapid.Check(t, func(t *rapid.T) {
		c := c.clone(c.tb)
		a := c.peers[0]
		x := pay(1, rapid.Int64Range(1000, 900_000).Draw(t, "amount"))
		x.Note = rapid.SampledFrom([]string{"", "rent"}).Draw(t, "note")
		x.Unsigned = rapid.Bool().Draw(t, "unsigned")
		if rapid.Bool().Draw(t, "more") {
			x.Outputs = append(x.Outputs, event.ProposalOutput{PkScript: recipient(2), Amount: 20_000, Label: "to two"})
		}
		if rapid.Bool().Draw(t, "all") {
			x.All, x.Outputs[0].Amount = 1, 0
		}
		d := a.preview(x)
		for range rapid.IntRange(0, 3).Draw(t, "draws between") {
			a.preview(x) // another one, which is not what was shown
		}
		x.Shown = &d.Shown
		got := a.proposed(x)
		if diff := cmp.Diff(d.Proposal.Body, got.Body); diff != "" || got.TxID != d.Proposal.TxID {
			t.Fatalf("shown (-) and proposed (+): %s", diff)
		}
	})
}

// A preview writes nothing: neither an entry, nor a lease, nor a request id.
func TestPreviewWritesNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a := c.peers[0]
	x := pay(1, 100_000)
	x.RequestID = "one"
	before := a.m
	a.preview(x)
	if n, was := len(slices.Collect(a.m.State.AllProposals)), len(slices.Collect(before.State.AllProposals)); n != was {
		t.Fatalf("%d proposals, were %d", n, was)
	}
	if _, known := a.m.Asked("one"); known {
		t.Fatal("the request id is used")
	}
	for _, c := range Coins(a.m.State, a.m.View, *a.clock) {
		if len(c.LeasedBy) > 0 || len(a.m.Guard.Known(mapkey.Coin(c.OutPoint))) > 0 {
			t.Fatalf("%v is taken", c.OutPoint)
		}
	}
	first := a.proposed(x)
	if d := a.preview(x); d.Repeats == nil || *d.Repeats != first.Ref.ID || d.Proposal != nil {
		t.Fatalf("a repeat is shown as %+v", d)
	}
}

// Where something else would come out than what was shown, nothing is proposed.
func TestWhatChangedSinceItWasShownIsRefused(t *testing.T) {
	for name, change := range map[string]func(c *circle, x *Propose){
		"its coin is spent": func(c *circle, x *Propose) {
			other := pay(3, 400_000)
			c.peers[1].must(other)
			c.settle()
		},
		"the fee rate rose": func(_ *circle, x *Propose) { x.FeeRate++ },
		"another amount":    func(_ *circle, x *Propose) { x.Outputs[0].Amount++ },
		"another payee":     func(_ *circle, x *Propose) { x.Outputs[0].PkScript = recipient(9) },
		"another note":      func(_ *circle, x *Propose) { x.Note = "else" },
		"another draw":      func(_ *circle, x *Propose) { x.Shown.Seed[0]++; x.Shown.Digest[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 2, 3)
			c.fund(500_000, 500_000)
			a := c.peers[0]
			x := pay(1, 100_000)
			d := a.preview(x)
			x.Shown = &d.Shown
			if name == "its coin is spent" {
				// The same coin, and no other.
				other := pay(3, 400_000)
				other.Coins = coinsOf([]*group.Proposal{d.Proposal})
				c.peers[1].must(other)
				c.settle()
			} else {
				change(c, &x)
			}
			n := len(slices.Collect(a.m.State.AllProposals))
			if _, err := a.do(x); !refusedBy(err, refusal.DraftChanged) {
				t.Fatalf("%v", err)
			}
			if got := len(slices.Collect(a.m.State.AllProposals)); got != n {
				t.Fatalf("%d proposals, were %d", got, n)
			}
		})
	}
}

// All goes: what may be spent and is worth it, and nothing that a living proposal takes.
func TestAllIsSent(t *testing.T) {
	c := active(t, 2, 3)
	outs := c.fund(500_000, 400_000, 300_000, 100)
	a, b := c.peers[0], c.peers[1]
	leased := pay(7, 100_000)
	leased.Coins = outs[1:2]
	b.must(leased)
	c.settle()
	x := pay(1, 0)
	x.All = 1
	d := a.preview(x)
	if len(d.Left) != 2 { // the one that is leased, and the one of 100 sat
		t.Errorf("%d coins are left", len(d.Left))
	}
	p := a.proposed(x)
	want := slices.Clone(outs[:1])
	want = append(want, outs[2])
	got := coinsOf([]*group.Proposal{p})
	if len(got) != 2 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) {
		t.Errorf("spent are %v, want %v", got, want)
	}
	if o := p.Body.Outputs; len(o) != 1 || o[0].Change != nil || o[0].Amount != 800_000-p.Fee() || p.Fee() <= 0 || p.Fee() > 2000 {
		t.Errorf("%+v with a fee of %d", o, p.Fee())
	}
	for _, bad := range []func(*Propose){func(x *Propose) { x.All = 2 }, func(x *Propose) { x.All = -1 }, func(x *Propose) { x.Outputs[0].Amount = 1 }} {
		y := pay(1, 0)
		y.All = 1
		bad(&y)
		if _, err := a.do(y); !errors.Is(err, refusal.ErrBadRequest) {
			t.Errorf("%+v: %v", y, err)
		}
	}
}

// All that is sent takes what a given-up proposal holds, and replaces that.
func TestAllReplacesWhatWasGivenUp(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 400_000)
	a := c.peers[0]
	first := a.proposed(pay(1, 300_000))
	a.must(Withdraw{Proposal: first.Ref.ID})
	x := pay(2, 0)
	x.All = 1
	p := a.proposed(x)
	if len(p.Body.Inputs) != 2 || !p.Replaces(first) {
		t.Fatalf("%d inputs, replaces %v", len(p.Body.Inputs), p.Body.Replaces)
	}
}

// What has its signatures gets no further one: it would gain nothing, and could not be
// called back.
func TestApprovalOfWhatIsFinalSignsNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, third := c.peers[0], c.peers[1], c.peers[2]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	if got := third.status(p.Ref.ID); got != group.StatusFinal {
		t.Fatal(got)
	}
	third.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	q, _ := third.m.State.Proposal(p.Ref.ID)
	if n := len(third.m.Approvals(q)); n != 2 {
		t.Errorf("%d cosigners signed", n)
	}
	if third.m.Guard.holds(q) {
		t.Error("the third one's guard holds it")
	}
}

func TestApprovalIsOfWhatWasShown(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	if q, _ := b.m.State.Proposal(p.Ref.ID); !b.m.AwaitsMe(q, *b.clock) || a.m.AwaitsMe(p, *a.clock) {
		t.Error("it does not wait for who did not sign, or waits for who did")
	}
	if _, err := b.do(Approve{Proposal: p.Ref.ID, TxID: chainhash.Hash{1}}); !refusedBy(err, refusal.DraftChanged) {
		t.Fatal(err)
	}
	b.must(Reject{Proposal: p.Ref.ID, Reason: "no"})
	if q, _ := b.m.State.Proposal(p.Ref.ID); b.m.AwaitsMe(q, *b.clock) {
		t.Error("it waits for who rejected it")
	}
	b.must(Approve{Proposal: p.Ref.ID, TxID: p.TxID})
	if q, _ := b.m.State.Proposal(p.Ref.ID); b.m.AwaitsMe(q, *b.clock) {
		t.Error("it waits for who approved it")
	}
}

// What a user overrides by name is shown before it is signed.
func TestOverriddenRulesAreShown(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 500_000)
	a := c.peers[0]
	a.must(pay(1, 100_000))
	x := pay(1, 100_000)
	if _, err := a.m.Preview(x, a.input(x)); !refusedBy(err, refusal.DoublePayment) {
		t.Fatal(err)
	}
	x.Allow = []string{refusal.DoublePayment}
	if d := a.preview(x); len(d.Overridden) != 1 || d.Overridden[0].Rule != refusal.DoublePayment {
		t.Fatalf("%+v", d.Overridden)
	}
}

// What gave way to what was declared to replace it was replaced, also once that is mined;
// what gave way to anything else is conflicted.
func TestWhatIsReplacedAndMinedIsReplaced(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	first := a.proposed(pay(1, 100_000))
	c.settle()
	x := pay(1, 100_000)
	x.Replaces, x.FeeRate = []journal.EntryID{first.Ref.ID}, 10_000
	second := a.proposed(x)
	c.settle()
	b.must(Approve{Proposal: second.Ref.ID})
	c.settle()
	tx, err := a.m.Tx(second)
	if err != nil {
		t.Fatal(err)
	}
	c.mine([]*wire.MsgTx{tx})
	if q, _ := a.m.State.Proposal(first.Ref.ID); a.m.Status(q, *a.clock) != group.StatusReplaced {
		t.Errorf("the replaced one is %s", a.m.Status(q, *a.clock))
	} else if d := group.Derive(a.m.State, a.m.View, *a.clock, q); d != group.StatusDead {
		t.Errorf("in the rules it is %s", d)
	}
	if by := a.m.ReplacedBy(first); len(by) == 0 || by[0] != second.Ref.ID {
		t.Errorf("replaced by %v", by)
	}
}
