package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// Kinds of what is to be looked at.
const (
	lookTx    lookKey = "t" // a transaction
	lookCoin  lookKey = "c" // all transactions that spend a coin, or any output of a transaction
	lookChain lookKey = "r" // what rests on the entries of a chain, from a seq on
)

// look has a transaction looked at, soon.
func (s *step) look(tx chainhash.Hash) {
	if k := mapkey.Of(tx); s.m.State.ProposedTx(tx) {
		s.m.watch.looks = s.m.watch.looks.add(lookTx+lookKey(k), lookPlace(k))
	}
}

// lookAround has everything looked at whose status may rest on a transaction of
// the chain: itself, and what spends its outputs; where it came into a block or
// out of one, also what spends the coins it spends. A mempool kills no rival, and
// whoever pays the wallet may raise the fee with every second; but what it replaces, by
// what its proposals say, may give way to it.
func (s *step) lookAround(id chainhash.Hash, blocks bool) {
	s.look(id)
	s.lookCoins(mapkey.Coins(id))
	if !blocks {
		for _, p := range s.m.State.CopiesOf(id) {
			for _, t := range p.Body.Replaces {
				s.look(t)
			}
		}
		return
	}
	if t, ok := s.m.View.Tx(id); ok {
		for _, i := range t.Tx.TxIn {
			s.lookCoin(i.PreviousOutPoint)
		}
	} else if p, ok := s.m.State.AnyOf(id); ok {
		for _, i := range p.Body.Inputs {
			s.lookCoin(i.OutPoint())
		}
	}
}

func (s *step) lookCoin(o wire.OutPoint) { s.lookCoins(mapkey.Coin(o)) }

// lookCoins has looked at what spends a coin, or any output of a transaction.
func (s *step) lookCoins(coins mapkey.ByCoin) {
	if s.m.State.Spent(coins) {
		s.m.watch.looks = s.m.watch.looks.add(lookCoin+lookKey(coins), lookPlace(coins))
	}
}

// lookChain has looked at what rests on the entries of a chain from a seq on.
func (s *step) lookChain(c journal.ChainKey, from uint64) {
	of := mapkey.Chain(c)
	s.m.watch.looks = s.m.watch.looks.add(lookChain+lookKey(of), lookPlace(of)+lookPlace(mapkey.Number(from)))
}

// lookFurther looks at what is to be looked at, as much as one step may.
func (s *step) lookFurther() {
	for left := looksEach; left > 0; {
		looks, what, at, ok := s.m.watch.looks.next()
		if !ok {
			return
		}
		s.m.watch.looks = looks
		share, used := min(left, lookShare), 1
		switch of := what[1:]; what[:1] {
		case lookTx:
			used, at = s.lookAt(chainhash.Hash([]byte(of))), ""
		case lookCoin:
			u, next := s.m.State.VisitSpending(mapkey.ByCoin(of), mapkey.ByCoinTx(at), share, s.lookAt)
			used, at = u, lookPlace(next)
		case lookChain:
			u, next := s.m.State.VisitResting(mapkey.ByChain(of), mapkey.ByPlace(at), share, s.lookResting)
			used, at = u, lookPlace(next)
		}
		left -= max(1, used)
		s.m.watch.looks = s.m.watch.looks.left(what, at)
	}
}

// lookResting looks at a proposal that an entry states, or says something of. It
// returns what that cost, as lookAt does.
func (s *step) lookResting(id journal.EntryID) int {
	p, ok := s.m.State.Proposal(id)
	if !ok || !p.Sound {
		return 1
	}
	q := &group.Inquiry{}
	s.tellOf(p, false, q)
	s.look(p.TxID)
	for _, t := range p.Body.Replaces {
		s.look(t)
	}
	q.Asked += len(p.Body.Replaces)
	return q.Cost(1)
}

// lookAt derives the statuses of the proposals that decide about a transaction.
// Where it became dead, or is no more, what spends its outputs is looked at, too.
// It returns what that cost, in statuses derived: a few for each member.
func (s *step) lookAt(tx chainhash.Hash) int {
	if s.m.State.Active() == nil {
		return 1
	}
	q := &group.Inquiry{}
	copies := s.m.State.CopiesFor(tx, q)
	for n, p := range copies {
		was, known := s.m.watch.told.Get(mapkey.Of(p.Ref.ID))
		now := s.tellOf(p, false, q)
		if n == 0 && (was.status == group.StatusDead) != (now == group.StatusDead) && (known || now == group.StatusDead) {
			s.lookCoins(mapkey.Coins(tx))
		}
	}
	s.mayCarry(tx)
	return q.Cost(len(copies))
}
