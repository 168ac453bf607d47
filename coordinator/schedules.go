package coordinator

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/recurring"
)

// Plan keeps a payment that this node proposes by itself when it is due. The reply is a
// Planned.
type Plan struct {
	Schedule recurring.Schedule
	// RequestID, if set, makes it repeatable: the same id keeps one schedule, which is
	// found as long as it is kept. Terms is what was asked for, in the words of whoever did.
	RequestID, Terms string
}

// Planned is a schedule as it is kept.
type Planned struct{ Schedule recurring.Schedule }

// Unplan ends a schedule. What was proposed stays.
type Unplan struct{ ID recurring.ID }

// Resume takes up a schedule that this node holds since it was restored. The reply is a
// Planned.
type Resume struct{ ID recurring.ID }

// Passed notes that the journal has a proposal for what is due. The reply is a Proposed.
type Passed struct{ Occasion recurring.Occasion }

// Delayed says why what was due was not proposed, or was not signed.
type Delayed struct {
	ID      recurring.ID
	Problem string // for this node's user
	// Code is of a refusal; it may be logged. With possible_double_payment it waits until
	// a person starts it: that is no longer asked a day later, and it would then be paid
	// with nobody asked.
	Code string
}

// Settled notes that the last proposal of a schedule is signed, or decided.
type Settled struct{ ID recurring.ID }

// NotSigned is the code of a schedule whose last proposal was made, and that this node did
// not sign though it was to.
const NotSigned = "not_signed"

// recSchedule begins the records of schedules, by id.
const recSchedule = "schedule/"

// Schedules returns what this node is to propose by itself, the oldest first.
func (m *Machine) Schedules() []recurring.Schedule {
	var out []recurring.Schedule
	for _, sch := range m.schedules.All() {
		out = append(out, sch)
	}
	slices.SortFunc(out, func(a, b recurring.Schedule) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// Held says whether a schedule waits for a person: this node was restored since one
// looked at it, and its earlier life may have proposed what is due; the wallet was put
// aside; or it was held (see Delayed).
func (m *Machine) Held(sch recurring.Schedule) bool {
	return m.restored != nil || m.Archived() || sch.Held || sch.Started < m.local.TakenUp || sch.Incarnation != m.local.Incarnation
}

// UnsignedSchedules returns those whose last proposal is still to be signed by this node.
func (m *Machine) UnsignedSchedules() (out []recurring.Schedule) {
	if m.schedules.Len() == 0 || m.Archived() {
		return nil
	}
	for _, sch := range m.Schedules() {
		if sch.Code == NotSigned && !m.Held(sch) {
			out = append(out, sch)
		}
	}
	return out
}

// MaySignDue says whether this node still is to sign the last proposal of a schedule:
// nobody decided it meanwhile, its user least of all.
func (m *Machine) MaySignDue(sch recurring.Schedule, now time.Time) bool {
	p, ok := m.State.Proposal(sch.Last)
	if !ok || m.Held(sch) {
		return false
	}
	me, ok := m.State.Active().Index(m.State.Me())
	return ok && !m.State.MyVote(p) && !m.State.Signed(p, me) && m.Status(p, now) == group.StatusPending
}

// Incarnation is that of this node in the wallet.
func (m *Machine) Incarnation() uint8 { return m.local.Incarnation }

// ScheduleOf returns a schedule by its id.
func (m *Machine) ScheduleOf(id recurring.ID) (recurring.Schedule, bool) {
	return m.schedules.Get(id.Key())
}

// Due says whether a period of a schedule is due.
func (m *Machine) Due(sch recurring.Schedule, now time.Time) bool {
	_, due := sch.Due(m.scheduleTime(now))
	return due
}

// DueSchedules returns what is to be proposed now, and of which period.
func (m *Machine) DueSchedules(now time.Time) (out []recurring.Occasion) {
	if m.schedules.Len() == 0 || m.State.Active() == nil || m.Archived() {
		return nil
	}
	for _, sch := range m.Schedules() {
		if n, due := sch.Due(m.scheduleTime(now)); due && !m.Held(sch) {
			out = append(out, recurring.Occasion{Schedule: sch.ID, Period: n})
		}
	}
	return out
}

func (m *Machine) scheduleTime(now time.Time) recurring.Now {
	tip := m.View.Tip()
	return recurring.Now{Clock: now, Median: time.Unix(tip.MedianTime, 0), Height: tip.Height}
}

// MadeFor returns the proposal of this member that the journal has for an occasion.
func (m *Machine) MadeFor(o recurring.Occasion) (*group.Proposal, bool) {
	for p := range m.watch.occasions.By(m.State, m.State.Me(), o.Hash()) {
		return p, true
	}
	return nil, false
}
