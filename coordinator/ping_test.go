package coordinator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// tick lets all nodes live for as long as it takes to answer a ping.
func (c *circle) tick() {
	c.tb.Helper()
	for range answerEach + 1 {
		for _, p := range c.peers {
			p.must(Tick{})
		}
	}
	c.settle()
}

// pings is which keys answered as a peer sees it, by name and the day of the question.
func (p *peer) pings() string {
	var out []string
	for _, x := range p.m.Presence(*p.clock) {
		if !x.Answered.IsZero() {
			out = append(out, x.Member.Name+" "+x.Answered.UTC().Format("01-02")+" by "+p.m.MemberName(x.Asker))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (c *circle) allPinged(want string) {
	c.tb.Helper()
	c.settle()
	for _, p := range c.peers {
		if got := p.pings(); got != want {
			c.tb.Errorf("%s: pinged are %q, want %q", p.name, got, want)
		}
	}
}

// wildAnswer answers a round whatever the rules of a node are.
func (p *peer) wildAnswer(b event.PingAnswered) journal.EntryID {
	p.tb.Helper()
	e, err := p.wild(&b)
	if err != nil {
		p.tb.Fatal(err)
	}
	return e.ID()
}

// answers counts what a peer wrote in answer to pings.
func (p *peer) answers() (n int) {
	for _, x := range allSaid[*event.PingAnswered](p) {
		if x.ref.Chain.Author == p.id() {
			n++
		}
	}
	return n
}

func (p *peer) index() int {
	k, _ := p.m.State.Active().Index(p.id())
	return k
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func TestAPingIsAnsweredByAll(t *testing.T) {
	c := active(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	if _, err := a.do(Ping{}); !refusedBy(err, refusal.Outdated) {
		t.Fatalf("before the others said what they know: %v", err)
	}
	c.featured()
	first := a.must(Ping{}).(Pinged)
	if !first.Asked {
		t.Fatal("nobody was asked")
	}
	a.must(AnswerPing{Round: first.Round.ID})
	entries := a.written()
	a.must(AnswerPing{Round: first.Round.ID})
	if again := a.must(Ping{New: true}).(Pinged); again.Asked || again.Round.ID != first.Round.ID || a.written() != entries {
		t.Errorf("asked again at once: %+v, %d more entries", again, a.written()-entries)
	}
	c.settle()
	if got := b.must(Ping{}).(Pinged); got.Asked || got.Round.ID != first.Round.ID {
		t.Errorf("another member does not join in: %+v", got)
	}
	c.tick()
	c.allPinged("A 01-02 by A, B 01-02 by A, C 01-02 by A")
	for _, p := range c.peers {
		if p.answers() != 1 {
			t.Errorf("%s answered %d times", p.name, p.answers())
		}
		p.crash()
	}
	c.allPinged("A 01-02 by A, B 01-02 by A, C 01-02 by A")

	// Somebody who doubts asks anew, on the next day; what is open is joined, and after a
	// week nothing is.
	c.clock = c.clock.Add(days(1))
	if got := b.must(Ping{}).(Pinged); got.Asked {
		t.Error("a round of yesterday is not open any more")
	}
	if got := b.must(Ping{New: true}).(Pinged); !got.Asked {
		t.Error("who insists does not ask anew")
	}
	c.settle()
	c.tick()
	c.allPinged("A 01-03 by B, B 01-03 by B, C 01-03 by B")
	c.clock = c.clock.Add(RoundLife)
	if got := a.must(Ping{}).(Pinged); !got.Asked {
		t.Error("a round of last week is open")
	}
	c.settle()
	c.tick()
	c.allPinged("A 01-10 by A, B 01-10 by A, C 01-10 by A")
}

// An answer counts as a sign of the key, for the margin and its alarm, from when it was
// asked; the alarm says how to ask.
func TestAPingIsASignOfTheKey(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	alarm := func() string {
		for _, x := range a.m.AlarmsAt(c.clock) {
			if x.Kind == AlarmMargin {
				return x.Text
			}
		}
		return ""
	}
	overdue := func(want ...string) {
		t.Helper()
		var got []string
		for _, x := range a.m.Overdue(c.clock) {
			got = append(got, x.Name)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("overdue are %q, want %q", got, want)
		}
	}
	begun := c.clock
	c.clock = begun.Add(PingEach - time.Hour)
	overdue()
	c.clock = begun.Add(PingEach + time.Hour)
	overdue("A", "B", "C")
	c.clock = begun.Add(SeenFor + days(1))
	overdue() // the alarm says it
	if text := alarm(); !strings.Contains(text, "quorate ping") {
		t.Errorf("the alarm is %q", text)
	}
	round := b.must(Ping{}).(Pinged).Round
	b.must(AnswerPing{Round: round.ID})
	c.settle()
	for range answerEach {
		a.must(Tick{})
	}
	c.settle()
	if n := Margin(a.m.Presence(c.clock), 2, c.clock); n != 0 || !strings.Contains(alarm(), "C (last on") {
		t.Errorf("margin %d, and the alarm is %q", n, alarm())
	}
	c.tick()
	if text := alarm(); text != "" || z.answers() != 1 {
		t.Errorf("all answered, and the alarm is %q", text)
	}
	overdue()
	// Who answers late was there, as far as anybody knows, when it was asked.
	c.clock = c.clock.Add(SeenFor - days(1))
	for _, x := range a.m.Presence(c.clock) {
		if !x.Seen(c.clock) || !x.Answered.Equal(time.UnixMilli(round.Time)) {
			t.Errorf("%s was seen %v", x.Member.Name, x.At())
		}
	}
	c.clock = c.clock.Add(days(2))
	if n := Margin(a.m.Presence(c.clock), 2, c.clock); n != -2 {
		t.Errorf("margin %d after the time is over", n)
	}
	a.must(Archive{})
	if overdue(); alarm() != "" {
		t.Error("a wallet that was put aside warns of its keys")
	}
	a.refused(refusal.Archived, Ping{})
	a.refused(refusal.Archived, AnswerPing{Round: round.ID})
}

// A device answers by hand: with a message or a PSBT over what was handed out last,
// whatever is asked meanwhile; so does the device of a cosigner without a node.
func TestADeviceAnswersAPing(t *testing.T) {
	d := newDevice(t, 9)
	c := formingExternal(t, 2, 3, d.text())
	x := c.peers[2]
	want, err := x.m.ProofRequest()
	if err != nil {
		t.Fatal(err)
	}
	x.must(Prove{Name: "C", How: event.ProofMessage, Proof: d.message(want.Text)})
	c.settle()
	c.ratifyAll(false)
	c.featured()
	c.clock = c.clock.Add(time.Hour)
	a := c.peers[0]
	round := a.must(Ping{}).(Pinged).Round
	a.must(AnswerPing{Round: round.ID})
	c.settle()
	c.tick()
	c.allPinged("A 01-02 by A, B 01-02 by A")
	if r, of := x.m.Unanswered(c.clock); r.ID != round.ID || len(of) != 1 || of[0].Identity != x.id() {
		t.Errorf("what waits for the device is %v of %v", r.ID, of)
	}
	if _, of := a.m.Unanswered(c.clock); len(of) != 0 {
		t.Error("a node with its own key has a device answer")
	}
	x.refused(refusal.ExternalKey, AnswerPing{Round: round.ID})
	if _, err := a.m.PingRequest("", round.ID); !refusedBy(err, refusal.NotExternal) {
		t.Errorf("a node that holds its key says what is to be signed: %v", err)
	}
	out := x.must(Ping{}).(Pinged)
	ask, err := x.m.PingRequest("", out.Round.ID)
	if err != nil || out.Round.ID != round.ID || len(ask.Text) > 240 {
		t.Fatalf("%v: %q", err, ask.Text)
	}
	for name, proof := range map[string][]byte{
		"another text":   d.message(ask.Text + "."),
		"another key":    newDevice(t, 8).message(ask.Text),
		"its first text": d.message(want.Text),
		"nothing":        {},
	} {
		if _, err := x.do(AnswerPing{Round: round.ID, How: event.ProofMessage, Proof: proof}); !refusedBy(err, refusal.Proof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	signed := d.message(ask.Text)
	// Whatever is asked before the device is back.
	c.clock = c.clock.Add(days(2))
	a.must(Ping{New: true})
	c.settle()
	x.crash()
	rounds, err := x.m.PingRounds("", c.clock)
	if err != nil || len(rounds) != 2 || rounds[0] != round.ID {
		t.Fatalf("the signature may be of %v: %v", rounds, err)
	}
	x.must(AnswerPing{Round: rounds[0], How: event.ProofMessage, Proof: signed})
	c.allPinged("A 01-02 by A, B 01-02 by A, C 01-02 by A")
	if _, of := x.m.Unanswered(c.clock); len(of) != 1 {
		t.Error("the later round does not wait for the device")
	}
	x.refused(refusal.NotReady, AnswerPing{Round: journal.EntryID{1}, How: event.ProofMessage, Proof: signed})
	x.refused(refusal.NotHosted, Ping{For: "Hal"})
}

func TestAHostedCosignerAnswersAPing(t *testing.T) {
	c, d := activeHosting(t, 2, 2)
	c.featured()
	c.clock = c.clock.Add(time.Hour)
	a, b := c.peers[0], c.peers[1]
	round := a.must(Ping{}).(Pinged).Round
	a.must(AnswerPing{Round: round.ID})
	c.settle()
	c.tick()
	c.allPinged("A 01-02 by A, B 01-02 by A")
	if _, of := b.m.Unanswered(c.clock); len(of) != 1 || of[0].Name != "Hal" {
		t.Errorf("the host is told of %v", of)
	}
	if _, of := a.m.Unanswered(c.clock); len(of) != 0 {
		t.Errorf("another member is told of %v", of)
	}
	b.must(Ping{For: "Hal"})
	ask, err := b.m.PingRequest("Hal", round.ID)
	if err != nil {
		t.Fatal(err)
	}
	proof := d.message(ask.Text)
	// It is through the host's node, and worth nothing through another.
	if _, err := a.do(AnswerPing{Round: round.ID, For: "Hal", How: event.ProofMessage, Proof: proof}); !refusedBy(err, refusal.Proof) {
		t.Errorf("another node enters it: %v", err)
	}
	b.must(AnswerPing{Round: round.ID, For: "Hal", How: event.ProofMessage, Proof: proof})
	c.settle()
	if got := strings.Count(a.pings(), "01-02 by A"); got != 3 {
		t.Errorf("pinged are %q", a.pings())
	}
}

// Whatever members write, a node answers once a day, and the latest round alone.
func TestTenThousandPings(t *testing.T) {
	c := active(t, 2, 3)
	c.featured()
	a, evil := c.peers[0], c.peers[2]
	n := 10_000
	if testing.Short() || underRace {
		n = 2 * group.MaxAsked
	}
	for range n {
		if _, err := evil.wild(&event.PingAsked{}); err != nil {
			t.Fatal(err)
		}
	}
	evil.pass(a)
	if got := a.m.State.Asked(evil.chain()); got != group.MaxAsked {
		t.Errorf("%d rounds of one chain are kept, want %d", got, group.MaxAsked)
	}
	before := a.written()
	for range 10 {
		for range 4 * answerEach {
			a.must(Tick{})
		}
	}
	if got := a.answers(); got != 1 || a.written()-before != 1 {
		t.Errorf("answered %d times, with %d entries", got, a.written()-before)
	}
	// Another one may still ask, is answered a day later, and not twice.
	c.clock = c.clock.Add(days(1))
	evil.refused(refusal.Pings, Ping{New: true, Allow: []string{refusal.Outdated}})
	c.peers[1].must(Ping{New: true, Allow: []string{refusal.Outdated}})
	c.settle(a, c.peers[1])
	c.settle(a, c.peers[1])
	for range 4 * answerEach {
		a.must(Tick{})
	}
	if got := a.answers(); got != 2 {
		t.Errorf("answered %d times after a day", got)
	}
	a.crash()
	if got := a.m.State.Asked(evil.chain()); got != group.MaxAsked {
		t.Errorf("%d rounds after a restart", got)
	}
}
