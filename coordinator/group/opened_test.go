package group

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// at returns the place of an entry that one wrote, for another one there.
func (g *inside) at(e *journal.Entry) journal.Next {
	return journal.Next{Incarnation: e.Chain().Incarnation, Seq: e.Position().Seq, Prev: e.Header().Prev}
}

// before returns the place before that of an entry, likewise.
func (g *inside) before(e *journal.Entry) journal.Next {
	g.tb.Helper()
	for _, x := range g.entries {
		if x.ID() == e.Header().Prev {
			return g.at(x)
		}
	}
	g.tb.Fatal("nothing comes before")
	return journal.Next{}
}

// crowded is a group whose founder forks its chain below its roster, and whose last
// cosigner forks its own below its reveal: other rosters with the same records come
// before the right one. For one of them all revealed.
func crowded(t *testing.T) (g *inside, hash [32]byte) {
	t.Helper()
	g, r := revealedInside(t, 2, 3)
	founder, z := g.all[0], g.all[2]
	written := map[journal.EntryID]*journal.Entry{}
	reveals := map[journal.Author]*journal.Entry{}
	for _, e := range g.entries {
		written[e.ID()] = e
		reveals[e.Chain().Author] = e // what each wrote last
	}
	closed := written[r.ID]
	f, _ := g.st.rosters.Get(mapkey.Of(r.ID))
	for _, p := range g.all {
		g.entries = append(g.entries, p.seal(g.zero, &p.next, &event.RosterRatified{Hash: r.Hash}))
	}
	for n := range 6 {
		next := g.before(closed)
		e := founder.seal(g.zero, &next, &event.RosterClosed{Records: f.Records})
		g.entries = append(g.entries, e)
		for _, p := range g.all {
			if p == z || n == 0 {
				next := g.before(reveals[p.id()])
				g.entries = append(g.entries, p.seal(g.zero, &next, &event.RosterRevealed{Roster: e.ID(), Salt: p.salt}))
			}
		}
	}
	return g, r.Hash
}

// TestOpenedRostersAreTheDefinition: in every order, after each entry.
func TestOpenedRostersAreTheDefinition(t *testing.T) {
	g, hash := crowded(t)
	all := g.entries
	slices.SortFunc(all, func(a, b *journal.Entry) int { return compareEntryIDs(a.ID(), b.ID()) })
	complete, active := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		order := rapid.Permutation(all).Draw(rt, "order")
		st := g.fold(rt, hash, order, func(st State) {
			opened, waiting := map[mapkey.By[[32]byte]]journal.EntryID{}, map[byLack]journal.EntryID{}
			for _, f := range st.rosters.All() {
				r, ok := st.roster(f)
				if !ok || !r.Complete() {
					waiting[st.unopened(f)+byLack(f.Ref.ID[:])] = f.Ref.ID
					continue
				}
				old, ok := opened[mapkey.Of(r.Hash)]
				if was, _ := st.rosters.Get(mapkey.Of(old)); !ok || placeOf(f.Ref) < placeOf(was.Ref) {
					opened[mapkey.Of(r.Hash)] = r.ID
				}
			}
			if got := maps.Collect(st.setup.opened.All()); !maps.Equal(got, opened) {
				rt.Fatalf("opened: %v, by definition %v", got, opened)
			}
			if got := maps.Collect(st.setup.waiting.All()); !maps.Equal(got, waiting) {
				rt.Fatalf("waiting: %d, by definition %d", len(got), len(waiting))
			}
		})
		complete += st.setup.opened.Len()
		if st.Active() != nil {
			active++
		}
	})
	if complete == 0 || active == 0 {
		t.Errorf("%d rosters were opened, %d wallets became active", complete, active)
	}
}

func TestHashPrefixIsOfTheWords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "hash"))
		got, ok := hashPrefix(sixWords(h))
		if !ok || string(got) != string(h[:8]) {
			rt.Fatalf("%x, %v", got, ok)
		}
	})
	for _, words := range []string{"", "abandon", "a b c d e f", "abandon abandon abandon abandon abandon abandon abandon"} {
		if _, ok := hashPrefix(words); ok {
			t.Errorf("%q has a prefix", words)
		}
	}
}
