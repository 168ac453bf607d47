package robot

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

func keysOfAll(ps ...*person) (k policy.Keys) {
	for _, p := range ps {
		k |= policy.KeysOf(policy.Key(p.key))
	}
	return k
}

func (w *world) shareBy(of *person, v event.PolicyVersion, now int64) (share, pool int64) {
	w.tb.Helper()
	l, _ := w.lined(w.st, of, v)
	return l.share(w.st, of.key, l.last.Meters[0], meter.All, now), l.pool(w.st, l.last.Meters[0], meter.All, now)
}

// One robot is left out, and taken in again before it heard that. It goes by the policy by
// which it was alone.
func TestOneThatIsTakenInAgain(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, x, y := w.all[0], w.all[2], w.all[3]
	first := w.metered(a, 1000, 0, keysOfAll(y))
	w.write(y, &event.PolicyAdopted{Version: first, Median: 10})
	second := w.metered(a, 1000, 0, keysOfAll(x), first)
	w.write(x, &event.PolicyAdopted{Version: second, Median: 100})
	if s, _ := w.shareBy(x, second, 100); s != 0 {
		t.Fatalf("in the window after it replaced the other one it has %d", s)
	}
	third := w.metered(a, 1000, 0, keysOfAll(x, y), second)
	w.write(x, &event.PolicyAdopted{Version: third, Median: 3700})
	xs, _ := w.shareBy(x, third, 3700)
	ys, _ := w.shareBy(y, first, 3700)
	if xs+ys > 1000 {
		t.Fatalf("x may use %d while y, by its policy, may use %d, of a limit of 1000", xs, ys)
	}
}

// a payment of nearly all that is there.
func (w *world) large(by *person) *group.Proposal {
	in := w.funded(1_000_000)
	return w.propose(by, in, []event.ProposalOutput{to(stranger(9), 900_000)})
}

// A member takes over a robot that follows nothing yet (new, restored) by saying alone that it
// follows a policy of its own making, that nobody voted for.
func TestOneMemberSettlesNothing(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	e, x := w.all[1], w.all[3]
	q := anyPolicy()
	q.Title, q.Robots, q.StartQuorum, q.Tolerate = "Mine", keysOfAll(e, x), 1, 0
	if err := q.Fits(len(w.all), w.st.Genesis().Threshold); err != nil {
		t.Fatal(err)
	}
	b := &event.PolicyProposed{Bytes: policy.Encode(q)}
	w.write(e, b)
	v := b.Version(w.st.Group())
	w.write(e, &event.PolicyAdopted{Version: v, Median: 1})
	f := Following{State: w.st, Key: x.key, Now: 60 * w.minute, Height: int64(w.view.Tip().Height), Desk: Desk{Mode: Signs}}
	if m, ok, _ := f.Next(); ok && m.Adopt {
		t.Fatalf("with no vote at all it follows what one member says: %+v", m)
	}
}

// Since when one is left out goes by tainted words of the robot's chains too: who has the key
// of its old device ends the window in which one that was left out counts.
func TestATaintedMoveEndsNoWindow(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, d, x := w.all[0], w.all[2], w.all[3]
	first := w.metered(a, 1000, 0, keysOfAll(x, d))
	w.write(x, &event.PolicyAdopted{Version: first, Median: 10})
	w.write(d, &event.PolicyAdopted{Version: first, Median: 10})
	second := w.metered(a, 1000, 0, keysOfAll(x), first)
	w.forks(x, &event.PolicyAdopted{Version: second, Median: 1}, &event.AddressLeased{Index: 7}) // not x
	x.next.Incarnation, x.next.Seq, x.next.Prev = 2, 1, [32]byte{}
	w.write(x, &event.PolicyAdopted{Version: second, Median: 100_000})
	third := w.metered(a, 1001, 0, keysOfAll(x), second)
	w.write(x, &event.PolicyAdopted{Version: third, Median: 103_600})
	if s, _ := w.shareBy(x, third, 103_600); s > 501 {
		t.Fatalf("one hour after the other one was left out, with 500 to use that it may use still, it has %d", s)
	}
}

