package robot

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// Status is what a robot goes by.
type Status struct {
	Mode    Mode
	Paused  bool
	Follows bool // it follows a policy
	Version event.PolicyVersion
	Problem policy.Reason  // why it signs nothing by it, or ""
	Policy  *policy.Policy // nil where there is a problem
	Meters  []MeterStatus
	// Outstanding is how many transactions it signed long ago that still lie, and FirstSigned
	// when it signed the first of them, Unix seconds.
	Outstanding int
	FirstSigned int64
}

// MeterStatus is how much of a meter a robot has used by itself, in satoshis.
type MeterStatus struct {
	Meter string
	// Initiator is whose of a meter for each initiator it is.
	Initiator   policy.Key
	Used, Share int64
	// Recipient is whose of a meter for each recipient it is.
	Recipient string
}

// Status returns what a prepared desk goes by.
func (d Desk) Status(s group.State, key int) Status {
	out := Status{Mode: d.Mode, Paused: d.Paused}
	if d.now == nil {
		return out
	}
	out.Follows, out.Version, out.Problem = d.now.followed, d.now.version, d.now.problem
	if out.Problem == "" && d.over != nil {
		out.Problem = d.over.problem
	}
	if out.Problem != "" {
		return out
	}
	p := d.now.compiled.Policy
	out.Policy = p
	out.Outstanding, out.FirstSigned = d.outstanding()
	for _, m := range p.Meters {
		share := d.now.line.share(s, key, m, meter.All, d.now.charges.now)
		used := func(of meter.Subject) int64 { return d.now.charges.book.Used(of, m.Window, d.now.charges.now) }
		switch m.Per {
		case policy.PerGroup:
			out.Meters = append(out.Meters, MeterStatus{Meter: m.Name, Used: used(meter.All), Share: share})
		case policy.PerInitiator:
			for k := range s.Active().Members {
				out.Meters = append(out.Meters, MeterStatus{Meter: m.Name, Initiator: policy.Key(k), Used: used(ofInitiator(policy.Key(k))), Share: share})
			}
		case policy.PerRecipient:
			for _, of := range p.Recipients {
				out.Meters = append(out.Meters, MeterStatus{Meter: m.Name, Recipient: of.Name, Used: used(ofRecipient(of.Name)), Share: share})
			}
		}
	}
	return out
}
