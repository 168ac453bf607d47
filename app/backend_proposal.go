package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
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
	v, err := a.Do(ctx, cmd)
	if err != nil {
		return api.Proposed{}, apiError(err)
	}
	id, ok := v.(coordinator.Proposed)
	if !ok {
		return api.Proposed{}, api.Fail("failed", "propose: no answer", "")
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
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			out.Change = o.Amount
		}
	}
	return out, nil
}

func (n *Node) command(ctx context.Context, a *coordinator.Actor, r api.Propose) (coordinator.Propose, error) {
	cmd := coordinator.Propose{Note: r.Note, Unsigned: r.Unsigned, RequestID: r.RequestID, Allow: r.Allow}
	expires := coordinator.DefaultExpiry
	if r.Expires > 0 {
		expires = time.Duration(r.Expires) * time.Second
	}
	cmd.Expires = time.Now().Add(expires)
	for _, to := range r.To {
		script, err := wallet.ParseAddress(to.Address, n.parts.Network)
		if err != nil {
			return cmd, api.Misuse("bad_address", fmt.Sprintf("address %.100q: %v", to.Address, err), "")
		}
		cmd.Outputs = append(cmd.Outputs, coordinator.ProposalOutput{PkScript: script, Amount: to.Amount, Label: to.Label})
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
	var err error
	cmd.FeeRate, err = n.feeRate(ctx, r)
	return cmd, err
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
	case errors.Is(err, coordinator.ErrNoEstimate), errors.Is(err, coordinator.ErrUnsupported):
		return 0, errFeeUnknown("the fee rate is unknown: the chain backend has no estimate")
	}
	return 0, errFeeUnknown("the fee rate is unknown: " + err.Error())
}

func errFeeUnknown(why string) error {
	return api.Refuse(coordinator.RuleFeeUnknown, why, "give --fee-rate")
}

// proposal finds a proposal of any wallet by id or unique prefix.
func (n *Node) proposal(ref string, acts bool) (*coordinator.Actor, *coordinator.Proposal, error) {
	if err := api.CheckProposal(ref, acts); err != nil {
		return nil, nil, err
	}
	var ids []string
	var in *coordinator.Actor
	var found *coordinator.Proposal
	for _, a := range n.co.Wallets() {
		for _, p := range a.Machine().ProposalsBy(ref) {
			ids = append(ids, p.ID().String())
			in, found = a, p
		}
	}
	// Of several it is an error, so what was found last is the one.
	if _, err := api.Resolve("proposal", ref, ids); err != nil {
		return nil, nil, err
	}
	return in, found, nil
}

// Proposals lists the proposals of a wallet, newest first.
func (n *Node) Proposals(ctx context.Context, ref string, q api.ProposalQuery) (api.Page[api.Proposal], error) {
	return n.proposals(ctx, ref, q, maxPageBytes)
}

// proposals is Proposals with a page of at most so many bytes, or else one proposal.
func (n *Node) proposals(_ context.Context, ref string, q api.ProposalQuery, maxBytes int) (api.Page[api.Proposal], error) {
	var page api.Page[api.Proposal]
	a, err := n.actor(ref)
	if err != nil {
		return page, err
	}
	limit := q.Limit
	if limit <= 0 || limit > api.MaxPage {
		limit = api.DefaultPage
	}
	// The cursor is the last one looked at: its claimed time and id.
	var after *coordinator.ProposalPos
	if q.Cursor != "" {
		ts, id, ok := strings.Cut(q.Cursor, "-")
		after = &coordinator.ProposalPos{}
		after.Time, err = strconv.ParseInt(ts, 10, 64)
		if err != nil || !ok || after.ID.UnmarshalText([]byte(id)) != nil {
			return page, api.Misuse("bad_cursor", fmt.Sprintf("%.80q is not a cursor", q.Cursor), "give what `next` said")
		}
	}
	m, now := a.Machine(), time.Now()
	ps, next := m.ProposalPage(after, limit, func(p *coordinator.Proposal) bool {
		return q.Status == "" || string(m.Status(p, now)) == q.Status
	})
	size := 0
	for i, p := range ps {
		x := n.show(a, p)
		if size += jsonSize(x); size > maxBytes && i > 0 {
			next = &coordinator.ProposalPos{Time: ps[i-1].Ref.Time, ID: ps[i-1].ID()}
			break
		}
		page.Items = append(page.Items, x)
	}
	if next != nil {
		page.Next = fmt.Sprintf("%d-%s", next.Time, next.ID)
	}
	return page, nil
}

// Proposal shows one.
func (n *Node) Proposal(_ context.Context, ref string) (api.Proposal, error) {
	a, p, err := n.proposal(ref, false)
	if err != nil {
		return api.Proposal{}, err
	}
	return n.show(a, p), nil
}

