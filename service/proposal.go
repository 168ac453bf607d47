package service

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// proposal finds a proposal of any wallet by id or unique prefix.
func (n *Node) proposal(ref string, acts bool) (*node.Actor, *group.Proposal, error) {
	if err := api.CheckProposal(ref, acts); err != nil {
		return nil, nil, err
	}
	var ids []string
	var in *node.Actor
	var found *group.Proposal
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
	return n.ProposalsWithin(ctx, ref, q, maxPageBytes)
}

// ProposalsWithin is Proposals with a page of at most so many bytes, or else one proposal.
func (n *Node) ProposalsWithin(_ context.Context, ref string, q api.ProposalQuery, maxBytes int) (api.Page[api.Proposal], error) {
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
	ps, next := m.ProposalPage(after, limit, func(p *group.Proposal) bool {
		return q.Status == "" || string(m.Status(p, now)) == q.Status
	})
	size, owners := 0, n.others(a.Group())
	for i, p := range ps {
		x := n.shown(m, p, owners)
		if size += jsonSize(x); size > maxBytes && i > 0 {
			next = &coordinator.ProposalPos{Time: ps[i-1].Ref.Time, ID: ps[i-1].ID()}
			break
		}
		page.Items = append(page.Items, x)
	}
	if next != nil {
		page.Next = api.Text(fmt.Sprintf("%d-%s", next.Time, next.ID))
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

func (n *Node) show(a *node.Actor, p *group.Proposal) api.Proposal {
	return n.shown(a.Machine(), p, n.others(a.Group()))
}

// shown is what is shown of a proposal; owners are the node's other wallets.
func (n *Node) shown(m *coordinator.Machine, p *group.Proposal, owners []*coordinator.Machine) api.Proposal {
	if now, ok := m.State.Proposal(p.ID()); ok {
		p = now
	}
	status := m.Status(p, time.Now())
	x := api.Proposal{
		Proposal: p.ID().String(), Wallet: m.State.Group().String(), WalletName: m.Name(), Author: personOf(m, p.Author()),
		Status: string(status), TxID: p.TxID.String(), Fee: p.Fee(), FeeRate: feeRate(m, p),
		Note: api.Text(p.Body.Note), Created: api.Time(time.UnixMilli(p.Ref.Time)), Threshold: m.State.Genesis().Threshold,
	}
	_, x.Scheduled = p.Body.For()
	if p.Body.Expires > 0 {
		t := api.Time(time.Unix(p.Body.Expires, 0))
		x.Expires = &t
	}
	x.Inputs, x.Outputs = n.parties(m, p, owners)
	n.showVotes(m, p, &x)
	if status.Live() {
		x.Cautions = cautions(m, p)
	}
	return x
}

// parties are the coins that a proposal spends, and whom it pays; owners are the node's
// other wallets.
func (n *Node) parties(m *coordinator.Machine, p *group.Proposal, owners []*coordinator.Machine) (ins []api.TxInput, outs []api.TxOutput) {
	d := m.State.Active().Descriptor
	for _, in := range p.Body.Inputs {
		addr, _ := d.Address(in.Branch, in.Index) // sound: it was derived before
		ins = append(ins, api.TxInput{OutPoint: in.OutPoint().String(), Amount: in.Amount, Address: addr, Confirmations: m.View.Confirmations(in.TxID), Frozen: frozen(m, in.OutPoint())})
	}
	for _, o := range p.Body.Outputs {
		out := api.TxOutput{Amount: o.Amount, Label: api.Text(o.Label)}
		if o.Change != nil {
			out.Change, out.Own = true, true
			out.Address, _ = d.Address(wallet.BranchChange, *o.Change)
		} else {
			out.Address, out.Own = n.addressText(o.PkScript), m.View.Owns(o.PkScript)
			if !out.Own {
				out.OwnedBy = ownerOf(owners, o.PkScript)
			}
		}
		outs = append(outs, out)
	}
	return ins, outs
}

// others are the machines of this node's other wallets.
func (n *Node) others(group journal.GroupID) (out []*coordinator.Machine) {
	for _, a := range n.co.Wallets() {
		if a.Group() != group {
			out = append(out, a.Machine())
		}
	}
	return out
}

// ownerOf is the first of some wallets that watches a script, or nil.
func ownerOf(wallets []*coordinator.Machine, script []byte) *api.Owner {
	for _, m := range wallets {
		if m.View.Owns(script) {
			return &api.Owner{Wallet: m.State.Group().String(), Name: m.Name()}
		}
	}
	return nil
}

// addressText is the address of a script, or the script where it has none.
func (n *Node) addressText(script []byte) string {
	if addr, err := wallet.AddressOf(script, n.parts.Network); err == nil {
		return addr
	}
	return "script:" + hex.EncodeToString(script)
}

func (n *Node) showVotes(m *coordinator.Machine, p *group.Proposal, x *api.Proposal) {
	for _, h := range m.HeldBy(p) {
		x.HeldBy = append(x.HeldBy, person(h))
	}
	agreed := m.PreApprovals(p)
	for _, g := range m.Approvals(p) {
		given := api.Approval{Cosigner: person(g.Member), Time: api.Time(g.Time), Signatures: g.Signatures, Unasked: m.SignedUnasked(p, g.Member)}
		for _, u := range agreed {
			if u.Member.Record == g.Member.Record {
				until := api.Time(u.Until)
				given.BumpTo, given.BumpUntil = &u.Fee, &until
			}
		}
		x.Approvals = append(x.Approvals, given)
		if g.Signatures == len(p.Body.Inputs) {
			x.Signed++
		}
	}
	for _, r := range m.Rejections(p) {
		x.Rejections = append(x.Rejections, api.Rejection{Cosigner: person(r.Member), Reason: r.Reason, Time: api.Time(r.Time)})
	}
	x.Verdicts = verdictsInShort(m, p)
	for _, d := range m.Course(p) {
		x.History = append(x.History, api.Deed{Cosigner: person(d.By), Kind: d.Kind, Text: api.Text(d.Text), Time: api.Time(d.Time)})
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
	if reach := string(m.Reach(p)); reach != "" {
		x.Reach = &reach
	}
	if a, ok := m.Unsent(p); ok {
		x.Warnings = append(x.Warnings, api.Warning{Code: a.Kind, Message: a.Text})
	}
	for _, w := range m.Warn(p, time.Now(), n.co.ChainAge(), n.parts.Chain.Health().Policy) {
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
