package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// at makes an entry for a chain, without sealing it. Entries of one place with
// different salts have different ids.
func at(key ChainKey, seq uint64, prev EntryID, salt string) *Entry {
	place := fmt.Sprintf("%s %d %d %s %s", key.Author, key.Incarnation, seq, prev, salt)
	return &Entry{
		id:     H("test", []byte(place)),
		header: Header{Author: key.Author, Incarnation: key.Incarnation, Seq: seq, Prev: prev},
	}
}

// run makes n linked entries after prev, from seq on.
func run(key ChainKey, seq uint64, prev EntryID, n int, salt string) []*Entry {
	var out []*Entry
	for i := range n {
		e := at(key, seq+uint64(i), prev, salt)
		out = append(out, e)
		prev = e.ID()
	}
	return out
}

// mustAdd adds entries and expects one outcome for all.
func mustAdd(t *testing.T, c Chains, want Outcome, wanted bool, entries ...*Entry) Chains {
	t.Helper()
	for _, e := range entries {
		next, outcome, err := c.Add(e, wanted)
		if err != nil || outcome != want {
			t.Fatalf("add seq %d: %v, %v; want %v", e.Position().Seq, outcome, err, want)
		}
		c = next
	}
	return c
}

var chainA = ChainKey{Author{1}, 1}

func TestAddLinear(t *testing.T) {
	entries := run(chainA, 1, EntryID{}, 100, "")
	c := mustAdd(t, Chains{}, Appended, false, entries...)
	c = mustAdd(t, c, Duplicate, false, entries...)
	last := entries[99]
	if c.Len() != 100 || c.Frontier()[chainA] != last.Position() || c.ForkedAt(chainA) != 0 || c.Forks() != nil {
		t.Errorf("%d entries, frontier %v", c.Len(), c.Frontier())
	}
	if c.Next(chainA) != (Next{1, 101, last.ID()}) {
		t.Errorf("next is %v", c.Next(chainA))
	}
	for _, e := range entries {
		id, ok := c.At(chainA, e.Position().Seq)
		key, seq, held := c.Locate(e.ID())
		if !ok || id != e.ID() || !held || key != chainA || seq != e.Position().Seq {
			t.Fatalf("seq %d: at %v %v, located %v %d %v", e.Position().Seq, id, ok, key, seq, held)
		}
	}
	for _, seq := range []uint64{0, 101, 1 << 63} {
		if _, ok := c.At(chainA, seq); ok {
			t.Errorf("an entry at %d", seq)
		}
	}
	if _, _, ok := c.Locate(EntryID{}); ok {
		t.Error("an entry that is not held is located")
	}
}

func TestNextOfNothing(t *testing.T) {
	if got := (Chains{}).Next(chainA); got != (Next{1, 1, EntryID{}}) {
		t.Errorf("next of an empty chain is %v", got)
	}
	for _, i := range []uint8{0, 65, 255} {
		if got := (Chains{}).Next(ChainKey{Author{1}, i}); got != (Next{}) {
			t.Errorf("next of incarnation %d is %v", i, got)
		}
	}
}

func TestAddGap(t *testing.T) {
	entries := run(chainA, 1, EntryID{}, 5, "")
	c := mustAdd(t, Chains{}, Appended, false, entries[:2]...)
	for _, wanted := range []bool{false, true} {
		same, _, err := c.Add(entries[4], wanted)
		var missing *MissingError
		if !errors.As(err, &missing) || *missing != (MissingError{From: 3}) || same.Len() != 2 {
			t.Errorf("wanted %v: %v", wanted, err)
		}
	}
	_, _, err := Chains{}.Add(entries[1], false)
	var missing *MissingError
	if !errors.As(err, &missing) || *missing != (MissingError{From: 1}) {
		t.Errorf("second without first: %v", err)
	}
}

// An entry that follows a branch not held names what to pull; that one proves
// the fork.
func TestAddOfOtherBranch(t *testing.T) {
	ours := run(chainA, 1, EntryID{}, 3, "")
	theirs := run(chainA, 3, ours[1].ID(), 2, "theirs")
	c := mustAdd(t, Chains{}, Appended, false, ours...)
	_, _, err := c.Add(theirs[1], false)
	var missing *MissingError
	if !errors.As(err, &missing) || *missing != (MissingError{Need: theirs[0].ID()}) {
		t.Fatalf("%v", err)
	}
	c = mustAdd(t, c, Forked, false, theirs[0])
	if _, _, err := c.Add(theirs[1], false); !errors.Is(err, ErrUnwanted) {
		t.Errorf("past the fork, unasked: %v", err)
	}
	c = mustAdd(t, c, Loose, true, theirs[1])
	if c.ForkedAt(chainA) != 3 || c.Frontier()[chainA] != ours[1].Position() || c.Next(chainA) != (Next{}) {
		t.Errorf("forked at %d, frontier %v, next %v", c.ForkedAt(chainA), c.Frontier(), c.Next(chainA))
	}
}

