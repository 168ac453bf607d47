package service

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/audit/proof"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// ExportLog writes a wallet's log as a file that proves itself.
func (n *Node) ExportLog(ctx context.Context, ref string, r api.ExportLog, w io.Writer) error {
	a, err := n.actor(ref)
	if err != nil {
		return err
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return api.Refuse(refusal.NotActive, "export: the wallet is not active: "+m.Missing(), "export it when all have ratified")
	}
	o := proof.Options{WithoutKeys: r.WithoutKeys}
	for _, x := range r.Proposals {
		in, p, err := n.proposal(x, false)
		if err != nil {
			return err
		}
		if in.Group() != a.Group() {
			return otherWallet(p)
		}
		o.Proposals = append(o.Proposals, p.ID())
	}
	genesis, err := event.EncodeGenesis(m.State.Genesis())
	if err != nil {
		return n.apiError(err)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	err = proof.Write(ctx, out, proof.Source{
		State: m.State, Genesis: genesis, Range: a.Entries, Identity: m.State.Self().Identity, Now: time.Now(), Mined: mined(m, o.Proposals),
	}, o)
	switch {
	case errors.Is(err, proof.ErrHoldsKeys):
		return api.Refuse("keys_in_genesis", "export: the wallet was made from an existing descriptor, which its genesis holds", "the keys cannot be left out of its log")
	case err != nil:
		return n.apiError(err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

func otherWallet(p *group.Proposal) error {
	return api.Missing("unknown_proposal", "proposal "+p.ID().String()+" is of another wallet", "`quorate proposals` lists those of the wallet")
}

// mined are the proposed transactions that this node sees in blocks: of some
// proposals, or of all.
func mined(m *coordinator.Machine, of []journal.EntryID) []proof.Mined {
	out := []proof.Mined{}
	add := func(p *group.Proposal) {
		if t, ok := m.View.Tx(p.TxID); ok && p.Sound && t.Block.Height > 0 {
			out = append(out, proof.Mined{TxID: p.TxID.String(), Height: t.Block.Height, Block: t.Block.Hash.String()})
		}
	}
	for _, id := range of {
		if p, ok := m.State.Proposal(id); ok {
			add(p)
		}
	}
	if len(of) == 0 {
		for p := range m.State.AllProposals {
			add(p)
		}
	}
	slices.SortFunc(out, func(a, b proof.Mined) int { return cmp.Compare(a.TxID, b.TxID) })
	return slices.Compact(out)
}

// LoggedEntry is an entry in the words of the API.
func LoggedEntry(x audit.Entry, by api.Person) api.LogEntry {
	y := api.LogEntry{
		Entry: x.ID.String(), By: by, Kind: api.Text(x.Kind), Text: api.Text(x.Text),
		Tainted: x.Tainted, Inert: api.Text(x.Inert), Unread: api.Text(x.Unread), Incarnation: x.Chain.Incarnation, Seq: x.Seq,
	}
	if !x.Time.IsZero() {
		at := api.Time(x.Time)
		y.Time = &at
	}
	if x.Proposal != (journal.EntryID{}) {
		y.Proposal = api.Text(x.Proposal.String())
	}
	return y
}

// PersonIn is the member of a State that an identity writes for; of one who is none
// only the peer id is known.
func PersonIn(s group.State, a journal.Author) api.Person {
	if active := s.Active(); active != nil {
		if k, ok := active.KeyOf(a); ok {
			return person(active.Members[k])
		}
	}
	return person(group.Member{Identity: a})
}
