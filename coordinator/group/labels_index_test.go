package group

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// stated is a State in which members wrote labels and leases at any places of
// any chains, of which some end early, as they come to hold when chains fork or
// go on elsewhere.
type stated struct {
	State
	labels []labelFact
	of     map[journal.EntryID]event.LabelTarget
	leases []leaseFact
}

func drawStated(t *rapid.T, base State, who []journal.Author) *stated {
	s := &stated{State: base, of: map[journal.EntryID]event.LabelTarget{}}
	targets := []event.LabelTarget{event.TxTarget([32]byte{1}), event.TxTarget([32]byte{2}), event.AddressTarget([]byte{1, 2, 3, 4}), event.AddressTarget([]byte{1, 2, 3, 4, 255})}
	n := rapid.IntRange(1, 120).Draw(t, "entries")
	for i := range n {
		var id journal.EntryID
		binary.BigEndian.PutUint32(id[:], rapid.Uint32().Draw(t, "id"))
		id[31] = byte(i)
		ref := Ref{ID: id, Seq: rapid.Uint64Range(1, 200).Draw(t, "seq"), Time: int64(i), Chain: journal.ChainKey{
			Author: rapid.SampledFrom(who).Draw(t, "author"), Incarnation: rapid.Uint8Range(1, 3).Draw(t, "incarnation")}}
		if rapid.Bool().Draw(t, "lease") {
			index := rapid.Uint32Range(0, 3).Draw(t, "index")
			s.leases = append(s.leases, leaseFact{ref, index})
			s.proposalFacts = s.foldLease(ref, index)
			continue
		}
		target := rapid.SampledFrom(targets).Draw(t, "target")
		var over []journal.EntryID
		for _, f := range s.labels {
			if rapid.IntRange(0, 9).Draw(t, "over") == 0 {
				over = append(over, f.Ref.ID)
			}
		}
		slices.SortFunc(over, func(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) })
		b := &event.LabelSet{Target: target.Kind, Of: target.Bytes(), Text: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "text"), Supersedes: over}
		s.labels = append(s.labels, labelFact{Ref: ref, Text: b.Text, Supersedes: b.Supersedes})
		s.of[id] = target
		s.labelFacts = s.foldLabel(ref, b)
	}
	for _, a := range who {
		for inc := uint8(1); inc <= 3; inc++ {
			if rapid.IntRange(0, 2).Draw(t, "cut") == 0 {
				s.cuts = s.cuts.Set(mapkey.Chain(journal.ChainKey{Author: a, Incarnation: inc}), cutFact{Seq: rapid.Uint64Range(0, 200).Draw(t, "at")})
			}
		}
	}
	return s
}

// plainHeads is labelHeads by loops over all labels.
func (s *stated) plainHeads(target event.LabelTarget) []journal.EntryID {
	by := map[journal.Author][]labelFact{}
	for _, f := range s.labels {
		if s.of[f.Ref.ID] == target && !s.tainted(f.Ref) && s.mayWrite(f.Ref.Chain.Author) {
			by[f.Ref.Chain.Author] = append(by[f.Ref.Chain.Author], f)
		}
	}
	gone := map[journal.EntryID]bool{}
	for who, all := range by {
		slices.SortFunc(all, func(a, b labelFact) int {
			return cmp.Or(cmp.Compare(b.Ref.Chain.Incarnation, a.Ref.Chain.Incarnation), cmp.Compare(b.Ref.Seq, a.Ref.Seq), bytes.Compare(a.Ref.ID[:], b.Ref.ID[:]))
		})
		by[who] = all
		for _, f := range all[:min(len(all), newestLabels)] {
			for _, id := range f.Supersedes {
				gone[id] = true
			}
		}
	}
	var out []journal.EntryID
	for _, all := range by {
		if id := all[0].Ref.ID; !gone[id] {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// What shows, and who handed an address out, is what loops over all labels and
// leases say, whatever of them is tainted.
func TestLabelsAndLeasesEqualPlainLoops(t *testing.T) {
	g := activeInside(t, 2, 3)
	a := g.all[0]
	who := []journal.Author{a.id(), g.all[1].id(), g.all[2].id(), {7}}
	rapid.Check(t, func(r *rapid.T) {
		s := drawStated(r, g.st, who)
		shown := map[event.LabelTarget]bool{}
		for _, target := range s.of {
			var got []journal.EntryID
			heads := s.labelHeads(target)
			for _, f := range heads {
				got = append(got, f.Ref.ID)
			}
			if want := s.plainHeads(target); !slices.Equal(got, want) {
				r.Fatalf("of %v: %v, want %v", target, got, want)
			}
			if len(heads) > 0 && heads[0].Text != "" {
				shown[target] = true
			}
		}
		listed := map[event.LabelTarget]bool{}
		for _, l := range s.Labels() {
			listed[l.Target] = true
		}
		if !maps.Equal(shown, listed) {
			r.Fatalf("listed %v, want %v", listed, shown)
		}
		for index := range uint32(4) {
			took := map[journal.Author]bool{}
			for _, l := range s.leases {
				if l.Index == index && !s.tainted(l.Ref) {
					took[l.Ref.Chain.Author] = true
				}
			}
			if got := s.leasedAny(index); got != (len(took) > 0) {
				r.Fatalf("address %d: leased %v, want %v", index, got, took)
			}
			mine := took[a.id()]
			delete(took, a.id())
			others, _ := s.Tied(index)
			if mine && len(others) != len(took) || !mine && len(others) > 0 {
				r.Fatalf("address %d: tied with %d, want %d", index, len(others), len(took))
			}
		}
	})
}

// However many labels and leases a member wrote of one thing, and whether they
// are tainted, reading costs the same.
func TestReadingCostsNoMoreWithManyLabels(t *testing.T) {
	g := activeInside(t, 2, 3)
	evil := g.all[2].id()
	tx := event.TxTarget([32]byte{1})
	cost := func(n int, cut bool) float64 {
		s := g.st
		for i := range n {
			var id journal.EntryID
			binary.BigEndian.PutUint32(id[:], uint32(i))
			ref := Ref{ID: id, Seq: uint64(i + 1), Chain: journal.ChainKey{Author: evil, Incarnation: 1}}
			s.labelFacts = s.foldLabel(ref, &event.LabelSet{Target: tx.Kind, Of: tx.Bytes(), Text: "x"})
			s.proposalFacts = s.foldLease(ref, 5)
		}
		if cut {
			s.cuts = s.cuts.Set(mapkey.Chain(journal.ChainKey{Author: evil, Incarnation: 1}), cutFact{Seq: 1})
		}
		if got := s.leases.Len() - g.st.leases.Len(); got != 1 {
			t.Errorf("%d leases of one address are kept", got)
		}
		return testing.AllocsPerRun(10, func() {
			s.Label(tx)
			s.Labels()
			s.leasedAny(5)
		})
	}
	for _, cut := range []bool{false, true} {
		few, many := cost(2*newestLabels, cut), cost(100*newestLabels, cut)
		if many > few+4 {
			t.Errorf("cut %v: %v allocations with many labels, %v with few", cut, many, few)
		}
	}
}
