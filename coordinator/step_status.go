package coordinator

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// What a step does at most of what others brought about: the rest is done by
// the steps that follow, a tick at the latest.
const (
	looksEach = 512 // transactions whose statuses are derived anew
	carryEach = 16  // signatures carried, in entries
)

// watchlist is what a machine knows of the proposals besides the entries: the
// statuses that were told, and what is to be looked at again. It is made anew
// when a node starts.
type watchlist struct {
	told     pmap.Map[string, Status]   // by proposal: last status told, "" of one without effect
	counts   [len(statusOrder)]int      // proposals by status told, in statusOrder
	expiring pmap.Map[string, struct{}] // by expiry | proposal: those that are pending
	sending  pmap.Map[string, sending]  // by txid: final or broadcast, and not mined
	unbuilt  pmap.Map[string, struct{}] // by txid | spend id: told to be final and not to pass the script engine
	looks    pmap.Map[string, string]   // what is to be looked at, and how far that is done (see look)
	// payments finds those who were paid: by hash of the script | txid; paying has
	// the transactions it holds, aging when the chain's height alone drops one: by
	// height | txid.
	payments, paying, aging pmap.Map[string, struct{}]
	carry                   pmap.Map[string, struct{}] // by proposal | entry: tainted carriers, whose signatures others may lack
}

// sending is how a transaction is being sent, and as which of what its proposals sign.
type sending struct {
	status Status
	signs  string
}

// statusOrder lists the statuses, in the order in which the first that holds is taken.
var statusOrder = [...]Status{StatusConfirmed, StatusDead, StatusBroadcast, StatusFinal, StatusWithdrawn,
	StatusRejected, StatusExpired, StatusReplaced, StatusPending}

// Kinds of what is to be looked at.
const (
	lookTx    = 't' // a transaction
	lookCoin  = 'c' // all transactions that spend a coin, or any output of a transaction
	lookChain = 'r' // what rests on the entries of a chain, from a seq on
)

// look has a transaction looked at, soon.
func (s *step) look(tx chainhash.Hash) { s.again(string(lookTx) + key(tx)) }

// lookAround has everything looked at whose status may rest on a transaction of
// the chain: itself, what spends the coins it spends, and what spends its outputs.
func (s *step) lookAround(id chainhash.Hash) {
	s.look(id)
	s.again(string(lookCoin) + key(id))
	if t, ok := s.m.View.Tx(id); ok {
		for _, i := range t.Tx.TxIn {
			s.lookCoin(i.PreviousOutPoint)
		}
	} else if p, ok := s.m.State.anyOf(id); ok {
		for _, i := range p.Body.Inputs {
			s.lookCoin(i.OutPoint())
		}
	}
}

func (s *step) lookCoin(o wire.OutPoint) { s.again(string(lookCoin) + coinKey(o)) }

// lookChain has looked at what rests on the entries of a chain from a seq on.
func (s *step) lookChain(c journal.ChainKey, from uint64) {
	s.again(string(lookChain) + chainKey(c) + string(appendUint64(nil, from)))
}

// again begins a look anew, also where one is under way.
func (s *step) again(what string) { s.m.watch.looks = s.m.watch.looks.Set(what, "") }

// lookFurther looks at what is to be looked at, as much as one step may.
func (s *step) lookFurther() {
	for left := looksEach; left > 0; {
		what, done, any := "", "", false
		for what, done = range s.m.watch.looks.All() {
			any = true
			break
		}
		if !any {
			return
		}
		s.m.watch.looks = s.m.watch.looks.Delete(what)
		left--
		switch what[0] {
		case lookTx:
			s.lookAt(chainhash.Hash([]byte(what[1:])))
			continue
		case lookCoin:
			done, left = s.lookSome(what[1:], done, left)
		case lookChain:
			done, left = s.lookResting(what[1:], done, left)
		}
		if done != "" && !has(s.m.watch.looks, what) {
			s.m.watch.looks = s.m.watch.looks.Set(what, done)
		}
	}
}

// lookSome looks at the transactions that spend a coin, after one of them. It
// returns the last one, or "" when that was all.
func (s *step) lookSome(coin, after string, left int) (string, int) {
	from := coin
	if after != "" {
		from = after + "\x00"
	}
	for k := range scan2(s.m.State.props.spending, coin, from) {
		if left--; left < 0 {
			return after, 0
		}
		s.lookAt(chainhash.Hash([]byte(k[36:])))
		after = k
	}
	return "", left
}

