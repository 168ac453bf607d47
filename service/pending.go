package service

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
)

// Pending lists what waits for this node's user, over all wallets.
func (n *Node) Pending(_ context.Context, q api.PendingQuery) (api.Page[api.Pending], error) {
	var page api.Page[api.Pending]
	from, after, err := pendingPlace(q.Cursor)
	if err != nil {
		return page, err
	}
	limit := pageLimit(q.Limit)
	wallets := slices.Clone(n.co.Wallets())
	slices.SortFunc(wallets, func(a, b *node.Actor) int { return strings.Compare(a.Group().String(), b.Group().String()) })
	for _, a := range wallets {
		id := a.Group().String()
		if id < from {
			continue
		}
		at := after
		if id != from {
			at = nil
		}
		if len(page.Items) >= limit {
			page.Next = api.Text(id + "-")
			return page, nil
		}
		next := ""
		a.Read(func(m *coordinator.Machine) {
			if at == nil {
				page.Items = append(page.Items, n.setupPending(a, m)...)
			}
			more, left := n.proposalsPending(a, m, at, max(1, limit-len(page.Items)))
			page.Items = append(page.Items, more...)
			if left != nil {
				next = fmt.Sprintf("%s-%d-%s", id, left.Time, left.ID)
			}
		})
		if next != "" {
			page.Next = api.Text(next)
			return page, nil
		}
	}
	return page, nil
}

// pendingPlace reads a cursor: the wallet to go on with and, where it was begun, the
// last proposal that was looked at.
func pendingPlace(cursor string) (wallet string, after *coordinator.ProposalPos, err error) {
	if cursor == "" {
		return "", nil, nil
	}
	parts := strings.Split(cursor, "-")
	if len(parts) == 2 && parts[1] == "" && isID(parts[0]) {
		return parts[0], nil, nil
	}
	if len(parts) != 3 || !isID(parts[0]) {
		return "", nil, badCursor(cursor)
	}
	after = &coordinator.ProposalPos{}
	after.Time, err = strconv.ParseInt(parts[1], 10, 64)
	if err != nil || after.ID.UnmarshalText([]byte(parts[2])) != nil {
		return "", nil, badCursor(cursor)
	}
	return parts[0], after, nil
}

// proposalsPending are the proposals of a wallet that wait for this node's key.
func (n *Node) proposalsPending(a *node.Actor, m *coordinator.Machine, after *coordinator.ProposalPos, limit int) (out []api.Pending, next *coordinator.ProposalPos) {
	if m.CountProposals()[group.StatusPending] == 0 {
		return nil, nil // none is looked at in vain
	}
	now := time.Now()
	ps, next := m.PendingPage(after, limit, func(p *group.Proposal) bool { return m.AwaitsMe(p, now) })
	for _, p := range ps {
		id, tx, by, created := p.ID().String(), p.TxID.String(), personOf(m, p.Author()), api.Time(time.UnixMilli(p.Ref.Time))
		sends, fee, signed, needed := m.Leaves(p), p.Fee(), len(m.Approvals(p)), m.State.Genesis().Threshold
		x := api.Pending{
			Kind: api.PendingApprove, Wallet: a.Group().String(), WalletName: m.Name(), Proposal: &id, TxID: &tx, Sends: &sends, Fee: &fee,
			Person: &by, Note: api.Text(p.Body.Note), Created: &created, SignedCount: &signed, Needed: &needed, Command: "quorate approve " + id,
		}
		if m.External() {
			x.Kind, x.Command = api.PendingSign, "quorate psbt export "+id
		}
		if p.Body.Expires > 0 {
			t := api.Time(time.Unix(p.Body.Expires, 0))
			x.Expires = &t
		}
		out = append(out, x)
	}
	return out, next
}

// setupPending is what waits in a wallet besides proposals.
func (n *Node) setupPending(a *node.Actor, m *coordinator.Machine) []api.Pending {
	out := pingPending(a, m)
	called := plainName(m.Name(), a.Group().String())
	add := func(kind string, by *api.Person, command string) {
		out = append(out, api.Pending{Kind: kind, Wallet: a.Group().String(), WalletName: m.Name(), Person: by, Command: "quorate wallet " + command})
	}
	if m.AwaitsProof() {
		add(api.PendingProve, nil, "proof "+called)
	}
	for _, p := range awaitingHosted(m) {
		add(api.PendingProveHosted, &p, "proof "+called+" --for "+quoted(p.Name))
	}
	if m.AwaitsWords() {
		add(api.PendingRatify, nil, "ratify "+called+` --words "SIX WORDS"`)
	}
	for _, r := range m.Successions() {
		if !m.AwaitsMyApproval(r) {
			continue
		}
		who, approved, needed := person(r.Member), len(r.Approved), r.Needed
		add(api.PendingReplacement, &who, "approve-replacement "+called+" "+hex.EncodeToString(r.ID[:]))
		out[len(out)-1].SignedCount, out[len(out)-1].Needed = &approved, &needed
	}
	return out
}

// pingPending is whose device is to answer a ping, and whether it is time for one.
func pingPending(a *node.Actor, m *coordinator.Machine) (out []api.Pending) {
	now, command := time.Now(), "quorate ping "+plainName(m.Name(), a.Group().String())
	add := func(kind string, whose *api.Person, asked *time.Time, command string) {
		out = append(out, api.Pending{Kind: kind, Wallet: a.Group().String(), WalletName: m.Name(), Person: whose, Created: asked, Command: command})
	}
	round, of := m.Unanswered(now)
	for _, x := range of {
		asked := api.Time(time.UnixMilli(round.Time))
		if !x.Hosted() {
			add(api.PendingPing, nil, &asked, command)
			continue
		}
		whose := person(x)
		add(api.PendingPing, &whose, &asked, command+" --for "+quoted(x.Name))
	}
	if due := m.Overdue(now); len(due) > 0 { // one command asks them all
		whose := person(due[0])
		add(api.PendingPingDue, &whose, nil, command)
	}
	return out
}

// plainName is what names a wallet in a command line: its name where that needs no
// quotes there, and else its id. Names are chosen by others, too.
func plainName(name, id string) string {
	if quoted(name) != name || isID(name) || strings.HasPrefix(name, "-") {
		return id
	}
	return name
}

// quoted is a text as one word of a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
