package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
)

// What goes to the backend goes parents first: a mempool takes nothing that spends what
// it does not have. What spends a transaction of ours that is not in the network yet, or
// is on its way, waits, and goes at once when that one was taken.

// handOver broadcasts a final transaction, or has it wait for what it spends.
func (s *step) handOver(id chainhash.Hash) {
	s.toWait(id)
	s.handWaiting()
}

// toWait puts a transaction in line, also where it is on its way: an answer may be late.
func (s *step) toWait(id chainhash.Hash) {
	w := &s.m.watch
	tx, ok := s.toSend(id)
	if !ok {
		s.unqueue(mapkey.Of(id))
		return
	}
	// Its change is ours at once, whatever mempool has seen it.
	s.m.View, _ = s.m.View.See(tx, false)
	w.handed = w.handed.Delete(mapkey.Of(id))
	w.waiting = w.waiting.Set(mapkey.Of(id), struct{}{})
}

// unqueue takes a transaction out of the line.
func (s *step) unqueue(id mapkey.ByTx) {
	w := &s.m.watch
	w.waiting, w.handed = w.waiting.Delete(id), w.handed.Delete(id)
}

// sendAgain broadcasts what has one of two statuses and is not mined. Each has
// all its signatures, or was seen by the network.
func (s *step) sendAgain(final, taken bool) {
	for id, was := range s.m.watch.sending.All() {
		if was.status == group.StatusFinal && final || was.status == group.StatusBroadcast && taken {
			s.toWait(chainhash.Hash([]byte(id)))
		}
	}
	s.handWaiting()
}

// handWaiting broadcasts what waits and need not any more. It does not go through what
// is on its way, which is much while a backend does not answer.
func (s *step) handWaiting() {
	w := &s.m.watch
	for k := range w.waiting.All() {
		id := chainhash.Hash([]byte(k))
		if s.waits(id) {
			continue
		}
		w.waiting = w.waiting.Delete(k)
		if tx, ok := s.toSend(id); ok {
			w.handed = w.handed.Set(k, struct{}{})
			s.do(Broadcast{tx})
		}
	}
}

// waits says whether a transaction spends one of ours that the backend has to get first.
func (s *step) waits(id chainhash.Hash) bool {
	p, ok := s.m.State.Lead(id)
	if !ok {
		return false
	}
	for _, in := range p.Body.Inputs {
		parent := in.OutPoint().Hash
		if s.m.View.Confirmations(parent) > 0 {
			continue
		}
		w := &s.m.watch
		if mapkey.Has(w.waiting, mapkey.Of(parent)) || mapkey.Has(w.handed, mapkey.Of(parent)) || s.untaken(parent) {
			return true
		}
	}
	return false
}

// untaken says whether a transaction is ours to be broadcast, and nobody has it yet.
func (s *step) untaken(id chainhash.Hash) bool {
	t, _ := s.m.View.Tx(id)
	p, ours := s.m.State.Lead(id)
	return !t.Seen && ours && s.m.State.Broadcastable(s.m.View, p)
}

// Reach says how this node knows that the network has the transaction of a proposal that
// is broadcast; "" where it does not know, which is so for a while after a start.
func (m *Machine) Reach(p *group.Proposal) port.Reach {
	was, _ := m.watch.sending.Get(mapkey.Of(p.TxID))
	if was.status != group.StatusBroadcast {
		return ""
	}
	reach, _ := m.watch.reach.Get(mapkey.Of(p.TxID))
	return reach
}
