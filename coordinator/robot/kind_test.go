package robot

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
)

// signers remember what a robot signed.
type signers map[chainhash.Hash]bool

func (s signers) by(id chainhash.Hash) bool { return s[id] }

func TestKindOf(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	me, other := w.all[0], w.all[1]
	one, two, three := w.funded(10_000), w.funded(20_000), w.funded(30_000)
	s := signers{}
	is := func(what string, p *group.Proposal, want policy.Kind) {
		t.Helper()
		if got := KindOf(w.st, w.view, p, s.by); got != want {
			t.Errorf("%s is a %d, want %d", what, got, want)
		}
	}
	pay := func(n byte, amount int64, rest int64) []event.ProposalOutput {
		return []event.ProposalOutput{to(stranger(n), amount), change(1, rest)}
	}
	signs := func(p *group.Proposal) *group.Proposal {
		s[p.TxID] = true
		w.approve(me, p)
		return p
	}
	a := w.propose(other, one, pay(1, 5000, 4000))
	is("a payment", a, policy.Payment)
	is("a payment that says that it replaces one which nobody signed", w.propose(other, one, pay(1, 5000, 3500), a), policy.Payment)
	is("a spend of all to itself", w.propose(other, append(one, two...), []event.ProposalOutput{change(1, 29_000)}), policy.Consolidation)
	is("what says that it replaces what nobody signed", w.propose(other, one, []event.ProposalOutput{change(1, 9000)}, a), policy.Consolidation)
	is("what says that it replaces what nobody knows", w.propose(other, two, []event.ProposalOutput{change(1, 19_000)}, a), policy.Consolidation)
	signs(a)
	is("the same with a higher fee", w.propose(other, one, pay(1, 5000, 3000)), policy.Bump)
	is("with a higher fee and less to the payee", w.propose(other, one, pay(1, 4999, 3000), a), policy.Bump)
	is("with a coin more", w.propose(other, append(one, two...), pay(1, 5000, 22_000), a), policy.Bump)
	is("with more to the payee", w.propose(other, one, pay(1, 5001, 3000), a), policy.Payment)
	is("with another payee", w.propose(other, one, pay(2, 5000, 3000), a), policy.Payment)
	is("with the payee twice", w.propose(other, one, []event.ProposalOutput{to(stranger(1), 2000), to(stranger(1), 2000)}, a), policy.Payment)
	is("of other coins", w.propose(other, two, pay(1, 5000, 3000), a), policy.Payment)
	is("what takes it back", w.propose(other, one, []event.ProposalOutput{change(1, 9000)}), policy.Cancel)
	is("what names what nobody knows", func() *group.Proposal {
		b := &event.ProposalCreated{Inputs: one, Outputs: pay(1, 5000, 2000), Replaces: []chainhash.Hash{a.TxID, {1}}}
		return w.held(w.write(other, b))
	}(), policy.Payment)

	// What others signed over its coins was never this robot's to outbid.
	b := w.propose(other, append(one, two...), pay(1, 100, 22_000))
	w.approve(other, b)
	is("a bump beside what others signed", w.propose(other, one, pay(1, 5000, 3000)), policy.Payment)
	signs(b)
	is("of two rivals one's payees", w.propose(other, one, pay(1, 5000, 3000)), policy.Bump)

	// Rivals were never both to be paid.
	c := signs(w.propose(other, append(two, three...), pay(3, 700, 40_000)))
	d := signs(w.propose(other, append(two, three...), pay(4, 800, 40_000), c))
	both := []event.ProposalOutput{to(stranger(3), 700), to(stranger(4), 800), change(1, 30_000)}
	is("what pays the payees of two rivals", w.propose(other, append(two, three...), both, c, d, b), policy.Payment)
}

// Two payments that could both be mined may be bumped by one that pays both.
func TestBumpOfSeveral(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	me := w.all[0]
	one, two := w.funded(10_000), w.funded(20_000)
	s := signers{}
	var signed []*group.Proposal
	for i, in := range [][]event.ProposalInput{one, two} {
		p := w.propose(w.all[1], in, []event.ProposalOutput{to(stranger(byte(i)), 5000)})
		w.approve(me, p)
		s[p.TxID] = true
		signed = append(signed, p)
	}
	p := w.propose(w.all[1], append(one, two...), []event.ProposalOutput{to(stranger(0), 5000), to(stranger(1), 5000), change(1, 9000)}, signed...)
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Bump {
		t.Errorf("it is a %d", k)
	}
	p = w.propose(w.all[1], append(one, two...), []event.ProposalOutput{to(stranger(0), 5000), to(stranger(0), 5000), change(1, 9000)}, signed...)
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Payment {
		t.Errorf("what pays one payee twice is a %d", k)
	}
}

