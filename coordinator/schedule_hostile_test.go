package coordinator

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/refusal"
)

// What a person paid by hand, or a second schedule pays, is not paid again a day later.
func TestAWarnedPaymentIsNotMadeADayLater(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	once := recurring.Schedule{NotBefore: c.clock.Add(time.Hour).Unix(), Outputs: pay(1, 50_000).Outputs, FeeRate: 2000}
	a.must(Plan{Schedule: once})
	a.must(Plan{Schedule: once}) // sent twice: the first answer was lost
	c.pass(3 * time.Hour)
	made, errs := a.run()
	if len(made) != 1 || len(errs) != 1 || rule(errs[0]) != refusal.DoublePayment {
		t.Fatal(made, errs)
	}
	c.confirm(made[0], b)
	for i := range 150 {
		c.pass(10 * time.Minute)
		made, _ := a.run()
		if len(made) > 0 {
			t.Fatalf("paid a second time, by itself, %d blocks later", i)
		}
	}
	if stands := a.m.AlarmsAt(c.clock); len(stands) != 1 || stands[0].Kind != AlarmScheduled {
		t.Errorf("that a person has to look is no alarm: %v", stands)
	}
	for _, sch := range a.m.Schedules() {
		a.must(Resume{sch.ID})
	}
	if made, errs := a.run(); len(made) != 1 {
		t.Errorf("a person looked at it: %v", errs)
	}
}

// No period is proposed beside an earlier one that may still be paid, however many lie between.
func TestAPeriodStaysOpen(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000)
	a := c.peers[0]
	x := c.daily(1, 50_000)
	sch := a.must(x).(Planned).Schedule
	c.pass(25 * time.Hour)
	due := recurring.Occasion{Schedule: sch.ID}
	a.hear(c.peers[1:]...)
	a.hear(c.peers[1:]...)
	a.must(Propose{Outputs: sch.Outputs, FeeRate: 2000, Unsigned: true, Occasion: &due, Expires: c.clock.Add(300 * 24 * time.Hour)})
	c.pass(24 * time.Hour)
	for day := range 70 {
		made, errs := a.run()
		if len(made) > 0 {
			t.Fatalf("day %d: the first is pending, and %d more are proposed (%v)", day, len(made), errs)
		}
		c.pass(24 * time.Hour)
	}
}

// A copy does not pay what the other one had signed by somebody whom the copy did not hear.
func TestACopyThatHearsTheWrongOne(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	a.must(c.daily(1, 50_000))
	copied := *a
	copied.Disk = a.Clone()
	c.pass(25 * time.Hour)
	a.hear(z)
	a.hear(z)
	made, _ := a.propose()
	if len(made) != 1 {
		t.Fatal("nothing made")
	}
	c.settle(a, z) // b is off
	z.must(Approve{Proposal: made[0].Ref.ID})
	c.settle(a, z)
	tx, err := theTx(a.m.State, a.m.View, made[0])
	if err != nil {
		t.Fatal(err)
	}
	// a's disk is set back, z is off, b is on
	copied.crash()
	c.mine([]*wire.MsgTx{tx}, a, b, z, &copied)
	copied.hear(b)
	copied.hear(b)
	again, errs := copied.propose()
	if len(again) > 0 || len(errs) != 1 || rule(errs[0]) != refusal.DoublePayment {
		t.Fatalf("the copy proposes %d again, %v", len(again), errs)
	}
}

// Of a wallet where one signature suffices a copy pays nothing twice.
func TestACopyWhereOneSignatureSuffices(t *testing.T) {
	c := active(t, 1, 2)
	c.fund(1_000_000, 1_000_000)
	a := c.peers[0]
	a.must(c.daily(1, 50_000))
	copied := *a
	copied.Disk = a.Clone()
	c.pass(25 * time.Hour)
	made, errs := a.run()
	if len(made) != 1 {
		t.Fatal(errs)
	}
	c.settle(a, c.peers[1])
	tx, err := theTx(a.m.State, a.m.View, made[0])
	if err != nil {
		t.Fatal(err)
	}
	copied.crash()
	c.mine([]*wire.MsgTx{tx}, c.peers[0], c.peers[1], &copied)
	if again, errs := copied.propose(); len(again) > 0 || len(errs) != 1 || rule(errs[0]) != refusal.Unheard {
		t.Fatalf("%d proposed again without having heard anybody, %v", len(again), errs)
	}
}

// What an archived wallet was to pay is not paid months later without a word.
func TestAnArchivedWalletPaysNothingWhenItIsTakenUp(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	a.must(Plan{Schedule: recurring.Schedule{NotBefore: c.clock.Add(time.Hour).Unix(), Outputs: pay(1, 50_000).Outputs, FeeRate: 2000}})
	a.must(Archive{Allow: []string{refusal.NotEmpty}})
	c.pass(200 * 24 * time.Hour)
	if stands := a.m.AlarmsAt(c.clock); len(stands) != 1 || stands[0].Kind != AlarmScheduled {
		t.Errorf("alarms: %v", stands)
	}
	a.must(Archive{Undo: true})
	if made, errs := a.run(); len(made) > 0 {
		t.Errorf("paid 200 days late, with no question (%v)", errs)
	}
	a.must(Resume{a.m.Schedules()[0].ID})
	if made, errs := a.run(); len(made) != 1 {
		t.Errorf("a person looked at it: %v", errs)
	}
}

