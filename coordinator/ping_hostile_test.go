package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// asks is a round that a peer asks for as of a time.
func (p *peer) asks(at time.Time) journal.EntryID {
	p.tb.Helper()
	now := *p.clock
	*p.clock = at
	e, err := p.wild(&event.PingAsked{})
	*p.clock = now
	if err != nil {
		p.tb.Fatal(err)
	}
	return e.ID()
}

// signs is the answer of a peer's own key to a round, through an identity's node.
func (p *peer) signs(round journal.EntryID, through *peer) event.PingAnswered {
	claim := event.PingClaim(p.m.State.Group(), through.id(), round, p.account.Key().String())
	return event.PingAnswered{Round: round, Key: uint32(p.index()), Proof: p.account.SignHash(claim.Hash())}
}

// What a key did not sign, for this round and through this node, is no answer, and leaves
// what was answered as it is.
func TestAPingIsAnsweredByTheKeyAlone(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	round := a.asks(c.clock)
	a.wildAnswer(a.signs(round, a))
	c.settle()
	good := b.wildAnswer(b.signs(round, b))
	c.allPinged("A 01-02 by A, B 01-02 by A")
	later := a.asks(c.clock.Add(time.Hour))
	c.settle()

	foreign := b.signs(later, b)
	claim := event.PingClaim(journal.GroupID{7}, b.id(), later, b.account.Key().String())
	foreign.Proof = b.account.SignHash(claim.Hash())
	record, _ := b.m.ownRecord()
	for name, x := range map[string]struct {
		by *peer
		b  event.PingAnswered
	}{
		"another's key":        {evil, event.PingAnswered{Round: later, Key: uint32(b.index()), Proof: evil.signs(later, evil).Proof}},
		"another's answer":     {evil, b.signs(later, b)},
		"of another round":     {b, event.PingAnswered{Round: later, Key: uint32(b.index()), Proof: b.signs(round, b).Proof}},
		"of another group":     {b, foreign},
		"its record's proof":   {b, event.PingAnswered{Round: later, Key: uint32(b.index()), Proof: record.Body.Proof}},
		"of another kind":      {b, event.PingAnswered{Round: later, Key: uint32(b.index()), Proof: b.signs(later, b).Proof, How: event.ProofMessage}},
		"noise":                {b, event.PingAnswered{Round: later, Key: uint32(b.index()), Proof: make([]byte, 71)}},
		"of no key":            {b, event.PingAnswered{Round: later, Key: 19, Proof: b.signs(later, b).Proof}},
		"a PSBT of nothing":    {b, event.PingAnswered{Round: later, Key: uint32(b.index()), Proof: make([]byte, 71), How: event.ProofPSBT}},
		"the key of neighbour": {b, event.PingAnswered{Round: later, Key: uint32(a.index()), Proof: b.signs(later, b).Proof}},
	} {
		before := c.peers[0].m.Faults()[x.by.id()]["bad_ping"]
		x.by.wildAnswer(x.b)
		c.settle()
		if got := a.m.Faults()[x.by.id()]["bad_ping"]; got != before+1 {
			t.Errorf("%s: %d false answers count against its author, want %d", name, got, before+1)
		}
		c.allPinged("A 01-02 by A, B 01-02 by A")
		if r, ok := a.m.State.Answered(b.index(), c.clock.Add(days(1)).UnixMilli()); !ok || r.ID != round {
			t.Errorf("%s: the key has answered %v now (%v)", name, r.ID, good)
		}
	}
	for _, p := range c.peers {
		callReaders(t, p)
	}
}

// An answer says when it was asked for, whenever and however often it is entered: so no
// old one makes a key look newer, and what was asked ahead of the clock says nothing yet.
func TestAnAnswerGivenAgainChangesNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, b := c.peers[0], c.peers[1]
	round := a.asks(c.clock)
	c.settle()
	answer := b.signs(round, b)
	b.wildAnswer(answer)
	c.clock = c.clock.Add(days(150))
	b.wildAnswer(answer)
	c.allPinged("B 01-02 by A")
	// Before the question: it counts once the question is there.
	ahead := b.signs(journal.EntryID{9}, b)
	b.wildAnswer(ahead)
	c.settle()
	if got := a.pings(); got != "" {
		t.Errorf("what nobody asked is answered: %q", got)
	}
	b.wildAnswer(answer)
	c.allPinged("B 01-02 by A")
	// A question of a clock that is ahead, and its answer.
	wrong := a.asks(c.clock.Add(days(400)))
	b.wildAnswer(b.signs(wrong, b))
	c.settle()
	for _, x := range a.m.Presence(c.clock) {
		if x.At().After(c.clock) || x.Seen(c.clock) {
			t.Errorf("%s was seen at %v", x.Member.Name, x.At())
		}
	}
	if r, ok := a.m.State.LatestRound(c.clock.Add(skew).UnixMilli()); ok {
		t.Errorf("a round of next year is open: %+v", r)
	}
	for range 4 * answerEach {
		c.peers[2].must(Tick{})
	}
	if n := c.peers[2].answers(); n != 0 {
		t.Errorf("%d answers to a question of next year", n)
	}
	// With the clock set right, all is as if it had never been.
	fresh := a.asks(c.clock)
	c.settle()
	b.wildAnswer(b.signs(fresh, b))
	c.settle()
	if n := Margin(a.m.Presence(c.clock), 1, c.clock); n != 0 {
		t.Errorf("margin %d after an answer", n)
	}
}

