package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
)

// Log lists the entries of a wallet's journal, newest first.
func (n *Node) Log(ctx context.Context, ref string, q api.LogQuery) (api.Page[api.LogEntry], error) {
	var page api.Page[api.LogEntry]
	a, err := n.actor(ref)
	if err != nil {
		return page, err
	}
	m := a.Machine()
	query, err := n.logQuery(a, m, q)
	if err != nil {
		return page, err
	}
	var items []audit.Entry
	// Whatever entries hold, one wallet keeps no other from being read.
	fault := group.Contained(func() (err error) {
		items, page.Next, err = pageOf(ctx, a, m, query)
		return err
	})
	switch {
	case errors.Is(fault, audit.ErrCursor):
		return page, api.Misuse("bad_cursor", fmt.Sprintf("%.80q is not a cursor", q.Cursor), "give what `next` said")
	case fault != nil:
		return page, n.apiError(fault)
	}
	for _, x := range items {
		page.Items = append(page.Items, LoggedEntry(x, personOf(m, x.Chain.Author)))
	}
	return page, nil
}

func pageOf(ctx context.Context, a *node.Actor, m *coordinator.Machine, q audit.Query) ([]audit.Entry, api.Text, error) {
	items, next, err := audit.Reader{State: m.State, Entry: a.Entry, Now: time.Now()}.Page(ctx, q)
	return items, api.Text(next), err
}

// logQuery is what is asked for, in the words of the journal.
func (n *Node) logQuery(a *node.Actor, m *coordinator.Machine, q api.LogQuery) (audit.Query, error) {
	out := audit.Query{Since: q.Since, Until: q.Until, Cursor: q.Cursor, Limit: q.Limit}
	if out.Limit <= 0 || out.Limit > api.MaxPage {
		out.Limit = api.DefaultPage
	}
	for _, k := range q.Kinds {
		if !slices.Contains(audit.Kinds(), k) {
			return out, api.Misuse("bad_kind", fmt.Sprintf("%.40q is no kind of entry", k), "it is one of "+strings.Join(audit.Kinds(), ", "))
		}
		out.Kinds = append(out.Kinds, k)
	}
	if q.By != "" {
		found := audit.ByMember(m.State, q.By)
		switch len(found) {
		case 0:
			return out, api.Missing("unknown_cosigner", fmt.Sprintf("the wallet has no cosigner %.80q with a node", q.By), "`quorate wallet show` lists them")
		case 1:
			out.Authors = found[0]
		default:
			return out, api.Misuse("ambiguous_cosigner", fmt.Sprintf("several cosigners are named %.80q", q.By), "give the peer id")
		}
	}
	if q.Proposal != "" {
		in, p, err := n.proposal(q.Proposal, false)
		if err != nil {
			return out, err
		}
		if in.Group() != a.Group() {
			return out, otherWallet(p)
		}
		out.Proposal = p.ID()
	}
	return out, nil
}
