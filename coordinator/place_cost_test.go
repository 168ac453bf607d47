package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// almostActive is a new device that took z's place and has all that the others wrote
// until the wallet was active, but the founder's ratification: that is returned.
// spoil writes what it likes, for the founder and for z, before the founder ratifies.
func almostActive(t *testing.T, spoil func(founder, z *peer, r *group.Roster)) (d *peer, last *journal.Entry) {
	t.Helper()
	c := newCircle(t, 2, 3)
	c.settle()
	founder, b, z := c.peers[0], c.peers[1], c.peers[2]
	r, ok := z.m.State.Roster()
	if !ok || !r.Complete() {
		t.Fatal("no roster")
	}
	b.must(Ratify{Words: r.Words()})
	z.must(Ratify{Words: r.Words()})
	c.settle()
	spoil(founder, z, r)
	founder.must(Ratify{Words: r.Words()})
	for _, e := range founder.Held {
		if e.Chain().Author == founder.id() && (last == nil || e.Position().Seq > last.Position().Seq) {
			last = e
		}
	}
	c.settle()
	d = z.device(9)
	d.takePlace(b, z)
	for _, p := range []*peer{founder, b, z} {
		for _, chain := range p.Chains() {
			for _, e := range chain {
				if e == last || e.Chain().Author != p.id() {
					continue
				}
				if _, err := d.do(EntryIn{e}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if d.m.State.Active() != nil {
		t.Fatal("it is active before all have ratified")
	}
	return d, last
}

// A founder may close any number of rosters, and a thief of the lost device write
// any number of records and reveals: a step of the device that takes its place
// costs the same.
func TestManyRostersCostANewDeviceNothing(t *testing.T) {
	slow(t)
	for name, spoil := range map[string]func(n int, founder, z *peer, r *group.Roster){
		"rosters": func(n int, founder, _ *peer, r *group.Roster) {
			f := saidIn[*event.RosterClosed](founder, r.ID)
			wildly(t, founder, n, func(int) event.Body { return f.body })
		},
		"reveals of many rosters": func(n int, founder, z *peer, r *group.Roster) {
			f := saidIn[*event.RosterClosed](founder, r.ID)
			wildly(t, founder, n, func(int) event.Body { return f.body })
			founder.pass(z)
			var ids []journal.EntryID
			for _, f := range allSaid[*event.RosterClosed](z) {
				ids = append(ids, f.ref.ID)
			}
			wildly(t, z, n, func(i int) event.Body { return &event.RosterRevealed{Roster: ids[i], Salt: z.m.local.Salt} })
		},
		"records": func(n int, _, z *peer, r *group.Roster) {
			wildly(t, z, n, func(i int) event.Body {
				b := &event.MemberRecord{Name: "C", SealingKey: z.self.Sealing.Public(), Key: z.account.Key().String(), Commitment: [32]byte{byte(i), byte(i >> 8)}}
				hash, _ := b.Claim(z.m.State.Group(), z.id())
				b.Proof = z.account.SignHash(hash)
				return b
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var before [2]float64
			for i, n := range []int{40, 400} {
				d, last := almostActive(t, func(founder, z *peer, r *group.Roster) { spoil(n, founder, z, r) })
				cost := [2]float64{d.allocations(Tick{}), d.allocations(EntryIn{last})}
				d.must(EntryIn{last})
				if d.m.State.Active() == nil {
					t.Fatalf("with %d the wallet is not active here", n)
				}
				if i == 0 {
					before = cost
					continue
				}
				sameCost(t, "a tick", before[0], cost[0])
				sameCost(t, "the last entry", before[1], cost[1])
			}
		})
	}
}

func wildly(t *testing.T, p *peer, n int, body func(int) event.Body) {
	t.Helper()
	for i := range n {
		if _, err := p.wild(body(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// A founder that forks its chain below the roster and closes many others there
// keeps no new device out: it looks at what its earlier identity revealed for.
func TestRostersPlacedBeforeTheRightOneKeepNoNewDeviceOut(t *testing.T) {
	var forged []*journal.Entry
	d, last := almostActive(t, func(founder, z *peer, r *group.Roster) {
		f := saidIn[*event.RosterClosed](founder, r.ID)
		at := journal.Next{Incarnation: 1, Seq: f.ref.Seq - 1}
		for _, e := range founder.Held {
			if e.Chain().Author == founder.id() && e.Position().Seq == at.Seq-1 {
				at.Prev = e.ID()
			}
		}
		for range 2 * group.MaxRosters {
			next := at
			forged = append(forged, founder.forge(&next, f.body))
		}
	})
	for _, e := range forged {
		d.must(EntryIn{e})
	}
	if n := d.m.State.Counts()["rosters"]; n != 2*group.MaxRosters+1 {
		t.Fatalf("%d rosters", n)
	}
	d.must(EntryIn{last})
	if d.m.State.Active() == nil {
		t.Error("the device does not find the roster that its members revealed for")
	}
	d.crash()
	if d.m.State.Active() == nil {
		t.Error("after a restart the device does not find the roster")
	}
}
