package coordinator

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// statuses derives what changed, broadcasts what became final, and tells.
func (s *step) statuses() {
	st, touched, reweighed := s.m.State.TakeTouched()
	s.m.State = st
	for _, r := range reweighed {
		s.lookChain(r.Chain, r.From)
	}
	by := map[journal.EntryID][]journal.Author{}
	for _, t := range touched {
		if !slices.Contains(by[t.Proposal], t.By) {
			by[t.Proposal] = append(by[t.Proposal], t.By)
		}
	}
	for _, t := range touched {
		p, ok := s.m.State.Proposal(t.Proposal)
		if !ok || by[t.Proposal] == nil || !p.Sound {
			continue
		}
		s.by = by[t.Proposal]
		delete(by, t.Proposal)
		s.tell(p, true)
		s.by = nil
		s.look(p.TxID)
		for _, t := range p.Body.Replaces {
			s.look(t)
		}
	}
	s.forked = len(s.m.State.Chains().Forks()) > 0
	s.lookFurther()
	s.carryInTurn()
}

// tell derives a proposal's status and tells it where it changed. news says that
// an entry concerns the proposal, which is worth telling whatever its status.
func (s *step) tell(p *group.Proposal, news bool) group.Status {
	return s.tellOf(p, news, &group.Inquiry{})
}

func (s *step) tellOf(p *group.Proposal, news bool, q *group.Inquiry) group.Status {
	w := &s.m.watch
	id := mapkey.Of(p.Ref.ID)
	was, known := w.told.Get(id)
	now := s.m.State.StatusOf(s.m.View, s.now(), p, q)
	is := toldStatus{now, s.m.State.Said(s.m.View, p, now)}
	if (was != is && (was.status != "" || now != group.StatusPending) || news || !known) && (known || !s.starting) {
		s.do(Tell{port.Notice{Type: "proposal", Group: s.m.State.Group(), Proposal: p.Ref.ID, TxID: p.TxID, Status: string(is.said)}})
	}
	if !s.m.State.Alive(p) {
		is = toldStatus{} // it has no effect
	}
	if was != is || !known {
		for n, x := range statusOrder {
			if known && x == was.said {
				w.counts[n]--
			}
			if x == is.said {
				w.counts[n]++
			}
		}
		w.told = w.told.Set(id, is)
		if k := claimKey(p.Ref.Time, p.Ref.ID); is.said == group.StatusPending {
			w.pending = w.pending.Set(k, struct{}{})
		} else {
			w.pending = w.pending.Delete(k)
		}
	}
	if p.Body.Expires != 0 {
		if k := expiryKey(p); now == group.StatusPending || now == group.StatusReplaced { // what expired comes before what was replaced
			w.expiring = w.expiring.Set(k, struct{}{})
		} else {
			w.expiring = w.expiring.Delete(k)
		}
	}
	s.agreed(p, is.status)
	s.m.desk = s.m.desk.With(p, is.status == group.StatusPending)
	s.chargeLate(p)
	s.signedNow(p)
	w.occasions = w.occasions.With(p)
	if s.m.State.Alive(p) {
		s.send(p, now)
		s.pay(p, now)
	}
	return now
}

// agreedAgain looks at what replaces something once all is known: what it bumps may have
// come after it.
func (s *step) agreedAgain() {
	for p := range s.m.State.AllProposals {
		if now, ok := s.m.watch.told.Get(mapkey.Of(p.Ref.ID)); ok && len(p.Body.Replaces) > 0 {
			s.agreed(p, now.status)
		}
	}
}

func expiryKey(p *group.Proposal) byExpiry {
	return byExpiry(mapkey.Number(uint64(p.Body.Expires))) + byExpiry(p.Ref.ID[:])
}

// send keeps what is to be broadcast again, and broadcasts what became final.
func (s *step) send(p *group.Proposal, now group.Status) {
	w := &s.m.watch
	tx := mapkey.Of(p.TxID)
	was, sent := w.sending.Get(tx)
	switch {
	case now == group.StatusFinal || now == group.StatusBroadcast:
		if was.status == now {
			return
		}
		w.sending = w.sending.Set(tx, sending{now, p.Signs()})
		if now == group.StatusFinal {
			s.handOver(p.TxID)
		} else {
			s.handWaiting() // what spends it waited for it
		}
		if !sent {
			// It may replace what spends the same coins.
			for _, i := range p.Body.Inputs {
				s.lookCoin(i.OutPoint())
			}
		}
	case sent && was.signs == p.Signs(): // another proposal of it may lack what this one has
		w.sending = w.sending.Delete(tx)
		s.unqueue(tx)
		w.reach = w.reach.Delete(tx)
		s.handWaiting()
		for _, i := range p.Body.Inputs {
			s.lookCoin(i.OutPoint())
		}
	}
}

