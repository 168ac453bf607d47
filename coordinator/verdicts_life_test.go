package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
)

// inPlaceOf puts a peer in another one's place.
func (r *robots) inPlaceOf(old, new *peer) {
	for _, list := range [][]*peer{r.peers, r.humans, r.robots} {
		if n := slices.Index(list, old); n >= 0 {
			list[n] = new
		}
	}
}

// A robot that comes back from a backup is silent until it has heard all others, and charges
// what it signed after the backup was made.
func TestARobotComesBack(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Meters[0].Limit = 60_000
	r.votes(p)
	r.hear()
	before := bot.backup()
	first := ana.proposes(pay(70, 40_000))
	r.settle()
	if !bot.signed(first) {
		t.Fatal("it did not sign")
	}
	second := before.restore()
	r.inPlaceOf(bot, second)
	more := ana.proposes(pay(71, 41_000))
	for range 70 {
		second.hear(ana)
		second.must(Tick{Online: nil})
	}
	if second.signed(more) {
		t.Fatal("it signed before it had heard all others")
	}
	if s, _ := second.m.Robot(); s.Unready == "" {
		t.Fatal("it does not say that it is silent")
	}
	for range 3 {
		r.hear()
	}
	if s, ok := second.m.Robot(); !ok || s.Unready != "" || s.Meters[0].Used < 40_000 {
		t.Fatalf("it does not charge what it signed in its life before: %+v", s)
	}
	if second.signed(more) {
		t.Fatal("it signed beyond its meter")
	}
	small := ana.proposes(pay(72, 10_000))
	r.hear()
	if !second.signed(small) {
		t.Fatalf("it does not go on: %+v", r.verdict(second, small))
	}
}

// One that was restored to a time before a policy does not run the older one: it denies until
// the newest is in force by its own anchor.
func TestARobotNeverGoesBack(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000)
	first := r.votes(r.suppliers(50_000))
	r.hear()
	before := bot.backup()
	tighter := r.votes(r.suppliers(20_000), first)
	// It follows the tighter one, and nobody heard of that before its disk was lost.
	second := before.restore()
	r.inPlaceOf(bot, second)
	id := ana.proposes(pay(70, 40_000))
	for range 3 {
		r.settle()
		for _, o := range r.humans {
			second.hear(o)
		}
	}
	if second.signed(id) {
		t.Fatal("it ran a policy that the group has left")
	}
	r.hear()
	if v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(second))); v != tighter || second.signed(id) {
		t.Fatalf("it follows %s, and says %+v", v, r.verdict(second, id))
	}
}

// Dust, and what no node passes on, no robot signs.
func TestARobotSignsNoDust(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	unsigned := pay(70, 40_000)
	unsigned.Unsigned = true
	q, _ := ana.m.State.Proposal(ana.proposes(unsigned))
	for name, c := range map[string]struct {
		change func(*event.ProposalCreated)
		want   string
	}{
		"dust":   {func(b *event.ProposalCreated) { shift(b, 39_800) }, "dust"},
		"no fee": {func(b *event.ProposalCreated) { addChange(b, q.Fee()-10) }, "fee_too_low"},
	} {
		b := *q.Body
		b.Outputs = slices.Clone(b.Outputs)
		c.change(&b)
		e, err := ana.wild(&b)
		if err != nil {
			t.Fatal(err)
		}
		r.hear()
		if v := r.verdict(bot, e.ID()); bot.signed(e.ID()) || v.Outcome != uint64(policy.OutcomeDeny) || !slices.Contains(v.Reasons, c.want) {
			t.Errorf("%s: it says %+v", name, v)
		}
	}
}

// shift takes so much from who is paid, and gives it to change.
func shift(b *event.ProposalCreated, amount int64) {
	for n := range b.Outputs {
		if b.Outputs[n].Change == nil {
			b.Outputs[n].Amount -= amount
		} else {
			b.Outputs[n].Amount += amount
		}
	}
}

func addChange(b *event.ProposalCreated, amount int64) {
	for n := range b.Outputs {
		if b.Outputs[n].Change != nil {
			b.Outputs[n].Amount += amount
			return
		}
	}
}

// What a key signed by hand before its node was a robot counts, for the first policy too.
func TestWhatWasSignedByHandCounts(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000, 100_000, 100_000)
	one.mode, one.m = 0, one.m.AsRobot(0, nil)
	by := one.proposes(pay(70, 45_000))
	r.settle()
	one.mode, one.m = two.mode, one.m.AsRobot(two.mode, nil)
	p := r.suppliers(50_000)
	p.Meters[0].Limit, p.Tolerate = 100_000, 1
	r.votes(p)
	r.hear()
	q, _ := ana.m.State.Proposal(by)
	if s, _ := one.m.Robot(); s.Meters[0].Used < 45_000 {
		t.Fatalf("it does not charge what it signed by hand, proposal %s: %+v", q.Ref.ID, s.Meters)
	}
	r.clock = r.clock.Add(time.Second)
	_ = two
}