func TestKindsOfTheChain(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	s := signers{}
	tx, coins := w.deposit(10_000)
	p := w.propose(w.all[1], coins, []event.ProposalOutput{change(1, 9000)})
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Consolidation {
		t.Errorf("of a coin that nobody knows it is a %d", k)
	}
	w.see(tx)
	if k := KindOf(w.st, w.view, p, s.by); k != policy.CPFP {
		t.Errorf("of a coin in no block it is a %d", k)
	}
	w.mine(tx)
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Consolidation {
		t.Errorf("of a coin in a block it is a %d", k)
	}
	// The network shows what no entry has, by others' keys.
	q := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 5000)})
	rival := w.tx(q).Copy()
	rival.TxOut[0].Value = 4000
	w.see(rival)
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Cancel {
		t.Errorf("what replaces what the network shows is a %d", k)
	}
	s[q.TxID] = true
	again := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 4500)}, q)
	if k := KindOf(w.st, w.view, again, s.by); k != policy.Payment {
		t.Errorf("a bump beside what the network shows is a %d", k)
	}
}

// What can never be mined is replaced by nothing.
func TestDeadRivals(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	one, two := w.funded(10_000), w.funded(20_000)
	dead := w.propose(w.all[1], append(one, two...), []event.ProposalOutput{to(stranger(1), 5000)})
	w.approve(w.all[1], dead)
	p := w.propose(w.all[1], two, []event.ProposalOutput{change(1, 19_000)})
	if k := KindOf(w.st, w.view, p, signers{}.by); k != policy.Cancel {
		t.Errorf("what replaces what may be mined is a %d", k)
	}
	w.bury(w.tx(w.propose(w.all[1], one, []event.ProposalOutput{change(2, 9000)})))
	if k := KindOf(w.st, w.view, p, signers{}.by); k != policy.Consolidation {
		t.Errorf("what replaces what never can be is a %d", k)
	}
}

// Whoever enters rivals without end makes no bump of a payment, only the other way round.
func TestVeryManyRivals(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	s := signers{}
	coins := w.funded(1_000_000)
	a := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 5000)})
	w.approve(w.all[0], a)
	s[a.TxID] = true
	p := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 4000)}, a)
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Bump {
		t.Fatalf("it is a %d", k)
	}
	for i := range int64(2 * maxRivals) {
		w.propose(w.all[2], coins, []event.ProposalOutput{to(stranger(9), 10_000+i)})
	}
	if k := KindOf(w.st, w.view, p, s.by); k != policy.Payment {
		t.Errorf("among more rivals than are looked at it is a %d", k)
	}
}

func TestClock(t *testing.T) {
	const h = 3600
	for _, c := range []struct {
		name                string
		own, median, latest int64
		regtest             bool
		now                 int64
		doubt               bool
	}{
		{"they agree", 100 * h, 99 * h, 0, false, 100 * h, false},
		{"four hours ahead", 104 * h, 100 * h, 0, false, 104 * h, false},
		{"further ahead", 104*h + 1, 100 * h, 0, false, 104 * h, true},
		{"two hours behind", 98 * h, 100 * h, 0, false, 98 * h, false},
		{"further behind", 98*h - 1, 100 * h, 0, false, 98*h - 1, true},
		{"it went back", 100 * h, 100 * h, 101 * h, false, 101 * h, false},
		{"a human's node went by a clock that was far ahead", 100 * h, 100 * h, 500 * h, false, 104 * h, false},
		{"no block", 100 * h, 0, 0, false, 4 * h, true},
		{"regtest", 100 * h, 5 * h, 0, true, 100 * h, false},
		{"regtest, it went back", 100 * h, 500 * h, 101 * h, true, 101 * h, false},
	} {
		if now, doubt := Clock(c.own, c.median, c.regtest, c.latest); now != c.now || doubt != c.doubt {
			t.Errorf("%s: %d, in doubt %v", c.name, now, doubt)
		}
	}
}
