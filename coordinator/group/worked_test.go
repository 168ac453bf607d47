package group

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// claim is a replacement in the words of the table: "A>A2" names A2 after A, with
// "?" at the end one that the key does not prove.
type claim string

// TestWhoIsAMember: what replacements say comes to lines, by the table. Members are
// A, B, C and D of a 2-of-4, so that two others approve what a key does not decide.
func TestWhoIsAMember(t *testing.T) {
	for _, x := range []struct {
		name     string
		claims   []claim
		approved string // "CD A>A2": C and D approve it
		want     string // the lines that are not the roster's alone, "!" where contested
	}{
		{"nothing was said", nil, "", ""},
		{"a device takes a place", []claim{"A>A2"}, "", "A-A2"},
		{"and is replaced in turn", []claim{"A2>A3", "A>A2"}, "", "A-A2-A3"},
		{"each for itself", []claim{"A>A2", "C>C2"}, "", "A-A2 C-C2"},
		{"of another key's line it is none", []claim{"A>A2", "B2>B3"}, "", "A-A2"},
		{"two stand against each other", []claim{"B>B2", "B>B3"}, "", "B!"},
		{"one approval decides nothing", []claim{"B>B2", "B>B3"}, "C B>B2", "B!"},
		{"two do", []claim{"B>B2", "B>B3"}, "CD B>B2", "B-B2"},
		{"its own is none of them", []claim{"B>B2", "B>B3"}, "BC B>B2", "B!"},
		{"two for each", []claim{"B>B2", "B>B3"}, "AC B>B2, D B>B3", "B-B2"},
		{"and one of them goes on", []claim{"B>B2", "B>B3", "B3>B4"}, "CD B>B3", "B-B3-B4"},
		{"what proves nothing waits", []claim{"D>D2?"}, "A D>D2?", ""},
		{"until it is approved", []claim{"D>D2?"}, "AB D>D2?", "D-D2"},
		{"and stands against what is proved", []claim{"D>D2?", "D>D3"}, "AB D>D2?", "D-D2"},
		{"nobody has two places", []claim{"A>B"}, "", ""},
		{"who was replaced does not come back", []claim{"A>A2", "A2>A"}, "", "A-A2"},
		{"the same thing twice is one", []claim{"A>A2", "A>A2"}, "", "A-A2"},
	} {
		t.Run(x.name, func(t *testing.T) {
			g := activeInside(t, 2, 4)
			order := []int{}
			for i := range x.claims {
				order = append(order, i)
			}
			for range 2 { // in either order
				if got := workedOf(g.st, x.claims, order, x.approved); got != x.want {
					t.Errorf("the lines are %q, want %q", got, x.want)
				}
				slices.Reverse(order)
			}
		})
	}
}

// workedOf states claims and approvals, and returns the lines that come of them.
func workedOf(s State, claims []claim, order []int, approved string) string {
	names, of := map[string]journal.Author{}, map[journal.Author]string{}
	for k, m := range s.active.Members {
		names[string(rune('A'+k))] = m.Original
	}
	id := func(name string) journal.Author {
		if _, ok := names[name]; !ok {
			names[name] = journal.Author{name[0], name[1]}
		}
		of[names[name]] = name
		return names[name]
	}
	body := func(c claim) *event.MemberReplaced {
		text, unproven := strings.CutSuffix(string(c), "?")
		old, now, _ := strings.Cut(text, ">")
		b := &event.MemberReplaced{Key: uint32(old[0] - 'A'), Old: id(old), New: id(now)}
		b.Sealing = [32]byte(id(now))
		if !unproven {
			b.Proof = []byte{1}
		}
		return b
	}
	for _, i := range order {
		// Each by another carrier, in the same place whatever the order.
		f := Succession{Ref{ID: journal.EntryID{1, byte(i)}, Chain: journal.ChainKey{Author: journal.Author{0xee, byte(i)}, Incarnation: 1}, Seq: 1}, body(claims[i])}
		s.successions = s.successions.Set(successionKey(f.Ref), f)
	}
	n := byte(0)
	for one := range strings.SplitSeq(approved, ", ") {
		who, c, ok := strings.Cut(one, " ")
		if !ok {
			continue
		}
		for _, by := range who {
			n++
			ref := Ref{ID: journal.EntryID{2, n}, Chain: journal.ChainKey{Author: id(string(by)), Incarnation: 1}, Seq: uint64(n)}
			v := successionVote{ref, body(claim(c)).ID(s.group)}
			s.successionVotes = s.successionVotes.Set(successionVoteKey(ref, v.Replacement), v)
		}
	}
	s.relineDue = true
	a := s.Derived().active
	var out []string
	for k, m := range a.Members {
		line := string(rune('A' + k))
		for _, who := range a.Identities(k)[1:] {
			line += "-" + of[who]
		}
		if len(a.Contested(k)) > 0 {
			line += "!"
			if m.Identity != (journal.Author{}) {
				line += fmt.Sprintf(" and %v is the member", m.Identity)
			}
		}
		if len(line) > 1 {
			out = append(out, line)
		}
	}
	return strings.Join(out, " ")
}
