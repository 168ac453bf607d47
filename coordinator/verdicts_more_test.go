package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// pass lets time pass, with a block for each ten minutes.
func (r *robots) pass(d time.Duration) {
	r.tb.Helper()
	for at := r.clock.Add(d); r.clock.Before(at); {
		r.clock = r.clock.Add(10 * time.Minute)
		r.mine(nil)
		r.hear()
	}
}

// In the delay somebody may be against it, and that ends it; without, it is signed when the
// delay is over and not before.
func TestARobotWaitsOutADelay(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	r.fund(100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Rules[0].Require.Delay = 3600
	r.votes(p)
	r.hear()
	one, two := ana.proposes(pay(70, 10_000)), ana.proposes(pay(71, 11_000))
	r.settle()
	for _, id := range []journal.EntryID{one, two} {
		if v := r.verdict(bot, id); !outcome(v, policy.OutcomeWait, "delay") || v.Fulfilled == 0 || bot.signed(id) {
			t.Fatalf("it says %+v", v)
		}
	}
	boris.must(Reject{Proposal: two, Reason: "not this one"})
	r.pass(50 * time.Minute)
	if bot.signed(one) {
		t.Fatal("it signed in the delay")
	}
	if v := r.verdict(bot, two); !outcome(v, policy.OutcomeDeny, "rejected") {
		t.Fatalf("what was rejected in the delay: %+v", v)
	}
	bot.crash() // a restart does not begin the delay anew
	r.pass(20 * time.Minute)
	if !bot.signed(one) || bot.signed(two) {
		t.Fatalf("after the delay: %+v, %+v", r.verdict(bot, one), r.verdict(bot, two))
	}
}

// Above the limit the board is asked: an answer lets the robot sign within the bounds of its
// step; without one the next is asked, and at last it denies.
func TestARobotAsks(t *testing.T) {
	r := withRobots(t, 4, 5, 1)
	bot, ana, boris, chen, dora := r.robots[0], r.humans[0], r.humans[1], r.humans[2], r.humans[3]
	r.fund(100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Groups = []policy.Group{{Name: "board", Keys: r.keysOf(boris, chen)}, {Name: "humans", Keys: r.keysOf(r.humans...)}}
	p.Rules[0].When.Initiators = policy.Who{Groups: []uint64{1}}
	p.Rules[0].Else = policy.Ask
	p.Rules[0].Steps = []policy.Step{
		{Who: policy.Who{Groups: []uint64{0}}, N: 1, Within: 3600, AmountMax: 80_000, Meters: []uint64{0}},
		{Who: policy.Who{Keys: r.keysOf(dora)}, Within: 3600},
	}
	r.votes(p)
	r.hear()
	answered, unanswered := ana.proposes(pay(70, 60_000)), ana.proposes(pay(71, 61_000))
	r.settle()
	if v := r.verdict(bot, answered); !outcome(v, policy.OutcomeAsk, "amount_max") || v.Step != 1 {
		t.Fatalf("it says %+v", v)
	}
	dora.must(Approve{Proposal: answered}) // is of no board
	r.settle()
	if bot.signed(answered) {
		t.Fatal("it took the answer of whom it did not ask")
	}
	chen.must(Reject{Proposal: unanswered})
	boris.must(Approve{Proposal: answered})
	r.settle()
	if !bot.signed(answered) {
		t.Fatalf("it did not sign on the answer: %+v", r.verdict(bot, answered))
	}
	r.pass(70 * time.Minute)
	if v := r.verdict(bot, unanswered); !outcome(v, policy.OutcomeAsk, "amount_max") || v.Step != 2 {
		t.Fatalf("after the first step it says %+v", v)
	}
	r.pass(70 * time.Minute)
	if v := r.verdict(bot, unanswered); !outcome(v, policy.OutcomeDeny, "amount_max", "unanswered") || bot.signed(unanswered) {
		t.Fatalf("after the last step it says %+v", v)
	}
}

// After every start a robot signs nothing until it has heard as many as its policy asks for.
func TestARobotListensFirst(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	p := r.suppliers(50_000)
	p.StartQuorum = 2
	r.votes(p)
	r.hear()
	bot.crash()
	id := ana.proposes(pay(70, 10_000))
	r.settle()
	bot.must(ClaimIn{ana.id(), claimOf(ana)})
	bot.must(Tick{})
	r.settle()
	if s, _ := bot.m.Robot(); bot.signed(id) || s.Heard != 1 {
		t.Fatalf("having heard one of two it signs: %+v", s)
	}
	r.hear()
	if !bot.signed(id) {
		t.Fatalf("having heard all it says %+v", r.verdict(bot, id))
	}
}

// A looser policy takes its delay, by clock and by height, with its votes standing; a tighter
// one is in force at once, and does not wait behind it.
func TestARobotFollows(t *testing.T) {
	r := withRobots(t, 2, 4, 1)
	bot, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	first := r.votes(r.suppliers(50_000))
	r.hear()
	follows := func() event.PolicyVersion {
		v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(bot)))
		return v
	}
	if follows() != first {
		t.Fatal("the first policy waits")
	}
	looser := r.votes(r.suppliers(60_000), first)
	r.hear()
	if a, ok := ana.m.State.PolicyAnchor(int(r.keyOf(bot)), looser); !ok || len(a.Votes) != 2 {
		t.Fatal("it did not anchor what has its votes")
	}
	r.pass(50 * time.Minute)
	if follows() != first {
		t.Fatal("it followed before the delay was over")
	}
	// A vote that is taken back and given again begins it anew.
	boris.must(says{&event.PolicyObjected{Version: looser}})
	r.hear()
	boris.must(says{&event.PolicyApproved{Version: looser}})
	r.pass(20 * time.Minute)
	if follows() != first {
		t.Fatal("the delay ran while a vote was taken back")
	}
	// By the clock alone it is not over: blocks have to come.
	r.clock = r.clock.Add(2 * time.Hour)
	r.hear()
	if follows() != first {
		t.Fatal("it went by the clock alone")
	}
	tighter := r.votes(r.suppliers(40_000), first)
	r.hear()
	if follows() != tighter {
		t.Fatal("a tighter one waits")
	}
	// Its votes moved on, and what follows the first is void.
	r.pass(3 * time.Hour)
	if follows() != tighter {
		t.Fatal("it followed a policy in the place of one that is not in force")
	}
	again := r.votes(r.suppliers(60_000), tighter)
	r.pass(70 * time.Minute)
	if follows() != again {
		t.Fatal("it does not follow what stood all the delay")
	}
}