func TestAddLink(t *testing.T) {
	other := ChainKey{Author{2}, 1}
	ours := run(chainA, 1, EntryID{}, 3, "")
	foreign := run(other, 1, EntryID{}, 3, "")
	c := mustAdd(t, Chains{}, Appended, false, slices.Concat(ours, foreign)...)
	for name, prev := range map[string]EntryID{"another author's": foreign[2].ID(), "an earlier": ours[1].ID()} {
		if _, _, err := c.Add(at(chainA, 4, prev, ""), true); !errors.Is(err, ErrLink) {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// A third entry of the same place is taken only when asked for. Forks shows the
// two lowest ids, Extra the others.
func TestThirdBranch(t *testing.T) {
	var at2 []*Entry
	first := at(chainA, 1, EntryID{}, "")
	for _, salt := range []string{"a", "b", "c", "d"} {
		at2 = append(at2, at(chainA, 2, first.ID(), salt))
	}
	slices.SortFunc(at2, func(a, b *Entry) int { return bytes.Compare(a.id[:], b.id[:]) })
	c := mustAdd(t, Chains{}, Appended, false, first, at2[3])
	if c.Extra(chainA) != nil {
		t.Error("extra entries without a fork")
	}
	c = mustAdd(t, c, Forked, false, at2[2])
	want := Fork{chainA, 2, at2[2].ID(), at2[3].ID()}
	if got := c.Forks(); !slices.Equal(got, []Fork{want}) || len(c.Extra(chainA)) != 0 {
		t.Errorf("forks %v, extra %v", got, c.Extra(chainA))
	}
	for _, e := range at2[:2] {
		if _, _, err := c.Add(e, false); !errors.Is(err, ErrUnwanted) {
			t.Errorf("unasked: %v", err)
		}
	}
	c = mustAdd(t, c, Loose, true, at2[:2]...)
	want = Fork{chainA, 2, at2[0].ID(), at2[1].ID()}
	if got := c.Forks(); !slices.Equal(got, []Fork{want}) {
		t.Errorf("forks %v, want %v", got, want)
	}
	if got := c.Extra(chainA); !slices.Equal(got, []EntryID{at2[2].ID(), at2[3].ID()}) {
		t.Errorf("extra %v", got)
	}
}

// A lower fork is taken unasked, lowers the frontier, and loses nothing.
func TestLowerFork(t *testing.T) {
	ours := run(chainA, 1, EntryID{}, 70, "")
	c := mustAdd(t, Chains{}, Appended, false, ours...)
	n := 70
	for _, seq := range []uint64{70, 66, 65, 64, 33, 32, 31, 2, 1} {
		// Proof whatever it follows.
		proof := at(chainA, seq, EntryID{77}, "proof")
		if _, _, err := c.Add(at(chainA, 71, ours[69].ID(), ""), false); seq < 70 && !errors.Is(err, ErrUnwanted) {
			t.Errorf("past the fork: %v", err)
		}
		c = mustAdd(t, c, Forked, false, proof)
		n++
		if c.ForkedAt(chainA) != seq || c.Len() != n || !c.Has(proof.ID()) {
			t.Fatalf("fork at %d: forked at %d, %d entries", seq, c.ForkedAt(chainA), c.Len())
		}
		tail, ok := c.Frontier()[chainA]
		if ok != (seq > 1) || ok && tail != ours[seq-2].Position() {
			t.Fatalf("fork at %d: frontier %v", seq, tail)
		}
		for _, e := range ours {
			if !c.Has(e.ID()) {
				t.Fatalf("fork at %d loses %d", seq, e.Position().Seq)
			}
			id, linked := c.At(chainA, e.Position().Seq)
			if linked != (e.Position().Seq < seq) || linked && id != e.ID() {
				t.Fatalf("fork at %d: at %d %v", seq, e.Position().Seq, linked)
			}
		}
	}
	if got := len(slices.Collect(c.LooseEntries(chainA))); got != n {
		t.Errorf("%d loose entries, want %d", got, n)
	}
}

// Incarnations and authors do not touch each other.
func TestChainsAreApart(t *testing.T) {
	second := ChainKey{chainA.Author, 2}
	other := ChainKey{Author{2}, 1}
	c := mustAdd(t, Chains{}, Appended, false, run(second, 1, EntryID{}, 3, "")...)
	c = mustAdd(t, c, Appended, false, run(other, 1, EntryID{}, 3, "")...)
	c = mustAdd(t, c, Appended, false, run(chainA, 1, EntryID{}, 3, "")...)
	c = mustAdd(t, c, Forked, false, at(second, 2, EntryID{1}, "x"))
	if c.ForkedAt(chainA) != 0 || c.ForkedAt(second) != 2 || c.ForkedAt(other) != 0 {
		t.Errorf("forked at %d, %d, %d", c.ForkedAt(chainA), c.ForkedAt(second), c.ForkedAt(other))
	}
	if got := slices.Collect(c.Keys()); !slices.Equal(got, []ChainKey{chainA, second, other}) {
		t.Errorf("keys %v", got)
	}
}

func TestTainted(t *testing.T) {
	ours := run(chainA, 1, EntryID{}, 10, "")
	linear := mustAdd(t, Chains{}, Appended, false, ours...)
	forked := mustAdd(t, linear, Forked, false, at(chainA, 6, EntryID{1}, "x"))
	none := func(ChainKey) (uint64, bool) { return 0, false }
	cut := func(n uint64) func(ChainKey) (uint64, bool) {
		return func(k ChainKey) (uint64, bool) { return n, k == chainA }
	}
	for _, tc := range []struct {
		name  string
		c     Chains
		cuts  func(ChainKey) (uint64, bool)
		first uint64 // lowest tainted seq, 0 for none
	}{
		{"nothing", linear, none, 0},
		{"fork at 6", forked, none, 6},
		{"cut at 4", linear, cut(4), 5},
		{"cut at 0", linear, cut(0), 1},
		{"fork at 6, cut at 4", forked, cut(4), 5},
		{"fork at 6, cut at 8", forked, cut(8), 6},
	} {
		for seq := uint64(1); seq <= 12; seq++ {
			if got, want := tc.c.Tainted(chainA, seq, tc.cuts), tc.first != 0 && seq >= tc.first; got != want {
				t.Errorf("%s: seq %d tainted %v", tc.name, seq, got)
			}
		}
		if tc.c.Tainted(ChainKey{chainA.Author, 2}, 1000, tc.cuts) {
			t.Errorf("%s: taints another incarnation", tc.name)
		}
	}
}

// universe is every entry of a few chains that fork as they like, with the
// parent of each in it.
func universe(t *rapid.T) []*Entry {
	var all []*Entry
	for _, key := range []ChainKey{chainA, {Author{1}, 2}, {Author{2}, 1}} {
		var chain []*Entry
		for i := range rapid.IntRange(0, 12).Draw(t, "entries") {
			seq, prev := uint64(1), EntryID{}
			// Mostly on from the last one.
			if back := rapid.SampledFrom([]int{1, 1, 1, 1, 1, 2, 3, 5, 99}).Draw(t, "back"); back <= len(chain) {
				p := chain[len(chain)-back].Position()
				seq, prev = p.Seq+1, p.ID
			}
			chain = append(chain, at(key, seq, prev, fmt.Sprint(i)))
		}
		all = append(all, chain...)
	}
	return all
}

// naive is what chains have to tell of a set of entries.
type naive map[EntryID]*Entry

func (n naive) check(t *rapid.T, c Chains) {
	if c.Len() != len(n) {
		t.Fatalf("%d entries, want %d", c.Len(), len(n))
	}
	byPlace := map[ChainKey]map[uint64][]EntryID{}
	for id, e := range n {
		if !c.Has(id) {
			t.Fatalf("%v is not held", id)
		}
		if byPlace[e.Chain()] == nil {
			byPlace[e.Chain()] = map[uint64][]EntryID{}
		}
		at := byPlace[e.Chain()]
		at[e.header.Seq] = append(at[e.header.Seq], id)
	}
	frontier, forks := Frontier{}, []Fork{}
	for key, places := range byPlace {
		seqs := slices.Sorted(maps.Keys(places))
		forkedAt, linked := uint64(0), uint64(0)
		for _, seq := range seqs {
			ids := places[seq]
			if len(ids) == 1 {
				linked = seq
				frontier[key] = Position{seq, ids[0]}
				continue
			}
			slices.SortFunc(ids, func(a, b EntryID) int { return bytes.Compare(a[:], b[:]) })
			forkedAt = seq
			forks = append(forks, Fork{key, seq, ids[0], ids[1]})
			if got := c.Extra(key); !slices.Equal(got, ids[2:]) {
				t.Fatalf("extra %v, want %v", got, ids[2:])
			}
			break
		}
		if c.ForkedAt(key) != forkedAt {
			t.Fatalf("forked at %d, want %d", c.ForkedAt(key), forkedAt)
		}
		for _, seq := range seqs {
			id, ok := c.At(key, seq)
			if ok != (seq <= linked) || ok && id != places[seq][0] {
				t.Fatalf("at %d: %v %v", seq, id, ok)
			}
		}
		for seq := uint64(2); seq <= linked; seq++ {
			if n[places[seq][0]].header.Prev != places[seq-1][0] {
				t.Fatalf("seq %d does not follow", seq)
			}
		}
	}
	slices.SortFunc(forks, func(a, b Fork) int { return a.Chain.Compare(b.Chain) })
	if !maps.Equal(c.Frontier(), frontier) || !slices.Equal(c.Forks(), forks) {
		t.Fatalf("frontier %v and forks %v, want %v and %v", c.Frontier(), c.Forks(), frontier, forks)
	}
}

// addAll adds entries in a drawn order, with repeats, again and again until
// none is missing one before it any more. wanted says which were asked for.
func addAll(t *rapid.T, entries []*Entry, wanted func(*Entry) bool) (Chains, naive) {
	var c Chains
	kept := naive{}
	for progress := true; progress; {
		progress = false
		for _, e := range rapid.Permutation(entries).Draw(t, "order") {
			old, before := c, c.Len()
			next, outcome, err := c.Add(e, wanted(e))
			var missing *MissingError
			switch {
			case err == nil && outcome == Duplicate:
				if kept[e.ID()] == nil {
					t.Fatal("duplicate of what is not held")
				}
			case err == nil:
				kept[e.ID()] = e
				progress = true
			case errors.As(err, &missing):
				if missing.Need != (EntryID{}) && (c.Has(missing.Need) || missing.Need != e.header.Prev) {
					t.Fatalf("needs %v", missing.Need)
				}
			case !errors.Is(err, ErrUnwanted) || wanted(e):
				t.Fatal(err)
			}
			c = next
			if old.Len() != before || outcome == Appended && old.Has(e.ID()) {
				t.Fatal("the old chains changed")
			}
		}
		kept.check(t, c)
	}
	return c, kept
}

// Whatever the order, with repeats: the same entries tell the same.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := universe(t)
		asked := map[EntryID]bool{}
		for _, e := range all {
			asked[e.ID()] = rapid.Bool().Draw(t, "wanted")
		}
		one, kept := addAll(t, all, func(e *Entry) bool { return asked[e.ID()] })
		// What the first order kept, in another order.
		entries := slices.Collect(maps.Values(kept))
		slices.SortFunc(entries, func(a, b *Entry) int { return bytes.Compare(a.id[:], b.id[:]) })
		two, again := addAll(t, entries, func(*Entry) bool { return true })
		if len(again) != len(kept) {
			t.Fatalf("%d entries kept, then %d", len(kept), len(again))
		}
		sameSnapshot(t, one, two)
		// Asked for, everything is kept in the end.
		full, held := addAll(t, all, func(*Entry) bool { return true })
		if len(held) != len(all) || full.Len() != len(all) {
			t.Fatalf("%d of %d kept", len(held), len(all))
		}
	})
}

