package coordinator

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/refusal"
)

// daily is a payment that is due each day, from the next midnight on.
func (c *circle) daily(n byte, amount int64) Plan {
	r, err := recurring.Read(recurring.Wish{Every: "2d", From: c.clock})
	if err != nil {
		c.tb.Fatal(err)
	}
	r.Every = 1 // more often than may be asked for, so that less has to pass here
	return Plan{Schedule: recurring.Schedule{Rhythm: r, Outputs: pay(n, amount).Outputs, FeeRate: 2000, Note: "rent"}}
}

// pass lets time pass, for clocks and chain.
func (c *circle) pass(d time.Duration) {
	c.clock = c.clock.Add(d)
	c.mine(nil)
}

// run has heard the others, proposes what is due, as the shell does, and returns what came
// of each.
func (p *peer) run() (made []*group.Proposal, errs []error) {
	p.tb.Helper()
	if len(p.m.DueSchedules(*p.clock)) > 0 {
		p.hear(p.circle.peers[1:]...)
		p.hear(p.circle.peers[1:]...) // which hold now what they lacked
	}
	return p.propose()
}

func (p *peer) propose() (made []*group.Proposal, errs []error) {
	for _, due := range p.m.DueSchedules(*p.clock) {
		if _, ok := p.m.MadeFor(due); ok {
			p.must(Passed{due})
			continue
		}
		sch, _ := p.m.ScheduleOf(due.Schedule)
		v, err := p.do(Propose{Outputs: sch.Outputs, FeeRate: 2000, Note: sch.Note, Occasion: &due, Expires: p.clock.Add(12 * time.Hour)})
		if err != nil {
			p.must(Delayed{ID: due.Schedule, Problem: err.Error(), Code: rule(err)})
			errs = append(errs, err)
			continue
		}
		q, _ := p.m.State.Proposal(v.(Proposed).Proposal)
		made = append(made, q)
	}
	return made, errs
}

func (c *circle) confirm(q *group.Proposal, by *peer) {
	c.tb.Helper()
	c.settle()
	by.must(Approve{Proposal: q.Ref.ID})
	c.settle()
	tx, err := theTx(by.m.State, by.m.View, q)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.mine([]*wire.MsgTx{tx})
}

// A payment that recurs is proposed when it is due by clock and chain, once a period, also
// over a restart; while one is not done the next waits, and what was missed is counted.
func TestARecurringPayment(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000, 1_000_000)
	a := c.peers[0]
	sch := a.must(c.daily(1, 50_000)).(Planned).Schedule
	if made, errs := a.run(); len(made)+len(errs) > 0 {
		t.Fatal("it is due before its time")
	}
	c.clock = c.clock.Add(24 * time.Hour)
	if made, errs := a.run(); len(made)+len(errs) > 0 {
		t.Fatal("it is due by the clock alone")
	}
	c.pass(time.Hour)
	made, errs := a.run()
	if len(made) != 1 || len(errs) > 0 {
		t.Fatalf("%d made, %v", len(made), errs)
	}
	first := made[0]
	if of, ok := first.Body.For(); !ok || of != (recurring.Occasion{Schedule: sch.ID}).Hash() || first.Body.Note != "rent" {
		t.Fatalf("it is made for %x", of)
	}
	for range 2 {
		if made, errs := a.run(); len(made)+len(errs) > 0 {
			t.Fatalf("%d made again, %v", len(made), errs)
		}
		a.crash()
	}
	c.pass(24 * time.Hour) // the first one expired, with a signature that is out
	for range 2 {
		_, errs := a.run()
		if len(errs) != 1 || rule(errs[0]) != refusal.PeriodOpen || !strings.Contains(errs[0].Error(), "cannot be called back") {
			t.Fatalf("beside one that may still be paid: %v", errs)
		}
		a.crash()
	}
}