func (w *world) torn() (a, b, bot *person, first, next event.PolicyVersion) {
	w.tb.Helper()
	a, b, bot = w.all[0], w.all[1], w.all[2]
	first = w.policied(a, 1000)
	w.votes(first, a, b)
	w.write(bot, &event.PolicyAdopted{Version: first})
	next = w.policied(a, 500, first)
	w.votes(next, a, b)
	w.forks(bot, &event.PolicyAdopted{Version: next}, &event.AddressLeased{Index: 7})
	bot.next.Incarnation, bot.next.Seq, bot.next.Prev = 2, 1, [32]byte{}
	return a, b, bot, first, next
}

func (w *world) goesBy(bot *person) (policy.Reason, event.PolicyVersion) {
	d := (Desk{Mode: Signs}).Prepared(Wallet{State: w.st, View: w.view, Key: bot.key, Mine: journal.ChainKey{Author: bot.id(), Incarnation: bot.next.Incarnation}, Guarded: func(chainhash.Hash) bool { return false }})
	return d.now.problem, d.now.version
}

// A member of those who approved it once says 64 times that it is against what a robot followed
// last, and the robot goes by what was before: of 64 votes the approval is not seen any more.
func TestManyObjectionsTakeNoTornRobotBack(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	_, b, bot, first, next := w.torn()
	for n := range 64 {
		w.write(b, &event.PolicyObjected{Version: next})
		if why, v := w.goesBy(bot); why == "" && v == first {
			t.Fatalf("after %d objections of one member it goes by the policy before, that it had left", n+1)
		}
	}
}

// Of a robot whose chain is forked.
func TestOneMemberTakesNoTornRobot(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	_, e, bot, _, next := w.torn()
	q := anyPolicy()
	q.Title, q.Robots, q.StartQuorum, q.Tolerate = "Mine", keysOfAll(e, bot), 1, 0
	b := &event.PolicyProposed{Bytes: policy.Encode(q), Parents: []event.PolicyVersion{next}}
	w.write(e, b)
	w.write(e, &event.PolicyAdopted{Version: b.Version(w.st.Group()), Median: 1})
	f := Following{State: w.st, Key: bot.key, Now: 60 * w.minute, Height: int64(w.view.Tip().Height), Desk: Desk{Mode: Signs}}
	if m, ok, _ := f.Next(); ok && m.Adopt {
		t.Fatalf("with no vote at all it follows what one member says: %+v", m)
	}
}

// One that was left out signed as a robot, was restored, and said of the same proposal that it
// waits: its signature, which is known, counts for nothing.
func TestALaterVerdictHidesNoSignature(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, d, x := w.all[0], w.all[2], w.all[3]
	first := w.metered(a, 1_000_000, 0, keysOfAll(x, d))
	w.write(x, &event.PolicyAdopted{Version: first, Median: 10})
	w.write(d, &event.PolicyAdopted{Version: first, Median: 10})
	q := w.propose(a, w.funded(1_000_000), []event.ProposalOutput{to(stranger(9), 400_000), change(0, 590_000)})
	said := func(o policy.Outcome) {
		w.write(d, &event.RobotVerdict{Proposal: q.Ref.ID, TxID: q.TxID, Policy: first, Outcome: uint64(o), Rule: 1, Now: 1, Facts: []byte{0xa0}})
	}
	said(policy.OutcomeSign)
	w.approve(d, q)
	second := w.metered(a, 1_000_000, 0, keysOfAll(x), first)
	w.write(x, &event.PolicyAdopted{Version: second, Median: 100})
	before, _ := w.shareBy(x, second, 100+2*86400)
	d.next.Incarnation, d.next.Seq, d.next.Prev = 2, 1, [32]byte{}
	said(policy.OutcomeWait)
	after, _ := w.shareBy(x, second, 100+2*86400)
	if before != after {
		t.Fatalf("a share of %d of a million, with 410,000 signed, becomes %d", before, after)
	}
}

