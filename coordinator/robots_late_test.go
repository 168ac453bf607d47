package coordinator

import (
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/robot"
)

// A robot that comes late follows no policy that others left for what the group agreed on, even
// where the votes for that fell since.
func TestARobotFollowsNothingThatWasLeft(t *testing.T) {
	r := withRobots(t, 2, 4, 2)
	one, two, boris := r.robots[0], r.robots[1], r.humans[1]
	two.mode, two.m = robot.Off, two.m.AsRobot(robot.Off, nil)
	p := r.suppliers(50_000)
	first := r.votes(p)
	r.hear()
	second := r.votes(r.suppliers(40_000), first)
	r.hear()
	if v, _, _ := r.humans[0].m.State.PolicyAdopted(int(r.keyOf(one))); v != second {
		t.Fatal("the tighter policy is not in force")
	}
	boris.must(says{&event.PolicyObjected{Version: second}})
	r.settle()
	two.mode, two.m = robot.Signs, two.m.AsRobot(robot.Signs, nil)
	r.hear()
	if v, _, ok := two.m.State.PolicyAdopted(int(r.keyOf(two))); ok {
		t.Fatalf("it follows an old policy: %v", v == first)
	}
	boris.must(says{&event.PolicyApproved{Version: second}})
	r.pass(2 * time.Hour)
	if v, _, _ := two.m.State.PolicyAdopted(int(r.keyOf(two))); v != second {
		t.Fatal("it does not follow what stands again")
	}
}
