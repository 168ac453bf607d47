package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/coinselect"
)

// Fee rates where nothing else is said.
const (
	defaultTarget = 6
	// regtestFeeRate stands in on regtest alone, where there is no market to
	// estimate from; elsewhere an unknown fee rate is refused, never guessed.
	regtestFeeRate = wallet.FeeRate(2000) // satoshis per 1000 vbytes
	// An estimate below the one is raised to it: many nodes relay nothing cheaper.
	// One above the other is a mistake or a lie: nobody has ever had to pay that.
	minEstimate = wallet.FeeRate(1_000)
	maxEstimate = wallet.FeeRate(1_000_000)
)

// Propose creates a proposal and, unless told otherwise, approves it.
func (n *Node) Propose(ctx context.Context, ref string, r api.Propose) (api.Proposed, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Proposed{}, err
	}
	cmd, err := n.command(ctx, a, r)
	if err != nil {
		return api.Proposed{}, err
	}
	id, err := node.Do(ctx, a, cmd)
	if err != nil {
		return api.Proposed{}, n.apiError(err)
	}
	m := a.Machine()
	p, ok := m.State.Proposal(id.Proposal)
	if !ok {
		return api.Proposed{}, api.Fail("failed", "propose: the proposal is gone", "")
	}
	out := api.Proposed{
		Proposal: id.Proposal.String(), TxID: p.TxID.String(), Fee: p.Fee(), FeeRate: feeRate(m, p),
		Status: string(m.Status(p, time.Now())),
	}
	out.Change, out.UnconfirmedCount = changeOf(p), unconfirmed(m, p)
	out.Replaces, _ = firstIDs(m.Replaces(p))
	out.Cautions = cautions(m, p)
	return out, nil
}

// changeOf is what comes back to the wallet.
func changeOf(p *group.Proposal) (sum int64) {
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			sum += o.Amount
		}
	}
	return sum
}

// unconfirmed counts the inputs that could still vanish.
func unconfirmed(m *coordinator.Machine, p *group.Proposal) (n int) {
	for _, in := range p.Body.Inputs {
		if m.View.Confirmations(in.TxID) == 0 {
			n++
		}
	}
	return n
}

func (n *Node) command(ctx context.Context, a *node.Actor, r api.Propose) (coordinator.Propose, error) {
	cmd := coordinator.Propose{Note: r.Note, Unsigned: r.Unsigned, RequestID: r.RequestID, Allow: r.Allow}
	expires := coordinator.DefaultExpiry
	if r.Expires > 0 {
		expires = time.Duration(r.Expires) * time.Second
	}
	cmd.Expires = time.Now().Add(expires)
	var err error
	if cmd.Shown, err = shown(r.Draft); err != nil {
		return cmd, err
	}
	if cmd.Outputs, cmd.All, cmd.FeeFrom, err = n.recipients(r.To); err != nil {
		return cmd, err
	}
	for _, c := range r.Coins {
		op, err := parseOutPoint(c)
		if err != nil {
			return cmd, err
		}
		cmd.Coins = append(cmd.Coins, op)
	}
	for _, p := range r.Replaces {
		_, found, err := n.proposal(p, true)
		if err != nil {
			return cmd, err
		}
		cmd.Replaces = append(cmd.Replaces, found.ID())
	}
	if err := n.follows(&cmd, r); err != nil {
		return cmd, err
	}
	terms := ""
	if r.Bumps+r.Cancels+r.Rescues != "" {
		terms = fmt.Sprintf(", bumps %s, cancels %s, rescues %s, parent %d", r.Bumps, r.Cancels, r.Rescues, r.ParentFee)
	}
	if r.Below > 0 {
		terms += fmt.Sprintf(", consolidates below %v", r.Below)
	}
	if cmd.All > 0 {
		terms += fmt.Sprintf(", all to %d", cmd.All)
	}
	if len(cmd.FeeFrom) > 0 {
		terms += fmt.Sprintf(", fee from %v", cmd.FeeFrom)
	}
	cmd.Terms = fmt.Sprintf("fee rate %v, target %d, expires %d, unsigned %v", r.FeeRate, r.TargetBlocks, r.Expires, r.Unsigned) + terms
	if _, again := a.Machine().Asked(r.RequestID); again {
		return cmd, nil // it is answered whatever a fee is now
	}
	if r.Cancels != "" && r.FeeRate == 0 && r.TargetBlocks == 0 {
		return cmd, nil // what it takes to replace what it cancels
	}
	cmd.FeeRate, err = n.feeRate(ctx, r)
	return cmd, err
}

// follows says what a payment is made from.
func (n *Node) follows(cmd *coordinator.Propose, r api.Propose) error {
	for ref, to := range map[string]*journal.EntryID{r.Bumps: &cmd.Follows.Bump, r.Cancels: &cmd.Follows.Cancel} {
		if ref == "" {
			continue
		}
		_, p, err := n.proposal(ref, true)
		if err != nil {
			return err
		}
		*to = p.ID()
	}
	if r.Below > 0 {
		rate, err := coinselect.FeeRateFromSatVB(r.Below)
		if err != nil {
			return api.Misuse("bad_fee_rate", "fee rate: "+err.Error(), "give satoshis per virtual byte")
		}
		cmd.Follows.Below = rate
	}
	if r.Rescues == "" {
		return nil
	}
	tx, err := txidOf(r.Rescues)
	if err != nil {
		return err
	}
	cmd.Follows.Child, cmd.Follows.ParentFee = tx, r.ParentFee
	return nil
}

func (n *Node) feeRate(ctx context.Context, r api.Propose) (wallet.FeeRate, error) {
	if r.FeeRate != 0 {
		rate, err := coinselect.FeeRateFromSatVB(r.FeeRate)
		if err != nil {
			return 0, api.Misuse("bad_fee_rate", "fee rate: "+err.Error(), "give satoshis per virtual byte")
		}
		return rate, nil
	}
	target := r.TargetBlocks
	if target == 0 {
		target = defaultTarget
	}
	rate, err := n.parts.Chain.FeeRate(ctx, target)
	switch {
	case err == nil && (rate <= 0 || rate > maxEstimate):
		return 0, errFeeUnknown(fmt.Sprintf("the Bitcoin node's estimate of %v is out of bounds", rate))
	case err == nil:
		return max(rate, minEstimate), nil
	case n.parts.Network == wallet.Regtest:
		return regtestFeeRate, nil
	case errors.Is(err, port.ErrNoEstimate), errors.Is(err, port.ErrUnsupported):
		return 0, errFeeUnknown("the fee rate is unknown: the chain backend has no estimate")
	}
	return 0, errFeeUnknown("the fee rate is unknown: " + err.Error())
}

// feeSource says where a fee rate is from.
func (n *Node) feeSource(r api.Propose) string {
	switch {
	case r.FeeRate != 0:
		return "given"
	case r.Cancels != "" && r.TargetBlocks == 0:
		return "made"
	case n.parts.Chain.Health().Blind:
		return "blocks"
	}
	return "estimate"
}

func errFeeUnknown(why string) error {
	return api.Refuse(refusal.FeeUnknown, why, "give --fee-rate")
}

func feeRate(m *coordinator.Machine, p *group.Proposal) float64 {
	spend, err := p.Spend(m.State.Active())
	if err != nil || spend.VSize() == 0 {
		return 0
	}
	// Two decimals: more would be noise of the size estimate.
	return float64(p.Fee()*100/spend.VSize()) / 100
}
