package coordinator

import (
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
)

// RobotStatus is what a node that is a robot is about.
type RobotStatus struct {
	robot.Status
	// Unready says why it is silent whatever is proposed, in a code; or "".
	Unready string
	// Heard is how many other members were heard since the start.
	Heard uint64
	// Silent says in a code why it signs nothing, whatever is proposed, or is "".
	Silent string
}

// Robot returns how this node is as a robot; false where it is none.
func (m *Machine) Robot() (RobotStatus, bool) {
	if m.desk.Mode == robot.Off || m.State.Active() == nil {
		return RobotStatus{}, false
	}
	me, _ := m.State.Active().Index(m.State.Me())
	desk := m.desk.Prepared(m.preparing())
	out := RobotStatus{Status: desk.Status(m.State, me), Unready: m.unready(), Heard: m.heardMembers()}
	out.Silent = desk.Silent(out.Unready, out.Heard)
	return out, true
}

// MemberVerdict is what a robot said last of a proposal.
type MemberVerdict struct {
	Member  group.Member
	Verdict group.Verdict
}

// Verdicts returns what each robot said last of a proposal, by key.
func (m *Machine) Verdicts(p *group.Proposal) []MemberVerdict {
	if m.State.Active() == nil {
		return nil
	}
	var out []MemberVerdict
	for k, x := range m.State.Active().Members {
		for _, who := range m.State.Active().Identities(k) { // the latest one last
			if v, _, ok := m.State.VerdictBy(who, p.Ref.ID); ok {
				if n := len(out); n > 0 && out[n-1].Member.Index == x.Index {
					out = out[:n-1]
				}
				out = append(out, MemberVerdict{x, v})
			}
		}
	}
	return out
}
