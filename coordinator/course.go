package coordinator

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/group"
)

// What a member does with a proposal.
const (
	DeedProposed   = "proposed"
	DeedApproved   = "approved"
	DeedRejected   = "rejected"
	DeedTookBack   = "rejection_withdrawn"
	DeedWithdrew   = "withdrawn"
	DeedCommented  = "commented"
	maxVotesListed = 16 // of one identity, the last
)

// Deed is what a member did with a proposal, as it claims: it proposed, signed, voted,
// withdrew or commented.
type Deed struct {
	By   group.Member
	Kind string
	Text string // the reason of a vote, or a comment
	Time time.Time
	at   group.Ref
}

// Course returns what members did with a proposal, by claimed time: of votes of one
// member the last maxVotesListed, of its comments the first group.MaxComments. What was
// said and taken back later is in it.
func (m *Machine) Course(p *group.Proposal) []Deed {
	if m.State.Active() == nil {
		return nil
	}
	var out []Deed
	add := func(at group.Ref, kind, text string) {
		if by, ok := m.Member(at.Chain.Author); ok {
			out = append(out, Deed{by, kind, text, time.UnixMilli(at.Time), at})
		}
	}
	add(p.Ref, DeedProposed, "")
	for k, x := range m.State.Active().Members {
		if a, ok := m.State.FirstApproval(p, uint32(k)); ok {
			out = append(out, Deed{x, DeedApproved, "", time.UnixMilli(a.Ref.Time), a.Ref})
		}
	}
	for _, v := range m.State.VotesGiven(p.Ref.ID, maxVotesListed) {
		kind := DeedTookBack
		if v.Against {
			kind = DeedRejected
		}
		add(v.Ref, kind, v.Reason)
	}
	if at, ok := m.State.WithdrawnAt(p); ok {
		add(at, DeedWithdrew, "")
	}
	for _, c := range m.State.Comments(p.Ref.ID) {
		add(c.Ref, DeedCommented, c.Text)
	}
	slices.SortStableFunc(out, func(a, b Deed) int {
		return cmp.Or(cmp.Compare(a.at.Time, b.at.Time), cmp.Compare(b2i(a.Kind != DeedProposed), b2i(b.Kind != DeedProposed)), bytes.Compare(a.at.ID[:], b.at.ID[:]))
	})
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
