package group

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// MaxRivalPolicies is how many policies of one author count that follow the same: its first.
const MaxRivalPolicies = 16

// PolicyText returns the canonical form of a version, and what it follows; false where
// nobody proposed it.
func (s memberFacts) PolicyText(v event.PolicyVersion) (text []byte, parents []event.PolicyVersion, ok bool) {
	text, ok = s.policies.texts.Get(mapkey.Of(v))
	for _, f := range pmap.Prefix(s.policies.proposed, byVersion(v[:])) {
		return text, f.Parents, ok
	}
	return nil, nil, false
}

// PolicyEntries returns who proposed a version, and when as they claim.
func (s memberFacts) PolicyEntries(v event.PolicyVersion) (out []Ref) {
	for _, f := range pmap.Prefix(s.policies.proposed, byVersion(v[:])) {
		out = append(out, f.Ref)
	}
	return out
}

// Policies yields the versions that were proposed, with who proposed them.
func (s memberFacts) Policies(yield func(event.PolicyVersion, Ref) bool) {
	for at, f := range s.policies.proposed.All() {
		if !yield(event.PolicyVersion([]byte(at[:32])), f.Ref) {
			return
		}
	}
}

// AnyPolicy says whether a policy was ever proposed.
func (s memberFacts) AnyPolicy() bool { return s.policies.proposed.Len() > 0 }

// PoliciesAfter lists the versions that members propose in the place of one, ascending; in
// nobody's place where it is zero. Of each author the first few count.
func (s memberFacts) PoliciesAfter(parent event.PolicyVersion) []event.PolicyVersion {
	if s.active == nil {
		return nil
	}
	var out []event.PolicyVersion
	for k := range s.active.Members {
		for _, who := range s.active.Identities(k) {
			n := 0
			for _, v := range pmap.Prefix(s.policies.follow, byFollow(parent[:])+byFollow(who[:])) {
				if n++; n > MaxRivalPolicies {
					break
				}
				out = append(out, v)
			}
		}
	}
	return ascending(out)
}