// A hostile or empty claim is not "heard".
func TestAClaimOfNothingIsNotHeard(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	a.must(c.daily(1, 50_000))
	copied := *a
	copied.Disk = a.Clone()
	c.pass(25 * time.Hour)
	made, _ := a.run()
	if len(made) != 1 {
		t.Fatal("nothing is made")
	}
	c.settle(a, b)
	copied.crash()
	copied.must(ClaimIn{From: z.id()}) // holds nothing, it says
	if again, errs := copied.propose(); len(again) > 0 {
		t.Errorf("proposed again after a claim of nothing (%v)", errs)
	}
}

// The warning of a second payment is of the transaction, whichever entry it is approved by.
func TestACopiedEntryIsWarnedOf(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	of := [32]byte{1, 2, 3}
	with := func(n byte, coin wire.OutPoint) Propose {
		x := pay(n, 50_000)
		x.Coins, x.Unsigned = []wire.OutPoint{coin}, true
		return x
	}
	first := a.made(of, with(1, coins[0]))
	second := a.made(of, with(2, coins[1]))
	c.settle()
	a.must(Approve{Proposal: first.Ref.ID})
	c.settle()
	a.must(Approve{Proposal: second.Ref.ID, Allow: []string{refusal.DoublePayment}})
	c.settle()
	b.must(Approve{Proposal: first.Ref.ID, Allow: []string{refusal.DoublePayment}})
	c.settle()
	_, err := b.do(Approve{Proposal: second.Ref.ID})
	mustRefuse(t, err, refusal.DoublePayment)
	body := *second.Body
	body.Occasion = nil
	e, err := z.wild(&body) // z copies it
	if err != nil {
		t.Fatal(err)
	}
	c.settle()
	if _, err := b.do(Approve{Proposal: e.ID()}); err == nil {
		q, _ := b.m.State.Proposal(second.Ref.ID)
		t.Errorf("approved by the copy without a warning; final: %v", b.m.State.Final(q))
	}
}

// A bump of a payment whose payees pay the fee keeps what they get.
func TestABumpKeepsWhatPayeesGet(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	x := pay(1, 100_000)
	x.FeeFrom = []int{1}
	p := a.proposed(x)
	q := a.proposed(Propose{Follows: FollowUp{Bump: p.Ref.ID}, FeeRate: 9000})
	if paysTo(p, recipient(1)) != paysTo(q, recipient(1)) {
		t.Errorf("payee %d, then %d", paysTo(p, recipient(1)), paysTo(q, recipient(1)))
	}
}

// What the chain shows to be paid counts, though no entry here tells of it.
func TestWhatTheChainShowsIsPaid(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	x := pay(1, 50_000)
	x.Coins = coins[:1]
	p := a.proposed(x)
	c.settle(a, b)
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle(a, b) // and nothing comes to z
	tx, err := theTx(b.m.State, b.m.View, p)
	if err != nil {
		t.Fatal(err)
	}
	z.sees(tx)
	y := pay(1, 70_000)
	y.Coins = coins[1:]
	for range 2 {
		_, err := z.do(y)
		mustRefuse(t, err, refusal.DoublePayment)
		c.mine([]*wire.MsgTx{tx}, z)
	}
	for range paidRecently {
		c.mine(nil, z)
	}
	z.must(y)
}

// What was given up with a signature that is out keeps the next period waiting, until its
// coins are taken back.
func TestACancelEndsAPeriod(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	a.must(c.daily(1, 50_000))
	c.pass(25 * time.Hour)
	made, _ := a.run()
	c.pass(24 * time.Hour)
	if more, errs := a.run(); len(more) > 0 || rule(errs[0]) != refusal.PeriodOpen {
		t.Fatal(more, errs)
	}
	q := a.proposed(Propose{Follows: FollowUp{Cancel: made[0].Ref.ID}, FeeRate: 9000})
	c.confirm(q, b)
	for range 6 {
		c.mine(nil)
	}
	if more, errs := a.run(); len(more) != 1 {
		t.Error(errs)
	}
}

