package coordinator

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
)

// What the founder calls an active wallet later leads nowhere: not by writing
// until an entry's id is low, and not after a restart.
func TestARenameByTheFounderIsShownNotObeyed(t *testing.T) {
	c := active(t, 2, 3)
	evil, a := c.peers[0], c.peers[1]
	other := strings.Repeat("6f2c5d0c", 8) // the id of another wallet of a's node
	lowest := allSaid[*event.GroupCreated](a)[0].ref.ID
	for n := 1; ; n++ {
		e, err := evil.wild(&event.GroupCreated{Genesis: evil.m.local.Genesis, Name: other})
		if err != nil {
			t.Fatal(err)
		}
		c.settle()
		if got := a.m.Name(); got != "treasury" {
			t.Fatalf("after %d entries the wallet is called %q", n, got)
		}
		if id := e.ID(); string(id[:]) < string(lowest[:]) {
			break
		}
	}
	if got := a.m.FounderName(); got != other {
		t.Errorf("the founder calls it %q", got)
	}
	a.crash()
	if got, by := a.m.Name(), a.m.FounderName(); got != "treasury" || by != other {
		t.Errorf("after a restart it is called %q, by its founder %q", got, by)
	}
	snap, err := a.m.State.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := group.NewState(a.self, a.m.local.Genesis, a.m.local.Secret, a.m.State.Pinned())
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err = fresh.WithSnapshot(snap); err != nil || fresh.Name() != "treasury" || fresh.Renamed() != other {
		t.Errorf("a snapshot holds %q, %q: %v", fresh.Name(), fresh.Renamed(), err)
	}
}