func TestWhatIsDueIsProposedAgainOnceTheLastIsDone(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	sch := a.must(c.daily(1, 50_000)).(Planned).Schedule
	c.pass(25 * time.Hour)
	made, _ := a.run()
	c.pass(time.Hour)
	c.confirm(made[0], b)
	for range 150 {
		c.mine(nil)
	}
	c.pass(3 * 24 * time.Hour)
	made, errs := a.run()
	if len(made) != 1 || len(errs) > 0 {
		t.Fatalf("%d made, %v", len(made), errs)
	}
	if of, _ := made[0].Body.For(); of != (recurring.Occasion{Schedule: sch.ID, Period: 3}).Hash() {
		t.Error("it is not of the latest period")
	}
	kept, _ := a.m.ScheduleOf(sch.ID)
	if kept.Missed != 2 || kept.Next != 4 || kept.Last != made[0].Ref.ID {
		t.Errorf("%+v", kept)
	}
	a.must(Unplan{sch.ID})
	a.crash()
	c.pass(10 * 24 * time.Hour)
	if made, errs := a.run(); len(made)+len(errs)+len(a.m.Schedules()) > 0 {
		t.Error("it goes on after its end")
	}
	for _, x := range []Message{Unplan{sch.ID}, Resume{sch.ID}, Delayed{ID: sch.ID}} {
		if _, err := a.do(x); !errors.Is(err, refusal.ErrUnknownSchedule) {
			t.Errorf("%T: %v", x, err)
		}
	}
}

// What is due once is so from a time and a height on, survives a restart, and is gone when
// it was proposed.
func TestWhatIsDueOnce(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	a.must(Plan{Schedule: recurring.Schedule{NotBefore: c.clock.Add(time.Hour).Unix(), Height: c.height + 3, Outputs: pay(1, 50_000).Outputs, FeeRate: 2000}})
	a.crash()
	c.pass(3 * time.Hour)
	c.pass(0)
	if made, errs := a.run(); len(made)+len(errs) > 0 {
		t.Fatal("it is due before the chain has the height")
	}
	c.pass(0)
	if made, errs := a.run(); len(made) != 1 || len(errs) > 0 {
		t.Fatalf("%d made, %v", len(made), errs)
	}
	a.crash()
	if len(a.m.Schedules()) > 0 {
		t.Error("it is kept after it was proposed")
	}
}

// A restored node holds what it would propose until it has heard all others and a person
// starts it; what its earlier life proposed is not proposed again, whatever became of it.
func TestARestoredNodePaysNothingTwice(t *testing.T) {
	for name, became := range map[string]func(c *circle, q *group.Proposal){
		"paid":      func(c *circle, q *group.Proposal) { c.confirm(q, c.peers[1]) },
		"pending":   func(c *circle, _ *group.Proposal) { c.settle() },
		"withdrawn": func(c *circle, q *group.Proposal) { c.peers[0].must(Withdraw{Proposal: q.Ref.ID}); c.settle() },
	} {
		c := active(t, 2, 3)
		c.fund(1_000_000, 1_000_000)
		a := c.peers[0]
		sch := a.must(c.daily(1, 50_000)).(Planned).Schedule
		saved := a.backup()
		c.pass(25 * time.Hour)
		made, _ := a.run()
		c.pass(time.Hour)
		became(c, made[0])

		r := saved.restore()
		c.peers[0] = r
		if made, errs := r.run(); len(made)+len(errs) > 0 {
			t.Fatalf("%s: it proposes before anybody was heard", name)
		}
		if x := r.m.AlarmsAt(c.clock); !slices.ContainsFunc(x, func(a Alarm) bool { return a.Kind == AlarmScheduled }) {
			t.Errorf("%s: that it waits is no alarm: %v", name, x)
		}
		_, err := r.do(Resume{sch.ID})
		mustRefuse(t, err, refusal.Restored)
		r.hear(c.peers[1], c.peers[2])
		r.must(Tick{})
		if made, errs := r.run(); len(made)+len(errs) > 0 || !r.m.Held(sch) {
			t.Fatalf("%s: it proposes before a person started it", name)
		}
		r.must(Resume{sch.ID})
		if made, errs := r.run(); len(made)+len(errs) > 0 {
			t.Errorf("%s: it is proposed again", name)
		}
		if kept, _ := r.m.ScheduleOf(sch.ID); kept.Next != 1 || kept.Last != made[0].Ref.ID {
			t.Errorf("%s: %+v", name, kept)
		}
		if len(r.m.AlarmsAt(c.clock)) > 0 {
			t.Errorf("%s: %v", name, r.m.AlarmsAt(c.clock))
		}
	}
}

