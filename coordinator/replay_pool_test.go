package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot/replay"
	"github.com/quorate/quorate/policy"
)

// A robot that says that the others gave it leave, which nobody did, is named once their words
// are no longer under way; and at once where it says that nothing is used of a share that has a
// pool beside it.
func TestReplayLooksForLeave(t *testing.T) {
	r := pooled(t)
	one, two, ana := r.robots[0], r.robots[1], r.humans[0]
	small, large := ana.proposes(pay(70, 20_000)), ana.proposes(pay(71, 40_000))
	r.settle(ana, one)
	r.hear()
	if !one.signed(small) || !one.signed(large) && !two.signed(large) {
		t.Fatalf("the test wants a share and the pool to be used: %+v", r.verdict(one, large))
	}
	agree(t, ana.replayed(t, 1000))
	agree(t, one.replayed(t, 2))

	differ := func(f replay.Found) (out []string) {
		for _, d := range f.Differs {
			out = append(out, d.Field)
		}
		return out
	}
	above := ana.proposes(pay(72, 45_000))
	r.settle()
	var of event.RobotVerdict
	for _, v := range one.verdicts() {
		if v.Proposal == above {
			of = v
		}
	}
	if of.Outcome != uint64(policy.OutcomeWait) {
		t.Fatalf("of what fits nothing it says %+v", of)
	}
	f := r.forges(one, of, func(v *event.RobotVerdict, f *policy.Facts) {
		v.Outcome, v.Reasons = uint64(policy.OutcomeSign), nil
		f.Uses[0].Pool, f.Uses[0].Reserved, f.Uses[0].Granted = 50_000, true, true
	})
	if got := differ(f); len(got) != 0 || !slices.ContainsFunc(f.Open, func(o replay.Open) bool { return o.Field == "facts.uses[0].granted" }) {
		t.Fatalf("at once: %v, open %+v", got, f.Open)
	}
	r.clock = r.clock.Add(25 * time.Hour)
	if got := differ(r.lastFound(one)); !slices.Equal(got, []string{"facts.uses[0].granted"}) {
		t.Fatalf("a day later: %v", got)
	}
	f = r.forges(one, of, func(_ *event.RobotVerdict, f *policy.Facts) { f.Uses[0].Used = 0 })
	if got := differ(f); !slices.Contains(got, "facts.uses[0].used") {
		t.Fatalf("of a share of which nothing is used: %v", got)
	}
}
