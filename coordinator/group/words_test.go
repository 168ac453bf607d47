package group

import (
	"testing"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// Whoever is shown a roster with another record in it hears other words, however
// many records the founder tries; and no salt but the one that was committed to
// counts, so that none can be chosen for the words that it makes.
func TestAnotherRosterHasOtherWords(t *testing.T) {
	g, right := revealedInside(t, 2, 3)
	founder, b, z := g.all[0], g.all[1], g.all[2]
	st := g.st
	heard := map[string]bool{right.Words(): true}
	const tries = 20
	for n := range tries {
		between := newInsider(t, "Z", byte(100+n))
		body := between.describes(st.Group(), [32]byte{byte(n)})
		k, err := st.CheckRecord(between.id(), body)
		if err != nil {
			t.Fatal(err)
		}
		at := Ref{ID: journal.EntryID{byte(n), 1}, Chain: journal.ChainKey{Author: between.id(), Incarnation: 1}, Seq: 1}
		f := rosterFact{Ref: Ref{ID: journal.EntryID{byte(n), 2}, Chain: founder.chain(), Seq: 90}}
		for _, m := range right.Members {
			if m.Identity != z.id() {
				f.Records = append(f.Records, m.Record)
			}
		}
		f.Records = append(f.Records, at.ID)
		other := st.foldRecord(Record{at, body, k}).foldRoster(f)
		reveal := func(by journal.Author, salt [32]byte) {
			other.reveals = other.reveals.Set(mapkey.Of3(by, f.Ref.ID, Commitment(salt)), revealFact{Roster: f.Ref.ID, Salt: salt})
		}
		reveal(founder.id(), founder.salt)
		reveal(b.id(), b.salt)
		reveal(between.id(), [32]byte{99})
		if r, ok := other.roster(f); !ok || r.Complete() {
			t.Fatal("a salt that was not committed to counts")
		}
		reveal(between.id(), [32]byte{byte(n)})
		r, ok := other.roster(f)
		if !ok || !r.Complete() {
			t.Fatal("no roster")
		}
		heard[r.Words()] = true
	}
	if len(heard) != tries+1 {
		t.Errorf("%d rosters have %d texts of words", tries+1, len(heard))
	}
}