// A bad robot fills everybody's meters, after all have moved over: by a signature that
// somebody else carries; by saying once more that it follows.
func TestABadRobotFillsNoMeters(t *testing.T) {
	for _, how := range []string{"carried", "once more", "own carry"} {
		w := newWorld(t, 2, 4, 0)
		a, e, x, y := w.all[0], w.all[1], w.all[2], w.all[3]
		v := w.metered(a, 1000, 50, keysOfAll(x, y))
		w.write(x, &event.PolicyAdopted{Version: v, Median: 10})
		w.write(y, &event.PolicyAdopted{Version: v, Median: 10})
		q := w.large(e)
		s0, p0 := w.shareBy(x, v, 100)
		switch how {
		case "carried":
			w.carry(e, y, q)
		case "own carry":
			w.carry(y, y, q)
		case "once more":
			w.approve(y, q)
			if s, p := w.shareBy(x, v, 100); s != s0 || p != p0 {
				t.Errorf("what another robot signs now charges: %d, %d", s, p)
			}
			w.write(y, &event.PolicyAdopted{Version: v, Median: 10})
		}
		if s, p := w.shareBy(x, v, 100+400*86400); s != s0 || p != p0 {
			t.Errorf("%s: x had a share of %d and a pool of %d, and has %d and %d, 400 days later too", how, s0, p0, s, p)
		}
	}
}

// So does one that was a robot once, and said long ago that it is none any more.
func TestOneThatWasARobotFillsNoMeters(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, e, x, y := w.all[0], w.all[1], w.all[2], w.all[3]
	first := w.metered(a, 1000, 0, keysOfAll(x, y))
	w.write(x, &event.PolicyAdopted{Version: first, Median: 10})
	w.write(y, &event.PolicyAdopted{Version: first, Median: 10})
	second := w.metered(a, 1000, 0, keysOfAll(x), first)
	w.write(x, &event.PolicyAdopted{Version: second, Median: 20})
	w.write(y, &event.PolicyAdopted{Version: second, Median: 20})
	v := second
	for n := range 5 {
		v = w.metered(a, 1000-int64(n+1), 0, keysOfAll(x), v)
		w.write(x, &event.PolicyAdopted{Version: v, Median: 30 + int64(n)})
	}
	now := int64(400 * 86400)
	s0, _ := w.shareBy(x, v, now)
	q := w.large(e)
	w.write(y, &event.RobotVerdict{Proposal: q.Ref.ID, TxID: q.TxID, Policy: first, Outcome: uint64(policy.OutcomeSign), Rule: 1, Now: 1, Facts: []byte{0xa0}})
	w.approve(y, q)
	if s, _ := w.shareBy(x, v, now); s != s0 {
		t.Errorf("x had a share of %d, and has %d for as long as a coin of the bad one's choice is not spent", s0, s)
	}
}

// A human, who holds no robot's key, enters again what a robot signed by the pool.
func TestACopyTakesNothingOfThePool(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, e, x, y := w.all[0], w.all[1], w.all[2], w.all[3]
	v := w.metered(a, 1_000_000, 100, keysOfAll(x, y)) // all of it pool
	w.write(x, &event.PolicyAdopted{Version: v, Median: 10})
	w.write(y, &event.PolicyAdopted{Version: v, Median: 10})
	in := w.funded(1_000_000)
	out := []event.ProposalOutput{to(stranger(9), 300_000), change(0, 690_000)}
	q := w.propose(a, in, out)
	r := w.write(y, &event.BudgetReserved{Proposal: q.Ref.ID, TxID: q.TxID, Policy: v, Meters: []uint64{0}})
	w.write(x, &event.BudgetGranted{Reservation: r.ID()})
	w.approve(y, q)
	s0, p0 := w.shareBy(x, v, 100)
	w.propose(e, in, out)
	if s, p := w.shareBy(x, v, 100); s != s0 || p != p0 {
		t.Errorf("x had a share of %d and a pool of %d (less what it granted, 310000), and has %d and %d (less what it granted)", s0, p0, s, p)
	}
}

// A robot whose own chain says that it signed what is not held (restored, with the payment kept
// back) takes that for nothing: charges_unknown is never said.
func TestWhatOneSignedAndDoesNotHold(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, e, x, y := w.all[0], w.all[1], w.all[2], w.all[3]
	v := w.metered(a, 1_000_000, 0, keysOfAll(x, y))
	w.write(x, &event.PolicyAdopted{Version: v, Median: 10})
	in := w.funded(1_000_000)
	there := w.clone()
	q := there.propose(there.all[e.key], in, []event.ProposalOutput{to(stranger(9), 400_000), change(0, 590_000)})
	b := there.approval(there.all[x.key], q)
	w.write(x, &b)
	d := (Desk{Mode: Signs}).Prepared(w.wallet(x))
	if d.now.problem != ReasonCharges {
		t.Fatalf("problem %q, used %d", d.now.problem, d.now.charges.book.Used(meter.All, 86400, d.now.charges.now))
	}
}
