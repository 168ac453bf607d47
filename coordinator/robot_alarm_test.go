package coordinator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

// alarmed says which alarms of robots stand at a peer.
func (r *robots) alarmed(p *peer) (out []string) {
	for _, a := range p.m.robotAlarms(r.clock) {
		out = append(out, a.Kind)
	}
	return out
}

func (r *robots) wantAlarms(p *peer, want ...string) {
	r.tb.Helper()
	if got := r.alarmed(p); !slices.Equal(got, want) {
		r.tb.Fatalf("the alarms of %s are %v, not %v", p.name, got, want)
	}
}

// A robot that its operator stopped is an alarm at once; one that heard nobody since it
// started after ten minutes, and no longer once it has.
func TestASilentRobotIsAnAlarm(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot := r.robots[0]
	bot.must(Tick{})
	r.wantAlarms(bot) // it waits for the first policy
	r.votes(r.suppliers(50_000))
	r.hear()
	r.wantAlarms(bot)
	bot.must(PauseRobot{Paused: true})
	bot.must(Tick{})
	r.wantAlarms(bot, AlarmPaused)
	bot.must(PauseRobot{})
	bot.must(Tick{})
	r.wantAlarms(bot)
	bot.crash()
	for range quietTicks {
		bot.must(Tick{})
		r.wantAlarms(bot)
	}
	bot.must(Tick{})
	r.wantAlarms(bot, AlarmSilent)
	if s, ok := bot.m.Robot(); !ok || s.Silent != string(policy.ReasonStart) {
		t.Fatalf("it is silent, and says %q", s.Silent)
	}
	r.hear()
	r.wantAlarms(bot)
	r.wantAlarms(r.humans[0])
}

// What a robot signed more than a week ago and is not mined is an alarm, until it is.
func TestChargesThatLieAreAnAlarm(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	id := ana.proposes(pay(70, 10_000))
	r.settle()
	if !bot.signed(id) {
		t.Fatalf("it did not sign: %+v", r.verdict(bot, id))
	}
	r.clock = r.clock.Add(6 * 24 * time.Hour)
	for range 24 {
		r.mine(nil)
	}
	r.hear()
	r.wantAlarms(bot)
	r.clock = r.clock.Add(2 * 24 * time.Hour)
	for range 24 {
		r.mine(nil)
	}
	r.hear()
	r.wantAlarms(bot, AlarmCharges)
	bot.crash()
	r.hear()
	r.wantAlarms(bot, AlarmCharges)
	p, _ := bot.m.State.Proposal(id)
	tx, err := bot.m.Tx(p)
	if err != nil {
		t.Fatal(err)
	}
	r.mine([]*wire.MsgTx{tx})
	for range 8 {
		r.mine(nil)
	}
	r.hear()
	r.wantAlarms(bot)
}

// A policy of a newer program is an alarm of a robot that cannot read it.
func TestAPolicyThatIsNotReadableIsAnAlarm(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	b := &event.PolicyProposed{Bytes: []byte("of tomorrow")}
	r.humans[0].must(says{b})
	r.settle()
	for _, h := range r.humans {
		h.must(says{&event.PolicyApproved{Version: b.Version(h.m.State.Group())}})
	}
	r.hear()
	r.wantAlarms(r.robots[0], AlarmUnreadable)
	r.wantAlarms(r.humans[0])
}

// Robots that follow different policies are an alarm at every node: at once where neither
// follows the other, after an hour where one is behind.
func TestRobotsThatPartAreAnAlarm(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	a, b := r.robots[0], r.robots[1]
	first := r.votes(r.suppliers(50_000))
	r.hear()
	proposed := func(most int64) event.PolicyVersion {
		x := &event.PolicyProposed{Bytes: policy.Encode(r.suppliers(most)), Parents: []event.PolicyVersion{first}}
		r.humans[0].must(says{x})
		r.settle()
		return x.Version(a.m.State.Group())
	}
	second, third := proposed(40_000), proposed(30_000)
	a.must(says{&event.PolicyAdopted{Version: second}})
	r.settle()
	r.wantAlarms(r.humans[1])
	r.clock = r.clock.Add(2 * time.Hour)
	r.wantAlarms(r.humans[1], AlarmParted)
	r.clock = r.clock.Add(-2 * time.Hour)
	b.must(says{&event.PolicyAdopted{Version: third}})
	r.settle()
	for _, p := range r.peers {
		r.wantAlarms(p, AlarmParted)
	}
	b.must(says{&event.PolicyAdopted{Version: second}})
	r.settle()
	r.wantAlarms(r.humans[1])
}

// A robot that was granted a part of a pool and does not use it takes that from the others: each
// node tells who does so, after a day.
func TestAPoolThatIsHeldIsAnAlarm(t *testing.T) {
	r := pooled(t)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one)))
	unsigned := pay(70, 40_000)
	unsigned.Unsigned = true
	id := ana.proposes(unsigned)
	q, _ := ana.m.State.Proposal(id)
	r.settle(ana, two)
	two.mode, two.m = robot.Off, two.m.AsRobot(robot.Off, nil) // it is in other hands
	two.must(says{&event.BudgetReserved{Proposal: id, TxID: q.TxID, Policy: v, Meters: []uint64{0}}})
	r.hear()
	if one.m.State.BudgetEntries() < 2 {
		t.Fatal("the other one gave no leave")
	}
	r.wantAlarms(ana)
	r.clock = r.clock.Add(23 * time.Hour)
	r.wantAlarms(ana)
	r.clock = r.clock.Add(61 * time.Minute)
	r.wantAlarms(ana, AlarmPoolHeld)
	r.wantAlarms(one, AlarmPoolHeld)
	if a := ana.m.robotAlarms(r.clock)[0]; !strings.Contains(a.Text, two.name) || strings.Contains(a.Text, one.name+" ") {
		t.Fatalf("it does not name who holds it: %s", a.Text)
	}
	// Used, it is no alarm, nor released.
	two.must(Approve{Proposal: id, Allow: []string{}})
	r.hear()
	r.wantAlarms(ana)
}