func sameSnapshot(t *rapid.T, a, b Chains) {
	x, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Fatalf("snapshots differ:\n%x\n%x", x, y)
	}
	back, err := UnmarshalChains(x)
	if err != nil {
		t.Fatal(err)
	}
	if z, err := back.MarshalBinary(); err != nil || !bytes.Equal(x, z) {
		t.Fatalf("snapshot comes back as\n%x\nwas\n%x", z, x)
	}
	if back.Len() != a.Len() || !maps.Equal(back.Frontier(), a.Frontier()) || !slices.Equal(back.Forks(), a.Forks()) {
		t.Fatal("chains of the snapshot tell something else")
	}
}

// Two different continuations of one value do not see each other.
func TestVersionsAreApart(t *testing.T) {
	for _, n := range []int{1, 30, 31, 32, 33, 64} {
		base := mustAdd(t, Chains{}, Appended, false, run(chainA, 1, EntryID{}, n, "")...)
		tail := base.Next(chainA)
		left := run(chainA, tail.Seq, tail.Prev, 40, "left")
		right := run(chainA, tail.Seq, tail.Prev, 40, "right")
		l := mustAdd(t, base, Appended, false, left...)
		r := mustAdd(t, base, Appended, false, right...)
		if l.Frontier()[chainA] != left[39].Position() || r.Frontier()[chainA] != right[39].Position() || base.Len() != n {
			t.Errorf("%d entries: continuations mix", n)
		}
		for i := range left {
			x, _ := l.At(chainA, tail.Seq+uint64(i))
			y, _ := r.At(chainA, tail.Seq+uint64(i))
			if x != left[i].ID() || y != right[i].ID() || l.Has(y) || r.Has(x) || base.Has(x) {
				t.Fatalf("%d entries: continuations mix at %d", n, i)
			}
		}
	}
}