// lookResting looks at what rests on the entries of a chain from a seq on.
func (s *step) lookResting(place, after string, left int) (string, int) {
	from := place
	if after != "" {
		from = after + "\x00"
	}
	st := s.m.State
	forked := st.chains.ForkedAt(chainOf(place)) != 0
	for k, id := range scan2(st.props.rests, place[:33], from) {
		if left--; left < 0 {
			return after, 0
		}
		after = k
		if forked {
			s.mayCarry(key2(id, idOf(k)))
		}
		if p, ok := st.Proposal(id); ok && p.Sound {
			s.tell(p, false)
			s.look(p.TxID)
			for _, t := range p.Body.Replaces {
				s.look(t)
			}
		}
	}
	return "", left
}

// lookAt derives the statuses of the proposals that decide about a transaction.
// Where it became dead, or is no more, what spends its outputs is looked at, too.
func (s *step) lookAt(tx chainhash.Hash) {
	if s.m.State.active == nil {
		return
	}
	for n, p := range s.m.State.copiesOf(tx) {
		was, known := s.m.watch.told.Get(key(p.Ref.ID))
		now := s.tell(p, false)
		if n == 0 && (was == StatusDead) != (now == StatusDead) && (known || now == StatusDead) {
			s.again(string(lookCoin) + key(tx))
		}
	}
}

// statuses derives what changed, broadcasts what became final, and tells.
func (s *step) statuses() {
	st := s.m.State
	touched, soiled, reweighed := st.touched, st.soiled, st.reweighedOf
	s.m.State.touched, s.m.State.soiled, s.m.State.reweighedOf = nil, nil, nil
	for _, r := range reweighed {
		s.lookChain(r.Chain, lowerSeq(r.From, r.Before))
	}
	for _, r := range soiled {
		if id, ok := st.props.rests.Get(placeKey(r)); ok && st.chains.ForkedAt(r.Chain) != 0 {
			s.mayCarry(key2(id, r.ID))
		}
	}
	done := map[journal.EntryID]bool{}
	for _, id := range touched {
		p, ok := s.m.State.Proposal(id)
		if !ok || done[id] || !p.Sound {
			continue
		}
		done[id] = true
		s.tell(p, true)
		s.look(p.TxID)
		for _, t := range p.Body.Replaces {
			s.look(t)
		}
	}
	s.lookFurther()
	s.carrySignatures()
}

// tell derives a proposal's status and tells it where it changed. news says that
// an entry concerns the proposal, which is worth telling whatever its status.
func (s *step) tell(p *Proposal, news bool) Status {
	w := &s.m.watch
	id := key(p.Ref.ID)
	was, known := w.told.Get(id)
	now := Derive(s.m.State, s.m.View, s.now(), p)
	if (was != now && (was != "" || now != StatusPending) || news || !known) && (known || !s.starting) {
		s.do(Tell{Notice{Type: "proposal", Group: s.m.State.group, Proposal: p.Ref.ID, TxID: p.TxID, Status: string(now)}})
	}
	counts := now
	if !s.m.State.alive(p) {
		counts = "" // it has no effect
	}
	if was != counts || !known {
		for n, x := range statusOrder {
			if known && x == was {
				w.counts[n]--
			}
			if x == counts {
				w.counts[n]++
			}
		}
		w.told = w.told.Set(id, counts)
	}
	if p.Body.Expires != 0 {
		if k := expiryKey(p); now == StatusPending {
			w.expiring = w.expiring.Set(k, struct{}{})
		} else {
			w.expiring = w.expiring.Delete(k)
		}
	}
	if s.m.State.alive(p) {
		s.send(p, now)
		s.pay(p, now)
	}
	return now
}

func expiryKey(p *Proposal) string {
	return string(appendUint64(nil, uint64(p.Body.Expires))) + key(p.Ref.ID)
}

// send keeps what is to be broadcast again, and broadcasts what became final.
func (s *step) send(p *Proposal, now Status) {
	w := &s.m.watch
	tx := key(p.TxID)
	was, sent := w.sending.Get(tx)
	switch {
	case now == StatusFinal || now == StatusBroadcast:
		if was.status == now {
			return
		}
		w.sending = w.sending.Set(tx, sending{now, p.signs})
		if now == StatusFinal {
			s.broadcast(p.TxID)
		}
		if !sent {
			// It may replace what spends the same coins.
			for _, i := range p.Body.Inputs {
				s.lookCoin(i.OutPoint())
			}
		}
	case sent && was.signs == p.signs: // another proposal of it may lack what this one has
		w.sending = w.sending.Delete(tx)
		for _, i := range p.Body.Inputs {
			s.lookCoin(i.OutPoint())
		}
	}
}

