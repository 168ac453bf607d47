package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
)

// among has some peers hear each other, and nobody else, as hear does.
func (r *robots) among(of ...*peer) {
	r.tb.Helper()
	for range 3 {
		r.settle(of...)
		for _, to := range of {
			for _, from := range of {
				if to != from {
					to.must(ClaimIn{from.id(), claimOf(from)})
				}
			}
		}
		for _, p := range of {
			p.must(Tick{})
		}
	}
	r.settle(of...)
}

// passAmong lets time pass while some peers alone hear each other.
func (r *robots) passAmong(d time.Duration, of ...*peer) {
	r.tb.Helper()
	for at := r.clock.Add(d); r.clock.Before(at); {
		r.clock = r.clock.Add(10 * time.Minute)
		r.mine(nil)
		r.among(of...)
	}
}

// votesAmong puts a policy to the vote of the humans while some peers alone hear each other.
func (r *robots) votesAmong(p *policy.Policy, parent event.PolicyVersion, of ...*peer) event.PolicyVersion {
	r.tb.Helper()
	b := &event.PolicyProposed{Bytes: policy.Encode(p), Parents: []event.PolicyVersion{parent}}
	v := b.Version(r.humans[0].m.State.Group())
	r.humans[0].must(says{b})
	r.settle(of...)
	for _, h := range r.humans[:r.humans[0].m.State.Genesis().Threshold] {
		h.must(says{&event.PolicyApproved{Version: v}})
	}
	r.settle(of...)
	return v
}

// While robots move over to a policy, one that has no share yet waits for it. Were that taken
// for a payment above the limit, an escalation would be used up, or it would be denied, by the
// group's having added a robot.
func TestAShareThatComesLaterIsWaitedFor(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana, boris := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
	r.fund(100_000, 100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Robots, p.Tolerate = r.keysOf(one), 1
	first := r.votes(p)
	r.hear()
	q := r.suppliers(50_000)
	q.Tolerate = 1
	q.Rules[0].Require.AmountMax, q.Meters[0].Limit = 100_000, 120_000 // of which each may sign a half, by itself
	q.Rules[0].Else, q.Rules[0].Steps = policy.Ask, []policy.Step{{Who: policy.Who{Groups: []uint64{0}}, N: 1, Within: 3600}}
	v := r.votesAmong(q, first, ana, boris, two)
	r.passAmong(30*time.Hour, ana, boris, two)
	if got, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(two))); got != v {
		t.Fatal("the new robot does not follow the policy")
	}
	id := ana.proposes(pay(70, 45_000))
	r.among(ana, boris, two)
	if two.signed(id) || !outcome(r.verdict(two, id), policy.OutcomeWait, "meter_full") {
		t.Fatalf("while the other one has not moved it says %+v", r.verdict(two, id))
	}
	r.passAmong(2*time.Hour, ana, boris, two)
	if got := r.verdict(two, id); got.Step != 0 || !outcome(got, policy.OutcomeWait, "meter_full") {
		t.Fatalf("while the other one has not moved it says %+v", got)
	}
	above := ana.proposes(pay(71, 60_001))
	r.among(ana, boris, two)
	if got := r.verdict(two, above); !outcome(got, policy.OutcomeAsk, "meter_max") {
		t.Fatalf("of what no share will ever let out it says %+v", got)
	}
	r.pass(3 * time.Hour)
	if !one.signed(id) && !two.signed(id) {
		t.Fatalf("once both follow it they say %+v, %+v", r.verdict(one, id), r.verdict(two, id))
	}
}

// limited is suppliers with a meter of so much a day, of which the others leave a part to the
// pool.
func (r *robots) limited(limit int64, pool uint64, of ...*peer) *policy.Policy {
	p := r.suppliers(limit)
	p.Meters[0].Limit, p.Meters[0].Pool, p.Tolerate, p.Robots = limit, pool, 1, r.keysOf(of...)
	return p
}

// coins funds the wallet for payments of all sorts.
func (r *robots) coins(n int) {
	var out []int64
	for range n {
		out = append(out, 100_000)
	}
	r.fund(out...)
}

