package coordinator

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet/coinselect"
)

// plans keeps a schedule.
func (s *step) plans(x Plan) error {
	sch := x.Schedule
	if s.m.State.Active() == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	r := s.draw()
	sch.ID = recurring.ID(r[:16])
	if x.RequestID != "" {
		of := journal.H("schedule", []byte(x.RequestID))
		sch.ID = recurring.ID(of[:16])
	}
	switch _, again, err := s.smallAgain(x.RequestID, "schedule", x.Terms); {
	case err != nil:
		return err
	case again:
		before, err := s.scheduleOf(sch.ID)
		if err != nil {
			return reused("request id %q was used for a schedule that is over", x.RequestID)
		}
		answer(s, x, Planned{before})
		return nil
	}
	if s.m.schedules.Len() >= recurring.Most {
		return fmt.Errorf("%w: this node keeps %d schedules of the wallet, and no more", refusal.ErrBadRequest, recurring.Most)
	}
	if err := checkPlanned(sch); err != nil {
		return err
	}
	sch.Created, sch.Started, sch.Incarnation, sch.Held = s.now().Unix(), s.now().Unix(), s.m.local.Incarnation, false
	sch.Next, sch.Missed, sch.Last, sch.Problem, sch.Code, sch.Since = 0, 0, journal.EntryID{}, "", "", 0
	if sch.Over() {
		return fmt.Errorf("%w: it would never be due", refusal.ErrBadRequest)
	}
	if err := s.keepSchedule(sch); err != nil {
		return err
	}
	s.keepSmall(x.RequestID, 0, "schedule", x.Terms)
	answer(s, x, Planned{sch})
	return nil
}

// checkPlanned refuses what could not be proposed at any time.
func checkPlanned(sch recurring.Schedule) error {
	if len(sch.Outputs) == 0 {
		return fmt.Errorf("%w: no recipient", refusal.ErrBadRequest)
	}
	if sch.All < 0 || sch.All > len(sch.Outputs) || sch.All > 0 && sch.Outputs[sch.All-1].Amount != 0 {
		return fmt.Errorf("%w: who gets all that is left gets no amount besides", refusal.ErrBadRequest)
	}
	if err := coinselect.CheckFeeFrom(sch.FeeFrom, sch.All, len(sch.Outputs)); err != nil {
		return fmt.Errorf("%w: %w", refusal.ErrBadRequest, err)
	}
	// An entry is checked with what it spends, which nobody knows yet: one coin of all there is.
	b := event.ProposalCreated{Inputs: []event.ProposalInput{{Amount: event.MaxMoney}}, Outputs: slices.Clone(sch.Outputs), Note: sch.Note, Expires: sch.Expires}
	if sch.All > 0 {
		b.Outputs[sch.All-1].Amount = 1
	}
	if err := b.Check(); err != nil {
		return fmt.Errorf("%w: %w", refusal.ErrBadRequest, err)
	}
	for n, o := range sch.Outputs {
		if least := coinselect.DustLimit(o.PkScript, 0); n+1 != sch.All && o.Amount < least {
			return selectionRefusal(coinselect.DustError{Output: n, Amount: o.Amount, Limit: least})
		}
	}
	return nil
}

func (s *step) keepSchedule(sch recurring.Schedule) error {
	if sch.Over() && sch.Code != NotSigned {
		s.dropSchedule(sch.ID)
		return nil
	}
	b, err := sch.Record()
	if err != nil {
		return err
	}
	s.m.schedules = s.m.schedules.Set(sch.ID.Key(), sch)
	s.batch.Puts[recSchedule+sch.ID.String()] = b
	return nil
}

func (s *step) dropSchedule(id recurring.ID) {
	s.m.schedules = s.m.schedules.Delete(id.Key())
	s.batch.Deletes = append(s.batch.Deletes, recSchedule+id.String())
}

func (s *step) scheduleOf(id recurring.ID) (recurring.Schedule, error) {
	sch, ok := s.m.schedules.Get(id.Key())
	if !ok {
		return sch, fmt.Errorf("schedule %s: %w", id, refusal.ErrUnknownSchedule)
	}
	return sch, nil
}

func (s *step) unplan(x Unplan) error {
	if _, err := s.scheduleOf(x.ID); err != nil {
		return err
	}
	s.dropSchedule(x.ID)
	answer(s, x, Done{})
	return nil
}

