package coordinator

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// What a robot asked leave for and then signed by its share, as that was free again, is
// of its share: the others never counted it, so that with them it would come to more than the limit.
func TestWhatNobodyGrantedIsOfTheShare(t *testing.T) {
	r := pooled(t)
	one, ana := r.robots[0], r.humans[0]
	apart := []*peer{r.humans[0], r.humans[1], one} // the other robot hears of nothing
	propose := func(n byte, amount int64) journal.EntryID {
		id := ana.proposes(pay(n, amount))
		r.settle(apart...)
		one.must(Tick{})
		r.settle(apart...)
		return id
	}
	first := propose(70, 5_000)
	ids := []journal.EntryID{propose(71, 22_500), propose(72, 22_600)}
	if !one.signed(first) || one.signed(ids[0]) || one.signed(ids[1]) || r.reservations(one) != 2 {
		t.Fatalf("it asked for leave %d times", r.reservations(one))
	}
	q, _ := ana.m.State.Proposal(first)
	tx, err := theTx(ana.m.State, ana.m.View, q)
	if err != nil {
		t.Fatal(err)
	}
	r.mine([]*wire.MsgTx{tx})
	for range 6 {
		r.mine(nil)
	}
	r.clock = r.clock.Add(25 * time.Hour)
	for range 8 {
		r.mine(nil)
	}
	for range 3 {
		one.must(Tick{})
		r.settle(apart...)
	}
	ids = append(ids, propose(73, 22_700))
	n := 0
	for _, id := range ids {
		if one.signed(id) {
			n++
		}
	}
	if n != 1 {
		t.Fatalf("it signed %d payments without leave, its share is one", n)
	}
}

// A verdict of a shadow signs nothing: once its node is a robot it says again what it signs by.
func TestAShadowsVerdictIsNoRobots(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	bot.mode, bot.m = robot.Shadow, bot.m.AsRobot(robot.Shadow, nil)
	r.fund(100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	id := ana.proposes(pay(70, 10_000))
	r.settle()
	bot.mode = robot.Signs
	bot.crash()
	r.hear()
	if v := r.verdict(bot, id); !bot.signed(id) || !outcome(v, policy.OutcomeSign) || v.Shadow {
		t.Fatalf("it signed by what a shadow said: %v, %+v", bot.signed(id), v)
	}
}

// What is charged is of one key: who takes another's place has that one's.
func TestADeskIsOfOneKey(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	r.fund(100_000, 100_000)
	p := r.suppliers(50_000)
	p.Tolerate = 1
	r.votes(p)
	r.hear()
	two.must(PauseRobot{Paused: true})
	ana.proposes(pay(70, 10_000))
	r.settle()
	w := one.m.preparing()
	w.Guarded = func(chainhash.Hash) bool { return false } // a node that took its place has none
	other := w
	other.Key = int(r.keyOf(two))
	want := robot.Desk{Mode: robot.Signs}.Prepared(w).Status(w.State, w.Key)
	got := robot.Desk{Mode: robot.Signs}.Prepared(other).Prepared(w).Status(w.State, w.Key)
	if len(want.Meters) != 1 || want.Meters[0].Used == 0 || len(got.Meters) != 1 || got.Meters[0] != want.Meters[0] {
		t.Fatalf("it charges %+v, the key signed %+v", got.Meters, want.Meters)
	}
}

// Reservations with which something was done are in nobody's way.
func TestReservationsThatAreDoneAreInNoWay(t *testing.T) {
	r := pooled(t)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	unsigned := pay(70, 40_000)
	unsigned.Unsigned = true
	id := ana.proposes(unsigned)
	q, _ := ana.m.State.Proposal(id)
	v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one)))
	r.settle(ana, two)
	const n = 70
	for range n {
		two.m.desk.Mode = robot.Shadow // it says nothing else meanwhile
		two.must(says{&event.BudgetReserved{Proposal: id, TxID: q.TxID, Policy: v, Meters: []uint64{0}}})
	}
	r.settle()
	for range 8 {
		one.must(Tick{})
	}
	granted := 0
	for range one.m.State.GrantsOf(int(r.keyOf(one))) {
		granted++
	}
	if granted < n {
		t.Fatalf("it gave leave by %d of %d", granted, n)
	}
}