// toSend builds a final transaction, where it is the one of its rivals.
func (s *step) toSend(id chainhash.Hash) (*wire.MsgTx, bool) {
	for _, p := range s.m.State.CopiesOf(id) {
		if !s.m.State.Final(p) {
			return nil, false // those that are come first
		}
		if !s.m.State.Broadcastable(s.m.View, p) {
			continue
		}
		tx, err := theTx(s.m.State, s.m.View, p)
		if err == nil {
			return tx, true
		}
		s.cannotBuild(p, err)
	}
	return nil, false
}

// cannotBuild tells, once, that a transaction with all signatures is none that
// Bitcoin takes.
func (s *step) cannotBuild(p *group.Proposal, err error) {
	if mapkey.Has(s.m.watch.unbuilt, p.Signs()) {
		return
	}
	s.m.watch.unbuilt = s.m.watch.unbuilt.Set(p.Signs(), struct{}{})
	s.do(Tell{port.Notice{Type: "alarm", Group: s.m.State.Group(), Proposal: p.Ref.ID, TxID: p.TxID, Status: AlarmUnbuilt,
		Detail: fmt.Sprintf("the final transaction does not pass the script engine: %v", err)}})
}

// expire looks at the pending proposals whose time has come, as many as one step may.
func (s *step) expire() {
	now := max(s.now().Unix(), s.m.View.Tip().MedianTime)
	left, some := looksEach, false
	for k := range s.m.watch.expiring.All() {
		at := int64(mapkey.Uint64(k))
		if at > now {
			break
		}
		if left <= 0 {
			s.expiredUntil(at - 1)
			return
		}
		some = true
		q := &group.Inquiry{}
		if p, ok := s.m.State.Proposal(mapkey.Entry(k)); ok {
			s.tellOf(p, false, q)
		}
		left -= q.Cost(1)
		s.m.watch.expiring = s.m.watch.expiring.Delete(k)
	}
	if some {
		s.expiredUntil(now)
	}
}

// age looks again at payments that only the height of the chain changes, as many
// as one step may.
func (s *step) age() {
	left := looksEach
	for k := range s.m.watch.aging.All() {
		if int64(mapkey.Uint32(k)) > int64(s.m.View.Tip().Height) || left == 0 {
			return
		}
		left--
		s.m.watch.aging = s.m.watch.aging.Delete(k)
		s.look(chainhash.Hash([]byte(k[4:])))
	}
}

// pay keeps whom a living proposal pays: from its first signature on until its
// transaction is a day deep, or can never be mined.
func (s *step) pay(p *group.Proposal, now group.Status) {
	w, v := &s.m.watch, s.m.View
	tx := mapkey.Of(p.TxID)
	known := mapkey.Has(w.paying, tx)
	gone := v.Confirmations(p.TxID) > paidRecently || now == group.StatusDead && group.BuriedBy(v, p)
	if due := now == group.StatusConfirmed || now == group.StatusDead; due && !gone && (known || now == group.StatusConfirmed || s.m.State.Released(p.TxID)) {
		// A block alone changes it later.
		at := v.Tip().Height + ledger.BuriedDepth
		if now == group.StatusConfirmed {
			at = v.Tip().Height + paidRecently - v.Confirmations(p.TxID) + 1
		}
		w.aging = w.aging.Set(byHeight(binary.BigEndian.AppendUint32(nil, uint32(at)))+byHeight(tx), struct{}{})
	}
	if gone == !known || !known && now != group.StatusConfirmed && !s.m.State.Released(p.TxID) {
		return
	}
	if gone {
		w.paying = w.paying.Delete(tx)
	} else {
		w.paying = w.paying.Set(tx, struct{}{})
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			continue
		}
		if k := mapkey.Of2(paymentKey(o.PkScript), p.TxID); gone {
			w.payments = w.payments.Delete(k)
		} else {
			w.payments = w.payments.Set(k, struct{}{})
		}
	}
}
