package coordinator

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Digests compare nodes: the order in which entries came does not show, each
// part of what differs does.
func TestDigestsCompareNodes(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	digest := func(s group.State) group.Digest {
		t.Helper()
		d, err := s.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a.must(pay(1, 100_000))
	if x, y := digest(a.m.State), digest(b.m.State); x.Entries == y.Entries || x.Says == y.Says || x.Secrets != y.Secrets {
		t.Error("an entry that one lacks does not show")
	}
	c.settle()
	if digest(a.m.State) != digest(b.m.State) {
		t.Error("two that hold the same differ")
	}
	var all []*journal.Entry
	for _, chain := range b.Chains() {
		all = append(all, chain...)
	}
	slices.Reverse(all)
	if digest(refold(t, b, all)) != digest(a.m.State) {
		t.Error("another order shows")
	}
	cur, _ := c.peers[2].m.State.Epoch()
	only := c.peers[2].rekey(c.peers[2].epochAfter(cur), []*peer{b}, nil)
	a.must(EntryIn{only})
	b.must(EntryIn{only})
	if x, y := digest(a.m.State), digest(b.m.State); x.Secrets == y.Secrets || x.Entries != y.Entries {
		t.Error("an epoch that only one can read does not show")
	}
}
