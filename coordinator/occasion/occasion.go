// Package occasion knows what proposals say that they are made for: of two that a member
// makes for one occasion only one is meant to be paid.
package occasion

import (
	"iter"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Index finds proposals by who made them and for what. It is an immutable value.
type Index struct {
	made pmap.Map[mapkey.By2[[32]byte, journal.EntryID], struct{}] // hash of identity and occasion | proposal
}

func key(by journal.Author, of [32]byte) [32]byte { return journal.H("made for", by[:], of[:]) }

// With returns an index that has a proposal, too.
func (x Index) With(p *group.Proposal) Index {
	if of, ok := p.Body.For(); ok && p.Sound {
		x.made = x.made.Set(mapkey.Of2(key(p.Author(), of), p.Ref.ID), struct{}{})
	}
	return x
}

// By yields the proposals of a member for an occasion, also those by its earlier identities.
func (x Index) By(s group.State, who journal.Author, of [32]byte) iter.Seq[*group.Proposal] {
	return func(yield func(*group.Proposal) bool) {
		ids := []journal.Author{who}
		if k, ok := s.Active().KeyOf(who); ok {
			ids = s.Active().Identities(k)
		}
		for _, id := range ids {
			for k := range mapkey.Under(x.made, key(id, of)) {
				if p, ok := s.Proposal(k.Second()); ok && !yield(p) {
					return
				}
			}
		}
	}
}

// mostLooked bounds how many proposals for one occasion are looked at, and how many entries
// of one transaction: an honest member has one or two.
const mostLooked = 16

// Before returns another proposal for an occasion of p, by the one who made p for that,
// that was paid or may be beside it, and in words how; "" where there is none. Whoever
// entered the transaction of p, and what that entry says, does not matter: it is asked of all
// entries of it. Where there are more than are looked at, the last one stands for them.
func (x Index) Before(s group.State, v ledger.View, p *group.Proposal) (*group.Proposal, string) {
	spends := make(map[wire.OutPoint]bool, len(p.Body.Inputs))
	for _, i := range p.Body.Inputs {
		spends[i.OutPoint()] = true
	}
	looked := 0
	ask := func(c *group.Proposal) (*group.Proposal, string) {
		of, ok := c.Body.For()
		if !ok {
			return nil, ""
		}
		for q := range x.By(s, c.Author(), of) {
			if looked++; looked > mostLooked {
				return q, "is one of more than are looked at"
			}
			if how := paidAs(s, v, p.TxID, spends, q); how != "" {
				return q, how
			}
		}
		return nil, ""
	}
	if q, how := ask(p); how != "" { // a draft is in no list
		return q, how
	}
	for _, c := range s.CopiesOf(p.TxID) {
		if c.Ref.ID == p.Ref.ID {
			continue
		}
		if q, how := ask(c); how != "" {
			return q, how
		}
	}
	return nil, ""
}

// paidAs says how q was paid, or still may be beside a transaction that spends some coins;
// "" where it was not, and never will be.
func paidAs(s group.State, v ledger.View, tx chainhash.Hash, spends map[wire.OutPoint]bool, q *group.Proposal) string {
	switch {
	case q.TxID == tx:
		return ""
	case v.Confirmations(q.TxID) > 0:
		return "is mined"
	case bumpMined(s, v, q, tx):
		return "was bumped, and that is mined"
	case s.Released(q.TxID) && !slices.ContainsFunc(q.Body.Inputs, func(i event.ProposalInput) bool { return spends[i.OutPoint()] }) && !group.BuriedBy(v, q):
		return "has signatures that cannot be called back"
	}
	return ""
}

// bumpMined says whether what pays the same as q, out of its coins, is mined, and is no
// other transaction than one.
func bumpMined(s group.State, v ledger.View, q *group.Proposal, other chainhash.Hash) bool {
	by, ok := v.SpentBy(q.Body.Inputs[0].OutPoint())
	if !ok || by == other || v.Confirmations(by) == 0 {
		return false
	}
	return slices.ContainsFunc(s.CopiesOf(by), func(b *group.Proposal) bool {
		bumps, _ := b.Bumps(q)
		return bumps
	})
}