// What a robot signed before it followed the policy in force counts against the shares of the
// others, also where they hear of the payment when all follow that policy.
func TestWhatIsHeardAfterAMoveCounts(t *testing.T) {
	r := withRobots(t, 2, 5, 2)
	one, two, ana, boris, evil := r.robots[0], r.robots[1], r.humans[0], r.humans[1], r.humans[2]
	r.coins(12)
	first := r.votes(r.limited(180_000, 0, one, two)) // each may sign 90,000
	r.hear()
	x := evil.proposes(pay(70, 85_000))
	r.settle(evil, two)
	if !two.signed(x) {
		t.Fatalf("it does not sign below its share: %+v", r.verdict(two, x))
	}
	second := r.votesAmong(r.limited(100_000, 0, one, two), first, ana, boris, one)
	two.ownTo(one)
	for _, from := range []*peer{ana, boris} {
		from.ownTo(two)
	}
	for range 3 {
		for _, to := range []*peer{one, two} {
			for _, from := range r.peers {
				if from != to && from != evil {
					to.must(ClaimIn{from.id(), claimOf(from)})
				}
			}
			to.must(Tick{})
		}
		two.ownTo(one)
		one.ownTo(two)
	}
	for _, bot := range r.robots {
		if v, _, _ := one.m.State.PolicyAdopted(int(r.keyOf(bot))); v != second {
			t.Fatalf("%s does not follow the tighter policy", bot.name)
		}
	}
	if _, known := one.m.State.Proposal(x); known {
		t.Fatal("the test wants the payment not to be known yet")
	}
	evil.ownTo(one)
	y := ana.proposes(pay(71, 20_000)) // its own share is 50,000, of which the other one used 35,000
	r.settle(ana, boris, one)
	if one.signed(y) {
		t.Fatal("what the other one signed before it moved over counts for nothing")
	}
	z := ana.proposes(pay(72, 10_000))
	r.settle(ana, boris, one)
	if !one.signed(z) {
		t.Fatalf("what is left of the share is not signed: %+v", r.verdict(one, z))
	}
}

// A robot that the next policy leaves out may sign by what it was granted, until it says that
// it heard: that counts against the share of the one that stays.
func TestWhatWasGrantedToOneThatIsLeftOutCounts(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana, boris := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
	r.coins(12)
	first := r.votes(r.limited(100_000, 50, one, two)) // each 25,000, and 50,000 with the other's leave
	r.hear()
	x := ana.proposes(pay(70, 40_000))
	r.among(ana, two)
	if r.reservations(two) != 1 {
		t.Fatal("it did not ask for leave")
	}
	two.ownTo(one)
	ana.ownTo(one)
	for range 3 {
		for _, from := range []*peer{ana, boris, two} {
			one.must(ClaimIn{from.id(), claimOf(from)})
		}
		one.must(Tick{})
	}
	if n := one.m.State.BudgetEntries(); n < 2 {
		t.Fatalf("it gave no leave: %d", n)
	}
	ana.must(Withdraw{Proposal: x}) // the other one does not hear
	second := r.votesAmong(r.limited(100_000, 0, one), first, ana, boris, one)
	r.passAmong(90*time.Minute, ana, boris, one)
	if v, _, _ := one.m.State.PolicyAdopted(int(r.keyOf(one))); v != second {
		t.Fatal("it does not follow the policy that leaves the other one out")
	}
	y := ana.proposes(pay(71, 36_000)) // 100,000 less a share of 25,000 and 40,000
	r.among(ana, boris, one)
	if one.signed(y) {
		t.Fatal("what it granted the other one counts for nothing")
	}
	z := ana.proposes(pay(72, 20_000))
	r.among(ana, boris, one)
	if !one.signed(z) {
		t.Fatalf("what is left is not signed: %+v", r.verdict(one, z))
	}
}

