package group

import (
	"bytes"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// Status is where a proposal stands. It is computed, never stored.
type Status string

// The statuses, in the order in which the first that holds is taken.
const (
	StatusConfirmed Status = "confirmed"
	StatusDead      Status = "conflicted" // an input was spent by another transaction
	StatusBroadcast Status = "broadcast"
	StatusFinal     Status = "final"
	StatusWithdrawn Status = "withdrawn"
	StatusRejected  Status = "rejected"
	StatusExpired   Status = "expired"
	StatusReplaced  Status = "replaced"
	StatusPending   Status = "pending"
)

// Live says whether a proposal with this status takes its coins.
func (s Status) Live() bool {
	return s == StatusPending || s == StatusFinal || s == StatusBroadcast
}

// StatusOf is Derive for one of several proposals of a transaction.
func (s proposalFacts) StatusOf(v ledger.View, now time.Time, p *Proposal, q *Inquiry) Status {
	q.Asked += len(p.Body.Inputs)
	if !s.Alive(p) {
		return StatusPending
	}
	if v.Confirmations(p.TxID) > 0 {
		return StatusConfirmed
	}
	if once(&q.dead, func() bool { return s.deadAmong(v, p, map[chainhash.Hash]bool{}, q) }) {
		return StatusDead
	}
	// What the signatures of such a one are over is no transaction of these coins.
	possible := !Belies(v, p)
	if t, ok := v.Tx(p.TxID); ok && t.Seen && possible {
		return StatusBroadcast
	}
	switch {
	case possible && s.Final(p):
		return StatusFinal
	case s.withdrawn(p, q):
		return StatusWithdrawn
	case s.hopeless(p):
		return StatusRejected
	case Expired(p, v, now):
		return StatusExpired
	case s.replacedBy(p, q):
		return StatusReplaced
	}
	return StatusPending
}

// Dead says whether a proposal's transaction can never confirm in this view: an input
// is spent by another confirmed transaction, or was created by a dead one. A
// rival in the mempool only warns.
func (s proposalFacts) Dead(v ledger.View, p *Proposal) bool {
	return s.deadAmong(v, p, map[chainhash.Hash]bool{}, &Inquiry{})
}

// deadAmong looks at each transaction once, and only at parents that the view knows
// or that have their signatures: members may propose whole trees of coins that are not
// there. A view does not know what was over before its signatures came.
func (s proposalFacts) deadAmong(v ledger.View, p *Proposal, seen map[chainhash.Hash]bool, q *Inquiry) bool {
	seen[p.TxID] = true
	for _, i := range p.Body.Inputs {
		q.Asked++
		if by, ok := v.SpentBy(i.OutPoint()); ok && by != p.TxID {
			return true
		}
		t, ok := v.Tx(i.TxID)
		if t.Block.Height > 0 || seen[i.TxID] || !ok && !mapkey.HasUnder(s.props.full, i.TxID) {
			continue
		}
		// One entry is enough: all of one txid have the same inputs.
		if parent, ok := s.leadFor(i.TxID, q); ok && s.deadAmong(v, parent, seen, q) {
			return true
		}
	}
	return false
}

// replacedBy says whether the proposal's own author replaced it, or a
// replacement by anybody is final.
func (s proposalFacts) replacedBy(p *Proposal, q *Inquiry) bool {
	return statedBy(s, s.props.replacer, byReplaced(mapkey.Of(p.TxID)), p.Author(), q) ||
		once(&q.replaced, func() bool { return s.finallyReplaced(p, q) })
}

// Replaced says whether the proposal's own author replaced it, or a replacement by
// anybody is final.
func (s proposalFacts) Replaced(p *Proposal) bool { return s.replacedBy(p, &Inquiry{}) }

// finallyReplaced says whether a replacement of p's transaction is final. One
// that takes none of its coins replaces nothing, whatever it declares.
func (s proposalFacts) finallyReplaced(p *Proposal, q *Inquiry) bool {
	for _, rival := range s.finalsFor(p, q) {
		for _, r := range pmap.Prefix(s.props.declared, byDeclared(mapkey.Of2(rival.TxID, p.TxID))) {
			q.Asked++
			if c, ok := s.Proposal(r.ID); ok && s.Alive(c) {
				return true
			}
		}
	}
	return false
}

// Said is a status as people are told it: what can no longer be mined, because what was
// declared to replace it is, was replaced; so was what is final and gave way to what is
// declared to replace it. That one may still be mined, until the other is.
func (s proposalFacts) Said(v ledger.View, p *Proposal, status Status) Status {
	switch {
	case status == StatusDead && s.replacementMined(v, p), status == StatusFinal && s.gaveWay(v, p):
		return StatusReplaced
	}
	return status
}

func (s proposalFacts) replacementMined(v ledger.View, p *Proposal) bool {
	for _, i := range p.Body.Inputs {
		if by, ok := v.SpentBy(i.OutPoint()); ok && by != p.TxID && s.Declares(by, p.TxID) {
			return true
		}
	}
	return false
}

// gaveWay says whether what was declared to replace a final transaction is the one that
// is broadcast instead, or the one that the network shows.
func (s proposalFacts) gaveWay(v ledger.View, p *Proposal) bool {
	for _, i := range p.Body.Inputs {
		for by := range v.Rivals(i.OutPoint()) {
			if t, ok := v.Tx(by); ok && t.Seen && s.Declares(by, p.TxID) && !s.Declares(p.TxID, by) {
				return true
			}
		}
	}
	for _, q := range s.Finals(p) {
		if s.Declares(q.TxID, p.TxID) && s.prevails(v, q, p) {
			return true
		}
	}
	return false
}

// Broadcastable says whether p's transaction is the one to broadcast: no other that
// competes with it and is final prevails. What can never be mined keeps nothing back.
func (s proposalFacts) Broadcastable(v ledger.View, p *Proposal) bool {
	if !s.Final(p) || Belies(v, p) || s.Dead(v, p) {
		return false
	}
	for _, q := range s.Finals(p) {
		if s.prevails(v, q, p) {
			return false
		}
	}
	return true
}

// prevails says whether q is broadcast rather than p, of two that compete and are both
// final: the one that replaces the other; where both say so, or neither, the one with
// the higher fee, then the lower txid. A member may enter a transaction again at any
// time, with any declaration, so nothing else of an entry decides.
func (s proposalFacts) prevails(v ledger.View, q, p *Proposal) bool {
	if Belies(v, q) || s.Dead(v, q) {
		return false
	}
	if ours, theirs := s.Declares(p.TxID, q.TxID), s.Declares(q.TxID, p.TxID); ours != theirs {
		return theirs
	}
	a, b := FeeOf(v, p), FeeOf(v, q)
	return b > a || b == a && bytes.Compare(q.TxID[:], p.TxID[:]) < 0
}

// proposalsRetainted notes that what rests on entries of a chain may have another
// status. Nothing is kept here that taint decides: it is asked when it is used.
func (s proposalFacts) proposalsRetainted(r retaint) proposalFacts {
	s.reweighedOf = append(s.reweighedOf[:len(s.reweighedOf):len(s.reweighedOf)], r)
	return s
}
