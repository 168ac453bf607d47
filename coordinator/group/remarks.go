package group

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// MaxComments is how many comments of one member on one proposal count: its first.
const MaxComments = 64

type featureFact struct {
	Ref   Ref      `cbor:"1,keyasint"`
	Kinds []uint64 `cbor:"2,keyasint"`
}

type commentFact struct {
	Ref  Ref    `cbor:"1,keyasint"`
	Text string `cbor:"2,keyasint"`
}

// Comment is what a member has to say about a proposal.
type Comment struct {
	Ref      Ref
	Proposal journal.EntryID
	Text     string
}

// foldFeatures keeps what an identity says last of its node. It is a claim, tainted or
// not: who lies harms itself alone, since what it claims not to know is not written for it.
func (s memberFacts) foldFeatures(ref Ref, b *event.NodeFeatures) memberFacts {
	who := mapkey.Of(ref.Chain.Author)
	old, ok := s.features.Get(who)
	if !ok || Later(ref, old.Ref) || !Later(old.Ref, ref) && string(ref.ID[:]) < string(old.Ref.ID[:]) {
		s.features = s.features.Set(who, featureFact{ref, b.Kinds})
	}
	return s
}

// Features returns the kinds of events that an identity's node says it knows, ascending;
// false where it said nothing.
func (s memberFacts) Features(who journal.Author) ([]uint64, bool) {
	f, ok := s.features.Get(mapkey.Of(who))
	return f.Kinds, ok
}

// Outdated returns the members of whose nodes it is not known that they know a kind of
// event, by key index; of a hosted cosigner that of its host counts.
func (s memberFacts) Outdated(kind event.Kind) []Member {
	if s.active == nil {
		return nil
	}
	var out []Member
	for _, m := range s.active.Members {
		if kinds, ok := s.Features(s.NodeOf(m)); !ok || !slices.Contains(kinds, uint64(kind)) {
			out = append(out, m)
		}
	}
	return out
}

// NodeOf returns the identity whose node writes for a member: of a hosted cosigner that of
// its host. It is nobody's where that is contested.
func (s memberFacts) NodeOf(m Member) journal.Author {
	if !m.Hosted() {
		return m.Identity
	}
	if k, ok := s.active.KeyOf(m.Host); ok {
		return s.active.Members[k].Identity
	}
	return m.Host
}

// foldComment keeps every comment; which of them are shown is asked when they are.
func (s proposalFacts) foldComment(ref Ref, b *event.ProposalCommented) proposalFacts {
	s.comments = s.comments.Set(byComment(b.Proposal[:])+byComment(placeKey(ref)), commentFact{ref, b.Text})
	s.remarked = s.remarked.and(Comment{ref, b.Proposal, b.Text})
	return s
}

// Remarked lists the comments that came since the last call of TakeTouched.
func (s proposalFacts) Remarked() []Comment { return s.remarked.all() }

// Comments returns the untainted comments of members on a proposal, by claimed time: of
// each member the first MaxComments.
func (s proposalFacts) Comments(proposal journal.EntryID) []Comment {
	if s.active == nil {
		return nil
	}
	var out []Comment
	all := byComment(proposal[:])
	for from, more := all, true; more; {
		more = false
		for _, f := range pmap.PrefixFrom(s.comments, all, from) {
			who := f.Ref.Chain.Author
			if _, member := s.active.KeyOf(who); member {
				out = append(out, s.commentsOf(proposal, who)...)
			}
			from, more = mapkey.After(all+byComment(who[:])), true
			break
		}
	}
	slices.SortFunc(out, func(a, b Comment) int {
		return cmp.Or(cmp.Compare(a.Ref.Time, b.Ref.Time), bytes.Compare(a.Ref.ID[:], b.Ref.ID[:]))
	})
	return out
}

// Shows says whether a comment is one of those that Comments returns.
func (s proposalFacts) Shows(c Comment) bool {
	if s.active == nil {
		return false
	}
	who := c.Ref.Chain.Author
	_, member := s.active.KeyOf(who)
	return member && slices.ContainsFunc(s.commentsOf(c.Proposal, who), func(x Comment) bool { return x.Ref.ID == c.Ref.ID })
}

// commentsOf returns the first untainted comments of an identity on a proposal. What
// follows a tainted one in its chain is passed over, not gone through.
func (s proposalFacts) commentsOf(proposal journal.EntryID, who journal.Author) (out []Comment) {
	of := byComment(mapkey.Of2(proposal, who))
	for from, more := of, true; more; {
		more = false
		for _, f := range pmap.PrefixFrom(s.comments, of, from) {
			if len(out) == MaxComments {
				return out
			}
			if s.tainted(f.Ref) {
				from, more = mapkey.After(of+byComment([]byte{f.Ref.Chain.Incarnation})), true
				break
			}
			out = append(out, Comment{f.Ref, proposal, f.Text})
		}
	}
	return out
}
