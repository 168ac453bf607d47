package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

const (
	// farthest is how far away what is due may be: ten years.
	farthest       = 10 * 366 * 24 * time.Hour
	farthestBlocks = 10 * 366 * 144
	// dueEvery is how often it is looked for what is due, and triedAgain after how long
	// what could not be proposed is tried again.
	dueEvery   = 2 * time.Second
	triedAgain = 30 * time.Second
	// dueTime is how long one may take, a signer that does not answer included.
	dueTime = time.Minute
)

// Schedule keeps a payment to be proposed when it is due.
func (n *Node) Schedule(ctx context.Context, ref string, r api.NewSchedule) (api.Schedule, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Schedule{}, err
	}
	sch, err := n.planned(a.Machine(), r, time.Now())
	if err != nil {
		return api.Schedule{}, n.apiError(err)
	}
	if r.DryRun {
		sch.Created, sch.Started, sch.Incarnation = time.Now().Unix(), time.Now().Unix(), a.Machine().Incarnation()
		return n.schedule(a, sch), nil
	}
	id := r.RequestID
	r.RequestID = ""
	terms, err := json.Marshal(r)
	if err != nil {
		return api.Schedule{}, fmt.Errorf("write what was asked for: %w", err)
	}
	kept, err := node.Do(ctx, a, coordinator.Plan{Schedule: sch, RequestID: id, Terms: string(terms)})
	if err != nil {
		return api.Schedule{}, n.apiError(err)
	}
	return n.schedule(a, kept.Schedule), nil
}

// planned reads what is asked for.
func (n *Node) planned(m *coordinator.Machine, r api.NewSchedule, now time.Time) (recurring.Schedule, error) {
	sch := recurring.Schedule{Note: r.Note, Target: r.TargetBlocks, Height: r.Height, Expires: r.Expires, Unsigned: r.Unsigned}
	if sch.Expires == 0 {
		sch.Expires = int64(coordinator.DefaultExpiry / time.Second)
	}
	var err error
	if sch.Outputs, sch.All, sch.FeeFrom, err = n.recipients(r.To); err != nil {
		return sch, err
	}
	if r.FeeRate > 0 {
		rate, err := coinselect.FeeRateFromSatVB(r.FeeRate)
		if err != nil {
			return sch, api.Misuse("bad_fee_rate", "fee rate: "+err.Error(), "give satoshis per virtual byte")
		}
		sch.FeeRate = int64(rate)
	}
	from := now
	if r.NotBefore != nil {
		if r.NotBefore.After(now.Add(farthest)) {
			return sch, badSchedule("it is due in more than ten years")
		}
		from = *r.NotBefore
	}
	if r.Every != "" {
		if from.Before(now) {
			from = now
		}
		if sch.Rhythm, err = recurring.Read(recurring.Wish{Every: r.Every, On: r.On, At: r.At, Zone: r.Zone, From: from}); err != nil {
			return sch, err
		}
		if r.Until != nil {
			sch.Until = r.Until.Unix()
			if !sch.Rhythm.Due(0).Before(*r.Until) {
				return sch, badSchedule("it ends before it is due for the first time")
			}
		}
		return sch, nil
	}
	switch {
	case r.NotBefore == nil && r.Height == 0:
		return sch, badSchedule("nothing says when it is due")
	case r.NotBefore != nil && !from.After(now):
		return sch, badSchedule("the time before which it is not due is over")
	case r.Height > 0 && r.Height <= m.View.Tip().Height:
		return sch, badSchedule(fmt.Sprintf("the chain has passed height %d", r.Height))
	case r.Height > m.View.Tip().Height+farthestBlocks:
		return sch, badSchedule(fmt.Sprintf("height %d is more than ten years away", r.Height))
	}
	if r.NotBefore != nil {
		sch.NotBefore = from.Unix()
	}
	return sch, nil
}

func badSchedule(why string) error {
	return api.Misuse("bad_schedule", why, "propose it now, or give a later time")
}

// recipients reads whom a payment pays, which of them gets all that is left, and which
// pay the fee, counted from 1.
func (n *Node) recipients(to []api.Recipient) (out []event.ProposalOutput, all int, feeFrom []int, err error) {
	for i, r := range to {
		if r.All {
			all = i + 1
		}
		if r.PaysFee {
			feeFrom = append(feeFrom, i+1)
		}
		script, err := wallet.ParseAddress(r.Address, n.parts.Network)
		if err != nil {
			return nil, 0, nil, api.Misuse("bad_address", fmt.Sprintf("address %.100q: %v", r.Address, err), "")
		}
		out = append(out, event.ProposalOutput{PkScript: script, Amount: r.Amount, Label: r.Label})
	}
	return out, all, feeFrom, nil
}

