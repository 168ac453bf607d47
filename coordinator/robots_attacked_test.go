package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

func over(x Propose, coin wire.OutPoint) Propose {
	x.Coins = []wire.OutPoint{coin}
	return x
}

// End to end: one limit of 100,000 in all three policies; 45,000 and 95,000 leave in a window.
func TestOneThatIsTakenInAgain(t *testing.T) {
	r := withRobots(t, 2, 5, 2)
	one, two, ana, boris, evil := r.robots[0], r.robots[1], r.humans[0], r.humans[1], r.humans[2]
	coins := r.fund(100_000, 100_000, 100_000, 100_000)
	first := r.votes(r.limited(100_000, 0, two))
	r.hear()
	if v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(two))); v != first {
		t.Fatal("it does not follow")
	}
	// two is cut off, but for the bad one.
	second := r.votesAmong(r.limited(100_000, 0, one), first, ana, boris, one)
	r.passAmong(90*time.Minute, ana, boris, one)
	if v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one))); v != second {
		t.Fatal("it does not follow the second")
	}
	third := r.votesAmong(r.limited(100_000, 0, one, two), second, ana, boris, one)
	r.passAmong(90*time.Minute, ana, boris, one)
	if v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one))); v != third {
		t.Fatal("it does not follow the third")
	}
	y := ana.proposes(over(pay(71, 45_000), coins[0]))
	r.among(ana, boris, one)
	x := evil.proposes(over(pay(70, 90_000), coins[1]))
	r.among(evil, two)
	p, _ := ana.m.State.Proposal(y)
	q, _ := evil.m.State.Proposal(x)
	shared := false
	for _, in := range p.Body.Inputs {
		for _, o := range q.Body.Inputs {
			shared = shared || in.OutPoint() == o.OutPoint()
		}
	}
	t.Logf("one signed %v, two signed %v, coins in common: %v", one.signed(y), two.signed(x), shared)
	if one.signed(y) && two.signed(x) {
		t.Fatal("of a limit of 100,000 in all three policies honest robots signed 135,000 within three hours")
	}
}

// End to end: one human of a wallet of 2 of 3 takes all, by a robot that waits for its first
// policy: nobody votes.
func TestOneMemberTakesNoRobot(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, evil := r.robots[0], r.humans[1]
	coins := r.fund(100_000, 100_000, 100_000, 100_000)
	r.hear()
	p := r.suppliers(99_000)
	p.Robots, p.Tolerate, p.StartQuorum = r.keysOf(bot, evil), 0, 1
	p.Meters[0].Limit = 1_000_000_000
	b := &event.PolicyProposed{Bytes: policy.Encode(p)}
	v := b.Version(evil.m.State.Group())
	evil.must(says{b})
	evil.must(says{&event.PolicyAdopted{Version: v, Median: 1}})
	r.hear()
	id := evil.proposes(over(pay(70, 90_000), coins[0]))
	r.hear()
	if _, ok := evil.m.State.Proposal(id); !ok {
		t.Fatal("nothing was proposed")
	}
	got, _, _ := evil.m.State.PolicyAdopted(int(r.keyOf(bot)))
	if bot.signed(id) {
		t.Fatalf("the robot follows what nobody voted for (%v) and signs what its author wants: votes %+v, signed by %v and %v", got == v, evil.m.State.PolicyStanding(v), evil.signed(id), bot.signed(id))
	}
}

