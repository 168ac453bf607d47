package coordinator

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Cosigner is a member of a wallet, or of one that is forming.
type Cosigner struct {
	group.Member
	Ratified bool
	// Replaced is how often a new device took the place of the one before.
	Replaced int
}

// Cosigners returns the members: by key index once there is a roster, before
// that those whose records are in, by identity.
func (m *Machine) Cosigners() []Cosigner {
	var out []Cosigner
	if r, ok := m.State.Roster(); ok {
		for i, x := range r.Members {
			c := Cosigner{Member: x, Ratified: r.Ratified[x.Record]}
			if m.State.Active() != nil {
				c.Replaced = len(m.State.Active().Identities(i)) - 1
			}
			out = append(out, c)
		}
		return out
	}
	var members []group.Member
	seen := map[journal.Author]bool{}
	for r := range m.State.PlacedRecords {
		who := r.Ref.Chain.Author
		x := group.Member{Identity: who, Name: r.Body.Name, Key: r.Key, Proof: r.Body.How, Record: r.Ref.ID}
		if r.Body.Hosted {
			x.Identity, x.Host = journal.Author{}, who
		} else if seen[who] {
			continue
		} else {
			seen[who] = true
		}
		members = append(members, x)
	}
	group.MarkNames(members)
	for _, x := range members {
		out = append(out, Cosigner{Member: x})
	}
	slices.SortFunc(out, func(a, b Cosigner) int { return compareMembers(a.Member, b.Member) })
	return out
}

// Member returns the member an identity writes for, or wrote for before it was
// replaced; false where there is none.
func (m *Machine) Member(a journal.Author) (group.Member, bool) {
	if m.State.Active() != nil {
		if i, ok := m.State.Active().KeyOf(a); ok {
			return m.State.Active().Members[i], true
		}
		return group.Member{}, false
	}
	for _, c := range m.Cosigners() {
		if c.Identity == a && !c.Hosted() {
			return c.Member, true
		}
	}
	return group.Member{}, false
}

// MemberName returns the name of a member as it is shown (see Member.Called), or "".
func (m *Machine) MemberName(a journal.Author) string {
	x, ok := m.Member(a)
	if !ok {
		return ""
	}
	return x.Called()
}

func (m *Machine) called(a journal.Author) string {
	if n := m.MemberName(a); n != "" {
		return n
	}
	return a.String()
}

func (m Machine) names(of []journal.Author) string {
	names := make([]string, len(of))
	for i, a := range of {
		names[i] = m.called(a)
	}
	return strings.Join(names, ", ")
}

// cosignersOf are the cosigners whose identities are given, those first that are
// members now.
func (m *Machine) cosignersOf(left []journal.Author) []Cosigner {
	var out []Cosigner
	for _, c := range m.Cosigners() {
		if i := slices.Index(left, c.Identity); i >= 0 {
			out, left = append(out, c), slices.Delete(left, i, i+1)
		}
	}
	for _, a := range left {
		out = append(out, Cosigner{Member: group.Member{Identity: a}})
	}
	return out
}

// compareMembers orders members by who wrote their records, hosted ones last.
func compareMembers(a, b group.Member) int {
	x, y := a.Identity, b.Identity
	if a.Hosted() {
		x = a.Host
	}
	if b.Hosted() {
		y = b.Host
	}
	if c := bytes.Compare(x[:], y[:]); c != 0 {
		return c
	}
	return bytes.Compare(a.Record[:], b.Record[:])
}
