package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

func (s proposalFacts) foldVote(v voteFact) proposalFacts {
	s.votes = s.votes.Set(voteKey(v.Proposal, v.Ref), v)
	return s.rest(v.Ref, v.Proposal).touch(v.Proposal, v.Ref.Chain.Author)
}

// lastVote returns an author's latest untainted vote on a proposal.
func (s proposalFacts) lastVote(proposal journal.EntryID, who journal.Author) (voteFact, bool) {
	of := byVote(mapkey.Of2(proposal, who))
	for from := of; ; {
		var chain journal.ChainKey
		for _, v := range pmap.PrefixFrom(s.votes, of, from) {
			if !s.tainted(v.Ref) {
				return v, true
			}
			chain = v.Ref.Chain
			break
		}
		if chain.Incarnation == 0 {
			return voteFact{}, false
		}
		// The latest one below where the chain is tainted; else the chain before.
		below := Ref{Chain: chain, Seq: s.TaintedFrom(chain) - 1}
		from = of + byVote([]byte{^chain.Incarnation}) + byVote(mapkey.Number(^below.Seq))
		for _, v := range pmap.PrefixFrom(s.votes, of+byVote([]byte{^chain.Incarnation}), from) {
			return v, true
		}
		from = mapkey.After(of + byVote([]byte{^chain.Incarnation}))
	}
}

// Objection is a member's vote against a proposal.
type Objection struct {
	Reason string
	Time   int64 // milliseconds, as claimed
}

// Against returns the members who stand against a proposal, by key index: of
// a member's votes the latest untainted one counts, by incarnation and seq, and
// its key's signature on all inputs outranks them.
func (s proposalFacts) Against(p *Proposal) map[int]Objection {
	out := map[int]Objection{}
	if s.active == nil || !p.Sound {
		return out
	}
	for k := range s.active.Members {
		var last voteFact
		found := false
		for _, who := range s.active.Identities(k) { // the latest one last
			if v, ok := s.lastVote(p.Ref.ID, who); ok {
				last, found = v, true
			}
		}
		if found && last.Against && !s.Signed(p, k) {
			out[k] = Objection{last.Reason, last.Ref.Time}
		}
	}
	return out
}

// Withdrawn says whether the proposal's author withdrew it.
func (s proposalFacts) Withdrawn(p *Proposal) bool { return s.withdrawn(p, &Inquiry{}) }

func (s proposalFacts) withdrawn(p *Proposal, q *Inquiry) bool {
	return statedBy(s, s.withdrawals, byWithdrawal(p.Ref.ID[:]), p.Author(), q)
}

// MyVote says whether this node stands against a proposal by its own vote.
func (s proposalFacts) MyVote(p *Proposal) bool {
	me, ok := s.active.Index(s.Me())
	if !ok {
		return false
	}
	_, against := s.Against(p)[me]
	return against
}

// hopeless says whether nothing would be final though everybody signed who does
// not stand against a proposal.
func (s proposalFacts) hopeless(p *Proposal) bool {
	against := s.Against(p)
	return len(against) > 0 && !s.progress(p).Possible(func(key int) bool {
		_, out := against[key]
		return out
	})
}

// Vote is one that a member gave on a proposal, or took back.
type Vote struct {
	Ref     Ref
	Against bool
	Reason  string
}

// VotesGiven returns the untainted votes of members on a proposal: of each the last so
// many, the latest first.
func (s proposalFacts) VotesGiven(proposal journal.EntryID, most int) []Vote {
	if s.active == nil {
		return nil
	}
	var out []Vote
	for k := range s.active.Members {
		for _, who := range s.active.Identities(k) {
			out = append(out, s.votesOf(proposal, who, most)...)
		}
	}
	return out
}

func (s proposalFacts) votesOf(proposal journal.EntryID, who journal.Author, most int) (out []Vote) {
	of := byVote(mapkey.Of2(proposal, who))
	for from, more := of, true; more; {
		more = false
		for _, v := range pmap.PrefixFrom(s.votes, of, from) {
			if len(out) == most {
				return out
			}
			if first := s.TaintedFrom(v.Ref.Chain); first != 0 && v.Ref.Seq >= first {
				// The latest below where the chain is tainted is next, if any is.
				from, more = of+byVote([]byte{^v.Ref.Chain.Incarnation})+byVote(mapkey.Number(^(first-1))), true
				break
			}
			out = append(out, Vote{v.Ref, v.Against, v.Reason})
		}
	}
	return out
}

// WithdrawnAt returns which entry withdrew a proposal, false where none that counts did.
func (s proposalFacts) WithdrawnAt(p *Proposal) (Ref, bool) {
	same := []journal.Author{p.Author()}
	if s.active != nil {
		if k, ok := s.active.KeyOf(p.Author()); ok {
			same = s.active.Identities(k)
		}
	}
	for _, a := range same {
		for _, r := range pmap.Prefix(s.withdrawals, byWithdrawal(mapkey.Of2(p.Ref.ID, a))) {
			if !s.tainted(r) {
				return r, true
			}
		}
	}
	return Ref{}, false
}