// A robot that is added to a group whose others follow a policy.
func TestOneMemberTakesNoNewRobot(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, evil := r.robots[0], r.robots[1], r.humans[1]
	two.mode, two.m = robot.Off, two.m.AsRobot(robot.Off, nil)
	coins := r.fund(100_000, 100_000, 100_000, 100_000)
	first := r.votes(r.limited(10_000, 0, one))
	r.hear()
	p := r.suppliers(99_000)
	p.Robots, p.Tolerate, p.StartQuorum = r.keysOf(two, evil), 0, 1
	p.Meters[0].Limit = 1_000_000_000
	b := &event.PolicyProposed{Bytes: policy.Encode(p), Parents: []event.PolicyVersion{first}}
	v := b.Version(evil.m.State.Group())
	evil.must(says{b})
	evil.must(says{&event.PolicyAdopted{Version: v, Median: 1}})
	r.hear()
	second := r.votes(r.limited(20_000, 0, one, two), first)
	r.pass(2 * time.Hour)
	two.mode, two.m = robot.Signs, two.m.AsRobot(robot.Signs, nil)
	r.hear()
	id := evil.proposes(over(pay(70, 90_000), coins[0]))
	r.hear()
	got, _, _ := evil.m.State.PolicyAdopted(int(r.keyOf(two)))
	t.Logf("it follows the bad one's: %v, the group's: %v", got == v, got == second)
	if two.signed(id) {
		t.Fatal("the new robot follows what nobody voted for and signs")
	}
}

// End to end: as TestARobotFollowsNothingThatWasLeft, with 64 objections in the place of one.
func TestManyObjectionsTakeNoRobotBack(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, boris := r.robots[0], r.robots[1], r.humans[1]
	two.mode, two.m = robot.Off, two.m.AsRobot(robot.Off, nil)
	first := r.votes(r.suppliers(50_000))
	r.hear()
	second := r.votes(r.suppliers(40_000), first)
	r.hear()
	if v, _, _ := r.humans[0].m.State.PolicyAdopted(int(r.keyOf(one))); v != second {
		t.Fatal("the tighter policy is not in force")
	}
	for range 64 {
		boris.must(says{&event.PolicyObjected{Version: second}})
	}
	r.settle()
	two.mode, two.m = robot.Signs, two.m.AsRobot(robot.Signs, nil)
	r.hear()
	r.hear()
	if v, _, ok := two.m.State.PolicyAdopted(int(r.keyOf(two))); ok {
		t.Fatalf("it follows the old, looser policy: %v", v == first)
	}
}

// A human who is no robot says that it follows what once had votes, and a new robot never follows
// what is in force.
func TestAHumanKeepsNoRobotOut(t *testing.T) {
	for _, lies := range []bool{false, true} {
		r := withRobots(t, 2, 5, 2)
		one, two, boris, evil := r.robots[0], r.robots[1], r.humans[1], r.humans[2]
		two.mode, two.m = robot.Off, two.m.AsRobot(robot.Off, nil)
		first := r.votes(r.suppliers(50_000))
		r.hear()
		second := r.votes(r.suppliers(60_000), first) // looser: there is a delay
		r.hear()
		boris.must(says{&event.PolicyObjected{Version: second}}) // thinks better of it
		if lies {
			evil.must(says{&event.PolicyAdopted{Version: second, Median: 1}})
		}
		r.hear()
		two.mode, two.m = robot.Signs, two.m.AsRobot(robot.Signs, nil)
		r.hear()
		r.pass(50 * time.Hour)
		if v, _, _ := r.humans[0].m.State.PolicyAdopted(int(r.keyOf(one))); v != first {
			t.Fatal("the test wants the first to be in force")
		}
		if v, _, ok := two.m.State.PolicyAdopted(int(r.keyOf(two))); !ok || v != first {
			t.Fatalf("lies %v: the new robot follows nothing, two days later", lies)
		}
	}
}

