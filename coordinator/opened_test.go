package coordinator

import (
	"bytes"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// before returns the place before that of an entry that a peer wrote, for another one there.
func (p *peer) before(t *testing.T, ref group.Ref) journal.Next {
	t.Helper()
	at := journal.Next{Incarnation: 1, Seq: ref.Seq - 1}
	if at.Seq == 0 {
		t.Fatal("nothing comes before")
	}
	for _, e := range p.Held {
		if e.Chain().Author == p.id() && e.Position().Seq == at.Seq-1 {
			at.Prev = e.ID()
		}
	}
	return at
}

// crowdOut forks the founder's chain below its roster, and z's below its reveal: more
// rosters and reveals than are looked at come before the right ones.
func crowdOut(t *testing.T, founder, z *peer, r *group.Roster) (forged []*journal.Entry) {
	t.Helper()
	f := saidIn[*event.RosterClosed](founder, r.ID)
	for range 2 * group.MaxRosters {
		next := founder.before(t, f.ref)
		e := founder.forge(&next, &event.RosterClosed{Records: f.body.Records})
		forged = append(forged, e)
		next = z.before(t, z.reveal(t))
		forged = append(forged, z.forge(&next, &event.RosterRevealed{Roster: e.ID(), Salt: z.m.local.Salt}))
	}
	for i := range group.MaxReveals + 3 {
		next := z.before(t, z.reveal(t))
		forged = append(forged, z.forge(&next, &event.RosterRevealed{Roster: journal.EntryID{byte(i + 1)}, Salt: [32]byte{byte(i + 1)}}))
	}
	return forged
}

func (p *peer) reveal(t *testing.T) group.Ref {
	t.Helper()
	for _, f := range allSaid[*event.RosterRevealed](p) {
		if f.ref.Chain.Author == p.id() {
			return f.ref
		}
	}
	t.Fatal("it did not reveal")
	return group.Ref{}
}

// Who has the lost device's identity, with a founder, keeps no new device out by
// what it puts before the right roster and the reveal for it.
func TestRevealsPlacedBeforeTheRightOneKeepNoNewDeviceOut(t *testing.T) {
	var forged []*journal.Entry
	d, last := almostActive(t, func(founder, z *peer, r *group.Roster) { forged = crowdOut(t, founder, z, r) })
	for _, e := range forged {
		d.must(EntryIn{e})
	}
	d.must(EntryIn{last})
	if d.m.State.Active() == nil {
		t.Error("the device does not find the roster that all revealed for")
	}
	d.crash()
	if d.m.State.Active() == nil {
		t.Error("after a restart the device does not find the roster")
	}
}

// forgeZero is forge under epoch 0, for one whose machine has no group.
func (p *peer) forgeZero(t *testing.T, st group.State, next *journal.Next, body event.Body) *journal.Entry {
	t.Helper()
	ep, _ := st.FirstEpoch()
	plain, err := event.Encode(event.Event{Time: 1, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	p.drawn++
	e, err := journal.Seal(p.self.Identity, ep, *next, plain, [24]byte{byte(p.drawn), 77})
	if err != nil {
		t.Fatal(err)
	}
	*next = journal.Next{Incarnation: next.Incarnation, Seq: next.Seq + 1, Prev: e.ID()}
	return e
}

// twiceReplaced is a group whose external key's device was replaced twice, the second
// time by an invite of one of the peers; the newest has not heard anything yet.
func twiceReplaced(t *testing.T, by int) (c *circle, newest *peer) {
	t.Helper()
	c, ext := externalGroup(t)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	k, err := ExternalKey(ext.text(), wallet.Regtest, wallet.ScriptWSH, nil)
	if err != nil {
		t.Fatal(err)
	}
	enter := func(n byte, by, lost *peer) *peer {
		d := newPeer(t, "D", n, &c.clock)
		d.circle = c
		inv, err := by.invite(lost)
		if err != nil {
			t.Fatal(err)
		}
		claim := d.claims(by, inv)
		c.settle(a, b)
		rs := b.m.Successions()
		a.must(ApproveSuccession{Succession: rs[0].ID})
		b.must(ApproveSuccession{Succession: rs[0].ID})
		c.settle(a, b)
		d.enter(by, inv, claim, CosignerKey{Key: k})
		c.settle(a, b)
		return d
	}
	d := enter(9, b, z)
	d.hear(a, b)
	d.must(Ratify{Words: a.m.State.Active().Words(), AcceptUnproven: true})
	d.hear(a, b)
	d.follows()
	c.settle(a, b, d)
	return c, enter(10, c.peers[by], d)
}

// puppet is an identity with a low id that the founder admits.
func puppet(t *testing.T, founder *peer, n byte, below journal.Author) *peer {
	t.Helper()
	for ; ; n++ {
		p := newPeer(t, "P", n, founder.clock)
		if id := p.id(); bytes.Compare(id[:], below[:]) < 0 {
			if _, err := founder.wild(&event.MemberAdmitted{Identity: p.id()}); err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
}

// The founder admits one who says without proof that it holds the key, and who
// reveals for a roster that is never complete.
func TestAnUnprovenRecordChoosesNoRosterOfANewDevice(t *testing.T) {
	c, e := twiceReplaced(t, 1)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	right := a.m.State.Active().Roster
	p := puppet(t, a, 100, z.id())
	f := saidIn[*event.RosterClosed](a, right.ID)
	second, err := a.wild(&event.RosterClosed{Records: f.body.Records})
	if err != nil {
		t.Fatal(err)
	}
	next := journal.Next{Incarnation: 1, Seq: 1}
	says := []*journal.Entry{
		p.forgeZero(t, a.m.State, &next, &event.MemberRecord{Name: "P", SealingKey: p.self.Sealing.Public(), Key: right.Members[memberIndex(a, z)].Key.String(), How: event.ProofNone}),
		p.forgeZero(t, a.m.State, &next, &event.RosterRevealed{Roster: second.ID(), Salt: [32]byte{1}}),
	}
	c.settle(a, b)
	e.hearClaims(a, b)
	e.pull(a)
	for _, x := range says {
		e.must(EntryIn{x})
	}
	e.pull(b)
	for range 2 {
		if got, ok := e.m.State.Roster(); !ok || got.ID != right.ID || !got.Complete() {
			t.Fatalf("it shows another roster than the one that all ratified: %v", ok)
		}
		e.crash()
	}
	e.must(Ratify{Words: right.Words(), AcceptUnproven: true})
	if e.m.State.Active() == nil {
		t.Error("it is not active with the right words")
	}
}

// A founder with as many puppets as a roster takes ratifies another one, with the
// key of the new device. The words decide, whichever it shows.
func TestWordsChooseTheRosterOfANewDevice(t *testing.T) {
	for by, name := range []string{"invited by the founder", "invited by another"} {
		t.Run(name, func(t *testing.T) {
			c, e := twiceReplaced(t, by)
			a, b, z := c.peers[0], c.peers[1], c.peers[2]
			right := a.m.State.Active().Roster
			ps := []*peer{puppet(t, a, 100, z.id()), puppet(t, a, 150, z.id())}
			keys := []string{right.Members[memberIndex(a, z)].Key.String(), right.Members[memberIndex(a, b)].Key.String()}
			nexts := [2]journal.Next{{Incarnation: 1, Seq: 1}, {Incarnation: 1, Seq: 1}}
			c.settle(a, b)
			e.hearClaims(a, b)
			e.pull(a)
			e.pull(b)
			says := func(i int, body event.Body) *journal.Entry {
				x := ps[i].forgeZero(t, a.m.State, &nexts[i], body)
				e.must(EntryIn{x})
				return x
			}
			own := func(body event.Body) *journal.Entry {
				x, err := a.wild(body)
				if err != nil {
					t.Fatal(err)
				}
				e.must(EntryIn{x})
				return x
			}
			// It tries until its own would come first by hash.
			for n, first := 1, false; !first; n++ {
				salt := [32]byte{byte(n)}
				records := []journal.EntryID{right.Members[memberIndex(a, a)].Record}
				for i, p := range ps {
					records = append(records, says(i, &event.MemberRecord{
						Name: p.name + string(rune('1'+i)), SealingKey: p.self.Sealing.Public(), Key: keys[i], How: event.ProofNone, Commitment: group.Commitment(salt),
					}).ID())
				}
				decoy := own(&event.RosterClosed{Records: records})
				own(&event.RosterRevealed{Roster: decoy.ID(), Salt: a.m.local.Salt})
				for i := range ps {
					says(i, &event.RosterRevealed{Roster: decoy.ID(), Salt: salt})
				}
				var r *group.Roster
				for x := range e.m.State.FirstRosters {
					if x.ID == decoy.ID() {
						r = x
					}
				}
				if !r.Complete() {
					t.Fatal("the founder's other roster is not opened")
				}
				own(&event.RosterRatified{Hash: r.Hash})
				for i := range ps {
					says(i, &event.RosterRatified{Hash: r.Hash})
				}
				first = bytes.Compare(r.Hash[:], right.Hash[:]) < 0
			}
			if got, ok := e.m.State.Roster(); by == 0 && (!ok || got.ID == right.ID || len(got.Ratified) != 3) {
				t.Fatal("the founder's other roster is not what it sees")
			}
			if got, ok := e.m.State.Roster(); by == 1 && (!ok || got.ID != right.ID) {
				t.Error("it shows one that the inviting member is not in")
			}
			if _, err := e.do(Ratify{Words: "abandon abandon abandon abandon abandon about", AcceptUnproven: true}); err == nil {
				t.Error("it takes any words")
			}
			e.crash()
			e.must(Ratify{Words: right.Words(), AcceptUnproven: true})
			if e.m.State.Active() == nil || e.m.State.Active().ID != right.ID {
				t.Error("it is not active with the right words")
			}
		})
	}
}
