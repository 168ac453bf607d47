package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// unsigned is pay without a signature of who proposes it.
func unsigned(n byte, amount int64) Propose {
	x := pay(n, amount)
	x.Unsigned = true
	return x
}

// Many small payments with high fees come to no more than the limit: fees count.
func TestSmallPaymentsAndFeesFillAMeter(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(slices.Repeat([]int64{100_000}, 12)...)
	p := r.suppliers(50_000)
	p.Meters[0].Limit = 60_000
	r.votes(p)
	r.hear()
	var sum, fees int64
	var waits []journal.EntryID
	for n := range byte(12) {
		x := pay(70+n, 3_000)
		x.FeeRate = 30_000
		id := ana.proposes(x)
		r.settle()
		q, _ := ana.m.State.Proposal(id)
		if !bot.signed(id) {
			waits = append(waits, id)
			continue
		}
		sum, fees = sum+3_000+q.Fee(), fees+q.Fee()
	}
	if sum == 0 || sum > 60_000 || fees < sum/3 || len(waits) == 0 {
		t.Fatalf("of 60,000 sat it signed %d, fees of %d among them, and %d payments wait", sum, fees, len(waits))
	}
	for _, id := range waits {
		if v := r.verdict(bot, id); !outcome(v, policy.OutcomeWait, "meter_full") {
			t.Errorf("it says %+v", v)
		}
	}
}

// A rejection counts for the transaction, whoever enters it again, and an approval for the
// entry that it named: what was signed before a withdrawal approves nothing new.
func TestATransactionThatIsEnteredAgain(t *testing.T) {
	r := withRobots(t, 2, 4, 1)
	bot, ana, boris, chen := r.robots[0], r.humans[0], r.humans[1], r.humans[2]
	r.fund(100_000, 100_000)
	p := r.suppliers(50_000)
	p.Rules[0].Require.Approvals = []policy.Approval{{Of: policy.Who{Keys: r.keysOf(boris)}, N: 1}}
	slow := p.Rules[0]
	slow.Name, slow.Require.Approvals, slow.Require.Delay = "slow", nil, 3600
	slow.When.To = []uint64{1}
	p.Recipients = append(p.Recipients, policy.Recipient{Name: "slow", Addresses: r.addresses(90, 95)})
	p.Rules = append(p.Rules, slow)
	r.votes(p)
	r.hear()
	again := func(id journal.EntryID, by *peer) journal.EntryID {
		t.Helper()
		q, _ := by.m.State.Proposal(id)
		b := *q.Body
		e, err := by.wild(&b)
		if err != nil {
			t.Fatal(err)
		}
		r.hear()
		return e.ID()
	}

	denied := ana.proposes(unsigned(90, 10_000))
	r.hear()
	boris.must(Reject{Proposal: denied, Reason: "no"})
	r.hear()
	for _, id := range []journal.EntryID{denied, again(denied, ana), again(denied, chen)} {
		if q, _ := ana.m.State.Proposal(id); bot.m.Guard.ever(q.TxID) {
			t.Fatal("what was rejected is signed")
		}
	}
	if v := r.verdict(bot, denied); !outcome(v, policy.OutcomeDeny, "rejected") {
		t.Errorf("of what was rejected it says %+v", v)
	}

	bot.must(PauseRobot{Paused: true})
	old := ana.proposes(unsigned(70, 20_000))
	r.hear()
	boris.must(Approve{Proposal: old})
	r.hear()
	ana.must(Withdraw{Proposal: old})
	r.hear()
	next := again(old, ana)
	bot.must(PauseRobot{})
	r.hear()
	if v := r.verdict(bot, next); bot.signed(next) || !outcome(v, policy.OutcomeWait, "approvals") {
		t.Fatalf("what was approved before it was withdrawn: %+v", v)
	}
}

// Who fills the meter of an initiator with real payments fills nobody else's, and people go on
// without the robot.
func TestAMeterOfEachInitiator(t *testing.T) {
	r := withRobots(t, 2, 4, 1)
	bot, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	r.fund(slices.Repeat([]int64{100_000}, 6)...)
	p := r.suppliers(50_000)
	p.Meters = append(p.Meters, policy.Meter{Name: "person", Limit: 45_000, Window: 86400, Per: policy.PerInitiator})
	p.Rules[0].Require.Meters = []uint64{0, 1}
	r.votes(p)
	r.hear()
	first, second := ana.proposes(pay(70, 40_000)), ana.proposes(pay(71, 10_000))
	r.settle()
	if !bot.signed(first) || bot.signed(second) || !outcome(r.verdict(bot, second), policy.OutcomeWait, "meter_full") {
		t.Fatalf("of her second it says %+v", r.verdict(bot, second))
	}
	if id := boris.proposes(pay(72, 41_000)); !settled(r, func() bool { return bot.signed(id) }) {
		t.Fatalf("of another's it says %+v", r.verdict(bot, id))
	}
	boris.must(Approve{Proposal: second})
	r.settle()
	if q, _ := ana.m.State.Proposal(second); bot.signed(second) {
		t.Fatalf("it signed %s beyond the meter", q.TxID)
	} else if _, err := theTx(ana.m.State, ana.m.View, q); err != nil {
		t.Fatalf("two people do not get it out: %v", err)
	}
}

