package service

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
)

// Preview says what Propose would come to, and changes nothing.
func (n *Node) Preview(ctx context.Context, ref string, r api.Propose) (api.Draft, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Draft{}, err
	}
	cmd, err := n.command(ctx, a, r)
	if err != nil {
		return api.Draft{}, err
	}
	d, err := a.Preview(cmd)
	if err != nil {
		return api.Draft{}, n.apiError(err)
	}
	m := a.Machine()
	out := api.Draft{Wallet: a.Group().String(), WalletName: m.Name(), External: m.External(), Threshold: m.State.Genesis().Threshold}
	if d.Repeats != nil {
		id := d.Repeats.String()
		out.Proposal = &id
		return out, nil
	}
	name := hex.EncodeToString(append(d.Shown.Seed[:], d.Shown.Digest[:]...))
	p := d.Proposal
	out.Draft, out.TxID, out.Fee, out.FeeRate, out.Note = &name, p.TxID.String(), p.Fee(), feeRate(m, p), api.Text(p.Body.Note)
	out.FeeSource = n.feeSource(r)
	out.Inputs, out.Outputs = n.parties(m, p, n.others(a.Group()))
	out.Sends, out.Change = m.Leaves(p), changeOf(p)
	out.Signs = !r.Unsigned && !out.External
	if p.Body.Expires > 0 {
		t := api.Time(time.Unix(p.Body.Expires, 0))
		out.Expires = &t
	}
	out.Replaces, _ = firstIDs(m.Replaces(p))
	out.UnconfirmedCount = unconfirmed(m, p)
	for _, c := range d.Left {
		out.LeftCount, out.Left = out.LeftCount+1, out.Left+c.Amount
	}
	for _, w := range d.Overridden {
		out.Warnings = append(out.Warnings, api.Warning{Code: w.Rule, Message: w.Text})
	}
	out.Cautions = cautions(m, p)
	return out, nil
}

// cautions are what is to be looked at before a payment is agreed to.
func cautions(m *coordinator.Machine, p *group.Proposal) (out []api.Caution) {
	for _, c := range m.Cautions(p) {
		out = append(out, api.Caution{Code: c.Code, Message: c.Text})
	}
	return out
}

// shown reads the name of a draft.
func shown(draft string) (*coordinator.Shown, error) {
	if draft == "" {
		return nil, nil
	}
	if err := api.CheckDraft(draft); err != nil {
		return nil, fmt.Errorf("read the draft: %w", err)
	}
	b, err := hex.DecodeString(draft)
	if err != nil {
		return nil, fmt.Errorf("read the draft: %w", err)
	}
	return &coordinator.Shown{Seed: [32]byte(b[:32]), Digest: [32]byte(b[32:])}, nil
}
