package coordinator

import (
	"strings"
	"testing"
)

// A prefix names what begins with it and lives, whether it ends within a byte or not.
func TestProposalsBy(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a := c.peers[0]
	var ids []string
	for i := range 40 {
		x := pay(byte(i+1), 100_000)
		x.Coins, x.Unsigned = coins[:1], true
		p, err := a.do(x)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.(Proposed).Proposal.String())
	}
	for _, id := range ids {
		for n := range len(id) + 1 {
			want := 0
			for _, other := range ids {
				if strings.HasPrefix(other, id[:n]) {
					want++
				}
			}
			got := a.m.ProposalsBy(id[:n])
			if len(got) != min(want, 2) {
				t.Fatalf("%q: %d proposals of %d", id[:n], len(got), want)
			}
			for _, p := range got {
				if !strings.HasPrefix(p.ID().String(), id[:n]) {
					t.Errorf("%q: %s", id[:n], p.ID())
				}
			}
		}
	}
	for _, bad := range []string{"zz", "xyz", strings.Repeat("0", 64), ids[0] + "00"} {
		if got := a.m.ProposalsBy(bad); len(got) != 0 {
			t.Errorf("%q: %d", bad, len(got))
		}
	}
}
