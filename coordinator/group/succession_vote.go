package group

import (
	"encoding/binary"
	"strings"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// ApprovalsNeeded is how many other members approve a succession that its key does not
// decide: min(k, n-1), and no more than there are with a node.
func (s memberFacts) ApprovalsNeeded() int {
	nodes := 0
	for _, m := range s.active.Members {
		if !m.Hosted() {
			nodes++
		}
	}
	return min(s.genesis.Threshold, nodes-1)
}

// Ballot is what the members approve: of each place and key, the succession
// that its latest untainted approval for that place names.
type Ballot struct {
	at   map[[32]byte]succeeding // of each succession
	last map[succeeding]map[int][32]byte
}

func (s memberFacts) Ballot() Ballot {
	b := Ballot{at: map[[32]byte]succeeding{}, last: map[succeeding]map[int][32]byte{}}
	if s.successionVotes.Len() == 0 {
		return b
	}
	for f := range s.CountingSuccessions {
		b.at[f.Body.ID(s.group)] = succeeding{int(f.Body.Key), f.Body.Old}
	}
	for k := range s.active.Members {
		for _, who := range s.active.Identities(k) { // the latest one last
			of := map[succeeding]successionVote{}
			for id, p := range b.at {
				if p.key == k {
					continue
				}
				v, ok := s.lastSuccessionVote(who, id)
				if !ok {
					continue
				}
				if old, ok := of[p]; !ok || Later(v.Ref, old.Ref) {
					of[p] = v
				}
			}
			for p, v := range of {
				if b.last[p] == nil {
					b.last[p] = map[int][32]byte{}
				}
				b.last[p][k] = v.Replacement
			}
		}
	}
	return b
}

// successionVoteKey puts the approvals of one succession by one author together,
// the latest incarnation first, and in it the latest entry.
func successionVoteKey(r Ref, replacement [32]byte) bySuccessionVote {
	k := append([]byte(mapkey.Of2(r.Chain.Author, replacement)), ^r.Chain.Incarnation)
	return bySuccessionVote(binary.BigEndian.AppendUint64(k, ^r.Seq)) + bySuccessionVote(r.ID[:])
}

// lastSuccessionVote returns an author's latest untainted approval of a succession,
// at the cost of two look-ups for each incarnation, however many it wrote.
func (s memberFacts) lastSuccessionVote(who journal.Author, replacement [32]byte) (successionVote, bool) {
	prefix := bySuccessionVote(mapkey.Of2(who, replacement))
	for at, more := prefix, true; more; {
		more = false
		for k, v := range s.successionVotes.From(at) {
			if !strings.HasPrefix(string(k), string(prefix)) {
				break
			}
			from := s.TaintedFrom(v.Ref.Chain)
			if from == 0 || v.Ref.Seq < from {
				return v, true
			}
			at, more = prefix+bySuccessionVote(binary.BigEndian.AppendUint64([]byte{^v.Ref.Chain.Incarnation}, ^(from-1))), true
			break
		}
	}
	return successionVote{}, false
}

// Approvers are the keys of the other members that approve a succession.
func (b Ballot) Approvers(id [32]byte) map[int]bool {
	out := map[int]bool{}
	for k, v := range b.last[b.at[id]] {
		if v == id {
			out[k] = true
		}
	}
	return out
}

// approvedAny counts who approves any of the successions that give a key the same identity.
func (b Ballot) approvedAny(group journal.GroupID, all []Succession, of Succession) int {
	keys := map[int]bool{}
	for _, f := range all {
		if sameSuccession(f, of) {
			for k := range b.Approvers(f.Body.ID(group)) {
				keys[k] = true
			}
		}
	}
	return len(keys)
}

// succeeding is what successions are rivals for.
type succeeding struct {
	key int
	old journal.Author
}
