package coordinator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// device is a new machine with another peer's seed: a new identity for its key.
func (p *peer) device(n byte) *peer {
	d := newPeer(p.tb, p.name+"'", n, p.clock)
	d.seed, d.account, d.circle = p.seed, p.account, p.circle
	return d
}

func (p *peer) prove(c event.KeyClaim) ([]byte, error) { return p.account.SignHash(c.Hash()), nil }

// invite issues an invite for a new device of a lost member.
func (p *peer) invite(lost *peer, allow ...string) (port.Invite, error) {
	id := lost.id()
	v, err := p.do(NewInvite{Replace: &id, Expires: p.clock.Add(time.Hour), Allow: allow})
	if err != nil {
		return port.Invite{}, err
	}
	return v.(port.Invite), nil
}

// present presents an invite, with a claim or without.
func (p *peer) present(d *peer, inv port.Invite, claim *event.SuccessionClaim) (port.Grant, error) {
	nonce := [32]byte{7}
	v, err := p.do(Admit{Joiner: d.id(), Nonce: nonce, Proof: inv.Proof(d.id(), nonce), Claim: claim})
	if err != nil {
		return port.Grant{}, err
	}
	return v.(port.Grant), nil
}

// takePlace is the whole way of a new device: invite, challenge, claim, entry.
func (d *peer) takePlace(by, lost *peer) {
	d.tb.Helper()
	d.takePlaceWith(by, lost, d.key())
}

func (d *peer) takePlaceWith(by, lost *peer, ck CosignerKey) {
	d.tb.Helper()
	inv, err := by.invite(lost)
	if err != nil {
		d.tb.Fatal(err)
	}
	g, err := by.present(d, inv, nil)
	if err != nil || g.Challenge == nil || g.Genesis != nil || g.Secret != ([32]byte{}) {
		d.tb.Fatalf("challenge: %+v %v", g, err)
	}
	claim, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, ck.Prove)
	if err != nil {
		d.tb.Fatal(err)
	}
	d.enter(by, inv, claim, ck)
}

func (d *peer) enter(by *peer, inv port.Invite, claim *event.SuccessionClaim, ck CosignerKey) {
	d.tb.Helper()
	g, err := by.present(d, inv, claim)
	if err != nil {
		d.tb.Fatal(err)
	}
	m, effects, err := EnterSuccession(d.self, d.input(nil), inv, g, wallet.Regtest, ck)
	if err != nil {
		d.tb.Fatal(err)
	}
	if _, err := d.execute(m, effects); err != nil {
		d.tb.Fatal(err)
	}
}

// follows takes in the chain.
func (p *peer) follows() {
	p.tb.Helper()
	for _, n := range p.circle.blocks {
		if n.Block.Height > p.m.View.Tip().Height {
			p.must(ChainIn{n})
		}
	}
	p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
}

func (p *peer) memberOf(k int) journal.Author { return p.m.State.Active().Members[k].Identity }

