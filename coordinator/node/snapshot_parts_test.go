package node

import "testing"

// A snapshot costs each entry little, however long the history is.
func TestSnapshotsOfALongHistoryAreRare(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	act := &Actor{ports: Ports{Store: &a.Disk}, group: a.m.State.Group(), ctx: t.Context()}
	act.current.Store(&a.m)
	for _, x := range []struct {
		entries int
		want    bool
	}{{a.m.State.Chains().Len()/snapshotShare - 1, false}, {a.m.State.Chains().Len(), true}} {
		act.unsnapped = x.entries
		act.snapshot(1)
		if _, stored := a.Kept["snapshot"]; stored != x.want {
			t.Errorf("after %d of %d entries: stored %v", x.entries, a.m.State.Chains().Len(), stored)
		}
	}
}
