package coordinator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// refused runs a message that must be refused by a rule, and change nothing.
func (p *peer) refused(rule string, msg Message) *refusal.Refusal {
	p.tb.Helper()
	entries, guard := len(p.Held), len(p.Signed)
	v, err := p.do(msg)
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Rule != rule {
		p.tb.Fatalf("%s: %T gave %v, %v; want %s", p.name, msg, v, err, rule)
	}
	if len(p.Held) != entries || len(p.Signed) != guard {
		p.tb.Fatalf("%s: refused %T left something behind", p.name, msg)
	}
	if x, ok := msg.(Approve); ok && rule != refusal.ExternalKey {
		p.warnedOf(x.Proposal, rule)
	}
	return r
}

// force enters a proposal without asking any rule, as a hostile member would.
func (p *peer) force(b *event.ProposalCreated) journal.EntryID {
	p.tb.Helper()
	e, err := p.wild(b)
	if err != nil {
		p.tb.Fatal(err)
	}
	return e.ID()
}

func draftOf(p *peer, id journal.EntryID) event.ProposalCreated {
	x, _ := p.m.State.Proposal(id)
	return *x.Body
}

func TestProposeRefusals(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	a.refused(refusal.Funds, pay(1, 1000))
	coins := c.fund(200_000, 300_000)
	a.refused(refusal.Funds, pay(1, 600_000))
	a.refused(refusal.Dust, pay(1, 100))
	high := pay(1, 100_000)
	high.FeeRate = 500_000
	a.refused(refusal.Fee, high)
	high.Allow = []string{refusal.Fee}
	a.must(high)
	unknown := pay(1, 10_000)
	unknown.Coins = []wire.OutPoint{{Index: 9}}
	a.refused(refusal.Coin, unknown)
	// A coin that A signed for already, in another transaction.
	var taken wire.OutPoint
	for _, o := range coins {
		if len(a.m.Guard.Known(mapkey.Coin(o))) > 0 {
			taken = o
		}
	}
	again := pay(2, 50_000)
	again.Coins = []wire.OutPoint{taken}
	a.refused(refusal.SignGuard, again)
	if _, err := a.do(Propose{FeeRate: 1000}); !errors.Is(err, refusal.ErrBadRequest) {
		t.Fatalf("no recipient: %v", err)
	}
	c.fund(100_000)
	late := pay(1, 10_000)
	late.Expires = c.clock.Add(-time.Second)
	if _, err := a.do(late); !errors.Is(err, refusal.ErrBadRequest) {
		t.Fatalf("expired before it began: %v", err)
	}
}

