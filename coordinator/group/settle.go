package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
)

// evidence lists the active roster with its admissions, records, reveals and
// ratifications, and the replacements that its members rest on.
func (s setupFacts) Evidence() []Ref {
	var out []Ref
	if f, ok := s.rosters.Get(mapkey.Of(s.active.ID)); ok {
		out = append(out, f.Ref)
	}
	for _, m := range s.active.Members {
		rec, ok := s.records.Get(mapkey.Of(m.Record))
		if !ok {
			continue
		}
		// Of an author whom nobody admitted nothing is taken.
		if r, ok := s.admitted.Get(mapkey.Of(m.author())); ok {
			out = append(out, r)
		}
		out = append(out, rec.Ref)
		if f, ok := s.revealed(m, s.active.ID); ok {
			out = append(out, f.Ref)
		}
		if f, ok := s.ratifiedBy(s.active.Hash, m); ok {
			out = append(out, f.Ref)
		}
	}
	if l := s.active.lines; l != nil {
		out = append(out, l.rests...)
	}
	return out
}
