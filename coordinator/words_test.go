package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// Whoever is shown a roster with another record in it hears other words, however
// many records the founder tries; and no salt but the one that was committed to
// counts, so that none can be chosen for the words that it makes.
func TestAnotherRosterHasOtherWords(t *testing.T) {
	c := newCircle(t, 2, 3)
	c.settle()
	founder, b, z := c.peers[0], c.peers[1], c.peers[2]
	right, ok := b.m.State.Roster()
	if !ok || !right.Complete() {
		t.Fatal(b.m.Missing())
	}
	st := b.m.State
	heard := map[string]bool{right.Words(): true}
	const tries = 20
	for n := range tries {
		between := newPeer(t, "Z", byte(100+n), &c.clock)
		body := &event.MemberRecord{Name: "Z", SealingKey: between.self.Sealing.Public(), Key: between.account.Key().String(), Commitment: group.Commitment([32]byte{byte(n)})}
		hash, _ := body.Claim(st.Group(), between.id())
		body.Proof = between.account.SignHash(hash)
		k, err := st.CheckRecord(between.id(), body)
		if err != nil {
			t.Fatal(err)
		}
		at := group.Ref{ID: journal.EntryID{byte(n), 1}, Chain: journal.ChainKey{Author: between.id(), Incarnation: 1}, Seq: 1}
		f := group.rosterFact{Ref: group.Ref{ID: journal.EntryID{byte(n), 2}, Chain: founder.chain(), Seq: 90}}
		for _, m := range right.Members {
			if m.Identity != z.id() {
				f.Records = append(f.Records, m.Record)
			}
		}
		f.Records = append(f.Records, at.ID)
		other := st.foldRecord(group.Record{at, body, k}).foldRoster(f)
		reveal := func(by journal.Author, salt [32]byte) {
			other.reveals = other.reveals.Set(mapkey.Of3(by, f.Ref.ID, group.Commitment(salt)), group.revealFact{Roster: f.Ref.ID, Salt: salt})
		}
		reveal(founder.id(), founder.m.local.Salt)
		reveal(b.id(), b.m.local.Salt)
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
