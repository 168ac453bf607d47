package coordinator

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
)

func (p *peer) parts() (n int) {
	for name := range p.Kept {
		if strings.HasPrefix(name, recSnapshotPart) {
			n++
		}
	}
	return n
}

// A snapshot larger than a batch is stored in several, and counts once all of
// them are there: whatever a crash leaves behind, the one before still does.
func TestALargeSnapshotIsStoredInParts(t *testing.T) {
	const size = 1000
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	reload := func(want string) Machine {
		t.Helper()
		m, err := Load(t.Context(), &a.Disk, a.self, a.m.State.Group())
		if err != nil {
			t.Fatal(err)
		}
		snap, err := joinSnapshot(a.Kept)
		if err != nil {
			t.Fatal(err)
		}
		empty, err := group.NewState(a.self, m.local.Genesis, m.local.Secret, m.State.Pinned())
		if err != nil {
			t.Fatal(err)
		}
		with, err := empty.WithSnapshot(snap)
		if err != nil || with.Name() != want {
			t.Fatalf("the snapshot is of %q, want %q: %v", with.Name(), want, err)
		}
		return m
	}
	place := a.m.snaps
	store := func(name string, most int) (stored int) {
		t.Helper()
		m := a.m
		m.State = called(m.State, name)
		batches, next, err := place.batches(m, size)
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) < 3 {
			t.Fatalf("%d batches: nothing is tested", len(batches))
		}
		for n, b := range batches {
			if n == most {
				return len(batches)
			}
			for record, v := range b.Puts {
				if len(v) > size {
					t.Fatalf("record %s has %d bytes", record, len(v))
				}
			}
			a.persist(b)
		}
		place = next
		return len(batches)
	}
	n := store("first", 1000)
	reload("first")
	store("a crash", 2)
	m := reload("first")
	if a.parts() != n+2 {
		t.Errorf("%d parts are stored", a.parts())
	}
	// The next process knows what is stored, and leaves only its own.
	place = m.snaps
	n = store("second", 1000)
	reload("second")
	if a.parts() != n {
		t.Errorf("%d parts are stored, %d count", a.parts(), n)
	}
	for range 3 {
		n = store("third", 1000)
		if m = reload("third"); a.parts() != n || m.snaps != place {
			t.Errorf("%d parts are stored, %d count; next %+v, %+v", a.parts(), n, m.snaps, place)
		}
	}
	// One part that is missing or damaged, and all of it is left aside.
	for name := range a.Kept {
		if !strings.HasPrefix(name, recSnapshotPart) {
			continue
		}
		if !Rebuilt(name) {
			t.Errorf("a backup holds %s", name)
		}
		was := a.Kept[name]
		a.Kept[name] = was[:len(was)-1]
		if _, err := joinSnapshot(a.Kept); err == nil {
			t.Fatalf("taken with %s cut off", name)
		}
		a.Kept[name] = was
	}
	if m, err := Load(t.Context(), &a.Disk, a.self, a.m.State.Group()); err != nil || m.State.Name() != "third" {
		t.Fatal(err)
	}
}