// An answer counts whatever came first: it, the question, or the wallet itself.
func TestAnAnswerCountsInAnyOrder(t *testing.T) {
	c := newCircle(t, 2, 3)
	c.settle()
	r, _ := c.peers[0].m.State.Roster()
	a, b, late := c.peers[0], c.peers[1], c.peers[2]
	for _, p := range c.peers {
		p.must(Ratify{Words: r.Words()})
	}
	// It has heard of no ratification but its own.
	late.pass(a)
	late.pass(b)
	c.settle(a, b)
	round := a.asks(c.clock)
	c.settle(a, b)
	b.wildAnswer(b.signs(round, b))
	evil := a.signs(round, a)
	evil.Key = uint32(b.index())
	a.wildAnswer(evil)
	c.settle(a, b)
	want := canon(a.m.State)
	var all []*journal.Entry
	for _, p := range []*peer{b, a} {
		for _, chain := range p.Chains() {
			for _, e := range chain {
				if e.Chain().Author == p.id() {
					all = append(all, e)
				}
			}
		}
	}
	// First the answer's author, whose ratification and answer come before anything of the
	// question's; all that does not link yet is taken when it does.
	for range 3 {
		for _, e := range all {
			_, _ = late.do(EntryIn{e})
		}
	}
	if late.m.State.Active() == nil {
		t.Fatalf("%s is not active: %s", late.name, late.m.Missing())
	}
	if got := canon(late.m.State); got != want {
		t.Errorf("in another order it says something else:\n%s", diff(want, got))
	}
	if got := late.pings(); got != "B 01-02 by A" {
		t.Errorf("pinged are %q", got)
	}
}

// A copy of a node that was restored elsewhere answers nothing, and a restored one goes
// on answering.
func TestARestoredNodeAnswersPings(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, b := c.peers[0], c.peers[1]
	old := b.m
	round := a.must(Ping{}).(Pinged).Round
	c.settle()
	c.tick()
	if err := b.restored(old); err != nil {
		t.Fatal(err)
	}
	c.settle()
	c.allPinged("A 01-02 by A, B 01-02 by A, C 01-02 by A")
	c.clock = c.clock.Add(days(8))
	a.must(Ping{})
	c.settle()
	c.tick()
	c.allPinged("A 01-10 by A, B 01-10 by A, C 01-10 by A")
	if entry, last, ok := a.m.State.LastAnswer(b.index(), b.id()); !ok || entry.Chain.Incarnation != 2 || last.ID == round.ID {
		t.Errorf("the last answer is %+v", entry)
	}
}

// A node of which little of its allowance is left answers later.
func TestAnAnswerLeavesTheAllowance(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, b := c.peers[0], c.peers[1]
	a.must(Ping{})
	c.settle()
	b.m.written = written{entries: unaskedEntries + 1, at: c.clock}
	for range 2 * answerEach {
		b.must(Tick{})
	}
	if b.answers() != 0 {
		t.Error("it answers with what is kept for its user")
	}
	b.m.written = written{}
	for range 2 * answerEach {
		b.must(Tick{})
	}
	if b.answers() != 1 {
		t.Error("it does not answer when there is room again")
	}
	if _, err := b.do(AnswerPing{Round: journal.EntryID{3}}); !refusedBy(err, refusal.NotReady) {
		t.Error(err)
	}
}

// Whenever members ask, and as of whatever date, a node answers once a day by itself.
func TestANodeAnswersOnceADay(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, evil := c.peers[0], c.peers[2]
	begun := c.clock
	lives := func() {
		evil.pass(a)
		for range answerEach + 1 {
			a.must(Tick{})
		}
	}
	for n := range 90 { // each a day later than the one before, and all of them on one day
		evil.asks(begun.Add(days(n) - days(95)))
		lives()
	}
	if n := a.answers(); n != 1 {
		t.Errorf("%d answers on one day", n)
	}
	for c.clock = begun.Add(days(1)); c.clock.Before(begun.Add(days(5))); c.clock = c.clock.Add(time.Hour) {
		evil.asks(c.clock)
		lives()
	}
	if n := a.answers(); n != 5 {
		t.Errorf("%d answers in five days", n)
	}
	// A clock that was turned back gives no more, and one that was ahead takes none for long.
	c.clock = c.clock.Add(-time.Hour)
	evil.asks(c.clock)
	lives()
	c.clock = begun.Add(-days(30))
	evil.asks(c.clock)
	lives()
	if n := a.answers(); n != 5 {
		t.Errorf("%d answers after the clock went back", n)
	}
}