func TestBeforeTheWalletIsActive(t *testing.T) {
	c := newCircle(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	a.refused(refusal.NotReady, Ratify{Words: "a b c d e f"})
	a.refused(refusal.NotActive, pay(1, 1000))
	a.refused(refusal.NotActive, LeaseAddress{})
	a.refused(refusal.NoPlace, NewInvite{Expires: c.clock.Add(time.Hour)})
	b.refused(refusal.NotFounder, NewInvite{Expires: c.clock.Add(time.Hour)})
	c.settle()
	r, _ := a.m.State.Roster()
	a.refused(refusal.WordsDiffer, Ratify{Words: "abandon abandon abandon abandon abandon abandon"})
	// A word that is none was typed wrong: nobody is suspected before that is mended.
	if _, err := a.do(Ratify{Words: "abandon abandon abandon abandon abandon abandoned"}); !errors.Is(err, refusal.ErrBadRequest) || !strings.Contains(err.Error(), `word 6, "abandoned"`) {
		t.Fatalf("a word that is none: %v", err)
	}
	a.must(Ratify{Words: "  " + r.Words() + " "})
	if a.m.State.Active() != nil {
		t.Fatal("active with one ratification of three")
	}
	a.refused(refusal.NotActive, pay(1, 1000))
	a.must(Abandon{Reason: "lost a phone"})
	c.settle()
	b.refused(refusal.Abandoned, Ratify{Words: r.Words()})
	b.refused(refusal.Abandoned, Abandon{})
}

func TestInvitesAreForOneNodeEach(t *testing.T) {
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a, b, z := newPeer(t, "A", 1, &clock), newPeer(t, "B", 2, &clock), newPeer(t, "Z", 9, &clock)
	m, invites, effects, err := Found(a.self, a.input(nil), event.Genesis{Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest"},
		"w", "A", a.key(), 0, nil, clock.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.execute(m, effects); err != nil {
		t.Fatal(err)
	}
	nonce := [32]byte{7}
	if _, err := a.do(Admit{Joiner: b.id(), Nonce: nonce, Proof: [32]byte{1}}); !errors.Is(err, port.ErrInviteProof) {
		t.Fatalf("wrong proof: %v", err)
	}
	if _, err := a.do(Admit{Joiner: z.id(), Nonce: nonce, Proof: invites[0].Proof(b.id(), nonce)}); !errors.Is(err, port.ErrInviteProof) {
		t.Fatalf("somebody else's proof: %v", err)
	}
	ok := Admit{Joiner: b.id(), Nonce: nonce, Proof: invites[0].Proof(b.id(), nonce)}
	first, second := a.must(ok).(port.Grant), a.must(ok).(port.Grant)
	if first.Secret != second.Secret || string(first.Genesis) != string(second.Genesis) {
		t.Fatal("a retry got another answer")
	}
	if _, err := a.do(Admit{Joiner: z.id(), Nonce: nonce, Proof: invites[0].Proof(z.id(), nonce)}); !errors.Is(err, port.ErrInviteUsed) {
		t.Fatalf("second taker: %v", err)
	}
	if _, err := a.do(Admit{Joiner: b.id(), Nonce: nonce, Proof: invites[1].Proof(b.id(), nonce)}); !errors.Is(err, port.ErrInviteUsed) {
		t.Fatalf("one node in two places: %v", err)
	}
	clock = clock.Add(2 * time.Hour)
	if _, err := a.do(Admit{Joiner: z.id(), Nonce: nonce, Proof: invites[1].Proof(z.id(), nonce)}); !errors.Is(err, port.ErrInviteExpired) {
		t.Fatalf("expired: %v", err)
	}
	fresh := a.must(NewInvite{Expires: clock.Add(time.Hour)}).(port.Invite)
	a.must(Admit{Joiner: z.id(), Nonce: nonce, Proof: fresh.Proof(z.id(), nonce)})
	// The founder is not believed about another group.
	other := invites[0]
	other.Group[0]++
	if _, _, err := Enter(b.self, b.input(nil), other, first, wallet.Regtest, "B", b.key(), 0); !errors.Is(err, event.ErrEvent) {
		t.Fatalf("another group: %v", err)
	}
	if _, _, err := Enter(b.self, b.input(nil), invites[0], first, wallet.Signet, "B", b.key(), 0); err == nil {
		t.Fatal("joined a wallet of another network")
	}
}

func TestApproverRecomputesEverything(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	evil, b := c.peers[0], c.peers[1]
	good := draftOf(evil, evil.must(pay(1, 100_000)).(Proposed).Proposal)
	for name, x := range map[string]struct {
		rule   string
		change func(*event.ProposalCreated)
	}{
		"amount of a coin":   {refusal.Coin, func(d *event.ProposalCreated) { d.Inputs[0].Amount-- }},
		"branch of a coin":   {refusal.Coin, func(d *event.ProposalCreated) { d.Inputs[0].Branch = 1 }},
		"a coin that is not": {refusal.ChainBehind, func(d *event.ProposalCreated) { d.Inputs[0].Vout = 77 }},
		"change out of reach": {refusal.Change, func(d *event.ProposalCreated) {
			far := uint32(9000)
			d.Outputs = append(d.Outputs[:0:0], d.Outputs...)
			setChange(d, &far)
		}},
		"fee":                    {refusal.Fee, func(d *event.ProposalCreated) { d.Outputs = d.Outputs[:1:1]; d.Outputs[0].Amount = 100_000 }},
		"locktime in the future": {refusal.LockTime, func(d *event.ProposalCreated) { d.LockTime = 1_000_000 }},
	} {
		d := good
		d.Inputs = append(d.Inputs[:0:0], good.Inputs...)
		d.Outputs = append(d.Outputs[:0:0], good.Outputs...)
		x.change(&d)
		id := evil.force(&d)
		c.settle()
		// The good one is signed and pays the same: what is under test comes first.
		if r := b.refused(x.rule, Approve{Proposal: id}); r.Text == "" {
			t.Errorf("%s: refused without a word", name)
		}
	}
	last := evil.force(&good)
	c.settle()
	b.m.View = b.viewOf()
	b.refused(refusal.ChainBehind, Approve{Proposal: last})
}

func setChange(d *event.ProposalCreated, i *uint32) {
	for n := range d.Outputs {
		if d.Outputs[n].Change != nil {
			d.Outputs[n].Change = i
		}
	}
}

func TestVotesWithdrawalAndExpiry(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 100_000)
	x.Expires = c.clock.Add(time.Hour)
	one := a.must(x).(Proposed).Proposal
	c.settle()
	b.must(Reject{Proposal: one, Reason: "who is that?"})
	c.settle()
	if got := a.status(one); got != group.StatusPending {
		t.Fatalf("one of three against, k=2: %s", got)
	}
	// A vote is taken back by approving.
	b.must(Approve{Proposal: one})
	c.settle()
	if got := a.status(one); got != group.StatusFinal && got != group.StatusBroadcast {
		t.Fatalf("approved after all: %s", got)
	}
	b.refused(refusal.AlreadyFinal, Reject{Proposal: one})
	a.refused(refusal.AlreadyFinal, Withdraw{Proposal: one})

	y := pay(2, 200_000)
	y.Unsigned = true
	two := a.must(y).(Proposed).Proposal
	c.settle()
	b.must(Reject{Proposal: two})
	z.must(Reject{Proposal: two})
	c.settle()
	if got := a.status(two); got != group.StatusRejected {
		t.Fatalf("two of three against: %s", got)
	}
	b.refused(refusal.NotAuthor, Withdraw{Proposal: two})
	a.must(Withdraw{Proposal: two})
	c.settle()
	b.refused(refusal.Withdrawn, Approve{Proposal: two})

	w := pay(3, 150_000)
	w.Unsigned = true
	w.Expires = c.clock.Add(time.Hour)
	three := a.must(w).(Proposed).Proposal
	c.settle()
	c.clock = c.clock.Add(61 * time.Minute)
	if got := b.status(three); got != group.StatusExpired {
		t.Fatalf("after its time: %s", got)
	}
	b.refused(refusal.Expired, Approve{Proposal: three})
	if _, err := b.do(Approve{Proposal: journal.EntryID{1}}); !errors.Is(err, refusal.ErrUnknownProposal) {
		t.Fatalf("unknown proposal: %v", err)
	}
}

func TestPayingTwiceMustBeSaid(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	own := func(i uint32) []byte {
		s, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, i)
		if err != nil {
			t.Fatal(err)
		}
		return s.PkScript
	}
	x := pay(1, 500_000)
	x.Coins = coins[:1]
	first := a.must(x).(Proposed).Proposal
	c.settle()
	to := func(coin int, outs ...event.ProposalOutput) Propose {
		return Propose{Outputs: outs, FeeRate: 2000, Coins: coins[coin : coin+1]}
	}
	out := func(n byte, amount int64) event.ProposalOutput {
		return event.ProposalOutput{PkScript: recipient(n), Amount: amount}
	}
	for name, x := range map[string]struct {
		x     Propose
		again bool
	}{
		"the same":              {to(1, out(1, 500_000)), true},
		"a satoshi less":        {to(1, out(1, 499_999)), true},
		"a satoshi more":        {to(1, out(1, 500_001)), true},
		"a little":              {to(1, out(1, 1_000)), true},
		"split":                 {to(1, out(1, 250_000), out(1, 250_000)), true},
		"beside another":        {to(1, out(2, 300_000), out(1, 200_000)), true},
		"to somebody else":      {to(1, out(2, 500_000)), false},
		"to the wallet itself":  {to(1, event.ProposalOutput{PkScript: own(3), Amount: 500_000}), false},
		"in place of the first": {to(0, out(1, 499_999)), false},
	} {
		q := c.clone(t)
		b := q.peers[1]
		x.x.Unsigned = true
		// The proposer overrides it; the approver decides for itself.
		x.x.Allow = []string{refusal.DoublePayment}
		id := b.must(x.x).(Proposed).Proposal
		x.x.Allow = nil
		if _, err := b.do(x.x); (ruleOf(err) == refusal.DoublePayment) != x.again {
			t.Errorf("%s: propose: %v", name, err)
		}
		q.settle()
		for _, p := range q.peers[1:] {
			_, err := p.do(Approve{Proposal: id})
			if (ruleOf(err) == refusal.DoublePayment) != x.again || !x.again && err != nil {
				t.Errorf("%s: approve: %v", name, err)
			}
			if x.again {
				p.must(Approve{Proposal: id, Allow: []string{refusal.DoublePayment}})
			}
		}
	}
	// It says what both pay, and which proposal it means.
	y := to(1, out(1, 499_999))
	y.Unsigned, y.Allow = true, []string{refusal.DoublePayment}
	id := b.must(y).(Proposed).Proposal
	c.settle()
	p, _ := a.m.State.Proposal(id)
	warned := ""
	for _, w := range a.m.Warn(p, c.clock, 0, port.Policy{}) {
		if w.Rule == refusal.DoublePayment && w.Overridable {
			warned = w.Text
		}
	}
	for _, part := range []string{"0.00499999 BTC", "0.00500000 BTC", first.String()} {
		if !strings.Contains(warned, part) {
			t.Errorf("the warning does not say %q: %q", part, warned)
		}
	}
}

// For a day, mining the first payment is no reason to make a second one.
func TestAMinedPaymentIsAskedAboutForADay(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 500_000)
	x.Coins = coins[:1]
	id := a.must(x).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	c.settle()
	c.mine(b.sent[len(b.sent)-1:])
	y := pay(1, 499_999)
	y.Coins, y.Unsigned = coins[1:], true
	for depth := 1; depth <= paidRecently; depth++ {
		if depth == 1 || depth == 2 || depth == paidRecently {
			b.refused(refusal.DoublePayment, y)
		}
		c.mine(nil)
	}
	// What is deeper is forgotten, however many such there are.
	for _, p := range c.peers {
		if n := p.m.watch.payments.Len() + p.m.watch.paying.Len() + p.m.watch.aging.Len(); n != 0 {
			t.Errorf("%s still keeps %d payments", p.name, n)
		}
	}
	b.crash()
	b.must(y)
}

