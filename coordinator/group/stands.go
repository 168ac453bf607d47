package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// LastVotes returns the last untainted vote on a proposal of each identity that has one. It
// costs by who voted, not by who may.
func (s proposalFacts) LastVotes(proposal journal.EntryID) (out []Vote) {
	for from, more := byVote(proposal[:]), true; more; {
		more = false
		for k := range pmap.PrefixFrom(s.votes, byVote(proposal[:]), from) {
			of := k[:len(proposal)+len(journal.Author{})]
			if v, ok := s.lastVote(proposal, journal.Author([]byte(of[len(proposal):]))); ok {
				out = append(out, Vote{v.Ref, v.Against, v.Reason})
			}
			from, more = mapkey.After(of), true
			break
		}
	}
	return out
}

// HostCarriedTo says whether a proposal is the one to which the host of a cosigner without a
// node first carried a signature of its key on the transaction. Who has no node says so of no
// entry by itself, and its host may not say it of another one later.
func (s proposalFacts) HostCarriedTo(p *Proposal, key int) bool {
	if s.active == nil || !p.Sound || !s.active.Members[key].Hosted() {
		return false
	}
	host, ok := s.active.KeyOf(s.active.Members[key].Host)
	if !ok {
		return false
	}
	for _, who := range s.active.Identities(host) {
		first, ok := s.firstBrought(p, key, who)
		if !ok {
			continue
		}
		if s.tainted(first) {
			return false
		}
		for _, c := range mapkey.Under(s.carriers, p.Ref.ID) {
			if c.Carried && c.Ref.Chain == first.Chain && c.Ref.Seq == first.Seq {
				return true
			}
		}
		return false
	}
	return false
}

// firstBrought returns where an identity first brought a signature of a key on what a
// proposal signs.
func (s proposalFacts) firstBrought(p *Proposal, key int, who journal.Author) (first Ref, ok bool) {
	for input := range p.Body.Inputs {
		of := byBringer(sigKey(p.signs, uint32(input), uint32(key)))
		for k, seq := range pmap.Prefix(s.props.brought, of+byBringer(who[:])) {
			chain := mapkey.ChainOf(k[len(of):])
			if !ok || chain.Incarnation < first.Chain.Incarnation || chain.Incarnation == first.Chain.Incarnation && seq < first.Seq {
				first, ok = Ref{Chain: chain, Seq: seq}, true
			}
		}
	}
	return first, ok
}
