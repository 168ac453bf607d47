package service

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/coordinator/robot/replay"
	"github.com/quorate/quorate/coordinator/robot/simulate"
	"github.com/quorate/quorate/policy"
)

// SimulatePolicy runs a policy over all that was ever proposed in a wallet.
func (n *Node) SimulatePolicy(ctx context.Context, ref string, r api.SimulatePolicy) (api.Simulation, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Simulation{}, err
	}
	m := a.Machine()
	q, first, err := simulationOf(m, r)
	if err != nil {
		return api.Simulation{}, err
	}
	var report simulate.Report
	fault := group.Contained(func() (err error) {
		report, err = simulate.Run(ctx, q)
		return err
	})
	switch {
	case errors.Is(fault, simulate.ErrPolicy):
		return api.Simulation{}, api.Misuse("bad_policy", fault.Error(), "look at the file that it was made of")
	case errors.Is(fault, simulate.ErrTooMany):
		return api.Simulation{}, api.Refuse("too_many_proposals", fmt.Sprintf("%v: %d", fault, simulate.MaxProposals), "say from which time on, with --since")
	case fault != nil:
		return api.Simulation{}, n.apiError(fault)
	}
	out := api.Simulation{Wallet: a.Group().String(), WalletName: m.Name(), Robot: person(m.State.Active().Members[report.Robot]), Proposals: len(report.Items), Unsound: report.Unsound}
	limit := pageLimit(r.Limit)
	for i, x := range report.Items {
		switch x.Verdict.Outcome {
		case policy.OutcomeSign:
			out.Signed++
		case policy.OutcomeWait:
			out.Waiting++
		case policy.OutcomeAsk:
			out.Asked++
		case policy.OutcomeDeny:
			out.Denied++
		}
		if i >= first && i < first+limit {
			out.Items = append(out.Items, simulatedOf(m, q, x))
		}
	}
	if first+limit < len(report.Items) {
		out.Next = api.Text(strconv.Itoa(first + limit))
	}
	for _, x := range report.Meters {
		of := q.Policy.Meters[x.Meter]
		out.Meters = append(out.Meters, api.SimulatedMeter{Meter: of.Name, Limit: of.Limit, Window: of.Window, Signed: mostOf(m, x.Signed), Mined: mostOf(m, x.Mined)})
	}
	return out, nil
}

// simulationOf is what is asked for, and which of the proposals is listed first.
func simulationOf(m *coordinator.Machine, r api.SimulatePolicy) (q simulate.Query, first int, err error) {
	const hint = "look at the file that it was made of"
	if m.State.Active() == nil {
		return q, 0, api.Refuse("not_active", "the wallet is not active: nothing was proposed in it yet", "`quorate wallet show` says how far it is")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(r.Policy)
	if err != nil {
		return q, 0, api.Misuse("bad_policy", "the policy is not in base64", "send its canonical form, or use the command line")
	}
	p, err := policy.Decode(b)
	if err == nil {
		err = p.Fits(len(m.State.Active().Members), m.State.Genesis().Threshold)
	}
	if err != nil {
		return q, 0, api.Misuse("bad_policy", err.Error(), hint)
	}
	if r.Cursor != "" {
		if first, err = strconv.Atoi(r.Cursor); err != nil || first < 0 {
			return q, 0, badCursor(r.Cursor)
		}
	}
	q = simulate.Query{State: m.State, View: m.View, Policy: p, Now: time.Now().Unix()}
	if r.Since != nil {
		q.Since = r.Since.Unix()
	}
	return q, first, nil
}

func simulatedOf(m *coordinator.Machine, q simulate.Query, x simulate.Item) api.Simulated {
	p := x.Proposal
	var codes []string
	for _, r := range x.Verdict.Reasons {
		codes = append(codes, string(r))
	}
	out := api.Simulated{
		Proposal: p.ID().String(), TxID: p.TxID.String(), Time: api.Time(time.UnixMilli(p.Ref.Time)), By: personOf(m, p.Author()), Amount: x.Amount,
		Outcome: robot.Word(uint64(x.Verdict.Outcome)), At: api.Time(time.Unix(x.At, 0)), Codes: codes, Status: string(m.Status(p, time.Unix(q.Now, 0))),
	}
	if n := x.Verdict.Rule; n > 0 {
		out.Rule, out.Name = &n, api.Text(q.Policy.Rules[n-1].Name)
	}
	return out
}

func mostOf(m *coordinator.Machine, x simulate.Most) api.SimulatedMost {
	if x.Amount == 0 {
		return api.SimulatedMost{}
	}
	out := api.SimulatedMost{Amount: x.Amount, From: api.Moment(time.Unix(x.From, 0))}
	if k, ok := robot.InitiatorOf(x.Subject); ok {
		who := person(m.State.Active().Members[k])
		out.Initiator = &who
	}
	name, _ := robot.RecipientOf(x.Subject)
	out.Recipient = api.Text(name)
	return out
}

// ReplayPolicy makes the verdicts of a wallet's robots again.
func (n *Node) ReplayPolicy(ctx context.Context, ref string, q api.ReplayQuery) (api.Page[api.Replayed], error) {
	var page api.Page[api.Replayed]
	a, err := n.actor(ref)
	if err != nil {
		return page, err
	}
	from, err := replay.ParsePlace(q.Cursor)
	if err != nil {
		return page, badCursor(q.Cursor)
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return page, nil
	}
	r := replay.Reader{State: m.State, View: m.View, Entry: a.Entry, Now: time.Now().UnixMilli()}
	if !q.Since.IsZero() {
		r.Since = q.Since.UnixMilli()
	}
	var found []replay.Found
	var next *replay.Place
	fault := group.Contained(func() (err error) {
		found, next, err = r.Page(ctx, from, pageLimit(q.Limit))
		return err
	})
	if fault != nil {
		return page, n.apiError(fault)
	}
	if next != nil {
		page.Next = api.Text(next.String())
	}
	for _, f := range found {
		x := api.Replayed{Entry: f.Ref.ID.String(), Robot: person(f.Member), Time: api.Time(time.UnixMilli(f.Ref.Time)), Proposal: f.Verdict.Proposal.String()}
		if word := robot.Word(f.Verdict.Outcome); !f.Signed {
			x.Outcome = &word
		}
		for _, d := range f.Differs {
			x.Differs = append(x.Differs, api.ReplayDiffer(d))
		}
		for _, o := range f.Open {
			x.Open = append(x.Open, api.ReplayOpen(o))
		}
		page.Items = append(page.Items, x)
	}
	return page, nil
}