// A payment that lost its coin to another transaction, deep enough, will not be made.
func TestALostPaymentIsNotAskedAbout(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 500_000)
	x.Coins = coins[:1]
	a.must(x)
	c.settle()
	rival := wire.NewMsgTx(2)
	rival.AddTxIn(&wire.TxIn{PreviousOutPoint: coins[0]})
	rival.AddTxOut(wire.NewTxOut(900_000, recipient(9)))
	c.mine([]*wire.MsgTx{rival})
	y := pay(1, 500_000)
	y.Coins, y.Unsigned = coins[1:], true
	b.refused(refusal.DoublePayment, y) // a reorg may bring it back
	for range ledger.BuriedDepth - 1 {
		c.mine(nil)
	}
	b.must(y)
	c.mine(nil)
	if n := b.m.watch.payments.Len(); n != 0 {
		t.Errorf("%d lost payments are kept", n)
	}
}

// A payment to the wallet's own address does not raise what a fee may be.
func TestAFeeIsBoundByWhatLeaves(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(100_000_000)
	a := c.peers[0]
	s, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 5)
	if err != nil {
		t.Fatal(err)
	}
	x := Propose{FeeRate: 600_000, Coins: coins, Outputs: []event.ProposalOutput{{PkScript: recipient(1), Amount: 10_000}, {PkScript: s.PkScript, Amount: 90_000_000}}}
	a.refused(refusal.Fee, x)
	x.Outputs[1].PkScript = recipient(2)
	a.must(x)
}