// After a window what is known to be signed by one that was left out still counts: it can be
// used for ever.
func TestWhatOneThatIsLeftOutSignedCountsOn(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana, boris := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
	r.coins(12)
	first := r.votes(r.limited(100_000, 0, one, two))
	r.hear()
	w := ana.proposes(pay(73, 20_000))
	r.settle(ana, one)
	x := boris.proposes(pay(70, 45_000))
	r.settle(boris, two)
	if !one.signed(w) || !two.signed(x) {
		t.Fatal("they did not sign")
	}
	r.settle(ana, two, boris)
	boris.ownTo(one)
	two.ownTo(one)
	if one.signed(x) {
		t.Fatal("the test wants it to be signed by the other one alone")
	}
	second := r.votesAmong(r.limited(100_000, 0, one), first, ana, boris, one)
	r.passAmong(30*time.Hour, ana, boris, one)
	if v, _, _ := one.m.State.PolicyAdopted(int(r.keyOf(one))); v != second {
		t.Fatal("it does not follow the policy that leaves the other one out")
	}
	y := ana.proposes(pay(71, 60_000))
	r.among(ana, boris, one)
	if one.signed(y) {
		t.Fatalf("a signature that is known and can be used counts for nothing: %+v", r.verdict(one, y))
	}
	z := ana.proposes(pay(72, 30_000))
	r.among(ana, boris, one)
	if !one.signed(z) {
		t.Fatalf("what is left is not signed: %+v", r.verdict(one, z))
	}
}

// One that was left out a moment ago, and may not have heard, counts on when the policy changes
// once more.
func TestASecondChangeForgetsNobody(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	r.coins(12)
	first := r.votes(r.limited(100_000, 0, r.robots...)) // each may sign 50,000
	r.hear()
	second := r.votesAmong(r.limited(100_000, 0, one), first, ana, boris, one)
	r.passAmong(90*time.Minute, ana, boris, one)
	third := r.limited(100_000, 0, one)
	third.Rules[0].Require.AmountMax = 70_000
	v := r.votesAmong(third, second, ana, boris, one)
	r.among(ana, boris, one)
	if got, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one))); got != v {
		t.Fatal("a tighter policy is not followed at once")
	}
	y := ana.proposes(pay(71, 60_000))
	r.among(ana, boris, one)
	if one.signed(y) {
		t.Fatal("one that was left out an hour ago counts for nothing")
	}
	z := ana.proposes(pay(72, 45_000))
	r.among(ana, boris, one)
	if !one.signed(z) {
		t.Fatalf("what is left is not signed: %+v", r.verdict(one, z))
	}
	r.passAmong(27*time.Hour, ana, boris, one)
	x := ana.proposes(pay(73, 50_000))
	r.among(ana, boris, one)
	if !one.signed(x) {
		t.Fatalf("after a window it is not forgotten: %+v", r.verdict(one, x))
	}
}

// One that was left out, and says that it heard of that and of what came after, counts on with
// what it signed before.
func TestOneThatWasLeftOutTwiceCountsOn(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana, boris := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
	r.coins(12)
	first := r.votes(r.limited(100_000, 0, one, two)) // each may sign 50,000
	r.hear()
	unsigned := pay(70, 45_000)
	unsigned.Unsigned = true
	x := boris.proposes(unsigned)
	r.settle(boris, two)
	if !two.signed(x) {
		t.Fatalf("it did not sign: %+v", r.verdict(two, x))
	}
	boris.must(Withdraw{Proposal: x}) // it can be used all the same
	one.must(PauseRobot{Paused: true})
	second := r.votesAmong(r.limited(100_000, 0, one), first, ana, boris, one)
	r.passAmong(90*time.Minute, r.peers...)
	third := r.limited(100_000, 0, one)
	third.Rules[0].Require.AmountMax = 70_000
	v := r.votesAmong(third, second, r.peers...)
	r.among(r.peers...)
	one.must(PauseRobot{Paused: false})
	for _, bot := range r.robots {
		if got, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(bot))); got != v {
			t.Fatal("one does not follow the last policy")
		}
	}
	if one.signed(x) {
		t.Fatalf("the test wants it to be signed by the one that is left out, alone: %+v", r.verdict(one, x))
	}
	y := ana.proposes(pay(71, 60_000))
	r.among(r.peers...)
	if one.signed(y) {
		t.Fatalf("105,000 can leave, of 100,000: %+v", r.verdict(one, y))
	}
	z := ana.proposes(pay(72, 50_000))
	r.among(r.peers...)
	if !one.signed(z) {
		t.Fatalf("what is left is not signed: %+v", r.verdict(one, z))
	}
}
