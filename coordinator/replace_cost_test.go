package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// TestTheLatestApprovalCounts: of many that one member wrote, past forks and
// cuts and before them, the index finds what a walk over all finds.
func TestTheLatestApprovalCounts(t *testing.T) {
	c := active(t, 2, 3)
	st, who := c.peers[0].m.State, c.peers[1].id()
	ids := [][32]byte{{1}, {2}}
	var all []group.replaceVote
	for inc := uint8(1); inc <= 3; inc++ {
		for seq := uint64(100); seq < 130; seq++ {
			ref := group.Ref{ID: journal.EntryID{inc, byte(seq)}, Chain: journal.ChainKey{Author: who, Incarnation: inc}, Seq: seq}
			v := group.replaceVote{ref, ids[int(seq)%2]}
			all = append(all, v)
			st.replaceVotes = st.replaceVotes.Set(group.replaceVoteKey(ref, v.Replacement), v)
		}
	}
	for _, cuts := range [][3]uint64{{200, 200, 200}, {200, 200, 115}, {200, 107, 0}, {120, 0, 99}, {0, 0, 0}} {
		for n, seq := range cuts {
			st.cuts = st.cuts.Set(mapkey.Chain(journal.ChainKey{Author: who, Incarnation: uint8(n + 1)}), group.cutFact{Seq: seq})
		}
		for _, id := range ids {
			var want group.replaceVote
			for _, v := range all {
				if v.Replacement == id && !st.tainted(v.Ref) && (want == group.replaceVote{} || group.Later(v.Ref, want.Ref)) {
					want = v
				}
			}
			if got, ok := st.lastReplaceVote(who, id); got != want || ok != (want != group.replaceVote{}) {
				t.Errorf("cut at %v: found %+v, want %+v", cuts, got.Ref, want.Ref)
			}
		}
	}
}

// TestReplacementsBeyondTheCountedCostNothing: one more of a key that names
// identities without end works nothing out anew.
func TestReplacementsBeyondTheCountedCostNothing(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[1]
	evil.evil = true
	x := c.peers[2]
	for n := range group.maxCarried + 3 {
		b := evil.stranger(byte(31+n)).replacing(evil, 50)
		e, err := x.wild(b)
		if err != nil {
			t.Fatal(err)
		}
		before := a.m.State.Active()
		a.must(EntryIn{e})
		if beyond := n >= group.maxCarried; beyond != (a.m.State.Active() == before) {
			t.Errorf("replacement %d: worked out anew %v", n, a.m.State.Active() != before)
		}
		if !a.m.State.IsNewcomer(b.New) {
			t.Errorf("replacement %d: who it names is not known", n)
		}
	}
}
