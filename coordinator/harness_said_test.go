package coordinator

import (
	"bytes"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// said is what an entry states.
type said[T event.Body] struct {
	ref  group.Ref
	body T
}

// allSaid lists what the entries of one kind state that a peer's state holds and
// that it can read, by entry id.
func allSaid[T event.Body](p *peer) []said[T] {
	var out []said[T]
	for id, e := range p.Held {
		if !p.m.State.Chains().Has(id) {
			continue
		}
		if b, ok := p.bodyOf(e).(T); ok {
			out = append(out, said[T]{group.Ref{ID: id, Chain: e.Chain(), Seq: e.Position().Seq}, b})
		}
	}
	slices.SortFunc(out, func(a, b said[T]) int { return bytes.Compare(a.ref.ID[:], b.ref.ID[:]) })
	return out
}

// saidIn returns what an entry of one kind states that a peer holds.
func saidIn[T event.Body](p *peer, id journal.EntryID) said[T] {
	p.tb.Helper()
	for _, x := range allSaid[T](p) {
		if x.ref.ID == id {
			return x
		}
	}
	p.tb.Fatalf("%s does not hold %s", p.name, id)
	return said[T]{}
}

// tainted says whether an entry keeps only the effects that prove themselves.
func tainted(s group.State, r group.Ref) bool {
	from := s.TaintedFrom(r.Chain)
	return from != 0 && r.Seq >= from
}

// rosterKey returns the key of an identity of the roster.
func rosterKey(a *group.Active, who journal.Author) int {
	return slices.IndexFunc(a.Members, func(m group.Member) bool { return m.Original == who && !m.Hosted() })
}
