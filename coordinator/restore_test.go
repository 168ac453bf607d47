package coordinator

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// backup is what a peer held durably at some moment, but for what is rebuilt.
type backup struct {
	of *peer
	porttest.Disk
}

func (p *peer) backup() backup {
	b := backup{p, p.Clone()}
	maps.DeleteFunc(b.Kept, func(k string, _ []byte) bool { return Rebuilt(k) })
	return b
}

// restore is a fresh machine with what the backup holds, as `quorate restore`
// makes it, which has seen the chain.
func (b backup) restore() *peer {
	q := *b.of
	q.Disk = b.Clone()
	q.out, q.sent, q.told = nil, nil, nil
	mark, err := MarkRestored(q.m.State.Group(), *q.clock)
	if err != nil {
		q.tb.Fatal(err)
	}
	maps.Copy(q.Kept, mark.Puts)
	q.crash()
	return &q
}

// hear exchanges frontiers with others and pulls what they hold.
func (p *peer) hear(others ...*peer) {
	p.tb.Helper()
	for _, o := range others {
		p.must(ClaimIn{From: o.id(), Claim: port.Claim{Frontier: o.m.State.Chains().Frontier(), Forks: o.m.State.Chains().Forks()}})
	}
	p.circle.settle(append([]*peer{p}, others...)...)
}

func (p *peer) own(inc uint8) journal.Position {
	return p.m.State.Chains().Frontier()[journal.ChainKey{Author: p.id(), Incarnation: inc}]
}

func mustRefuse(t *testing.T, err error, rule string) {
	t.Helper()
	var r *refusal.Refusal
	if !errors.As(err, &r) || r.Rule != rule {
		t.Fatalf("refused with %v, not by %s", err, rule)
	}
}

// clean fails where anybody sees a fork, or was alarmed.
func clean(t *testing.T, peers ...*peer) {
	t.Helper()
	for _, p := range peers {
		if f := p.m.State.Chains().Forks(); len(f) > 0 {
			t.Errorf("%s sees forks: %v", p.name, f)
		}
		for _, n := range p.told {
			if n.Type == "alarm" {
				t.Errorf("%s was alarmed: %s", p.name, n.Detail)
			}
		}
	}
}