// broadcast sends a final transaction, where it is the one of its rivals.
func (s *step) broadcast(id chainhash.Hash) {
	for _, p := range s.m.State.copiesOf(id) {
		if !s.m.State.Final(p) {
			return // those that are come first
		}
		if !s.m.State.broadcastable(s.m.View, p) {
			continue
		}
		tx, err := theTx(s.m.State, s.m.View, p)
		if err == nil {
			// Its change is ours at once, whatever mempool has seen it.
			s.m.View, _ = s.m.View.See(tx, false)
			s.do(Broadcast{tx})
			return
		}
		s.cannotBuild(p, err)
	}
}

// cannotBuild tells, once, that a transaction with all signatures is none that
// Bitcoin takes.
func (s *step) cannotBuild(p *Proposal, err error) {
	if has(s.m.watch.unbuilt, p.signs) {
		return
	}
	s.m.watch.unbuilt = s.m.watch.unbuilt.Set(p.signs, struct{}{})
	s.do(Tell{Notice{Type: "alarm", Group: s.m.State.group, Proposal: p.Ref.ID, TxID: p.TxID,
		Detail: fmt.Sprintf("the final transaction does not pass the script engine: %v", err)}})
}

// sendAgain broadcasts what has one of two statuses and is not mined. Each has
// all its signatures, or was seen by the network.
func (s *step) sendAgain(final, taken bool) {
	for id, was := range s.m.watch.sending.All() {
		if was.status == StatusFinal && final || was.status == StatusBroadcast && taken {
			s.broadcast(chainhash.Hash([]byte(id)))
		}
	}
}

// expire looks at the pending proposals whose time has come, as many as one step may.
func (s *step) expire() {
	now := max(s.now().Unix(), s.m.View.tip.MedianTime)
	left := looksEach
	for k := range s.m.watch.expiring.All() {
		if int64(be64(k)) > now || left == 0 {
			return
		}
		left--
		if p, ok := s.m.State.Proposal(idOf(k)); ok {
			s.tell(p, false)
		}
		s.m.watch.expiring = s.m.watch.expiring.Delete(k)
	}
}

func be64(s string) uint64 { return uint64(be32(s))<<32 | uint64(be32(s[4:])) }

// mayCarry has a tainted carrier looked at for signatures that nobody else brings.
func (s *step) mayCarry(carrier string) {
	if has(s.m.State.carriers, carrier) {
		s.m.watch.carry = s.m.watch.carry.Set(carrier, struct{}{})
	}
}

// carrySignatures carries signatures that this node counts and found only past
// a fork: the others may never be handed those entries.
func (s *step) carrySignatures() {
	if s.m.catchingUp() {
		return // it writes nothing yet, and nobody else need hold them
	}
	left, looked := carryEach, looksEach
	for k := range s.m.watch.carry.All() {
		if left == 0 || looked == 0 {
			return
		}
		looked--
		s.m.watch.carry = s.m.watch.carry.Delete(k)
		c, _ := s.m.State.carriers.Get(k)
		p, ok := s.m.State.Proposal(c.Proposal)
		if !ok || !p.Sound || c.Verified == nil {
			continue
		}
		if was, _ := s.m.watch.told.Get(key(p.Ref.ID)); was == StatusConfirmed || was == StatusDead {
			continue
		}
		if sigs := s.m.State.onlyTainted(p, c); len(sigs) > 0 {
			left--
			// Where this node's own chain is forked, others do it.
			_ = s.try(func() error {
				_, err := s.write(&SignatureCarried{Proposal: p.Ref.ID, Signatures: sigs})
				return err
			})
		}
	}
}

// onlyTainted returns the signatures for those of a carrier that verified and
// that no untainted entry brings.
func (s State) onlyTainted(p *Proposal, c carrierFact) []PartialSignature {
	var out []PartialSignature
	for n, x := range c.Signatures {
		if c.Verified[n/8]>>(n%8)&1 == 1 && !s.cleanly(sigKey(p.signs, x.Input, x.Key)) {
			out = append(out, x) // as it was verified for this very proposal
		}
	}
	return out
}

// cleanly says whether an untainted entry brings a signature on an input by a key.
func (s State) cleanly(of string) bool {
	for k, seq := range scan(s.props.brought, of) {
		if !s.tainted(Ref{Chain: chainOf(k[len(of):]), Seq: seq}) {
			return true
		}
	}
	return false
}
