package group

import (
	"testing"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// TestTheLatestApprovalCounts: of many that one member wrote, past forks and
// cuts and before them, the index finds what a walk over all finds.
func TestTheLatestApprovalCounts(t *testing.T) {
	g := activeInside(t, 2, 3)
	st, who := g.st, g.all[1].id()
	ids := [][32]byte{{1}, {2}}
	var all []successionVote
	for inc := uint8(1); inc <= 3; inc++ {
		for seq := uint64(100); seq < 130; seq++ {
			ref := Ref{ID: journal.EntryID{inc, byte(seq)}, Chain: journal.ChainKey{Author: who, Incarnation: inc}, Seq: seq}
			v := successionVote{ref, ids[int(seq)%2]}
			all = append(all, v)
			st.successionVotes = st.successionVotes.Set(successionVoteKey(ref, v.Replacement), v)
		}
	}
	for _, cuts := range [][3]uint64{{200, 200, 200}, {200, 200, 115}, {200, 107, 0}, {120, 0, 99}, {0, 0, 0}} {
		for n, seq := range cuts {
			st.cuts = st.cuts.Set(mapkey.Chain(journal.ChainKey{Author: who, Incarnation: uint8(n + 1)}), cutFact{Seq: seq})
		}
		for _, id := range ids {
			var want successionVote
			for _, v := range all {
				if v.Replacement == id && !st.tainted(v.Ref) && (want == successionVote{} || Later(v.Ref, want.Ref)) {
					want = v
				}
			}
			if got, ok := st.lastSuccessionVote(who, id); got != want || ok != (want != successionVote{}) {
				t.Errorf("cut at %v: found %+v, want %+v", cuts, got.Ref, want.Ref)
			}
		}
	}
}
