package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// retaint says that other entries of a chain are tainted than before: those
// from From on, where it were those from Before on. Zero is none.
type retaint struct {
	Chain        journal.ChainKey
	From, Before uint64
}

// taintedFrom returns the lowest seq of a chain from which on entries keep only
// the effects that prove themselves, or 0 if there is none: its lowest fork, what
// lies past the cut of a later incarnation, or past the end of an identity that
// was replaced.
func (s memberFacts) TaintedFrom(c journal.ChainKey) uint64 {
	least := s.taintedApartFromEnd(c)
	if s.active != nil {
		least = lowerSeq(least, s.endedFrom(s.active.lines, c))
	}
	return least
}

// taintedApartFromEnd is taintedFrom without what replacements say.
func (s entryFacts) taintedApartFromEnd(c journal.ChainKey) uint64 {
	least := s.chains.ForkedAt(c)
	if cut, ok := s.cuts.Get(mapkey.Chain(c)); ok {
		least = lowerSeq(least, cut.Seq+1)
	}
	return least
}

// lowerSeq returns the lower of two seqs, where 0 is none.
func lowerSeq(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// tainted says whether an entry keeps only the effects that prove themselves.
func (s memberFacts) tainted(r Ref) bool {
	from := s.TaintedFrom(r.Chain)
	return from != 0 && r.Seq >= from
}

// add takes an entry into the chains and folds it. What it says of other
// entries is worked out in derived, which the caller calls once a batch of
// entries is in.
func (s State) Add(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	s, out, err := s.link(e, wanted)
	if err == nil && out != journal.Duplicate {
		s = s.fold(e)
	}
	return s, out, err
}

// link takes an entry into the chains.
func (s State) link(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	before, forked := s.TaintedFrom(e.Chain()), s.chains.ForkedAt(e.Chain())
	chains, out, err := s.chains.Add(e, wanted)
	if err != nil || out == journal.Duplicate {
		return s, out, err
	}
	s.chains = chains
	if out == journal.Forked {
		s.memberFacts = s.memberFacts.retaint(e.Chain(), before)
		if from := s.TaintedFrom(e.Chain()); forked == 0 && from == before {
			// Tainted as it was, past a cut: but others may not be handed it any more,
			// and what it proves is to be carried.
			s.proposalFacts = s.proposalFacts.proposalsRetainted(retaint{e.Chain(), from, before})
		}
	}
	return s, out, nil
}

// retaint notes that a chain may be tainted from elsewhere on than before, and
// what rests on it.
func (s memberFacts) retaint(c journal.ChainKey, before uint64) memberFacts {
	from := s.TaintedFrom(c)
	if from == before {
		return s
	}
	s.retainted = append(s.retainted[:len(s.retainted):len(s.retainted)], retaint{c, from, before})
	return s
}

// told returns the state without the bookkeeping of what is news.
func (s State) Told() State {
	s.touched, s.leased, s.reweighed, s.reweighedOf = nil, pmap.Map[uint32, bool]{}, false, nil
	return s
}

// derived works out, once, what the entries folded since the last time have
// changed elsewhere: who the members are, and then what rests on entries that
// are tainted now, or not any more. Everybody who folds calls it before
// anything is read, so that a State between two steps is always whole, and the
// same whatever the order of entries was.
//
// A hook is called once for each such chain. It may not rely on what was folded
// meanwhile having been judged by Before: it works out anew what rests on the
// entries between From and Before.
func (s State) Derived() State {
	s.memberFacts = s.memberFacts.relined()
	if len(s.retainted) == 0 {
		s.epochFacts = s.epochFacts.epochsDerived()
return s
	}
	due := s.retainted
	s.retainted, s.reweighed = nil, true
	at, all := map[journal.ChainKey]int{}, []retaint(nil)
	for _, r := range due {
		if n, ok := at[r.Chain]; ok {
			all[n].From = r.From
			continue
		}
		at[r.Chain] = len(all)
		all = append(all, r)
	}
	for _, r := range all {
		if r.From == r.Before {
			continue
		}
		s.epochFacts = s.epochFacts.epochsRetainted(r)
		s.proposalFacts = s.proposalFacts.proposalsRetainted(r)
		s.labelFacts = s.labelFacts.viewsRetainted(r)
	}
	s.epochFacts = s.epochFacts.epochsDerived()
return s
}