func (n *Node) show(a *coordinator.Actor, p *coordinator.Proposal) api.Proposal {
	m := a.Machine()
	if now, ok := m.State.Proposal(p.ID()); ok {
		p = now
	}
	x := api.Proposal{
		Proposal: p.ID().String(), Wallet: a.Group().String(), Author: personOf(m, p.Author()),
		Status: string(m.Status(p, time.Now())), TxID: p.TxID.String(), Fee: p.Fee(), FeeRate: feeRate(m, p),
		Note: p.Body.Note, Created: api.Time(time.UnixMilli(p.Ref.Time)), Needed: m.State.Genesis().Threshold,
	}
	if p.Body.Expires > 0 {
		t := api.Time(time.Unix(p.Body.Expires, 0))
		x.Expires = &t
	}
	d := m.State.Active().Descriptor
	for _, in := range p.Body.Inputs {
		addr, _ := d.Address(in.Branch, in.Index) // sound: it was derived before
		x.Inputs = append(x.Inputs, api.TxInput{OutPoint: in.OutPoint().String(), Amount: in.Amount, Address: addr})
	}
	for _, o := range p.Body.Outputs {
		out := api.TxOutput{Amount: o.Amount, Label: o.Label}
		if o.Change != nil {
			out.Change = true
			out.Address, _ = d.Address(wallet.BranchChange, *o.Change)
		} else if addr, err := wallet.AddressOf(o.PkScript, n.parts.Network); err == nil {
			out.Address = addr
		} else {
			out.Address = "script:" + hex.EncodeToString(o.PkScript)
		}
		x.Outputs = append(x.Outputs, out)
	}
	n.showVotes(m, p, &x)
	return x
}

func (n *Node) showVotes(m *coordinator.Machine, p *coordinator.Proposal, x *api.Proposal) {
	for _, h := range m.HeldBy(p) {
		x.HeldBy = append(x.HeldBy, person(h))
	}
	for _, g := range m.Approvals(p) {
		x.Approvals = append(x.Approvals, api.Approval{Cosigner: person(g.Member), Time: api.Time(g.Time), Signatures: g.Signatures})
	}
	for _, r := range m.Rejections(p) {
		x.Rejections = append(x.Rejections, api.Rejection{Cosigner: person(r.Member), Reason: r.Reason})
	}
	x.Conflicts, x.ConflictCount = firstIDs(m.Conflicts(p))
	x.Replaces, x.ReplacesCount = firstIDs(m.Replaces(p))
	if by := m.ReplacedBy(p); len(by) > 0 {
		id := by[0].String()
		x.ReplacedBy = &id
	}
	if tx, err := m.Tx(p); err == nil {
		id := tx.WitnessHash().String()
		x.WTxID = &id
	}
	for _, w := range m.Warn(p, time.Now()) {
		x.Warnings = append(x.Warnings, api.Warning{Code: w.Rule, Message: w.Text})
	}
}

// firstIDs are the ids that are shown of a list, and how many it has. Whoever
// proposes decides how long it is.
func firstIDs(ids []journal.EntryID) (shown []string, count int) {
	for _, id := range ids[:min(len(ids), maxIDs)] {
		shown = append(shown, id.String())
	}
	return shown, len(ids)
}

const (
	// maxIDs is how many conflicts of a proposal, or proposals that it replaces, are shown.
	maxIDs = 64
	// maxPageBytes is how large a page of proposals becomes, or else one proposal:
	// one is at most what fits into an entry of 256 KiB, and what is derived from
	// it, with up to 1,000 outputs or 2,000 inputs.
	maxPageBytes = 8 << 20
)

func jsonSize(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return maxPageBytes // it fails again, and is reported, when it is answered
	}
	return len(b)
}

func feeRate(m *coordinator.Machine, p *coordinator.Proposal) float64 {
	spend, err := p.Spend(m.State.Active())
	if err != nil || spend.VSize() == 0 {
		return 0
	}
	// Two decimals: more would be noise of the size estimate.
	return float64(p.Fee()*100/spend.VSize()) / 100
}

// Approve signs, after every check has passed or was overridden by name.
func (n *Node) Approve(ctx context.Context, ref string, r api.Approve) (api.Proposal, error) {
	return n.act(ctx, ref, func(id journal.EntryID) any { return coordinator.Approve{Proposal: id, Allow: r.Allow} })
}

// Reject votes against.
func (n *Node) Reject(ctx context.Context, ref string, r api.Reject) (api.Proposal, error) {
	return n.act(ctx, ref, func(id journal.EntryID) any { return coordinator.Reject{Proposal: id, Reason: r.Reason} })
}

// Withdraw takes this node's own proposal back.
func (n *Node) Withdraw(ctx context.Context, ref string) (api.Proposal, error) {
	return n.act(ctx, ref, func(id journal.EntryID) any { return coordinator.Withdraw{Proposal: id} })
}

func (n *Node) act(ctx context.Context, ref string, cmd func(journal.EntryID) any) (api.Proposal, error) {
	a, p, err := n.proposal(ref, true)
	if err != nil {
		return api.Proposal{}, err
	}
	if _, err := a.Do(ctx, cmd(p.ID())); err != nil {
		return api.Proposal{}, apiError(err)
	}
	return n.show(a, p), nil
}

// Tx returns the transaction of a final proposal.
func (n *Node) Tx(_ context.Context, ref string) (api.Tx, error) {
	a, p, err := n.proposal(ref, false)
	if err != nil {
		return api.Tx{}, err
	}
	tx, err := a.Machine().Tx(p)
	if errors.Is(err, wallet.ErrMissingSignatures) {
		return api.Tx{}, api.Refuse("not_final", "the proposal is not final yet", "wait for further approvals")
	}
	if err != nil {
		return api.Tx{}, apiError(err)
	}
	var b strings.Builder
	if err := tx.Serialize(hex.NewEncoder(&b)); err != nil {
		return api.Tx{}, apiError(err)
	}
	return api.Tx{TxID: tx.TxHash().String(), WTxID: tx.WitnessHash().String(), Hex: b.String()}, nil
}