// Schedules lists what this node is to propose by itself, the oldest first.
func (n *Node) Schedules(_ context.Context, ref string) ([]api.Schedule, error) {
	a, err := n.actor(ref)
	if err != nil {
		return nil, err
	}
	var out []api.Schedule
	for _, sch := range a.Machine().Schedules() {
		out = append(out, n.schedule(a, sch))
	}
	return out, nil
}

// EndSchedule ends one. What was proposed stays.
func (n *Node) EndSchedule(ctx context.Context, ref, id string) (api.Schedule, error) {
	a, sch, err := n.scheduleOf(ref, id)
	if err != nil {
		return api.Schedule{}, err
	}
	out := n.schedule(a, sch)
	if _, err := node.Do(ctx, a, coordinator.Unplan{ID: sch.ID}); err != nil {
		return api.Schedule{}, n.apiError(err)
	}
	return out, nil
}

// StartSchedule takes one up that the node holds since it was restored.
func (n *Node) StartSchedule(ctx context.Context, ref, id string) (api.Schedule, error) {
	a, sch, err := n.scheduleOf(ref, id)
	if err != nil {
		return api.Schedule{}, err
	}
	kept, err := node.Do(ctx, a, coordinator.Resume{ID: sch.ID})
	if err != nil {
		return api.Schedule{}, n.apiError(err)
	}
	return n.schedule(a, kept.Schedule), nil
}

// scheduleOf finds a schedule by its id, or by the only one that begins so.
func (n *Node) scheduleOf(ref, id string) (*node.Actor, recurring.Schedule, error) {
	a, err := n.actor(ref)
	if err != nil {
		return nil, recurring.Schedule{}, err
	}
	var found []recurring.Schedule
	for _, sch := range a.Machine().Schedules() {
		if strings.HasPrefix(sch.ID.String(), id) {
			found = append(found, sch)
		}
	}
	switch {
	case len(found) == 0:
		return nil, recurring.Schedule{}, api.Missing("unknown_schedule", fmt.Sprintf("schedule %.40s is not known to this node", id), "`quorate recurring list` lists them")
	case len(found) > 1:
		return nil, recurring.Schedule{}, api.Misuse("ambiguous_id", fmt.Sprintf("schedule id %s is not unique", id), "give more of its characters")
	}
	return a, found[0], nil
}

// schedule shows one.
func (n *Node) schedule(a *node.Actor, sch recurring.Schedule) api.Schedule {
	m, now := a.Machine(), time.Now()
	out := api.Schedule{
		Schedule: sch.ID.String(), Wallet: a.Group().String(), Note: api.Text(sch.Note), Expires: sch.Expires, Unsigned: sch.Unsigned,
		Rhythm: sch.Rhythm.String(), Created: api.Time(time.Unix(sch.Created, 0)), Missed: sch.Missed, State: "waits", Problem: api.Text(sch.Problem),
	}
	for i, o := range sch.Outputs {
		to := api.ScheduledPayee{PaysFee: slices.Contains(sch.FeeFrom, i+1), Label: api.Text(o.Label)}
		if i+1 != sch.All {
			to.Amount = &o.Amount
		}
		if address, err := wallet.AddressOf(o.PkScript, n.parts.Network); err == nil {
			to.Address = address
		}
		out.To = append(out.To, to)
	}
	if sch.FeeRate > 0 {
		rate := float64(sch.FeeRate) / 1000
		out.FeeRate = &rate
	}
	if sch.Target > 0 {
		out.TargetBlocks = &sch.Target
	}
	if !sch.Rhythm.Once() {
		out.Every = api.Text(fmt.Sprintf("%d%s", sch.Rhythm.Every, sch.Rhythm.Unit))
	}
	if at, known := sch.NextDue(); known {
		out.NextDue = api.Moment(at)
	}
	if sch.Height > 0 {
		out.Height = &sch.Height
	}
	if sch.Until > 0 {
		out.Until = api.Moment(time.Unix(sch.Until, 0))
	}
	if sch.Last != (journal.EntryID{}) {
		out.Last = api.Text(sch.Last.String())
	}
	switch {
	case m.Held(sch):
		out.State = "held"
	case (m.Due(sch, now) || sch.Code == coordinator.NotSigned) && sch.Code != "":
		out.State = "delayed"
	case m.Due(sch, now):
		out.State = "due"
	}
	return out
}

// ProposeDue proposes what is due by schedules, until ctx ends.
func (n *Node) ProposeDue(ctx context.Context) {
	tick := time.NewTicker(dueEvery)
	defer tick.Stop()
	failed := map[recurring.ID]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, a := range n.co.Wallets() {
			for _, due := range a.Machine().DueSchedules(time.Now()) {
				n.try(ctx, failed, due.Schedule, func(ctx context.Context) bool { return n.proposeDue(ctx, a, due) })
			}
			for _, sch := range a.Machine().UnsignedSchedules() {
				n.try(ctx, failed, sch.ID, func(ctx context.Context) bool { return n.signDue(ctx, a, sch) })
			}
		}
	}
}