func TestARestoredNodeGoesOnAsANewIncarnation(t *testing.T) {
	c := active(t, 3, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	saved := z.backup()
	x := pay(1, 100_000)
	x.Coins = coins[:1]
	first := a.must(x).(Proposed).Proposal
	c.settle()
	z.must(Approve{Proposal: first}) // after the backup: its guard does not know
	c.settle()
	y := pay(2, 200_000)
	y.Coins, y.Unsigned = coins[:1], true
	rival := b.must(y).(Proposed).Proposal
	c.settle()
	last := z.own(1)

	r := saved.restore()
	if _, err := r.do(LeaseAddress{}); !errors.Is(err, errCatchingUp) {
		t.Fatalf("it writes before it has caught up: %v", err)
	}
	// It pulls everything, and still knows only what one member holds.
	r.hear(a)
	if r.m.local.Incarnation != 1 {
		t.Fatal("it did not wait for the other member")
	}
	_, err := r.do(Approve{Proposal: rival})
	mustRefuse(t, err, refusal.Restored)
	if m := r.m.Restored(); m == nil || m.Writes || len(m.Unsynced) != 1 || m.Unsynced[0].Identity != b.id() {
		t.Fatalf("restored: %+v", m)
	}
	r.crash() // whom it has heard is durable
	r.hear(b)
	if r.m.Restored() != nil || r.Kept[recRestored] != nil {
		t.Fatalf("restored: %+v", r.m.Restored())
	}
	if cuts := r.m.State.Counts()["cuts"]; cuts != 1 || r.m.local.Incarnation != 2 {
		t.Fatalf("%d cuts, incarnation %d", cuts, r.m.local.Incarnation)
	}
	if at, ok := cutAt(r.m.State, journal.ChainKey{Author: r.id(), Incarnation: 1}); !ok || at != last.Seq {
		t.Errorf("cut at %d, its last entry was %d", at, last.Seq)
	}
	// The signature given after the backup guards its coin.
	_, err = r.do(Approve{Proposal: rival, Allow: []string{refusal.Restored}})
	mustRefuse(t, err, refusal.SignGuard)
	r.must(LeaseAddress{})
	r.crash()
	c.settle(a, b, r)
	clean(t, a, b, r)
	for _, p := range []*peer{a, b, r} {
		if p.own2(r) != r.own(2) {
			t.Errorf("%s does not hold the new incarnation", p.name)
		}
		if x, ok := p.m.State.Proposal(first); !ok || len(p.m.Approvals(x)) != 2 {
			t.Errorf("%s lost an approval", p.name)
		}
	}
}

// own2 is where another peer's incarnation 2 ends for p.
func (p *peer) own2(of *peer) journal.Position {
	return p.m.State.Chains().Frontier()[journal.ChainKey{Author: of.id(), Incarnation: 2}]
}

// With a member away for good it goes on after half a minute, and signs when
// the user says so by name.
func TestARestoredNodeSignsByOverride(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	saved := z.backup()
	z.must(LeaseAddress{})
	c.settle(b, z) // only b holds it
	id := a.must(pay(1, 100_000)).(Proposed).Proposal

	r := saved.restore()
	tick := func(online ...*peer) {
		var ids []journal.Author
		for _, p := range online {
			ids = append(ids, p.id())
		}
		r.must(Tick{Online: ids})
	}
	for range 2 * catchUpMost {
		tick()
	}
	if !r.m.catchingUp() {
		t.Fatal("it began without having heard anybody")
	}
	r = saved.restore()
	r.hear(a)
	for range catchUpTicks - 1 {
		tick(a)
	}
	tick(a, b) // the other one is there, and about to say what it holds
	tick(a, b)
	if !r.m.catchingUp() {
		t.Fatal("it began while another member was connected")
	}
	tick(a)
	if r.m.catchingUp() {
		t.Fatal("it did not begin")
	}
	r.must(Reject{Proposal: id, Reason: "later"})
	_, err := r.do(Approve{Proposal: id})
	mustRefuse(t, err, refusal.Restored)
	r.must(Approve{Proposal: id, Allow: []string{refusal.Restored}})
	c.settle(a, r)
	if got := a.status(id); got != group.StatusFinal {
		t.Fatalf("status %s", got)
	}
	// What the other member holds of its old self comes after the cut.
	r.hear(a, b)
	clean(t, a, b, r)
	if r.m.Restored() != nil {
		t.Error("it still waits for somebody")
	}
	for _, e := range r.Held {
		from := r.m.State.TaintedFrom(e.Chain())
		if _, ok := r.bodyOf(e).(*event.AddressLeased); ok && e.Header().Author == r.id() && (from == 0 || e.Header().Seq < from) {
			t.Error("what lies past the cut is not tainted")
		}
	}
}

// The user's word begins the new incarnation where nobody else was heard.
func TestARestoredNodeBeginsByOverride(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	z := c.peers[2]
	id := c.peers[0].must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	r := z.backup().restore()
	_, err := r.do(pay(2, 1000))
	mustRefuse(t, err, refusal.Restored)
	if _, err := r.do(Reject{Proposal: id}); !errors.Is(err, errCatchingUp) {
		t.Fatal(err)
	}
	r.must(Approve{Proposal: id, Allow: []string{refusal.Restored}})
	if r.m.local.Incarnation != 2 || r.own(2).Seq != 2 {
		t.Fatalf("incarnation %d, its last entry %d", r.m.local.Incarnation, r.own(2).Seq)
	}
	c.settle(c.peers[0], c.peers[1], r)
	clean(t, c.peers[0], c.peers[1], r)
}

// Of two cosigners one is restored while the other has lost its machine: nobody is
// left to catch up with, and the one who is left lets the other in again.
func TestARestoredNodeInvitesWhomItWaitsFor(t *testing.T) {
	c := active(t, 2, 2)
	c.fund(1_000_000)
	a, b := c.peers[0], c.peers[1]
	r := a.backup().restore()
	lost := b.id()
	x := NewInvite{Replace: &lost, Expires: c.clock.Add(InviteLife)}
	_, err := r.do(x)
	mustRefuse(t, err, refusal.Restored)
	if r.m.local.Incarnation != 1 {
		t.Fatal("what is refused begins nothing")
	}
	x.Allow = []string{refusal.Restored}
	inv := r.must(x).(port.Invite)
	if r.m.local.Incarnation != 2 {
		t.Fatalf("incarnation %d", r.m.local.Incarnation)
	}
	d := b.device(41)
	g, err := r.present(d, inv, nil)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, d.key().Prove)
	if err != nil {
		t.Fatal(err)
	}
	d.enter(r, inv, claim, d.key())
	c.settle(r, d)
	if got := r.memberOf(1); r.memberOf(0) != r.id() || got != d.id() {
		t.Errorf("the members are not the two who are left: %s", got)
	}
}

