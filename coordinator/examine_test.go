package coordinator

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
)

// examined is what an examination of a peer's store says.
func (p *peer) examined(now time.Time) (codes []string, found []Finding) {
	found = Examine(p.tb.Context(), p.self, p.m.State.Group(), maps.Clone(p.Kept), slices.Collect(maps.Values(p.Held)), slices.Collect(maps.Keys(p.Signed)), now)
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	return codes, found
}

// Each thing that only the meaning of what is stored can show is found, and
// what is mended is found no more.
func TestExamine(t *testing.T) {
	sound := active(t, 2, 3)
	sound.fund(1_000_000)
	sound.peers[0].must(pay(1, 100_000))
	sound.settle()
	for name, x := range map[string]struct {
		plant func(t *testing.T, c *circle) *peer
		later time.Duration
		want  string
		mends bool
	}{
		"nothing": {plant: func(t *testing.T, c *circle) *peer { return c.peers[0] }},
		"the guard lacks a signature": {plant: func(t *testing.T, c *circle) *peer {
			clear(c.peers[0].Signed)
			return c.peers[0]
		}, want: "guard_incomplete", mends: true},
		"two copies ran": {plant: func(t *testing.T, c *circle) *peer {
			a := c.peers[0]
			before := a.m
			a.must(LeaseAddress{})
			a.m = before
			for p := range a.m.State.AllProposals {
				a.must(Withdraw{Proposal: p.Ref.ID})
			}
			return a
		}, want: "own_chain_forked"},
		"it goes on elsewhere": {plant: func(t *testing.T, c *circle) *peer {
			z := c.peers[2]
			if err := z.restored(z.m); err != nil {
				t.Fatal(err)
			}
			return z
		}, want: "superseded"},
		"an epoch is not here": {plant: epochMissing, want: "epoch_missing"},
		"the snapshot says another name": {plant: func(t *testing.T, c *circle) *peer {
			a := c.peers[0]
			m := a.m
			m.State = called(m.State, "another")
			b, _, err := m.snaps.Batches(m)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range b {
				a.persist(part)
			}
			return a
		}, want: "snapshot_wrong", mends: true},
		"the snapshot knows more": {plant: func(t *testing.T, c *circle) *peer {
			a := c.peers[0]
			a.must(LeaseAddress{})
			b, _, err := a.m.snaps.Batches(a.m)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range b {
				a.persist(part)
			}
			delete(a.Held, a.out[len(a.out)-1].ID())
			return a
		}, want: "snapshot_wrong", mends: true},
		"the clock is before its own entries": {plant: func(t *testing.T, c *circle) *peer { return c.peers[0] }, later: -3 * time.Hour, want: "clock_behind"},
		"the clock is before the chain": {plant: func(t *testing.T, c *circle) *peer {
			c.clock = c.clock.Add(10 * time.Hour)
			c.fund(1000)
			return c.peers[2]
		}, later: -9 * time.Hour, want: "clock_behind"},
	} {
		t.Run(name, func(t *testing.T) {
			c := sound.clone(t)
			p := x.plant(t, c)
			now := c.clock.Add(x.later)
			codes, found := p.examined(now)
			if x.want == "" && len(codes) > 0 || x.want != "" && !slices.Contains(codes, x.want) {
				t.Fatalf("found %+v, want %q", found, x.want)
			}
			for _, f := range found {
				if f.Code == x.want && (f.Mend != nil) != x.mends {
					t.Errorf("to be mended: %v", f.Mend != nil)
				}
				if f.Mend != nil {
					p.persist(*f.Mend)
				}
			}
			if codes, found := p.examined(now); x.mends && len(codes) > 0 {
				t.Errorf("after it was mended: %+v", found)
			}
		})
	}
}

// epochMissing is a peer that holds an entry under an epoch it was not given:
// c's rekey reached a, who writes under it, and not b.
func epochMissing(t *testing.T, c *circle) *peer {
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	s := &step{m: z.m, in: z.input(nil), batch: port.Batch{Group: z.m.State.Group(), Puts: map[string][]byte{}}}
	ep := s.newEpoch()
	if err := s.writeEpoch(ep, z.m.State.Active().Members); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.batch.Entries {
		a.must(EntryIn{e})
	}
	a.must(LeaseAddress{})
	last := a.out[len(a.out)-1]
	if last.Header().Epoch != ep.ID() {
		t.Fatal("it was not written under the new epoch")
	}
	b.must(EntryIn{last})
	return b
}