func TestASeedBringsAMemberBack(t *testing.T) {
	c := active(t, 3, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	hash := a.m.State.Active().Hash
	x := pay(1, 100_000)
	x.Coins = coins[:1]
	pending := a.must(x).(Proposed).Proposal
	c.settle()
	z.must(Approve{Proposal: pending})
	c.settle()
	y := pay(2, 200_000)
	y.Coins, y.Unsigned = coins[:1], true
	rival := b.must(y).(Proposed).Proposal
	c.settle()
	z.must(Reject{Proposal: rival, Reason: "no"})
	c.settle()
	z.must(LeaseAddress{}) // nobody hears of it

	d := z.device(9)
	d.takePlace(b, z)
	m, err := Load(t.Context(), &d.Disk, d.self, d.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	d.m = m
	d.must(Started{})
	d.hear(a, b)
	d.follows()
	d.crash()
	c.settle(a, b, d)
	k := z.m.State.Active().Members
	at := -1
	for i, m := range k {
		if m.Identity == z.id() {
			at = i
		}
	}
	for _, p := range []*peer{a, b, d} {
		if p.m.State.Active() == nil || p.memberOf(at) != d.id() || p.m.State.Active().Hash != hash {
			t.Fatalf("%s does not see the new member", p.name)
		}
		for _, m := range p.m.State.Members() {
			if m == z.id() {
				t.Errorf("%s still talks to the lost one", p.name)
			}
		}
		if len(p.m.State.Against(mustProposal(t, p, rival))) != 1 {
			t.Errorf("%s forgot the vote of the lost one", p.name)
		}
		if got := len(p.m.Approvals(mustProposal(t, p, pending))); got != 2 {
			t.Errorf("%s counts %d approvals", p.name, got)
		}
		if ep, ok := p.m.State.Fitting(); !ok || holds(z, ep) {
			t.Errorf("%s writes under epoch %d, which the lost one can read", p.name, ep.Number)
		}
	}
	if d.m.Restored() != nil {
		t.Fatalf("it waits for %+v", d.m.Restored().Unsynced)
	}
	// The signature that only the group knows of guards its coin.
	_, err = d.do(Approve{Proposal: rival})
	mustRefuse(t, err, refusal.SignGuard)
	next := pay(3, 50_000)
	next.Coins = coins[1:]
	id := d.must(next).(Proposed).Proposal
	c.settle(a, b, d)
	a.must(Approve{Proposal: id})
	b.must(Approve{Proposal: id})
	b.must(Approve{Proposal: pending})
	c.settle(a, b, d)
	for _, p := range []*peer{a, b, d} {
		for _, q := range []journal.EntryID{id, pending} {
			if got := p.status(q); got != group.StatusFinal {
				t.Errorf("%s: %s", p.name, got)
			}
		}
		if len(p.m.State.Chains().Forks()) != 0 {
			t.Errorf("%s sees a fork", p.name)
		}
		if n := len(p.m.State.Inert()); n != 0 {
			t.Errorf("%s: %d inert entries: %+v", p.name, n, p.m.State.Inert())
		}
	}
	for _, p := range []*peer{a, b} {
		if !told(p, AlarmReplaced) {
			t.Errorf("%s was not told", p.name)
		}
	}
	// The lost one turns up, hears of it, and only reads; what it wrote past the
	// end has no effect.
	c.settle(a, b, d, z)
	if _, err := z.do(Reject{Proposal: id}); !errors.Is(err, errReplaced) && err == nil {
		t.Errorf("the lost one goes on: %v", err)
	}
	if _, err := z.do(LeaseAddress{}); !errors.Is(err, errReplaced) {
		t.Errorf("the lost one goes on: %v", err)
	}
	if !told(z, AlarmReplaced) {
		t.Error("the lost one was not told")
	}
	past := 0
	for _, l := range allSaid[*event.AddressLeased](a) {
		if l.ref.Chain.Author == z.id() && tainted(a.m.State, l.ref) {
			past++
		}
	}
	if past != 1 {
		t.Errorf("%d leases past the end are without effect", past)
	}
}

func mustProposal(t *testing.T, p *peer, id journal.EntryID) *group.Proposal {
	t.Helper()
	x, ok := p.m.State.Proposal(id)
	if !ok || !x.Sound {
		t.Fatalf("%s does not hold proposal %s", p.name, id)
	}
	return x
}

func told(p *peer, kind string) bool {
	for _, n := range p.told {
		if n.Type == "alarm" && n.Status == kind {
			return true
		}
	}
	return false
}

// Who found the invite and has no seed gets nothing, and uses nothing up; nor
// does a proof that is forged, or of another identity, group or cut.
func TestAReplacementNeedsTheKey(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	a.must(Tick{Online: []journal.Author{b.id(), z.id()}})
	_, err := a.invite(z)
	mustRefuse(t, err, refusal.MemberOnline)
	if _, err := a.invite(z, refusal.MemberOnline); err != nil {
		t.Error(err)
	}
	a.must(Tick{Online: []journal.Author{b.id()}})
	if _, err := a.invite(a); err == nil {
		t.Error("it invites in its own place")
	}
	inv, err := a.invite(z)
	if err != nil {
		t.Fatal(err)
	}
	thief, d := newPeer(t, "T", 8, &c.clock), z.device(9)
	g, err := a.present(thief, inv, nil)
	if err != nil || g.Challenge == nil || g.Genesis != nil {
		t.Fatalf("challenge: %+v %v", g, err)
	}
	if strings.Contains(string(g.Challenge.Account[:]), "pub") {
		t.Error("the challenge tells the key")
	}
	claims := map[string]*event.SuccessionClaim{}
	claim := func(name string, of *peer, group journal.GroupID, ch event.Challenge) {
		x, err := ch.Claim(of.self.Identity, of.self.Sealing.Public(), group, of.prove)
		if err != nil {
			t.Fatal(err)
		}
		claims[name] = x
	}
	claim("forged", thief, inv.Group, *g.Challenge)
	claim("of another group", d, journal.GroupID{1}, *g.Challenge)
	other := *g.Challenge
	other.Cuts = other.Cuts[:0]
	claim("of another cut", d, inv.Group, other)
	claim("of another identity", z.device(10), inv.Group, *g.Challenge)
	none, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims["without a proof"] = none
	claim("good", d, inv.Group, *g.Challenge)
	noConsent := *claims["good"]
	noConsent.Consent = make([]byte, 64)
	claims["without consent"] = &noConsent
	entries := len(a.Held)
	for name, x := range claims {
		if name == "good" {
			continue
		}
		who := d
		if name == "forged" {
			who = thief
		}
		if _, err := a.present(who, inv, x); !errors.Is(err, port.ErrInviteProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(a.Held) != entries || a.memberOf(0) == d.id() {
		t.Error("something was entered")
	}
	d.enter(a, inv, claims["good"], d.key())
	entries = len(a.Held)
	if _, err := a.present(d, inv, claims["good"]); err != nil || len(a.Held) != entries {
		t.Errorf("a retry: %v, %d entries more", err, len(a.Held)-entries)
	}
	if _, err := a.present(thief, inv, nil); !errors.Is(err, port.ErrInviteUsed) {
		t.Errorf("a second taker: %v", err)
	}
	// The same, entered by members as they please: what does not verify is inert,
	// and a replay changes nothing.
	d.hear(a, b)
	before := b.m.State.Active()
	ch := *g.Challenge
	good := ch.Event(d.id(), claims["good"])
	bad := ch.Event(thief.id(), claims["forged"])
	low := other.Event(d.id(), claims["good"])
	for _, body := range []event.Body{good, bad, low} {
		if _, err := b.wild(body); err != nil {
			t.Fatal(err)
		}
	}
	c.settle(a, b, d)
	for _, p := range []*peer{a, b, d} {
		if got := len(p.m.State.Inert()); got != 2 {
			t.Errorf("%s: %d inert entries", p.name, got)
		}
		for i := range before.Members {
			if p.memberOf(i) != before.Members[i].Identity {
				t.Errorf("%s sees other members", p.name)
			}
		}
	}
}

// Two devices that both prove one key stop each other until enough of the
// others approve one.
func TestTwoReplacementsAreContested(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	d, thief := z.device(9), z.device(10)
	d.takePlace(a, z)
	thief.takePlace(b, z)
	c.settle(a, b)
	d.hear(a, b)
	at, _ := a.m.State.Active().KeyOf(z.id())
	for _, p := range []*peer{a, b, d} {
		if p.memberOf(at) != (journal.Author{}) || len(p.m.State.Members()) != 2 {
			t.Fatalf("%s takes one for the member", p.name)
		}
	}
	if !told(a, AlarmContested) || len(a.m.Alarms()) != 1 {
		t.Errorf("alarms: %+v", a.m.Alarms())
	}
	rs := a.m.Successions()
	if len(rs) != 2 || rs[0].Needed != 2 {
		t.Fatalf("replacements: %+v", rs)
	}
	mine := rs[0].ID
	if rs[0].New != d.id() {
		mine = rs[1].ID
	}
	_, err := a.do(ApproveSuccession{Succession: [32]byte{1}})
	mustRefuse(t, err, refusal.NoRival)
	a.must(ApproveSuccession{Succession: mine})
	c.settle(a, b)
	if a.memberOf(at) != (journal.Author{}) {
		t.Fatal("one approval decided")
	}
	b.must(ApproveSuccession{Succession: mine})
	c.settle(a, b)
	d.hear(a, b)
	for range 40 {
		a.must(Tick{})
	}
	c.settle(a, b, d)
	for _, p := range []*peer{a, b, d} {
		if p.memberOf(at) != d.id() || len(p.m.Alarms()) != 0 {
			t.Errorf("%s: member %s, alarms %+v", p.name, p.memberOf(at), p.m.Alarms())
		}
	}
	d.follows()
	id := d.must(pay(1, 1000)).(Proposed).Proposal
	c.settle(a, b, d)
	a.must(Approve{Proposal: id})
	if got := a.status(id); got != group.StatusFinal {
		t.Errorf("status %s", got)
	}
}

// A replaced member is replaced again.
func TestAReplacementIsReplaced(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	d := z.device(9)
	d.takePlace(a, z)
	c.settle(a, b)
	d.hear(a, b)
	d.must(LeaseAddress{})
	c.settle(a, b, d)
	e := z.device(10)
	e.takePlace(b, d)
	c.settle(a, b)
	e.hear(a, b)
	c.settle(a, b, e)
	at, _ := a.m.State.Active().KeyOf(z.id())
	for _, p := range []*peer{a, b, e} {
		if p.m.State.Active() == nil || p.memberOf(at) != e.id() {
			t.Errorf("%s does not see the second device", p.name)
		}
	}
	e.must(LeaseAddress{})
}

// Whoever lets a new device in may be a device that took a place itself: what
// says so is sealed under epochs that only it hands on.
func TestADeviceIsLetInByADevice(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	d := z.device(9)
	d.takePlace(a, z)
	c.settle(a, b)
	d.hear(a, b)
	c.settle(a, b, d)
	f := a.device(10)
	f.takePlace(d, a)
	c.settle(b, d)
	f.hear(b, d)
	f.crash()
	c.settle(b, d, f)
	at, _ := b.m.State.Active().KeyOf(a.id())
	for _, p := range []*peer{b, d, f} {
		if p.m.State.Active() == nil || p.memberOf(at) != f.id() {
			t.Errorf("%s does not see the device", p.name)
		}
	}
	if f.m.State.Knows(journal.Author{1}) {
		t.Error("it takes entries of anybody")
	}
	f.must(LeaseAddress{})
}

// An external key proves nothing about the new device: it is nobody before
// enough of the others have approved it, and suspends nobody.
func TestAnExternalKeyIsReplacedByApproval(t *testing.T) {
	c, ext := externalGroup(t)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	words := a.m.State.Active().Words()
	key, err := ExternalKey(ext.text(), wallet.Regtest, wallet.ScriptWSH, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := newPeer(t, "D", 9, &c.clock)
	d.circle = c
	inv, err := a.invite(z)
	if err != nil {
		t.Fatal(err)
	}
	claim := d.claims(a, inv)
	c.settle(a, b, z)
	at, _ := a.m.State.Active().Index(z.id())
	rs := b.m.Successions()
	if len(rs) != 1 || rs[0].Proven || rs[0].New != d.id() || b.memberOf(at) != z.id() {
		t.Fatalf("before it is approved: %+v, member %s", rs, b.memberOf(at))
	}
	z.must(LeaseAddress{})
	_, err = z.do(ApproveSuccession{Succession: rs[0].ID})
	mustRefuse(t, err, refusal.NoKey)
	a.must(ApproveSuccession{Succession: rs[0].ID})
	b.must(ApproveSuccession{Succession: rs[0].ID})
	c.settle(a, b)
	d.enter(a, inv, claim, CosignerKey{Key: key})
	c.settle(a, b)
	d.hear(a, b)
	if d.m.State.Active() != nil {
		t.Fatal("it rests on words that nobody compared")
	}
	if _, err := d.do(Ratify{Words: "one two three four five six", AcceptUnproven: true}); err == nil {
		t.Fatal("wrong words")
	}
	d.must(Ratify{Words: words, AcceptUnproven: true})
	d.hear(a, b)
	c.settle(a, b, d)
	for _, p := range []*peer{a, b, d} {
		if p.memberOf(at) != d.id() {
			t.Errorf("%s does not see the new device", p.name)
		}
	}
	d.must(LeaseAddress{})
	if !d.m.External() {
		t.Error("it takes the key for its own")
	}
}

// holds says whether a peer can read what is written under an epoch.
func holds(p *peer, ep journal.Epoch) bool {
	_, ok := p.m.State.EpochHeld(ep.ID())
	return ok
}