// made enters a proposal that says to be made for something.
func (p *peer) made(of [32]byte, x Propose) *group.Proposal {
	p.tb.Helper()
	v, err := p.do(x)
	if err != nil {
		p.tb.Fatal(err)
	}
	q, _ := p.m.State.Proposal(v.(Proposed).Proposal)
	b := *q.Body
	if err := b.WithOccasion(of); err != nil {
		p.tb.Fatal(err)
	}
	e := p.forge(p.nextPlace(), &b)
	p.must(EntryIn{e})
	out, ok := p.m.State.Proposal(e.ID())
	if !ok {
		p.tb.Fatal("it is not taken")
	}
	return out
}

// An approver is warned of a second payment for one occasion by one member, however old
// the first is, unless one excludes the other; not by what somebody else says.
func TestOneOccasionIsPaidOnce(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000, 1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	of := [32]byte{1, 2, 3}
	with := func(n byte, coin wire.OutPoint) Propose {
		x := pay(n, 50_000) // to another address each time
		x.Coins, x.Unsigned = []wire.OutPoint{coin}, true
		return x
	}
	first := a.made(of, with(1, coins[0]))
	second := a.made(of, with(2, coins[1]))
	same := a.made(of, with(3, coins[0]))
	foreign := z.made(of, with(4, coins[2]))
	c.settle()
	if _, err := b.do(Approve{Proposal: second.Ref.ID}); err != nil {
		t.Fatalf("while nobody signed the first: %v", err)
	}
	c.settle()
	_, err := b.do(Approve{Proposal: first.Ref.ID})
	mustRefuse(t, err, refusal.DoublePayment)
	if !strings.Contains(err.Error(), second.Ref.ID.String()) {
		t.Error(err)
	}
	b.must(Approve{Proposal: foreign.Ref.ID})
	c.settle()
	a.must(Approve{Proposal: second.Ref.ID})
	c.settle()
	tx, err := theTx(a.m.State, a.m.View, second)
	if err != nil {
		t.Fatal(err)
	}
	c.mine([]*wire.MsgTx{tx})
	for range paidRecently + 10 {
		c.mine(nil)
	}
	for _, q := range []*group.Proposal{first, same} {
		_, err := b.do(Approve{Proposal: q.Ref.ID})
		mustRefuse(t, err, refusal.DoublePayment)
	}
	b.crash()
	_, err = b.do(Approve{Proposal: first.Ref.ID})
	mustRefuse(t, err, refusal.DoublePayment)
	b.must(Approve{Proposal: first.Ref.ID, Allow: []string{refusal.DoublePayment}})
}

// A payment that was bumped is paid, too.
func TestAnOccasionIsPaidByABump(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	of := [32]byte{1, 2, 3}
	x := pay(1, 50_000)
	x.Coins, x.Unsigned = coins[:1], true
	first := a.made(of, x)
	c.settle()
	a.must(Approve{Proposal: first.Ref.ID})
	bump := b.must(Propose{Follows: FollowUp{Bump: first.Ref.ID}, FeeRate: 9000}).(Proposed)
	c.settle()
	q, _ := a.m.State.Proposal(bump.Proposal)
	c.confirm(q, a)
	for range paidRecently + 10 {
		c.mine(nil)
	}
	y := pay(2, 50_000)
	y.Coins, y.Unsigned = coins[1:], true
	second := a.made(of, y)
	c.settle()
	_, err := b.do(Approve{Proposal: second.Ref.ID})
	mustRefuse(t, err, refusal.DoublePayment)
}

