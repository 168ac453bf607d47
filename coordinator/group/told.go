package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// RuleOf returns the rule that an entry breaks, where it is without effect.
func (s entryFacts) RuleOf(id journal.EntryID) (rule string, inert bool) {
	i, inert := s.inert.Get(mapkey.Of(id))
	return i.Rule, inert
}

// Tainted says whether an entry at a place keeps only the effects that prove
// themselves.
func (s memberFacts) Tainted(c journal.ChainKey, seq uint64) bool {
	return s.tainted(Ref{Chain: c, Seq: seq})
}

// EntriesOn yields the entries that are held of a proposal, in no order: its own,
// and those with signatures on it, votes, comments and withdrawals (of each chain its
// first).
func (s proposalFacts) EntriesOn(proposal journal.EntryID) func(yield func(Ref) bool) {
	return func(yield func(Ref) bool) {
		if p, ok := s.Proposal(proposal); ok && !yield(p.Ref) {
			return
		}
		for _, c := range mapkey.Under(s.carriers, proposal) {
			if !yield(c.Ref) {
				return
			}
		}
		for _, v := range pmap.Prefix(s.votes, byVote(proposal[:])) {
			if !yield(v.Ref) {
				return
			}
		}
		for _, c := range pmap.Prefix(s.comments, byComment(proposal[:])) {
			if !yield(c.Ref) {
				return
			}
		}
		for _, r := range pmap.Prefix(s.withdrawals, byWithdrawal(proposal[:])) {
			if !yield(r) {
				return
			}
		}
	}
}