// Two robots that do not hear each other let no more out than one limit, and a policy with
// another share gives neither more before the other follows it.
func TestRobotsShareAMeter(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Meters[0].Limit, p.Tolerate = 100_000, 1
	first := r.votes(p)
	r.hear()
	var ids []journal.EntryID
	for n := range 4 {
		ids = append(ids, ana.proposes(pay(70+byte(n), 45_000)))
	}
	r.settle(ana, one)
	r.settle(ana, two)
	for _, bot := range []*peer{one, two} {
		n := 0
		for _, id := range ids {
			if bot.signed(id) {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%s signed %d payments, its share is one", bot.name, n)
		}
	}
	// The other one does not hear of the policy that takes it out: the one that stays must
	// not have the whole limit before it knows.
	q := r.suppliers(50_000)
	q.Meters[0].Limit, q.Tolerate, q.Robots = 100_000, 1, r.keysOf(one)
	b := &event.PolicyProposed{Bytes: policy.Encode(q), Parents: []event.PolicyVersion{first}}
	v := b.Version(ana.m.State.Group())
	ana.must(says{b})
	apart := []*peer{r.humans[0], r.humans[1], one}
	r.settle(apart...)
	for _, h := range r.humans {
		h.must(says{&event.PolicyApproved{Version: v}})
	}
	r.settle(apart...)
	for range 10 {
		r.clock = r.clock.Add(10 * time.Minute)
		r.mine(nil)
		for _, from := range apart {
			one.must(ClaimIn{from.id(), claimOf(from)})
		}
		one.must(Tick{})
		r.settle(apart...)
	}
	if got, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one))); got != v {
		t.Fatal("it does not follow the policy")
	}
	more := ana.proposes(pay(80, 5_000))
	r.settle(apart...)
	if one.signed(more) {
		t.Fatal("it took over the share of one that may not know")
	}
	_ = two
}

