package robot

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// policied has somebody propose a policy.
func (w *world) policied(p *person, limit int64, parents ...event.PolicyVersion) event.PolicyVersion {
	w.tb.Helper()
	q := anyPolicy()
	q.Title = "Anything"
	q.Robots, q.ChangeDelay, q.StartQuorum, q.Tolerate = policy.KeysOf(policy.Key(w.all[len(w.all)-1].key)), 3600, 1, 1
	q.Rules[0].Require.AmountMax = limit
	if err := q.Fits(len(w.all), w.st.Genesis().Threshold); err != nil {
		w.tb.Fatal(err)
	}
	b := &event.PolicyProposed{Bytes: policy.Encode(q), Parents: parents}
	w.write(p, b)
	return b.Version(w.st.Group())
}

func (w *world) votes(v event.PolicyVersion, of ...*person) {
	w.tb.Helper()
	for _, p := range of {
		w.write(p, &event.PolicyApproved{Version: v})
	}
}

// A vote that a member gave to another policy does not come back, whatever it says of that one
// later: a delay runs from votes that stand all the while, and a node that was not there when
// it moved has to come to the same.
func TestAVoteThatMovedStaysMoved(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, b := w.all[0], w.all[1]
	v, other := w.policied(a, 1000), w.policied(b, 2000)
	w.votes(v, a, b)
	if !w.st.PolicyPassed(w.st.PolicyStanding(v)) {
		t.Fatal("it has not passed")
	}
	w.votes(other, a)
	if st := w.st.PolicyStanding(v); slices.Contains(st.For, a.key) {
		t.Fatal("a member is for two of one parent")
	}
	w.write(a, &event.PolicyObjected{Version: other})
	if st := w.st.PolicyStanding(v); slices.Contains(st.For, a.key) || slices.Contains(st.Against, a.key) {
		t.Fatalf("the vote came back by an objection to another policy: %+v", st)
	}
	w.votes(v, a)
	if st := w.st.PolicyStanding(v); !slices.Contains(st.For, a.key) {
		t.Fatalf("it is not given anew: %+v", st)
	}
	for range 3 {
		slices.Reverse(w.entries)
		if st := w.again(w.entries); !st.PolicyPassed(st.PolicyStanding(v)) {
			t.Fatal("in another order they say something else")
		}
	}
}

// What a member says against a policy past a fork of its chain takes its vote away, and gives
// none: a fork in the delay counts.
func TestAVoteFallsWithWhatIsSaidPastAFork(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, b, c := w.all[0], w.all[1], w.all[2]
	v, other := w.policied(c, 1000), w.policied(c, 2000)
	w.votes(v, a, b)
	w.forks(a, &event.PolicyObjected{Version: v}, &event.PolicyApproved{Version: v})
	if st := w.st.PolicyStanding(v); len(st.For) != 1 || len(st.Against) != 0 {
		t.Fatalf("after an objection that is tainted: %+v", st)
	}
	w.forks(b, &event.PolicyApproved{Version: other}, &event.PolicyApproved{Version: v})
	if st, x := w.st.PolicyStanding(v), w.st.PolicyStanding(other); len(st.For) != 0 || len(x.For) != 0 {
		t.Fatalf("after a vote for another that is tainted: %+v, %+v", st, x)
	}
}