// A backup restored twice goes on after what the first copy wrote.
func TestASecondRestoreIsAThirdIncarnation(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	saved := z.backup()
	one := saved.restore()
	one.hear(a, b)
	one.must(LeaseAddress{})
	c.settle(a, b, one)
	two := saved.restore()
	two.hear(a, b)
	if two.m.local.Incarnation != 3 {
		t.Fatalf("incarnation %d", two.m.local.Incarnation)
	}
	two.must(LeaseAddress{})
	c.settle(a, b, two)
	clean(t, a, b, two)
	at, ok := cutAt(a.m.State, journal.ChainKey{Author: z.id(), Incarnation: 2})
	if !ok || at != one.own(2).Seq {
		t.Errorf("cut at %d, the first copy wrote up to %d", at, one.own(2).Seq)
	}
	// The first copy hears of it, and only reads.
	one.hear(a, b)
	if _, err := one.do(LeaseAddress{}); !errors.Is(err, errSuperseded) {
		t.Errorf("the first copy goes on: %v", err)
	}
}

// Two copies that both began without hearing of each other are found out.
func TestTwoRestoredCopiesAtOnceAreSeen(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	saved := z.backup()
	one, two := saved.restore(), saved.restore()
	one.hear(a, b)
	two.drawn += 1000 // another machine draws other entropy
	two.must(ClaimIn{From: a.id(), Claim: port.Claim{Frontier: saved.of.m.State.Chains().Frontier()}})
	two.must(ClaimIn{From: b.id(), Claim: port.Claim{Frontier: saved.of.m.State.Chains().Frontier()}})
	if two.m.local.Incarnation != 2 {
		t.Fatalf("incarnation %d", two.m.local.Incarnation)
	}
	c.settle(a, b, one, two)
	if len(a.m.State.Chains().Forks()) != 1 {
		t.Fatal("nobody noticed")
	}
}

// A member that claims more than it hands over has not been heard.
func TestAClaimIsNotYetSynced(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	saved := z.backup()
	a.must(LeaseAddress{})
	r := saved.restore()
	for _, o := range []*peer{a, b} {
		r.must(ClaimIn{From: o.id(), Claim: port.Claim{Frontier: o.m.State.Chains().Frontier()}})
	}
	left := r.m.unsynced()
	if !slices.Equal(left, []journal.Author{a.id()}) {
		t.Fatalf("unsynced: %v", left)
	}
	r.hear(a)
	if r.m.Restored() != nil {
		t.Error("it still waits")
	}
}

// A group that was forming goes on forming.
func TestAFormingGroupIsRestored(t *testing.T) {
	c := newCircle(t, 2, 3)
	z := c.peers[2]
	saved := z.backup()
	c.settle()
	words, _ := c.peers[0].m.State.Roster()
	r := saved.restore()
	r.hear(c.peers[0], c.peers[1])
	c.peers[2] = r
	for _, p := range c.peers {
		p.must(Ratify{Words: words.Words()})
	}
	c.settle()
	for _, p := range c.peers {
		if p.m.State.Active() == nil {
			t.Errorf("%s: %s", p.name, p.m.Missing())
		}
	}
	clean(t, c.peers...)
}
