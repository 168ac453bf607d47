package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// mayCarry has a transaction looked at for signatures that nobody brings but
// past a fork.
func (s *step) mayCarry(tx chainhash.Hash) {
	if s.forked && s.m.State.Released(tx) {
		s.m.watch.carry = s.m.watch.carry.add(mapkey.Of(tx), group.ByTxProposal(tx[:]))
	}
}

// carrySignatures carries signatures that this node counts and found only past
// a fork: the others may never be handed those entries.
func (s *step) carrySignatures() {
	if s.m.catchingUp() || s.m.State.Active() == nil {
		return // it writes nothing yet, and nobody else need hold them
	}
	if s.m.watch.carry.Len() == 0 || !s.m.State.Idle() {
		return // an untainted entry may bring them that is not verified yet
	}
	if !s.m.watch.counted {
		s.countCarried()
	}
	// One transaction may cost more than a step has: the next ones pay it back.
	if s.m.watch.carryOwed > 0 {
		s.m.watch.carryOwed = max(0, s.m.watch.carryOwed-looksEach)
		return
	}
	left, looked := carryEach, looksEach
	defer func() { s.m.watch.carryOwed = max(0, -looked) }()
	for left > 0 && looked > 0 && s.spare() {
		carry, tx, at, ok := s.m.watch.carry.next()
		if !ok {
			return
		}
		s.m.watch.carry = carry
		p, used, next := s.copyToCarry(tx, at, min(looked, lookShare))
		looked -= max(1, used)
		if p != nil {
			wrote, used, all := s.carry(p)
			left, looked = left-wrote, looked-used
			if !all {
				next = group.ByTxProposal(tx)
			}
		}
		s.m.watch.carry = s.m.watch.carry.left(tx, next)
	}
}

// copyToCarry looks for the living proposal of a transaction that states its
// coins as this node sees them, after some of them: signatures on another are of
// no use. There is none where the transaction is mined, or can never be.
func (s *step) copyToCarry(tx mapkey.ByTx, at group.ByTxProposal, most int) (p *group.Proposal, used int, next group.ByTxProposal) {
	id := chainhash.Hash([]byte(tx))
	if s.m.View.Confirmations(id) > 0 {
		return nil, 1, ""
	}
	if q, ok := s.m.State.Lead(id); ok && s.m.State.Dead(s.m.View, q) {
		return nil, 1, ""
	} else if ok && states(s.m.View, q) {
		return q, 1, ""
	}
	for k, q := range s.m.State.ProposalsOf(tx, at) {
		if used >= most {
			return nil, used, k
		}
		used += 1 + len(q.Body.Inputs)/8
		if states(s.m.View, q) && s.m.State.Alive(q) && !s.m.State.Dead(s.m.View, q) {
			return q, used, ""
		}
	}
	return nil, used, ""
}

// states says whether all coins of a proposal are coins of the wallet in this
// view, and are as it states them.
func states(v ledger.View, p *group.Proposal) bool {
	for _, in := range p.Body.Inputs {
		o, ok := v.Out(in.OutPoint())
		if !ok || o.Amount != in.Amount || o.Branch != in.Branch || o.Index != in.Index {
			return false
		}
	}
	return true
}

// carry writes what is to be carried of a proposal's signatures. It returns how
// many entries it wrote, what it looked at, and whether that is all.
func (s *step) carry(p *group.Proposal) (wrote, used int, all bool) {
	all = true
	var q group.Inquiry
	defer func() { used += q.Asked / group.AskedEach }()
	var sigs []event.PartialSignature
	owe := map[bringer]int{} // signatures
	write := func() {
		if len(sigs) == 0 {
			return
		}
		if all = all && s.spare(); !all {
			return
		}
		// Where this node's own chain is forked, others do it.
		_ = s.try(func() error {
			if _, err := s.write(&event.SignatureCarried{Proposal: p.Ref.ID, Signatures: sigs}); err != nil {
				return err
			}
			s.charge(owe)
			wrote++
			return nil
		})
		sigs, owe = nil, map[bringer]int{}
	}
	for k := range s.m.State.Active().Members {
		// Some of a key's signatures make nothing final: they wait for the others,
		// so that a key is carried once, however its owner strews them.
		if !s.m.State.Signed(p, k) {
			continue
		}
		used += 1 + len(p.Body.Inputs)/8
		more := s.m.State.OnlyPastForks(p, uint32(k), &q)
		if len(sigs)+len(more) > 2*event.MaxTxInputs {
			write()
		}
		by, ok := s.roomFor(more, owe)
		if !ok {
			continue
		}
		for _, x := range more {
			sigs = append(sigs, x.PartialSignature)
		}
		owe[by] += len(more)
	}
	write()
	return wrote, used, all
}

// roomFor returns the account on which signatures of one key are carried: its own
// where its owner brings one of them, or that of another who brings them; one
// with room besides what is owed.
func (s *step) roomFor(sigs []group.Strayed, owe map[bringer]int) (bringer, bool) {
	asked := map[bringer]bool{}
	var others []bringer
	for _, x := range sigs {
		for _, k := range x.By {
			by := bringerOf(k, x.Key)
			if asked[by] {
				continue
			}
			asked[by] = true
			if k != x.Key {
				others = append(others, by)
			} else if s.hasRoom(by, owe[by]+len(sigs)) {
				return by, true
			}
		}
	}
	for _, by := range others {
		if s.hasRoom(by, owe[by]+len(sigs)) {
			return by, true
		}
	}
	return 0, false
}

func (s *step) hasRoom(by bringer, signatures int) bool {
	c, _ := s.m.watch.carried.Get(pmap.Num(uint64(by)))
	return c.room(by, signatures)
}

// charge counts an entry that carries so many signatures for each of some accounts.
func (s *step) charge(owe map[bringer]int) {
	for by, n := range owe {
		c, _ := s.m.watch.carried.Get(pmap.Num(uint64(by)))
		s.m.watch.carried = s.m.watch.carried.Set(pmap.Num(uint64(by)), carried{c.entries + 1, c.signatures + n})
	}
}

// countCarried counts what this node carried before it started.
func (s *step) countCarried() {
	s.m.watch.counted = true
	st := s.m.State
	for sigs := range st.CarriedPastForks {
		owe := map[bringer]int{}
		for _, x := range sigs {
			to, ok := s.roomFor([]group.Strayed{x}, owe)
			if !ok {
				to = bringerOf(x.By[0], x.Key)
			}
			owe[to]++
		}
		s.charge(owe)
	}
}