// A robot whose chain was forked before it said that it follows a tighter policy does not go
// back to the one before.
func TestAForkTakesNoRobotBack(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, b, bot := w.all[0], w.all[1], w.all[2]
	first := w.policied(a, 1000)
	w.votes(first, a, b)
	w.write(bot, &event.PolicyAdopted{Version: first})
	next := w.policied(a, 500, first)
	w.votes(next, a, b)
	w.forks(bot, &event.PolicyAdopted{Version: next}, &event.AddressLeased{Index: 7})
	w.write(a, &event.PolicyObjected{Version: next}) // so that nothing shows that the group went on
	wallet := func() Wallet {
		return Wallet{State: w.st, View: w.view, Key: bot.key, Mine: journal.ChainKey{Author: bot.id(), Incarnation: bot.next.Incarnation}, Guarded: func(chainhash.Hash) bool { return false }}
	}
	bot.next = journal.Next{Incarnation: 2, Seq: 1}
	if d := (Desk{Mode: Signs}).Prepared(wallet()); d.now.problem != ReasonBehind {
		t.Fatalf("it goes by policy %s, problem %q", d.now.version, d.now.problem)
	}
	follows := Following{State: w.st, Key: bot.key, Now: 60 * w.minute, Height: int64(w.view.Tip().Height), Desk: Desk{Mode: Signs}, Tighter: func(*policy.Policy, *policy.Policy) bool { return false }}
	if move, ok, _ := follows.Next(); ok {
		t.Fatalf("it goes to %+v", move)
	}

	// The group goes on, from what it was told is in force.
	third := w.policied(b, 700, next)
	w.votes(third, a, b)
	follows.State, follows.Doubt = w.st, true
	if move, ok, _ := follows.Next(); ok {
		t.Fatalf("with its clock in doubt it begins a delay: %+v", move)
	}
	follows.Doubt = false
	move, ok, _ := follows.Next()
	if !ok || move.Adopt || move.Version != third {
		t.Fatalf("of what follows what it followed it says %+v, %v", move, ok)
	}
	w.write(bot, &event.PolicyAnchored{Version: third, Votes: move.Votes, Height: follows.Height, Time: follows.Now})
	follows.State, follows.Now, follows.Height = w.st, follows.Now+3599, follows.Height+6
	if move, ok, _ := follows.Next(); ok {
		t.Fatalf("before the delay it goes to %+v", move)
	}
	follows.Now++
	follows.Doubt = true
	if move, ok, _ := follows.Next(); ok {
		t.Fatalf("with its clock in doubt it goes to %+v", move)
	}
	follows.Doubt = false
	if move, ok, _ = follows.Next(); !ok || !move.Adopt || move.Version != third {
		t.Fatalf("after the delay it says %+v, %v", move, ok)
	}
	w.write(bot, &event.PolicyAdopted{Version: third, Median: 77})
	if w.st.PolicyBegan(bot.key) != 77 || lineOf(w.st, bot.key, third, anyPolicy()).begun != 77 {
		t.Fatal("what it signed before counts from its own clock on")
	}
	if d := (Desk{Mode: Signs}).Prepared(wallet()); d.now.problem != "" || d.now.version != third {
		t.Fatalf("it goes by policy %s, problem %q", d.now.version, d.now.problem)
	}
}

// Nor does one that knows of no other word of its own, or that others would have follow it.
func TestAForkBeforeAllTakesNoRobotBack(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	a, b, other, bot := w.all[0], w.all[1], w.all[2], w.all[3]
	first := w.policied(a, 1000)
	w.votes(first, a, b)
	next := w.policied(a, 500, first)
	w.votes(next, a, b)
	w.forks(bot, &event.PolicyAdopted{Version: next}, &event.AddressLeased{Index: 7})
	w.write(a, &event.PolicyObjected{Version: next})
	bot.next = journal.Next{Incarnation: 2, Seq: 1}
	follows := func() (Move, bool) {
		f := Following{State: w.st, Key: bot.key, Now: 60 * w.minute, Height: int64(w.view.Tip().Height), Desk: Desk{Mode: Signs}}
		m, ok, _ := f.Next()
		return m, ok
	}
	if m, ok := follows(); ok && m.Adopt {
		t.Fatalf("it goes to %+v", m)
	} else if ok {
		w.write(bot, &event.PolicyAnchored{Version: m.Version, Votes: m.Votes, Height: int64(w.view.Tip().Height), Time: 60 * w.minute})
	}
	if m, ok := follows(); ok {
		t.Fatalf("it goes to %+v", m)
	}
	_ = other
	w.write(a, &event.PolicyApproved{Version: next})
	if m, ok := follows(); !ok || m.Version != next {
		t.Fatalf("it does not go on to what has its votes again: %+v", m)
	}
}

// What nobody ever agreed on it never followed, whatever a fork of its chain says.
func TestAForkDoesNotStopARobot(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, b, bot := w.all[0], w.all[1], w.all[2]
	first := w.policied(a, 1000)
	w.votes(first, a, b)
	w.write(bot, &event.PolicyAdopted{Version: first})
	evil := w.policied(a, 100_000, first)
	w.forks(bot, &event.PolicyAdopted{Version: evil}, &event.AddressLeased{Index: 7})
	d := (Desk{Mode: Signs}).Prepared(Wallet{State: w.st, View: w.view, Key: bot.key, Mine: journal.ChainKey{Author: bot.id(), Incarnation: 2}, Guarded: func(chainhash.Hash) bool { return false }})
	if d.now.version != first || d.now.problem != "" {
		t.Fatalf("it goes by policy %s, problem %q", d.now.version, d.now.problem)
	}
}