// A node whose signer did not answer signs what it proposed later, unless it was decided.
func TestWhatIsNotSignedIsToldAndSignedLater(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a := c.peers[0]
	for _, once := range []bool{true, false} {
		x := c.daily(1, 50_000)
		if once {
			x.Schedule.Rhythm, x.Schedule.NotBefore = recurring.Rhythm{}, c.clock.Add(time.Hour).Unix()
		}
		x.Schedule.Outputs = pay(byte(30+b2i(once)), 50_000).Outputs
		a.must(x)
		c.pass(25 * time.Hour)
		due := a.m.DueSchedules(c.clock)
		a.hear(c.peers[1:]...)
		a.hear(c.peers[1:]...)
		p := a.proposed(Propose{Outputs: x.Schedule.Outputs, FeeRate: 2000, Occasion: &due[0], Unsigned: true, Expires: c.clock.Add(99 * time.Hour)})
		a.crash()
		left := a.m.UnsignedSchedules()
		if len(left) != 1 || left[0].Last != p.Ref.ID || !a.m.MaySignDue(left[0], c.clock) {
			t.Fatalf("once %v: to be signed %+v", once, left)
		}
		c.clock = c.clock.Add(2 * time.Hour)
		if stands := a.m.AlarmsAt(c.clock); len(stands) != 1 || stands[0].Kind != AlarmScheduled {
			t.Errorf("once %v: alarms %v", once, stands)
		}
		a.must(Reject{Proposal: p.Ref.ID, Reason: "no"})
		if a.m.MaySignDue(left[0], c.clock) {
			t.Error("its user is against it, and it signs")
		}
		a.must(Approve{Proposal: p.Ref.ID})
		a.must(Settled{left[0].ID})
		if n := len(a.m.UnsignedSchedules()); n > 0 || len(a.m.AlarmsAt(c.clock)) > 0 {
			t.Errorf("once %v: %d are left", once, n)
		}
		if n := len(a.m.Schedules()); n != b2i(!once) {
			t.Errorf("once %v: %d schedules", once, n)
		}
	}
}

// A request that is sent twice makes one schedule, also after a restart, and none once
// that is over.
func TestARepeatedPlanIsOne(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	x := c.daily(1, 50_000)
	x.RequestID, x.Terms = "rent", "every day"
	first := a.must(x).(Planned).Schedule
	a.crash()
	if again := a.must(x).(Planned).Schedule; again.ID != first.ID || len(a.m.Schedules()) != 1 {
		t.Errorf("%v, then %v", first.ID, again.ID)
	}
	y := x
	y.Terms = "every week"
	_, err := a.do(y)
	mustRefuse(t, err, refusal.RequestReused)
	a.must(Unplan{first.ID})
	a.crash()
	_, err = a.do(x)
	mustRefuse(t, err, refusal.RequestReused)
	if len(a.m.Schedules()) > 0 {
		t.Error("it is made again")
	}
}

// What is due and of which nothing is said, since the node hangs over it, is an alarm too.
func TestAPaymentThatHangsIsAnAlarm(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	a.must(c.daily(1, 50_000))
	c.pass(28 * time.Hour)
	if n := len(a.m.AlarmsAt(c.clock)); n > 0 {
		t.Errorf("%d alarms at the start", n)
	}
	for range hungTicks {
		a.must(Tick{})
	}
	if stands := a.m.AlarmsAt(c.clock); len(stands) != 1 || stands[0].Kind != AlarmScheduled {
		t.Errorf("alarms: %v", stands)
	}
}

// What is to be signed stays so whatever else hinders, and is not signed by itself once
// somebody may be paid twice: a person looks, and then it is signed.
func TestWhatIsToBeSignedWaitsForAPersonToo(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a := c.peers[0]
	x := c.daily(1, 50_000)
	x.Schedule.Rhythm, x.Schedule.NotBefore = recurring.Rhythm{}, c.clock.Add(time.Hour).Unix()
	a.must(x)
	c.pass(25 * time.Hour)
	due := a.m.DueSchedules(c.clock)
	a.hear(c.peers[1:]...)
	a.hear(c.peers[1:]...)
	a.must(Propose{Outputs: x.Schedule.Outputs, FeeRate: 2000, Occasion: &due[0], Unsigned: true, Expires: c.clock.Add(99 * time.Hour)})
	a.must(Delayed{ID: due[0].Schedule, Problem: "the one before is open", Code: refusal.PeriodOpen})
	a.crash()
	if left := a.m.UnsignedSchedules(); len(left) != 1 || left[0].Problem != "the one before is open" {
		t.Fatalf("to be signed %+v", left)
	}
	a.must(Delayed{ID: due[0].Schedule, Problem: "paid by hand", Code: refusal.DoublePayment})
	a.crash()
	sch, ok := a.m.ScheduleOf(due[0].Schedule)
	if !ok || len(a.m.UnsignedSchedules()) > 0 || a.m.MaySignDue(sch, c.clock) || !a.m.Held(sch) {
		t.Fatalf("it is signed by itself: %+v", sch)
	}
	again := a.must(Resume{sch.ID}).(Planned).Schedule
	if !a.m.MaySignDue(again, c.clock) || len(a.m.UnsignedSchedules()) != 1 {
		t.Errorf("a person looked, and it is not signed: %+v", again)
	}
}