// What the other one signed before it moved is not known yet as the proposal is withheld, while
// its own chain, with the approval, the adoption, is held.
func TestAPaymentThatIsWithheldCounts(t *testing.T) {
	r := withRobots(t, 2, 5, 2)
	one, two, ana, boris, evil := r.robots[0], r.robots[1], r.humans[0], r.humans[1], r.humans[2]
	coins := r.fund(100_000, 100_000, 100_000, 100_000)
	first := r.votes(r.limited(100_000, 0, two)) // two alone may sign 100,000
	r.hear()
	x := evil.proposes(over(pay(70, 90_000), coins[1]))
	r.settle(evil, two)
	if !two.signed(x) {
		t.Fatalf("it does not sign below its share: %+v", r.verdict(two, x))
	}
	second := r.votesAmong(r.limited(100_000, 0, one, two), first, ana, boris, one)
	for at := r.clock.Add(2 * time.Hour); r.clock.Before(at); {
		r.clock = r.clock.Add(10 * time.Minute)
		r.mine(nil)
		for range 3 {
			r.settle(ana, boris, one)
			two.ownTo(one) // all that it wrote; what the bad one wrote is kept back
			for _, from := range []*peer{ana, boris, one} {
				from.ownTo(two)
			}
			for _, to := range []*peer{ana, boris, one, two} {
				for _, from := range []*peer{ana, boris, one, two} {
					if from != to {
						to.must(ClaimIn{from.id(), claimOf(from)})
					}
				}
				to.must(Tick{})
			}
		}
	}
	for _, bot := range r.robots {
		if v, _, _ := one.m.State.PolicyAdopted(int(r.keyOf(bot))); v != second {
			t.Fatalf("%s does not follow the second", bot.name)
		}
	}
	if _, known := one.m.State.Proposal(x); known {
		t.Fatal("the test wants the payment not to be known yet")
	}
	y := ana.proposes(over(pay(71, 45_000), coins[0]))
	r.settle(ana, boris, one)
	if one.signed(y) {
		t.Fatalf("of a limit of 100,000 in both policies honest robots signed 90,000 and 45,000")
	}
}

// End to end: a bad robot signs by hand what no policy lets it; it says once more that it
// follows, or a friend enters the payment again; and the other one signs nothing any more, for as
// long as that coin is not spent. Where it said so once more, only from its next start on.
func TestABadRobotSilencesNoOther(t *testing.T) {
	for _, how := range []string{"nothing", "again", "once more"} {
		r := withRobots(t, 2, 4, 2)
		one, two, ana, boris := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
		coins := r.fund(100_000, 100_000, 100_000, 1_000_000)
		v := r.votes(r.limited(100_000, 0, one, two)) // each may sign 50,000
		r.hear()
		x := boris.proposes(over(pay(9, 900_000), coins[3]))
		r.settle()
		two.m = two.m.AsRobot(robot.Off, nil)
		two.must(Approve{Proposal: x})
		r.hear()
		before := ana.proposes(over(pay(70, 10_000), coins[0]))
		r.among(ana, one)
		if !one.signed(before) {
			t.Fatalf("%s: before it, it says %+v", how, r.lastVerdict(one, before))
		}
		switch how {
		case "again":
			q, _ := boris.m.State.Proposal(x)
			boris.again(t, q, func(*event.ProposalCreated) {})
		case "once more":
			two.must(says{&event.PolicyAdopted{Version: v, Median: 1}})
		}
		r.hear()
		r.pass(50 * time.Hour)
		middle := ana.proposes(over(pay(71, 10_000), coins[1]))
		r.among(ana, one)
		t.Logf("%s: without a start it signs: %v", how, one.signed(middle))
		one.crash()
		r.pass(20 * time.Minute)
		r.hear()
		y := ana.proposes(over(pay(72, 10_000), coins[2]))
		r.among(ana, one)
		if v, _, _ := one.m.State.VerdictBy(one.id(), y); !one.signed(y) && slices.Contains(v.Reasons, "meter_full") {
			t.Errorf("%s: two days later the honest robot says of 10,000 of its 50,000, of which it used at most 20,000: %+v", how, r.lastVerdict(one, y))
		}
	}
}

func (r *robots) lastVerdict(of *peer, id journal.EntryID) any {
	v, _, _ := of.m.State.VerdictBy(of.id(), id)
	return v
}