func TestTwoProposalsOnOneCoin(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	x, y := pay(1, 100_000), pay(2, 200_000)
	x.Coins, y.Coins = coins, coins
	one, two := a.must(x).(Proposed).Proposal, b.must(y).(Proposed).Proposal
	c.settle()
	a.refused(refusal.SignGuard, Approve{Proposal: two})
	z.must(Approve{Proposal: two})
	c.settle()
	c.mine(z.sent)
	for _, p := range c.peers {
		if p.status(two) != group.StatusConfirmed || p.status(one) != group.StatusDead {
			t.Fatalf("%s: %s and %s", p.name, p.status(two), p.status(one))
		}
		for _, coin := range Coins(p.m.State, p.m.View, *p.clock) {
			if len(coin.LeasedBy) > 0 {
				t.Fatalf("%s: a dead proposal still leases %v", p.name, coin.OutPoint)
			}
		}
	}
	z.refused(refusal.Conflict, Approve{Proposal: one})
}

func TestReplacementIsDeclaredAndAgreed(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	one := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: one})
	c.settle()
	x := pay(1, 100_000)
	x.Replaces = []journal.EntryID{one}
	a.refused(refusal.ReplaceFee, x) // the same fee rate does not replace (BIP125)
	x.FeeRate = 20_000
	two := a.must(x).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: two})
	c.settle()
	if got := b.status(two); got != group.StatusFinal {
		t.Fatalf("replacement: %s", got)
	}
	p1, _ := b.m.State.Proposal(one)
	p2, _ := b.m.State.Proposal(two)
	if b.m.State.Broadcastable(b.m.View, p1) || !b.m.State.Broadcastable(b.m.View, p2) {
		t.Fatal("of two final rivals the one that replaces the other is broadcast")
	}
}

func TestGapLimit(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	peek := a.must(LeaseAddress{Peek: true}).(Lease)
	if first := a.must(LeaseAddress{}).(Lease); first != peek {
		t.Fatalf("peek %v, then %v", peek, first)
	}
	for range ledger.GapLimit - 1 {
		a.must(LeaseAddress{})
	}
	a.refused(refusal.Gap, LeaseAddress{})
	if l := a.must(LeaseAddress{BeyondGap: true}).(Lease); l.Index < ledger.GapLimit || l.Index >= ledger.GapLimit+3 {
		t.Fatalf("index %d", l.Index)
	}
}
