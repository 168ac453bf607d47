package coordinator

import (
	"bytes"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
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
func Derive(s State, v View, now time.Time, p *Proposal) Status {
	if !s.alive(p) {
		return StatusPending
	}
	if v.Confirmations(p.TxID) > 0 {
		return StatusConfirmed
	}
	if dead(s, v, p) {
		return StatusDead
	}
	final := s.Final(p)
	if t, ok := v.Tx(p.TxID); ok && t.Seen {
		return StatusBroadcast
	}
	switch {
	case final:
		return StatusFinal
	case s.Withdrawn(p):
		return StatusWithdrawn
	case len(s.Against(p)) > s.genesis.Cosigners-s.genesis.Threshold:
		return StatusRejected
	case expired(p, v, now):
		return StatusExpired
	case replaced(s, p):
		return StatusReplaced
	}
	return StatusPending
}

// dead says whether the transaction can never confirm in this view: an input
// is spent by another confirmed transaction, or was created by a dead one. A
// rival in the mempool only warns.
func dead(s State, v View, p *Proposal) bool {
	return deadAmong(s, v, p, map[chainhash.Hash]bool{})
}

// deadAmong looks at each transaction once, and only at parents that the view
// knows: members may propose whole trees of coins that are not there.
func deadAmong(s State, v View, p *Proposal, seen map[chainhash.Hash]bool) bool {
	seen[p.TxID] = true
	for _, i := range p.Body.Inputs {
		if by, ok := v.spentBy(i.OutPoint()); ok && by != p.TxID {
			return true
		}
		if t, ok := v.Tx(i.TxID); !ok || t.Block.Height > 0 || seen[i.TxID] {
			continue
		}
		// One entry is enough: all of one txid have the same inputs.
		if parents := s.ofTx(i.TxID); len(parents) > 0 && deadAmong(s, v, parents[0], seen) {
			return true
		}
	}
	return false
}

// expired compares with this node's clock or the median time of the chain
// (BIP113), whichever is later.
func expired(p *Proposal, v View, now time.Time) bool {
	return p.Body.Expires != 0 && max(now.Unix(), v.tip.MedianTime) >= p.Body.Expires
}

// replaced says whether the proposal's own author replaced it, or a
// replacement by anybody is final.
func replaced(s State, p *Proposal) bool {
	for _, q := range s.replacements(p) {
		if s.sameMember(q.Author(), p.Author()) && !s.tainted(q.Ref) || s.Final(q) {
			return true
		}
	}
	return false
}

// replacements returns the living proposals that declare to replace p.
func (s State) replacements(p *Proposal) []*Proposal {
	var out []*Proposal
	for _, r := range scan(s.replacers, key(p.TxID)) {
		if q, ok := s.Proposal(r.ID); ok && q.TxID != p.TxID && s.alive(q) {
			out = append(out, q)
		}
	}
	return out
}

// replaces says whether p declares to replace q's transaction.
func (p *Proposal) replaces(q *Proposal) bool {
	for _, t := range p.Body.Replaces {
		if t == q.TxID {
			return true
		}
	}
	return false
}

// conflicts returns the other living proposals that spend a coin of p, by id.
func (s State) conflicts(p *Proposal) []*Proposal {
	seen := map[string]*Proposal{}
	for _, i := range p.Body.Inputs {
		for _, q := range s.spenders(i.OutPoint()) {
			if q.TxID != p.TxID {
				seen[string(q.Ref.ID[:])] = q
			}
		}
	}
	out := make([]*Proposal, 0, len(seen))
	for _, q := range seen {
		out = append(out, q)
	}
	sortProposals(out)
	return out
}

// broadcastable says whether p is the one to broadcast: of two that compete
// and are both final, the one that replaces the other; where both say so, the
// one with the higher fee, then the lower txid (a member may enter a
// transaction again with any declaration); else the lower proposal id.
func (s State) broadcastable(v View, p *Proposal) bool {
	if !s.Final(p) || dead(s, v, p) {
		return false
	}
	seen := map[chainhash.Hash]bool{}
	for _, q := range s.conflicts(p) {
		if seen[q.TxID] || !s.Final(q) || dead(s, v, q) {
			continue
		}
		seen[q.TxID] = true
		mine, theirs := s.declares(p.TxID, q.TxID), s.declares(q.TxID, p.TxID)
		switch {
		case mine && theirs:
			if q.Fee() > p.Fee() || q.Fee() == p.Fee() && bytes.Compare(q.TxID[:], p.TxID[:]) < 0 {
				return false
			}
		case theirs:
			return false
		case !mine && bytes.Compare(s.first(q.TxID), s.first(p.TxID)) < 0:
			return false
		}
	}
	return true
}

// declares says whether an untainted proposal of a transaction declares that
// it replaces another.
func (s State) declares(tx, replaced chainhash.Hash) bool {
	for _, p := range s.ofTx(tx) {
		if !s.tainted(p.Ref) && slices.Contains(p.Body.Replaces, replaced) {
			return true
		}
	}
	return false
}

// first is the lowest id of the proposals of a transaction.
func (s State) first(tx chainhash.Hash) []byte {
	ps := s.ofTx(tx)
	if len(ps) == 0 {
		return nil
	}
	return ps[0].Ref.ID[:]
}

// theTx returns a proposal's transaction as it stands: the mined one once it
// is mined (its witness is then the transaction), else the one built from the
// signatures held.
func theTx(s State, v View, p *Proposal) (*wire.MsgTx, error) {
	if t, ok := v.Tx(p.TxID); ok && t.Block.Height > 0 {
		return t.Tx, nil
	}
	return s.FinalTx(p)
}

// proposalsRetainted works out anew what proposals rest on (see derived).
func (s State) proposalsRetainted(retaint) State { return s }