func (s *step) resume(x Resume) error {
	sch, err := s.scheduleOf(x.ID)
	if err != nil {
		return err
	}
	if s.m.restored != nil {
		return refusal.New(refusal.Restored, "this node was restored, and has not heard from all others yet: what it proposed since the backup may be missing here").
			WithHint("wait until `wallet show` says that it has caught up")
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	if s.m.Held(sch) {
		sch.Started, sch.Incarnation, sch.Held = s.now().Unix(), s.m.local.Incarnation, false
		if sch.Code != NotSigned { // that is still to be signed
			sch.Problem, sch.Code, sch.Since = "", "", 0
		}
		if err := s.keepSchedule(sch); err != nil {
			return err
		}
	}
	answer(s, x, Planned{sch})
	return nil
}

// delayed keeps why nothing was proposed, or signed. The same again is no news. What is to be
// signed stays so, whatever hinders it, or the period after it.
func (s *step) delayed(x Delayed) error {
	sch, err := s.scheduleOf(x.ID)
	if err != nil {
		return err
	}
	code, hold := x.Code, x.Code == refusal.DoublePayment
	if sch.Code == NotSigned {
		code = NotSigned
	}
	if sch.Problem != x.Problem || sch.Code != code || hold && !sch.Held {
		if sch.Code == "" {
			sch.Since = s.now().Unix()
		}
		sch.Problem, sch.Code, sch.Held = x.Problem, code, sch.Held || hold
		if err := s.keepSchedule(sch); err != nil {
			return err
		}
	}
	answer(s, x, Done{})
	return nil
}

// occasion refuses to propose what is not due, and what the journal has a proposal of this
// member for: another life of this node, or a copy of it, made it (see Passed).
func (s *step) occasion(x Propose) error {
	if x.Occasion == nil {
		return nil
	}
	sch, err := s.dueNow(*x.Occasion)
	if err != nil {
		return err
	}
	if p, made := s.m.MadeFor(*x.Occasion); made {
		return fmt.Errorf("%w: proposal %s was made for it", refusal.ErrBadRequest, p.Ref.ID)
	}
	if !s.m.heardSigners() {
		return refusal.New(refusal.Unheard, "too few of the others were heard since this node started: they may hold what a copy of it proposed for the same period").
			WithHint("wait until as many are online as have to sign beside it")
	}
	return s.openBefore(sch, x.Occasion.Period)
}

// heardSigners says whether as many keys' nodes as have to sign beside this one, and one
// at least, were heard and hold what this one held of its own when it started. Without them
// the payment is not made, so nothing is lost by waiting. It is no proof: those who signed
// what a copy of this node proposed may be others. What these completed is in the chain (see
// alsoPaid).
func (m *Machine) heardSigners() bool {
	heard, others := m.heardWith(journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}, m.ownAtStart)
	return heard >= min(max(1, m.State.Genesis().Threshold-1), others)
}

// dueNow returns the schedule of which a period is due.
func (s *step) dueNow(o recurring.Occasion) (recurring.Schedule, error) {
	sch, err := s.scheduleOf(o.Schedule)
	if err != nil {
		return sch, err
	}
	if n, due := sch.Due(s.m.scheduleTime(s.now())); !due || n != o.Period || s.m.Held(sch) {
		return sch, fmt.Errorf("%w: period %d of schedule %s is not due", refusal.ErrBadRequest, o.Period, sch.ID)
	}
	return sch, nil
}

// passed notes that what is due was proposed, by another life of this node or a copy of it.
func (s *step) passed(x Passed) error {
	if _, err := s.dueNow(x.Occasion); err != nil {
		return err
	}
	p, made := s.m.MadeFor(x.Occasion)
	if !made {
		return fmt.Errorf("%w: nothing was proposed for it", refusal.ErrBadRequest)
	}
	if err := s.proposedFor(&x.Occasion, p.Ref.ID, true); err != nil {
		return err
	}
	answer(s, x, Proposed{p.Ref.ID})
	return nil
}

// settled forgets that a proposal is to be signed.
func (s *step) settled(x Settled) error {
	sch, err := s.scheduleOf(x.ID)
	if err != nil {
		return err
	}
	if sch.Code == NotSigned {
		sch.Problem, sch.Code, sch.Since = "", "", 0
		if err := s.keepSchedule(sch); err != nil {
			return err
		}
	}
	answer(s, x, Done{})
	return nil
}

// maxLookedBack is how many periods before the one that is due are looked at.
const maxLookedBack = 1024

// openBefore refuses while what was proposed for a period before may still be paid, and
// is not.
func (s *step) openBefore(sch recurring.Schedule, n uint64) error {
	if p, ok := s.m.State.Proposal(sch.Last); ok {
		if err := s.stillOpen(p, "the last period"); err != nil {
			return err
		}
	}
	for back := range min(n, maxLookedBack) {
		of := recurring.Occasion{Schedule: sch.ID, Period: n - 1 - back}.Hash()
		for p := range s.m.watch.occasions.By(s.m.State, s.m.State.Me(), of) {
			if err := s.stillOpen(p, "the period of "+sch.Rhythm.Due(n-1-back).Format(time.DateOnly)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *step) stillOpen(p *group.Proposal, of string) error {
	status := group.Derive(s.m.State, s.m.View, s.now(), p)
	if status == group.StatusConfirmed || status == group.StatusDead {
		return nil
	}
	if why := openAs(status, s.m.State.Released(p.TxID)); why != "" {
		return refusal.New(refusal.PeriodOpen, "proposal %s for %s %s", p.Ref.ID, of, why).
			WithHint("approve it, or have its coins back with `cancel`; what nobody signed `withdraw` ends; then this one is proposed")
	}
	return nil
}

func openAs(status group.Status, released bool) string {
	switch {
	case status == group.StatusPending:
		return "waits for signatures"
	case status == group.StatusReplaced && !released:
		return "was replaced, and that may still be paid"
	case status.Live():
		return "is not in a block yet"
	case released:
		return "was given up, and has signatures that cannot be called back"
	}
	return ""
}

// proposedFor notes that a period has its proposal.
func (s *step) proposedFor(o *recurring.Occasion, id journal.EntryID, signed bool) error {
	if o == nil {
		return nil
	}
	sch, err := s.scheduleOf(o.Schedule)
	if err != nil {
		return err
	}
	n := o.Period
	sch.Missed, sch.Next, sch.Last, sch.Problem, sch.Code, sch.Since = n-min(n, sch.Next), n+1, id, "", "", 0
	if !signed && !sch.Unsigned && !s.m.External() {
		sch.Problem, sch.Code, sch.Since = "the proposal is made, and this node has not signed it", NotSigned, s.now().Unix()
	}
	return s.keepSchedule(sch)
}
