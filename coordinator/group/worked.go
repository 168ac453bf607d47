package group

import (
	"bytes"
	"maps"
	"reflect"
	"slices"

	"github.com/quorate/quorate/journal"
)

// relined works out the members anew, where something that they rest on
// changed, and takes in what authors wrote who were not known to belong to a key
// before.
func (s memberFacts) relined() memberFacts {
	if !s.relineDue && len(s.retainted) == 0 || s.active == nil {
		return s
	}
	s.relineDue = false
	if s.successions.Len() == 0 {
		return s
	}
	old := s.active.lines
	a := *s.active
	a.lines = nil
	s.active = &a
	// Approvals count by who is a member, which may itself rest on approvals:
	// a fixed number of rounds at most, so that all come to the same.
	for round := range 4 {
		before := a.lines
		a.lines = s.worked(round > 0)
		a.Members = slices.Clone(a.Members)
		for i, m := range a.Members {
			m.Identity, m.Sealing = m.Original, m.FirstSealing
			line := a.lines.of[i]
			if last := line[len(line)-1]; last != m.Original {
				m.Identity = last
				m.Sealing = a.lines.sealing[last]
			}
			if len(a.lines.contested[i]) > 0 {
				m.Identity = journal.Author{}
			}
			a.Members[i] = m
		}
		if round > 0 && reflect.DeepEqual(before.of, a.lines.of) && reflect.DeepEqual(before.ends, a.lines.ends) {
			break // a further round would say the same
		}
	}
	return s.retaintEnded(old)
}

// retaintEnded notes the chains of the identities that end elsewhere than before.
func (s memberFacts) retaintEnded(old *lines) memberFacts {
	now := s.active.lines
	who := map[journal.Author]bool{}
	for _, l := range []*lines{old, now} {
		if l == nil {
			continue
		}
		for a := range l.ends {
			who[a] = true
		}
		for a := range l.member {
			who[a] = true
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(who), func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) }) {
		for c := range s.chains.KeysOf(a) {
			was, is := s.endedFrom(old, c), s.endedFrom(now, c)
			if was == is {
				continue
			}
			others := s.taintedApartFromEnd(c)
			if before, from := lowerSeq(others, was), lowerSeq(others, is); before != from {
				s.retainted = append(s.retainted[:len(s.retainted):len(s.retainted)], retaint{c, from, before})
			}
		}
	}
	return s
}

// worked follows each key from its roster identity to the one that holds now.
//
//	roster      names       names
//	  A ───────► A2 ───────► A3      the line of key 0; A3 is the member
//
//	  B ───────► B2                  two name one after B, and neither has the
//	    └──────► B3                  approvals: B is contested, nobody is the member
//
//	  C ───────► C2 (2 approvals)    of two, C2 has as many as are needed: it is the
//	    └──────► C3                  member, and C ends where C2's claim says
//
// A succession counts where the key proves it, or enough members approve it; what
// names somebody who is a member already counts for nothing. Votes rest on who is a
// member, so that relined works it out in rounds: the first without votes.
func (s memberFacts) worked(votes bool) *lines {
	l := &lines{
		of: make([][]journal.Author, len(s.active.Members)), key: map[journal.Author]int{},
		sealing: map[journal.Author][32]byte{}, member: map[journal.Author]bool{},
		ends: map[journal.Author]map[uint8]uint64{}, contested: map[int][]Succession{},
	}
	for i, m := range s.active.Members {
		if !m.Hosted() {
			l.key[m.Original], l.member[m.Original] = i, true
		}
	}
	// By key and old identity, and only what counts at all.
	at := map[succeeding][]Succession{}
	var told Ballot
	if votes {
		told = s.Ballot()
	}
	for f := range s.CountingSuccessions {
		if len(f.Body.Proof) > 0 || votes && len(told.Approvers(f.Body.ID(s.group))) >= s.ApprovalsNeeded() {
			p := succeeding{int(f.Body.Key), f.Body.Old}
			at[p] = append(at[p], f)
		}
	}
	var others []Succession // that name no member
	for i, m := range s.active.Members {
		line := []journal.Author{m.Original}
		for len(line) < maxLine {
			old := line[len(line)-1]
			cands := slices.DeleteFunc(at[succeeding{i, old}], func(f Succession) bool { return l.member[f.Body.New] })
			if len(cands) == 0 {
				break
			}
			others = append(others, cands...)
			rivals := distinct(cands)
			winners := rivals
			if len(rivals) > 1 {
				winners = slices.DeleteFunc(slices.Clone(rivals), func(f Succession) bool {
					return !votes || told.approvedAny(s.group, cands, f) < s.ApprovalsNeeded()
				})
			}
			if len(winners) != 1 {
				l.end(old, cands)
				l.contested[i] = rivals
				l.rest(rivals)
				break
			}
			won := winners[0]
			same := slices.DeleteFunc(cands, func(f Succession) bool { return !sameSuccession(f, won) })
			l.end(old, same)
			l.rest(same)
			l.key[won.Body.New], l.member[won.Body.New], l.sealing[won.Body.New] = i, true, won.Body.Sealing
			line = append(line, won.Body.New)
		}
		l.of[i] = line
	}
	l.know(others)
	return l
}

// distinct returns one of each (new identity, sealing key), in order.
func distinct(fs []Succession) []Succession {
	out := slices.Clone(fs)
	slices.SortFunc(out, func(a, b Succession) int {
		if c := bytes.Compare(a.Body.New[:], b.Body.New[:]); c != 0 {
			return c
		}
		if c := bytes.Compare(a.Body.Sealing[:], b.Body.Sealing[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:])
	})
	return slices.CompactFunc(out, sameSuccession)
}

func sameSuccession(a, b Succession) bool {
	return a.Body.New == b.Body.New && a.Body.Sealing == b.Body.Sealing
}
