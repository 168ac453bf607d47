package group

import (
	"bytes"
	"time"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/ledger"
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

// Derive returns the status of a proposal, from the entries, this node's view
// of the chain and the time. It is pure.
func Derive(s State, v ledger.View, now time.Time, p *Proposal) Status {
	return DeriveWith(s, v, now, p, &Inquiry{})
}

// derive is Derive for one of several proposals of a transaction.
func DeriveWith(s State, v ledger.View, now time.Time, p *Proposal, q *Inquiry) Status {
	q.Asked += len(p.Body.Inputs)
	if !s.Alive(p) {
		return StatusPending
	}
	if v.Confirmations(p.TxID) > 0 {
		return StatusConfirmed
	}
	if once(&q.dead, func() bool { return deadAmong(s, v, p, map[chainhash.Hash]bool{}, q) }) {
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
	case replaced(s, p, q):
		return StatusReplaced
	}
	return StatusPending
}

// hopeless says whether nothing would be final though everybody signed who does
// not stand against a proposal.
func (s State) hopeless(p *Proposal) bool {
	against := s.Against(p)
	return len(against) > 0 && !s.progress(p).Possible(func(key int) bool {
		_, out := against[key]
		return out
	})
}

// dead says whether the transaction can never confirm in this view: an input
// is spent by another confirmed transaction, or was created by a dead one. A
// rival in the mempool only warns.
func Dead(s State, v ledger.View, p *Proposal) bool {
	return deadAmong(s, v, p, map[chainhash.Hash]bool{}, &Inquiry{})
}

// deadAmong looks at each transaction once, and only at parents that the view
// knows: members may propose whole trees of coins that are not there.
func deadAmong(s State, v ledger.View, p *Proposal, seen map[chainhash.Hash]bool, q *Inquiry) bool {
	seen[p.TxID] = true
	for _, i := range p.Body.Inputs {
		q.Asked++
		if by, ok := v.SpentBy(i.OutPoint()); ok && by != p.TxID {
			return true
		}
		if t, ok := v.Tx(i.TxID); !ok || t.Block.Height > 0 || seen[i.TxID] {
			continue
		}
		// One entry is enough: all of one txid have the same inputs.
		if parent, ok := s.leadFor(i.TxID, q); ok && deadAmong(s, v, parent, seen, q) {
			return true
		}
	}
	return false
}

// expired compares with this node's clock or the median time of the chain
// (BIP113), whichever is later.
func Expired(p *Proposal, v ledger.View, now time.Time) bool {
	return p.Body.Expires != 0 && max(now.Unix(), v.Tip().MedianTime) >= p.Body.Expires
}

// replaced says whether the proposal's own author replaced it, or a
// replacement by anybody is final.
func replaced(s State, p *Proposal, q *Inquiry) bool {
	return s.statedBy(s.props.replacer, mapkey.Of(p.TxID), p.Author(), q) ||
		once(&q.replaced, func() bool { return finallyReplaced(s, p, q) })
}

// Replaced says whether the proposal's own author replaced it, or a replacement by
// anybody is final.
func (s State) Replaced(p *Proposal) bool { return replaced(s, p, &Inquiry{}) }

// finallyReplaced says whether a replacement of p's transaction is final. One
// that takes none of its coins replaces nothing, whatever it declares.
func finallyReplaced(s State, p *Proposal, q *Inquiry) bool {
	for _, rival := range s.finalsFor(p, q) {
		for _, r := range pmap.Prefix(s.props.declared, mapkey.Of2(rival.TxID, p.TxID)) {
			q.Asked++
			if c, ok := s.Proposal(r.ID); ok && s.Alive(c) {
				return true
			}
		}
	}
	return false
}

// replaces says whether p declares to replace q's transaction.
func (p *Proposal) Replaces(q *Proposal) bool {
	for _, t := range p.Body.Replaces {
		if t == q.TxID {
			return true
		}
	}
	return false
}

// belies says whether a proposal states of an input what this view knows to be
// otherwise: then no signature on it is valid in the chain.
func Belies(v ledger.View, p *Proposal) bool {
	for _, i := range p.Body.Inputs {
		if o, ok := v.Out(i.OutPoint()); ok && (o.Amount != i.Amount || o.Branch != i.Branch || o.Index != i.Index) {
			return true
		}
	}
	return false
}

// broadcastable says whether p's transaction is the one to broadcast: of two
// that compete and are both final, the one that replaces the other; where both
// say so, or neither, the one with the higher fee, then the lower txid. A member
// may enter a transaction again at any time, with any declaration, so nothing
// else of an entry decides. What can never be mined keeps nothing back.
func (s State) Broadcastable(v ledger.View, p *Proposal) bool {
	if !s.Final(p) || Belies(v, p) || Dead(s, v, p) {
		return false
	}
	for _, q := range s.Finals(p) {
		if Belies(v, q) || Dead(s, v, q) {
			continue
		}
		mine, theirs := s.declares(p.TxID, q.TxID), s.declares(q.TxID, p.TxID)
		switch {
		case mine == theirs:
			a, b := FeeOf(v, p), FeeOf(v, q)
			if b > a || b == a && bytes.Compare(q.TxID[:], p.TxID[:]) < 0 {
				return false
			}
		case theirs:
			return false
		}
	}
	return true
}

// feeOf returns the fee of a proposal's transaction: by what its inputs hold in
// this view, where it knows them, else by what the proposal says they hold.
func FeeOf(v ledger.View, p *Proposal) int64 {
	fee := p.Fee()
	for _, i := range p.Body.Inputs {
		if o, ok := v.Out(i.OutPoint()); ok {
			fee += o.Amount - i.Amount
		}
	}
	return fee
}

// proposalsRetainted notes that what rests on entries of a chain may have another
// status. Nothing is kept here that taint decides: it is asked when it is used.
func (s State) proposalsRetainted(r retaint) State {
	s.reweighedOf = append(s.reweighedOf[:len(s.reweighedOf):len(s.reweighedOf)], r)
	return s
}
