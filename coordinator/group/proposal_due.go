package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// wait keeps a proposal until its author is known.
func (s proposalFacts) wait(p *Proposal) proposalFacts {
	a := p.Author()
	s.backlog.proposals = s.backlog.proposals.Set(mapkey.Of2(a, p.Ref.ID), struct{}{})
	if s.active != nil && s.mayWrite(a) {
		s = s.turn(due(a[:]))
	}
	return s
}

// waitingOf yields the ids of proposals of an author that were not derived yet.
func (s proposalFacts) waitingOf(a journal.Author) func(yield func(journal.EntryID) bool) {
	return func(yield func(journal.EntryID) bool) {
		for k := range mapkey.Under(s.backlog.proposals, a) {
			if !yield(k.Second()) {
				return
			}
		}
	}
}

// authorKnown makes due what an author wrote before it was known to belong to a key.
func (s proposalFacts) authorKnown(a journal.Author) proposalFacts {
	for range s.waitingOf(a) {
		return s.turn(due(a[:]))
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
		s = s.turn(due(mapkey.Of2(c.Proposal, a)))
	}
	return s
}

// sigsDue makes due what waited for a proposal.
func (s proposalFacts) sigsDue(proposal journal.EntryID) proposalFacts {
	of := awaited(proposal[:])
	for from := of; ; {
		more := false
		for k := range pmap.PrefixFrom(s.backlog.sigs, of, from) {
			s, from, more = s.turn(due(k[:64])), mapkey.After(k[:64]), true
			break
		}
		if !more {
			return s
		}
	}
}

func (s proposalFacts) turn(what due) proposalFacts {
	if mapkey.Has(s.backlog.queued, what) {
		return s
	}
	s.backlog.last++
	s.backlog.queued = s.backlog.queued.Set(what, struct{}{})
	s.backlog.turns = s.backlog.turns.Set(pmap.Num(s.backlog.last), what)
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
func (s proposalFacts) workCarrier(of due) (_ proposalFacts, used int, more bool) {
	n := 0
	for k := range pmap.Prefix(s.backlog.sigs, awaited(of)) {
		if n++; n > 1 {
			more = true
			break
		}
		c, _ := s.carriers.Get(carries(k[:32] + k[64:]))
		p, _ := s.Proposal(c.Proposal)
		s, used = s.verify(p, c), len(c.Signatures)
	}
	return s, used, more
}
