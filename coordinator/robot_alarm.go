package coordinator

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
)

// Kinds of alarms of robots.
const (
	AlarmPaused     = "robot_paused"
	AlarmSilent     = "robot_silent"
	AlarmCharges    = "charges_outstanding"
	AlarmUnreadable = "policy_unreadable"
	AlarmParted     = "policy_parted"
	AlarmPoolHeld   = "pool_held"
)

// A robot may be silent for so many ticks, of two seconds each, before that is an alarm: at a
// start the others are heard within seconds.
const (
	quietTicks = 300
	tickTime   = 2 * time.Second
)

// robotAlarms stand while this robot does not do what it is for, and while the robots of the
// group follow different policies.
func (m *Machine) robotAlarms(now time.Time) (out []Alarm) {
	if m.State.Active() == nil || m.local.Archived {
		return nil
	}
	if m.State.AnyPolicy() {
		if since, parted := robot.Parted(m.State, now.Unix()); parted {
			out = append(out, Alarm{Kind: AlarmParted, Since: time.Unix(since, 0), Text: "the robots of this wallet follow different policies: vote on one that names those in force as what it follows"})
		}
	}
	if by, since := robot.PoolHeld(m.State, now.Unix()); len(by) > 0 {
		var names []string
		for _, k := range by {
			names = append(names, m.State.Active().Members[k].Name)
		}
		out = append(out, Alarm{Kind: AlarmPoolHeld, Since: time.Unix(since, 0), Text: fmt.Sprintf(
			"%s has held for more than a day what the other robots gave it leave to sign, and neither signed it nor released it: the pool lacks it", strings.Join(names, ", "))})
	}
	s, ok := m.Robot()
	if !ok {
		return out
	}
	code, ticks := m.desk.QuietFor(m.ticks)
	since := now.Add(-time.Duration(ticks) * tickTime)
	switch code {
	case "", string(robot.ReasonNoPolicy), refusal.OwnChain: // it waits for the group's first policy; that is an alarm of its own
	case robot.UnreadyPaused:
		out = append(out, Alarm{Kind: AlarmPaused, Since: since, Text: "this robot is paused, and signs nothing: `quorate robot resume` has it go on"})
	case string(robot.ReasonUnreadable):
		out = append(out, Alarm{Kind: AlarmUnreadable, Since: since, Text: "this robot cannot read the policy that the group agreed on, and denies everything: install a newer version"})
	default:
		if ticks >= quietTicks {
			out = append(out, Alarm{Kind: AlarmSilent, Since: since, Text: fmt.Sprintf("this robot has signed nothing for more than %d minutes, whatever was proposed (%s): `quorate robot status` says why", quietTicks*tickTime/time.Minute, code)})
		}
	}
	if s.Outstanding > 0 {
		out = append(out, Alarm{Kind: AlarmCharges, Since: time.Unix(s.FirstSigned+robot.OutstandingAfter, 0),
			Text: fmt.Sprintf("%d transactions that this robot signed more than 7 days ago are not mined and go on to count against its limits: spend a coin of each back to the wallet to free them", s.Outstanding)})
	}
	return out
}
