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