// A copy of a node, or one that was off for long, hears those who have to sign before it
// proposes: they may hold what the other copy proposed.
func TestACopyHearsOthersFirst(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a := c.peers[0]
	sch := a.must(c.daily(1, 50_000)).(Planned).Schedule
	copied := *a
	copied.Disk = a.Clone()
	c.pass(25 * time.Hour)
	made, _ := a.run()
	c.settle(a, c.peers[1])
	copied.crash()
	_, errs := copied.propose()
	if len(made) != 1 || len(errs) != 1 || rule(errs[0]) != refusal.Unheard {
		t.Fatalf("%d made, and the copy says %v", len(made), errs)
	}
	// That it hears somebody who holds less than it must know is not enough.
	copied.must(ClaimIn{From: c.peers[1].id(), Claim: port.Claim{Frontier: c.peers[1].m.State.Chains().Frontier()}})
	if _, errs := copied.propose(); len(errs) != 1 || rule(errs[0]) != refusal.Unheard {
		t.Fatal(errs)
	}
	copied.hear(c.peers[1])
	copied.hear(c.peers[1])
	if made, errs := copied.propose(); len(made)+len(errs) > 0 {
		t.Fatalf("%d made by the copy, %v", len(made), errs)
	}
	if kept, _ := copied.m.ScheduleOf(sch.ID); kept.Last != made[0].Ref.ID {
		t.Errorf("%+v", kept)
	}
}

// What cannot be meant is refused, and nothing is kept.
func TestNoSuchSchedule(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	for name, change := range map[string]func(*recurring.Schedule){
		"nobody is paid":   func(s *recurring.Schedule) { s.Outputs = nil },
		"too little":       func(s *recurring.Schedule) { s.Outputs = pay(1, 100).Outputs },
		"nothing":          func(s *recurring.Schedule) { s.Outputs = pay(1, 0).Outputs },
		"all and more":     func(s *recurring.Schedule) { s.All = 1 },
		"all to whom":      func(s *recurring.Schedule) { s.All = 2 },
		"more than all":    func(s *recurring.Schedule) { s.Outputs = pay(1, event.MaxMoney+1).Outputs },
		"a note too long":  func(s *recurring.Schedule) { s.Note = strings.Repeat("x", 2000) },
		"a label of lines": func(s *recurring.Schedule) { s.Outputs[0].Label = "a\nb" },
		"never":            func(s *recurring.Schedule) { s.Until = 1 },
	} {
		x := c.daily(1, 50_000)
		change(&x.Schedule)
		if _, err := a.do(x); err == nil || errors.Is(err, group.ErrFault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range recurring.Most {
		a.must(c.daily(1, 50_000))
	}
	if _, err := a.do(c.daily(1, 50_000)); !errors.Is(err, refusal.ErrBadRequest) {
		t.Errorf("one too many: %v", err)
	}
	if n := len(a.m.Schedules()); n != recurring.Most {
		t.Errorf("%d are kept", n)
	}
	due := recurring.Occasion{Schedule: a.m.Schedules()[0].ID}
	x := pay(1, 50_000)
	for _, x.Occasion = range []*recurring.Occasion{&due, {Schedule: due.Schedule, Period: 7}, {}} {
		if _, err := a.do(x); err == nil {
			t.Errorf("%v is proposed", x.Occasion)
		}
	}
	if _, err := a.do(Passed{due}); err == nil {
		t.Error("it passed")
	}
}

// Why a payment waits is kept, and an alarm after an hour that no log gets amounts from.
func TestAPaymentThatWaitsIsAnAlarm(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(10_000)
	a := c.peers[0]
	sch := a.must(c.daily(1, 50_000)).(Planned).Schedule
	c.pass(25 * time.Hour)
	_, errs := a.run()
	if len(errs) != 1 || rule(errs[0]) != refusal.Funds {
		t.Fatal(errs)
	}
	stands := func() bool {
		return slices.ContainsFunc(a.m.AlarmsAt(c.clock), func(x Alarm) bool {
			return x.Kind == AlarmScheduled && strings.Contains(x.Text, refusal.Funds) && !strings.Contains(x.Text, "50")
		})
	}
	if stands() {
		t.Error("it is an alarm at once")
	}
	c.pass(30 * time.Minute)
	before := string(a.Kept[recSchedule+sch.ID.String()])
	a.must(Delayed{ID: sch.ID, Problem: errs[0].Error(), Code: refusal.Funds})
	a.crash()
	c.pass(31 * time.Minute)
	if !stands() || string(a.Kept[recSchedule+sch.ID.String()]) != before {
		t.Errorf("alarms: %v", a.m.AlarmsAt(c.clock))
	}
	c.fund(1_000_000)
	a.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	if made, errs := a.run(); len(made) != 1 {
		t.Fatal(errs)
	}
	if stands() {
		t.Error("the alarm stays")
	}
}
