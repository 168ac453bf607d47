package group

import (
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// backlog is what came before it could be judged: proposals of authors who were
// not known yet, and signatures on proposals that were not here. When they can
// be judged they are due, and worked off a bounded number at a time. What State
// says once nothing is due rests on the set of entries alone.
type backlog struct {
	proposals pmap.Map[string, struct{}] // by author | proposal: not derived yet
	sigs      pmap.Map[string, struct{}] // by proposal | author | carrier: not verified yet
	// stating is the same by each key that it states a signature of, MaxCosigners at
	// most: by key | author | proposal | carrier.
	stating pmap.Map[string, struct{}]

	turns  pmap.Map[uint64, string]   // what is due, in turns: an author of proposals, or proposal | author
	queued pmap.Map[string, struct{}] // what has a turn
	last   uint64
	// later: nothing is judged at once. So it is while the entries of a store are
	// read again.
	later bool
}

// wait keeps a proposal until its author is known.
func (s proposalFacts) wait(p *Proposal) proposalFacts {
	a := p.Author()
	s.backlog.proposals = s.backlog.proposals.Set(mapkey.Of2(a, p.Ref.ID), struct{}{})
	if s.active != nil && s.mayWrite(a) {
		s = s.turn(string(a[:]))
	}
	return s
}

// waitingOf yields the ids of proposals of an author that were not derived yet.
func (s proposalFacts) waitingOf(a journal.Author) func(yield func(journal.EntryID) bool) {
	return func(yield func(journal.EntryID) bool) {
		for k := range pmap.Prefix(s.backlog.proposals, string(a[:])) {
			if !yield(mapkey.Entry(k)) {
				return
			}
		}
	}
}

// authorKnown makes due what an author wrote before it was known to belong to a key.
func (s proposalFacts) authorKnown(a journal.Author) proposalFacts {
	for range s.waitingOf(a) {
		return s.turn(string(a[:]))
	}
	return s
}

// await keeps a carrier until its proposal is here.
func (s proposalFacts) await(c carrierFact) proposalFacts {
	a := c.Ref.Chain.Author
	s.backlog.sigs = s.backlog.sigs.Set(mapkey.Of3(c.Proposal, a, c.Ref.ID), struct{}{})
	for k := range c.stated() {
		s.backlog.stating = s.backlog.stating.Set(k, struct{}{})
	}
	if p, ok := s.Proposal(c.Proposal); ok && p.Sound {
		s = s.turn(mapkey.Of2(c.Proposal, a))
	}
	return s
}

// stated yields where a carrier waits in backlog.stating, for each key that it
// states a signature of.
func (c carrierFact) stated() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var seen uint32
		at := mapkey.Of3(c.Ref.Chain.Author, c.Proposal, c.Ref.ID)
		for _, x := range c.Signatures {
			if x.Key >= event.MaxCosigners || seen>>x.Key&1 == 1 {
				continue
			}
			seen |= 1 << x.Key
			if !yield(statedKey(x.Key) + at) {
				return
			}
		}
	}
}

func statedKey(k uint32) string { return string(binary.BigEndian.AppendUint32(nil, k)) }

// sigsDue makes due what waited for a proposal.
func (s proposalFacts) sigsDue(proposal journal.EntryID) proposalFacts {
	for from := mapkey.Of(proposal); ; {
		more := false
		for k := range pmap.PrefixFrom(s.backlog.sigs, mapkey.Of(proposal), from) {
			s, from, more = s.turn(k[:64]), mapkey.After(k[:64]), true
			break
		}
		if !more {
			return s
		}
	}
}

func (s proposalFacts) turn(what string) proposalFacts {
	if mapkey.Has(s.backlog.queued, what) {
		return s
	}
	s.backlog.last++
	s.backlog.queued = s.backlog.queued.Set(what, struct{}{})
	s.backlog.turns = s.backlog.turns.Set(s.backlog.last, what)
	return s
}

// work works off what is due, in turns, until so many units are used up.
func (s State) Work(units int) State {
	for units > 0 {
		var at uint64
		what, any := "", false
		for at, what = range s.backlog.turns.All() {
			any = true
			break
		}
		if !any {
			return s
		}
		s.backlog.turns, s.backlog.queued = s.backlog.turns.Delete(at), s.backlog.queued.Delete(what)
		used, more := 0, false
		if len(what) == 32 {
			s.proposalFacts, used, more = s.proposalFacts.workProposal(journal.Author([]byte(what)))
		} else {
			s.proposalFacts, used, more = s.proposalFacts.workCarrier(what)
		}
		units -= used
		if more {
			s.proposalFacts = s.proposalFacts.turn(what)
		}
	}
	return s
}

// workProposal derives one proposal of an author; more says that there are others.
func (s proposalFacts) workProposal(a journal.Author) (_ proposalFacts, used int, more bool) {
	for id := range s.waitingOf(a) {
		p, _ := s.Proposal(id)
		s = s.evaluate(p)
		used = len(p.Body.Inputs) + len(p.Body.Outputs)
		break
	}
	for range s.waitingOf(a) {
		more = true
		break
	}
	return s, used, more
}

// workCarrier verifies one carrier of an author for a proposal.
func (s proposalFacts) workCarrier(of string) (_ proposalFacts, used int, more bool) {
	n := 0
	for k := range pmap.Prefix(s.backlog.sigs, of) {
		if n++; n > 1 {
			more = true
			break
		}
		c, _ := s.carriers.Get(k[:32] + k[64:])
		p, _ := s.Proposal(c.Proposal)
		s, used = s.verify(p, c), len(c.Signatures)
	}
	return s, used, more
}

// JudgeLater has proposals and signatures wait for Work, or judged as they come.
func (s State) JudgeLater(later bool) State {
	s.backlog.later = later
	return s
}

// Idle says whether nothing waits for its turn to be judged.
func (s proposalFacts) Idle() bool { return s.backlog.turns.Len() == 0 }