// A node in shadow says what a robot would do, and its key signs for its human alone.
func TestAShadowSignsNothing(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	bot.mode, bot.m = robot.Shadow, bot.m.AsRobot(robot.Shadow, nil)
	r.fund(100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	id := ana.proposes(pay(70, 10_000))
	r.settle()
	if v := r.verdict(bot, id); bot.signed(id) || !outcome(v, policy.OutcomeSign) || !v.Shadow {
		t.Fatalf("in shadow it says %+v", v)
	}
	bot.must(Approve{Proposal: id})
	if !bot.signed(id) {
		t.Fatal("its human cannot sign")
	}
}

// An operator stops his robot, over restarts, and has it go on.
func TestARobotIsPaused(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	bot.must(PauseRobot{Paused: true})
	bot.crash()
	id := ana.proposes(pay(70, 10_000))
	r.hear()
	if s, _ := bot.m.Robot(); bot.signed(id) || s.Unready != "paused" {
		t.Fatalf("paused it signs: %+v", s)
	}
	bot.must(PauseRobot{})
	r.settle()
	if !bot.signed(id) {
		t.Fatalf("it goes on and says %+v", r.verdict(bot, id))
	}
	if _, err := ana.do(PauseRobot{}); refusalCode(err) != refusal.NoRobot {
		t.Fatalf("a human's node: %v", err)
	}
}

// A verdict and the signatures that it lets out are in one commit: whatever the disk does, no
// signature is without one and nothing is charged twice.
func TestARobotsCommitFails(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	p := r.suppliers(50_000)
	p.Meters[0].Limit = 25_000
	r.votes(p)
	r.hear()
	id := ana.proposes(pay(70, 20_000))
	bot.failing = true
	r.settle()
	bot.failing = false
	if bot.signed(id) {
		t.Fatal("a signature without a disk")
	}
	bot.crash()
	r.hear()
	if !bot.signed(id) {
		t.Fatalf("after the disk came back it says %+v", r.verdict(bot, id))
	}
	s, ok := bot.m.Robot()
	if !ok || len(s.Meters) != 1 || s.Meters[0].Used < 20_000 || s.Meters[0].Used > 22_000 {
		t.Fatalf("its meter: %+v", s.Meters)
	}
}

// Nobody makes a robot write without end.
func TestARobotsWordsAreCounted(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	r.fund(100_000, 100_000)
	p := r.suppliers(50_000)
	p.Rules[0].Require.Approvals = []policy.Approval{{Of: policy.Who{Keys: r.keysOf(boris)}, N: 1}}
	p.Rules[0].Require.Delay = 3600
	r.votes(p)
	r.hear()
	unsigned := pay(70, 10_000)
	unsigned.Unsigned = true
	id := ana.proposes(unsigned)
	r.settle()
	boris.must(Approve{Proposal: id})
	r.settle()
	for range 40 {
		ana.must(Reject{Proposal: id, Reason: "no"})
		r.settle()
		ana.must(says{&event.RejectionWithdrawn{Proposal: id}})
		r.settle()
	}
	_, n, _ := ana.m.State.VerdictBy(bot.id(), id)
	if v := r.verdict(bot, id); n != maxVerdicts || !outcome(v, policy.OutcomeDeny, "too_many_verdicts") {
		t.Fatalf("it wrote %d verdicts, the last is %+v", n, v)
	}
	r.pass(2 * time.Hour)
	if bot.signed(id) {
		t.Fatal("it signed without a verdict")
	}
}
