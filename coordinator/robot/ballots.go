package robot

import (
	"cmp"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
)

// Ballot is a version that is voted on, and how far it is.
type Ballot struct {
	Version event.PolicyVersion
	Bytes   []byte // the canonical form
	Title   string
	Problem error // why no robot could follow it, or nil
	Parents []event.PolicyVersion
	// Proposed is by whom it was proposed: of each member the first entry that is seen.
	Proposed []group.Ref
	Standing group.PolicyStanding
	Passed   bool
	Counts   bool // votes on it count
	Robots   []BallotRobot
}

// BallotRobot is how far a robot is with a version.
type BallotRobot struct {
	Key      int
	Anchor   group.PolicyAnchor
	Anchored bool
	Follows  bool
}

// BallotOf returns how far a version is; false where nobody proposed it.
func BallotOf(s group.State, v event.PolicyVersion) (b Ballot, ok bool) {
	text, parents, ok := s.PolicyText(v)
	if !ok || s.Active() == nil {
		return b, false
	}
	b = Ballot{Version: v, Bytes: text, Parents: parents, Standing: s.PolicyStanding(v), Counts: VotesCount(s, v)}
	b.Passed = s.PolicyPassed(b.Standing)
	p, err := Votable(s, text)
	var robots policy.Keys
	if b.Problem = err; err == nil {
		robots, b.Title = p.Robots, p.Title
	}
	for _, ref := range s.PolicyEntries(v) {
		if !slices.ContainsFunc(b.Proposed, func(r group.Ref) bool { return s.SameMember(r.Chain.Author, ref.Chain.Author) }) {
			b.Proposed = append(b.Proposed, ref)
		}
	}
	for k := range s.Active().Members {
		r := BallotRobot{Key: k}
		r.Anchor, r.Anchored = s.PolicyAnchor(k, v)
		of, _, adopted := s.PolicyAdopted(k)
		if r.Follows = adopted && of == v; r.Follows || r.Anchored || robots.Has(policy.Key(k)) {
			b.Robots = append(b.Robots, r)
		}
	}
	return b, true
}

// VotesCount says whether votes on a version count: of each author they do on the first few that
// it proposed in the place of the same one.
func VotesCount(s group.State, v event.PolicyVersion) bool {
	_, parents, _ := s.PolicyText(v)
	if len(parents) == 0 {
		parents = []event.PolicyVersion{{}}
	}
	return slices.ContainsFunc(parents, func(p event.PolicyVersion) bool { return slices.Contains(s.PoliciesAfter(p), v) })
}

// Ballots returns what robots follow, what may come next, and what each member proposed last,
// the newest first: so many that nobody hides what is voted on behind many of its own.
func Ballots(s group.State) (out []Ballot) {
	if s.Active() == nil {
		return nil
	}
	followed := []event.PolicyVersion{{}}
	var of []event.PolicyVersion
	for k := range s.Active().Members {
		if v, _, ok := s.PolicyAdopted(k); ok && !slices.Contains(followed, v) {
			followed = append(followed, v)
		}
		of = append(of, s.PoliciesBy(k, group.MaxRivalPolicies)...)
	}
	for _, v := range followed {
		of = append(append(of, v), s.PoliciesAfter(v)...)
	}
	slices.SortFunc(of, func(a, b event.PolicyVersion) int { return slices.Compare(a[:], b[:]) })
	for _, v := range slices.Compact(of) {
		if b, ok := BallotOf(s, v); ok {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b Ballot) int { return cmp.Compare(b.Since(), a.Since()) })
	return out
}

// Since is when a version was proposed first, as its author claims, in Unix milliseconds.
func (b Ballot) Since() int64 {
	first := b.Proposed[0].Time
	for _, r := range b.Proposed {
		first = min(first, r.Time)
	}
	return first
}