// try does something for a schedule, not again soon after it failed. What goes wrong in it
// ends neither the node nor what is due elsewhere.
func (n *Node) try(ctx context.Context, failed map[recurring.ID]time.Time, id recurring.ID, do func(context.Context) bool) {
	if at, ok := failed[id]; ok && time.Since(at) < triedAgain {
		return
	}
	delete(failed, id)
	ctx, stop := context.WithTimeout(ctx, dueTime)
	defer stop()
	done := false
	if err := group.Contained(func() error { done = do(ctx); return nil }); err != nil {
		n.parts.Log.Error("a payment that is due met a fault of this program", "schedule", id.String(), "error", err)
	}
	if !done {
		failed[id] = time.Now()
	}
}

// signDue signs what was proposed when it was due, and not signed then, with nothing
// allowed; unless it was decided meanwhile, or its user is against it.
func (n *Node) signDue(ctx context.Context, a *node.Actor, sch recurring.Schedule) bool {
	if a.Machine().MaySignDue(sch, time.Now()) {
		cmd := coordinator.Approve{Proposal: sch.Last}
		_, err := node.DoUnless(ctx, a, cmd, func(m coordinator.Machine) error {
			if !m.MaySignDue(sch, time.Now()) {
				return errDecided
			}
			return nil
		})
		if err != nil && !errors.Is(err, errDecided) {
			if ctx.Err() == nil {
				e := api.AsError(n.apiError(err))
				n.delayed(ctx, a, sch.ID, e.Code, e.Message)
			}
			return false
		}
	}
	_, err := node.Do(ctx, a, coordinator.Settled{ID: sch.ID})
	return err == nil
}

var errDecided = errors.New("it was decided meanwhile")

func (n *Node) delayed(ctx context.Context, a *node.Actor, id recurring.ID, code, problem string) {
	if _, err := node.Do(ctx, a, coordinator.Delayed{ID: id, Problem: problem, Code: code}); err != nil {
		n.parts.Log.Warn("why a payment that is due is not made is not kept", "schedule", id.String(), "code", code)
	}
}

// proposeDue proposes one payment that is due, or keeps why it does not; false where it
// does not.
func (n *Node) proposeDue(ctx context.Context, a *node.Actor, due recurring.Occasion) bool {
	log := n.parts.Log.With("wallet", a.Machine().Name(), "schedule", due.Schedule.String())
	if p, made := a.Machine().MadeFor(due); made {
		if _, err := node.Do(ctx, a, coordinator.Passed{Occasion: due}); err != nil {
			return false // it is looked at again
		}
		log.Info("a payment that is due was proposed before, by an earlier life or a copy of this node", "proposal", p.Ref.ID.String())
		return true
	}
	cmd, missed, err := n.dueCommand(ctx, a, due)
	if err == nil {
		var made coordinator.Proposed
		if made, err = node.Do(ctx, a, cmd); err == nil {
			log.Info("proposed a payment that is due", "proposal", made.Proposal.String(), "missed", missed)
			return true
		}
	}
	if ctx.Err() != nil || errors.Is(err, node.ErrStopped) {
		return false // the node stops
	}
	e := api.AsError(n.apiError(err))
	if e.Made {
		log.Warn("a payment that is due was proposed, and is not signed", "code", e.Code)
	}
	n.delayed(ctx, a, due.Schedule, e.Code, e.Message)
	return false
}

// dueCommand is what proposes one period, and how many were missed before it.
func (n *Node) dueCommand(ctx context.Context, a *node.Actor, due recurring.Occasion) (cmd coordinator.Propose, missed uint64, err error) {
	sch, ok := a.Machine().ScheduleOf(due.Schedule)
	if !ok {
		return cmd, 0, api.Missing("unknown_schedule", "the schedule was ended", "")
	}
	cmd = coordinator.Propose{
		Outputs: sch.Outputs, All: sch.All, FeeFrom: sch.FeeFrom, Note: sch.Note, Unsigned: sch.Unsigned, Occasion: &due,
		Expires: time.Now().Add(time.Duration(sch.Expires) * time.Second), FeeRate: wallet.FeeRate(sch.FeeRate),
	}
	if sch.FeeRate == 0 {
		if cmd.FeeRate, err = n.feeRate(ctx, api.Propose{TargetBlocks: sch.Target}); err != nil {
			return cmd, 0, err
		}
	}
	return cmd, due.Period - min(due.Period, sch.Next), nil
}