func ascending(vs []event.PolicyVersion) []event.PolicyVersion {
	slices.SortFunc(vs, func(a, b event.PolicyVersion) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(vs)
}

// rivalPolicies are the versions that follow one of those that a version follows, itself
// among them.
func (s memberFacts) rivalPolicies(parents []event.PolicyVersion) []event.PolicyVersion {
	if len(parents) == 0 {
		return s.PoliciesAfter(event.PolicyVersion{})
	}
	var out []event.PolicyVersion
	for _, p := range parents {
		out = append(out, s.PoliciesAfter(p)...)
	}
	return ascending(out)
}

// PolicyStanding is who is for and against a version, by key index, and the entries that
// say so.
type PolicyStanding struct {
	For, Against []int
	Votes        []journal.EntryID // of those who are for it, ascending
}

// PolicyStanding says who stands how to a version. Of all that follow the same one, a member
// is for that which it approved last, unless it objected to it later; it is against whichever
// it objected to later than it approved it. A vote that moved comes back by another vote alone,
// so that whoever missed that it moved comes to the same. Tainted votes do not count, but they
// take away what the member said before.
func (s memberFacts) PolicyStanding(v event.PolicyVersion) (out PolicyStanding) {
	_, parents, ok := s.PolicyText(v)
	if s.active == nil || !ok {
		return out
	}
	rivals := s.rivalPolicies(parents)
	if !slices.Contains(rivals, v) {
		return out
	}
	for k := range s.active.Members {
		mine, voted := s.policyVote(k, v)
		switch {
		case !voted:
			continue
		case mine.Against:
			out.Against = append(out.Against, k)
			continue
		}
		if !s.movedPolicyVote(k, v, mine.Ref, rivals) {
			out.For = append(out.For, k)
			out.Votes = append(out.Votes, mine.Ref.ID)
		}
	}
	slices.SortFunc(out.Votes, func(a, b journal.EntryID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// PolicyPassed says whether a version has the group's votes: those of the quorum, and no more
// objections than leave one.
func (s memberFacts) PolicyPassed(st PolicyStanding) bool {
	k, n := s.genesis.Threshold, len(s.active.Members)
	return len(st.For) >= k && len(st.Against) <= n-k
}

// movedPolicyVote says whether a member said something else since it was for a version, tainted
// or not: it was against it, or for a rival.
func (s memberFacts) movedPolicyVote(key int, v event.PolicyVersion, since Ref, rivals []event.PolicyVersion) bool {
	for _, r := range rivals {
		for _, who := range s.active.Identities(key) {
			looked := 0
			for _, x := range pmap.Prefix(s.policies.votes, versionsOf(r, who)) {
				if !s.laterOf(key, x.Ref, since) {
					break
				}
				if looked++; x.Against == (r == v) || looked > maxVotes {
					return true
				}
			}
		}
	}
	return false
}

// policyVote is a member's latest untainted vote on a version.
func (s memberFacts) policyVote(key int, v event.PolicyVersion) (last policyVote, ok bool) {
	for _, who := range s.active.Identities(key) { // the latest one last
		if x, voted := lastUntainted(s, s.policies.votes, versionsOf(v, who), func(x policyVote) Ref { return x.Ref }); voted {
			last, ok = x, true
		}
	}
	return last, ok
}

// laterOf says whether what a member wrote comes after something else of it: by its
// identities, then by place.
func (s memberFacts) laterOf(key int, a, b Ref) bool {
	if a.Chain.Author != b.Chain.Author {
		ids := s.active.Identities(key)
		return slices.Index(ids, a.Chain.Author) > slices.Index(ids, b.Chain.Author)
	}
	return placeOf(a) > placeOf(b)
}

// maxVotes is how many votes of an identity on a version are looked at for one that moves its
// vote for another: the last. Where there are more, it moved.
const maxVotes = 64

// PolicyApprovedOnce counts the members that ever approved a version, whatever they said since.
func (s memberFacts) PolicyApprovedOnce(v event.PolicyVersion) (n int) {
	if s.active == nil {
		return 0
	}
	for k := range s.active.Members {
		if slices.ContainsFunc(s.active.Identities(k), func(who journal.Author) bool { return s.approvedOnce(v, who) }) {
			n++
		}
	}
	return n
}

func (s memberFacts) approvedOnce(v event.PolicyVersion, who journal.Author) bool {
	return mapkey.Has(s.policies.everFor, versionsOf(v, who))
}

// PolicyAnchor is a robot's word since when a version has its votes.
type PolicyAnchor struct {
	Ref    Ref
	Height int64
	Time   int64             // Unix seconds
	Votes  []journal.EntryID // ascending
}

// PolicyAnchor returns the last anchor of a version by the member of a key.
func (s memberFacts) PolicyAnchor(key int, v event.PolicyVersion) (out PolicyAnchor, ok bool) {
	for _, who := range s.active.Identities(key) {
		if x, held := lastUntainted(s, s.policies.anchors, versionsOf(v, who), func(x anchorFact) Ref { return x.Ref }); held {
			out, ok = PolicyAnchor{x.Ref, x.Height, x.Time, x.Votes}, true
		}
	}
	return out, ok
}

// PolicyAdopted returns which version the robot of a key said last that it follows.
func (s memberFacts) PolicyAdopted(key int) (v event.PolicyVersion, at Ref, ok bool) {
	x, ok := s.adopted(key)
	return x.Version, x.Ref, ok
}

// PolicyMoves yields what the robot of a key said that it follows, past no fork, the latest
// first, and from when on, as PolicyBegan has it.
func (s memberFacts) PolicyMoves(key int) func(yield func(v event.PolicyVersion, began int64) bool) {
	return func(yield func(event.PolicyVersion, int64) bool) {
		for _, who := range slices.Backward(s.active.Identities(key)) {
			for _, x := range pmap.Prefix(s.policies.adopted, byFollowed(who[:])) {
				if !s.tainted(x.Ref) && !yield(x.Version, x.began()) {
					return
				}
			}
		}
	}
}

// PolicyFirst returns where the robot of a key said first, past no fork, that it follows a
// version. It costs by how often the robot said anything of that.
func (s memberFacts) PolicyFirst(key int, v event.PolicyVersion) (first Ref, ok bool) {
	for _, who := range slices.Backward(s.active.Identities(key)) {
		for _, x := range pmap.Prefix(s.policies.adopted, byFollowed(who[:])) {
			if x.Version == v && !s.tainted(x.Ref) {
				first, ok = x.Ref, true
			}
		}
	}
	return first, ok
}

// PolicyBegan is from when on the robot of a key follows what it follows, by the median time
// past of its chain, Unix seconds; by its clock where it did not say that.
func (s memberFacts) PolicyBegan(key int) int64 {
	x, _ := s.adopted(key)
	return x.began()
}

func (x adoptedFact) began() int64 {
	if x.Median == 0 {
		return x.Ref.Time / 1000
	}
	return x.Median
}

func (s memberFacts) adopted(key int) (last adoptedFact, ok bool) {
	for _, who := range s.active.Identities(key) {
		if x, held := lastUntainted(s, s.policies.adopted, byFollowed(who[:]), func(x adoptedFact) Ref { return x.Ref }); held {
			last, ok = x, true
		}
	}
	return last, ok
}

// PolicyAdoptedEver is PolicyAdopted by all that the robot's chains hold, past forks, too.
func (s memberFacts) PolicyAdoptedEver(key int) (v event.PolicyVersion, ok bool) {
	for _, who := range s.active.Identities(key) {
		for _, x := range pmap.Prefix(s.policies.adopted, byFollowed(who[:])) {
			v, ok = x.Version, true
			break
		}
	}
	return v, ok
}

// SignedByVerdict says whether an identity ever said as a robot that it signs a proposal, and
// does.
func (s memberFacts) SignedByVerdict(who journal.Author, proposal journal.EntryID) bool {
	f, _ := s.policies.verdicts.Get(byJudged(proposal[:]) + byJudged(who[:]))
	return f.Signs
}

// VerdictBy returns what an identity said last of a proposal as a robot, and how often it
// said something.
func (s memberFacts) VerdictBy(who journal.Author, proposal journal.EntryID) (v Verdict, said uint64, ok bool) {
	f, ok := s.policies.verdicts.Get(byJudged(proposal[:]) + byJudged(who[:]))
	return f.Verdict, f.Count, ok
}

// lastUntainted returns the latest fact under a prefix whose entry is not tainted, at the
// cost of two look-ups for each incarnation. What follows the prefix is NewestFirst of the
// entry and its id.
func lastUntainted[K ~string, V any](s memberFacts, m pmap.Map[K, V], prefix K, ref func(V) Ref) (none V, _ bool) {
	for at, more := prefix, true; more; {
		more = false
		for k, v := range m.From(at) {
			if !strings.HasPrefix(string(k), string(prefix)) {
				break
			}
			r := ref(v)
			from := s.TaintedFrom(r.Chain)
			if from == 0 || r.Seq < from {
				return v, true
			}
			at, more = prefix+K(binary.BigEndian.AppendUint64([]byte{^r.Chain.Incarnation}, ^(from-1))), true
			break
		}
	}
	return none, false
}