func settled(r *robots, holds func() bool) bool {
	r.settle()
	return holds()
}

// A looser policy that has its votes does not come into force while a freeze lives, nor once
// more are against it than a policy bears.
func TestALoosenessIsStoppedInItsDelay(t *testing.T) {
	for name, c := range map[string]struct {
		stop, goOn func(r *robots, v event.PolicyVersion)
	}{
		"a freeze": {
			func(r *robots, _ event.PolicyVersion) { r.humans[2].stopped("what is this?") },
			func(r *robots, _ event.PolicyVersion) {
				for _, h := range r.humans[:2] {
					h.must(Lift{Freezes: h.standingStops()})
				}
			},
		},
		"objections": {
			func(r *robots, v event.PolicyVersion) {
				for _, h := range r.humans[2:] {
					h.must(says{&event.PolicyObjected{Version: v}})
				}
			},
			func(r *robots, v event.PolicyVersion) {
				r.humans[2].must(says{&event.PolicyApproved{Version: v}})
			},
		},
	} {
		r := withRobots(t, 2, 5, 0)
		// 2 of 5: more than three against it are too many.
		r.humans, r.robots = r.peers[:4], r.peers[4:]
		bot := r.robots[0]
		bot.mode = robot.Signs
		bot.m = bot.m.AsRobot(robot.Signs, nil)
		r.featured()
		first := r.votes(r.suppliers(50_000))
		r.hear()
		looser := r.votes(r.suppliers(60_000), first)
		r.hear()
		if name == "objections" {
			// Votes of the robot's key and of one of those for it: four against one.
			bot.must(says{&event.PolicyObjected{Version: looser}})
			r.humans[1].must(says{&event.PolicyObjected{Version: looser}})
		}
		c.stop(r, looser)
		r.pass(3 * time.Hour)
		follows := func() event.PolicyVersion {
			v, _, _ := bot.m.State.PolicyAdopted(int(r.keyOf(bot)))
			return v
		}
		if follows() != first {
			t.Fatalf("%s does not stop it", name)
		}
		c.goOn(r, looser)
		r.pass(3 * time.Hour)
		if follows() != looser {
			t.Fatalf("once %s is over it is not followed", name)
		}
	}
}

// Right after a lift another freeze of the same member stops no robot.
func TestAFreezeThatRestsStopsNoRobot(t *testing.T) {
	r := withRobots(t, 2, 4, 1)
	r.featured()
	bot, ana, boris, chen := r.robots[0], r.humans[0], r.humans[1], r.humans[2]
	r.fund(100_000, 100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	chen.wildStop()
	second := ana.proposes(unsigned(71, 11_000))
	bot.must(PauseRobot{Paused: true})
	r.hear()
	bot.must(PauseRobot{})
	r.hear()
	if v := r.verdict(bot, second); bot.signed(second) || !outcome(v, policy.OutcomeDeny, "frozen") {
		t.Fatalf("frozen, it says %+v", v)
	}
	for _, h := range []*peer{ana, boris} {
		h.must(Lift{Freezes: h.standingStops()})
	}
	r.hear()
	if !bot.signed(second) {
		t.Fatalf("lifted, it says %+v", r.verdict(bot, second))
	}
	chen.wildStop()
	r.hear()
	third := ana.proposes(pay(72, 12_000))
	r.hear()
	if !bot.signed(third) {
		t.Fatalf("by a freeze that rests it says %+v", r.verdict(bot, third))
	}
}

// Of each member the first proposals that wait are looked at, so that who floods keeps nobody
// else waiting, and himself until he clears them.
func TestAFloodOfProposals(t *testing.T) {
	r := withRobots(t, 2, 4, 1)
	bot, ana, boris, chen := r.robots[0], r.humans[0], r.humans[1], r.humans[2]
	r.fund(slices.Repeat([]int64{100_000}, 16)...)
	p := r.suppliers(50_000)
	p.Rules[0].Require.Approvals = []policy.Approval{{Of: policy.Who{Keys: r.keysOf(chen)}, N: 1}}
	p.Rules[0].Require.InitiatorCounts = true
	r.votes(p)
	r.hear()
	var all []journal.EntryID
	for n := range byte(robot.LookedAt + 3) {
		all = append(all, ana.proposes(unsigned(70+n, 1_000)))
	}
	r.hear()
	saysOf := func() (n int) {
		for _, id := range all {
			if _, _, ok := ana.m.State.VerdictBy(bot.id(), id); ok {
				n++
			}
		}
		return n
	}
	if n := saysOf(); n != robot.LookedAt {
		t.Fatalf("it looked at %d of %d", n, len(all))
	}
	other := boris.proposes(unsigned(85, 2_000))
	r.hear()
	chen.must(Approve{Proposal: other})
	r.hear()
	if !bot.signed(other) {
		t.Fatalf("another's waits behind them: %+v", r.verdict(bot, other))
	}
	ana.must(Withdraw{Proposal: all[0]})
	r.hear()
	if n := saysOf(); n != robot.LookedAt+1 {
		t.Fatalf("it looked at %d once one of them is withdrawn", n)
	}
}
