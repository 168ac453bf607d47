package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// pooled is a wallet of 2 of 4 keys with two robots, each of which may sign 25,000 sat a day
// by itself, and both together 50,000 more.
func pooled(t *testing.T) *robots {
	r := withRobots(t, 2, 4, 2)
	var coins []int64
	for range 16 {
		coins = append(coins, 100_000)
	}
	r.fund(coins...)
	p := r.suppliers(50_000)
	p.Meters[0].Limit, p.Meters[0].Pool, p.Tolerate = 100_000, 50, 1
	r.votes(p)
	r.hear()
	return r
}

func (r *robots) reservations(of *peer) (n int) {
	for range r.humans[0].m.State.ReservedBy(int(r.keyOf(of))) {
		n++
	}
	return n
}

// What is beyond a robot's share it signs with the other's leave, as far as the pool goes.
func TestRobotsSignByThePool(t *testing.T) {
	r := pooled(t)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	id := ana.proposes(pay(70, 40_000))
	r.settle()
	if one.signed(id) || two.signed(id) {
		t.Fatal("it was signed beyond the share without leave")
	}
	r.hear()
	if !one.signed(id) && !two.signed(id) {
		t.Fatalf("with leave it is signed: %+v, %+v", r.verdict(one, id), r.verdict(two, id))
	}
	// The pool is used up, the shares are not.
	beyond, within := ana.proposes(pay(71, 39_000)), ana.proposes(pay(72, 20_000))
	r.hear()
	if one.signed(beyond) || two.signed(beyond) {
		t.Fatal("more was signed than the pool holds")
	}
	if !one.signed(within) && !two.signed(within) {
		t.Fatalf("a share is there beside the pool: %+v, %+v", r.verdict(one, within), r.verdict(two, within))
	}
}

// Kept apart, robots sign nothing beyond their shares, whatever is proposed to whom.
func TestRobotsApartHaveNoPool(t *testing.T) {
	r := pooled(t)
	one, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	ids := []journal.EntryID{ana.proposes(pay(70, 40_000)), ana.proposes(pay(71, 41_000)), ana.proposes(pay(72, 20_000)), ana.proposes(pay(73, 21_000))}
	// The humans keep each robot's entries from the other, who shows that it is there all the same.
	settle := func(with *peer) {
		r.settle(ana, with)
		for _, from := range []*peer{ana, boris} {
			with.must(ClaimIn{from.id(), claimOf(ana)})
		}
		with.must(Tick{})
	}
	settle(one)
	sum := int64(0)
	for n, id := range ids {
		if one.signed(id) {
			sum += []int64{40_000, 41_000, 20_000, 21_000}[n]
		}
	}
	if sum == 0 || sum > 25_000 {
		t.Fatalf("it signed %d sat, its share is 25,000", sum)
	}
}

// A reservation that nobody can use any more is released, and its part of the pool is there
// again; one that its robot signed by never is.
func TestReservationsAreReleased(t *testing.T) {
	r := pooled(t)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	unsigned := pay(70, 40_000)
	unsigned.Unsigned = true
	id := ana.proposes(unsigned)
	r.settle()
	if r.reservations(one)+r.reservations(two) == 0 {
		t.Fatal("nobody asked for leave")
	}
	ana.must(Withdraw{Proposal: id})
	r.hear()
	if n := r.reservations(one) + r.reservations(two); n != 0 && !one.signed(id) && !two.signed(id) {
		t.Fatalf("%d reservations are left of what was withdrawn", n)
	}
	again := ana.proposes(pay(71, 41_000))
	r.hear()
	if !one.signed(again) && !two.signed(again) {
		t.Fatalf("the pool is not there again: %+v, %+v", r.verdict(one, again), r.verdict(two, again))
	}
	r.hear()
	if n := r.reservations(one) + r.reservations(two); n == 0 {
		t.Fatal("what was signed by was released")
	}
}

// A member who is no robot asks and gives leave in vain, and so does a robot for what is not
// proposed, or is another transaction.
func TestFalseReservations(t *testing.T) {
	r := pooled(t)
	one, two, ana, boris := r.robots[0], r.robots[1], r.humans[0], r.humans[1]
	id := ana.proposes(pay(70, 40_000))
	r.settle()
	q, _ := ana.m.State.Proposal(id)
	v, _, _ := ana.m.State.PolicyAdopted(int(r.keyOf(one)))
	boris.must(says{&event.BudgetReserved{Proposal: id, TxID: q.TxID, Policy: v, Meters: []uint64{0}}})
	two.must(says{&event.BudgetReserved{Proposal: id, Policy: v, Meters: []uint64{0}}})
	two.must(says{&event.BudgetReserved{Proposal: id, TxID: q.TxID, Policy: v, Meters: []uint64{7}}})
	two.must(says{&event.BudgetReserved{Proposal: id, TxID: q.TxID, Meters: []uint64{0}}})
	two.must(says{&event.BudgetReserved{Proposal: journal.EntryID{1}, TxID: q.TxID, Policy: v, Meters: []uint64{0}}})
	r.settle()
	for range 3 {
		one.must(Tick{})
	}
	for _, of := range []*peer{boris, two} {
		for res := range ana.m.State.ReservedBy(int(r.keyOf(of))) {
			if _, granted := one.m.State.GrantedBy(int(r.keyOf(one)), res.Ref.ID, false); granted && !(res.TxID == q.TxID && res.Proposal == id && res.Policy == v && res.Meters[0] == 0 && of == two) {
				t.Fatalf("it gave leave by %+v", res)
			}
		}
	}
}

// Another meter fills up while leave is waited for: the robot asks anew, for both.
func TestAReservationIsOutgrown(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, ana, boris := r.robots[0], r.humans[0], r.humans[1]
	r.coins(12)
	p := r.limited(100_000, 50, r.robots...) // each 25,000, and 50,000 with leave
	p.Meters = append(p.Meters, policy.Meter{Name: "person", Limit: 200_000, Window: 86400, Per: policy.PerInitiator, Pool: 50})
	p.Rules[0].Require.Meters = []uint64{0, 1}
	r.votes(p)
	r.hear()
	large := ana.proposes(pay(70, 40_000))
	apart := []*peer{ana, boris, one}
	r.settle(apart...)
	for _, from := range r.peers { // it has heard all, who then go
		if from != one {
			one.must(ClaimIn{from.id(), claimOf(from)})
		}
	}
	one.must(Tick{})
	if r.settle(apart...); r.reservations(one) != 1 {
		t.Fatal("it did not ask for leave")
	}
	small := ana.proposes(pay(71, 20_000))
	r.among(apart...)
	if !one.signed(small) || one.signed(large) {
		t.Fatal("the test wants the small one alone to be signed")
	}
	r.hear()
	r.hear()
	if two := r.robots[1]; !one.signed(large) && !two.signed(large) {
		t.Fatalf("they wait for leave by one of two meters: %+v, %+v", r.verdict(one, large), r.verdict(two, large))
	}
}
