package coordinator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// claims claims a lost member's place without any key, and gets the challenge only.
func (d *peer) claims(by *peer, inv port.Invite) *event.SuccessionClaim {
	d.tb.Helper()
	g, err := by.present(d, inv, nil)
	if err != nil {
		d.tb.Fatal(err)
	}
	claim, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, nil)
	if err != nil {
		d.tb.Fatal(err)
	}
	g, err = by.present(d, inv, claim)
	if err != nil || g.Challenge == nil || g.Genesis != nil || g.Secret != ([32]byte{}) {
		d.tb.Fatalf("an unproven claim is answered with genesis %x, a secret %v: %v", g.Genesis, g.Secret != [32]byte{}, err)
	}
	if _, _, err := EnterSuccession(d.self, d.input(nil), inv, g, wallet.Regtest, CosignerKey{}); !errors.Is(err, errAwaitsApproval) {
		d.tb.Fatalf("enters with a challenge: %v", err)
	}
	return claim
}

// TestWhoFindsTheInviteOfAnExternalKeyGetsNothing: without a key it learns no
// secret, does not use the invite up, and everybody hears of it at once.
func TestWhoFindsTheInviteOfAnExternalKeyGetsNothing(t *testing.T) {
	c, ext := externalGroup(t)
	a, b, lost := c.peers[0], c.peers[1], c.peers[2]
	key, err := ExternalKey(ext.text(), wallet.Regtest, wallet.ScriptWSH, nil)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := a.invite(lost)
	if err != nil {
		t.Fatal(err)
	}
	thief, owner := newPeer(t, "T", 50, &c.clock), newPeer(t, "O", 51, &c.clock)
	thief.circle, owner.circle = c, c
	a.told, b.told = nil, nil
	stolen := thief.claims(a, inv)
	thief.claims(a, inv) // again, for nothing
	c.settle(a, b)
	for _, p := range []*peer{a, b} {
		told := p.alarms(AlarmUnproven)
		if len(told) != 1 || !strings.Contains(told[0].Detail, thief.id().String()) {
			t.Errorf("%s was told %v", p.name, told)
		}
		if len(p.standing(AlarmUnproven)) != 1 || len(p.m.Successions()) != 1 {
			t.Errorf("%s shows %v, and %d wait", p.name, p.m.Alarms(), len(p.m.Successions()))
		}
	}
	a.crash()
	claim := owner.claims(a, inv) // the invite is open to the owner still
	c.settle(a, b)
	at := rosterKey(a.m.State.Active(), lost.id())
	for _, r := range a.m.Successions() {
		if r.New == owner.id() {
			a.must(ApproveSuccession{Succession: r.ID})
			b.must(ApproveSuccession{Succession: r.ID})
		}
	}
	c.settle(a, b)
	if a.memberOf(at) != owner.id() {
		t.Fatal("the owner was approved by enough, and is no member")
	}
	c.clock = c.clock.Add(48 * time.Hour) // past the end of the invite
	owner.enter(a, inv, claim, CosignerKey{Key: key})
	if _, err := a.present(thief, inv, stolen); !errors.Is(err, port.ErrInviteUsed) {
		t.Errorf("the finder, after the owner: %v", err)
	}
	c.settle(a, b)
	if n := len(b.standing(AlarmUnproven)); n != 0 {
		t.Errorf("%d alarms stand once it is decided", n)
	}
	owner.hear(a, b)
	owner.must(Ratify{Words: a.m.State.Active().Words(), AcceptUnproven: true})
	owner.hear(a, b)
	owner.must(LeaseAddress{})
}

// TestUnprovenClaimsOfOneInviteAreFew: each is an entry of the inviting node.
func TestUnprovenClaimsOfOneInviteAreFew(t *testing.T) {
	c, _ := externalGroup(t)
	a, lost := c.peers[0], c.peers[2]
	inv, err := a.invite(lost)
	if err != nil {
		t.Fatal(err)
	}
	before := len(a.Held)
	for n := range maxUnproven + 3 {
		d := newPeer(t, "T", byte(60+n), &c.clock)
		d.circle = c
		if n < maxUnproven {
			d.claims(a, inv)
			continue
		}
		g, err := a.present(d, inv, nil)
		if err != nil {
			t.Fatal(err)
		}
		claim, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.present(d, inv, claim); !errors.Is(err, port.ErrInviteUsed) {
			t.Errorf("claim %d: %v", n, err)
		}
	}
	if n := len(a.Held) - before; n != maxUnproven {
		t.Errorf("%d entries of unproven claims", n)
	}
}

// TestColludersDoNotLiftAnAllowance: k-1 members, the author among them, vouch
// for nothing, whatever they claim.
func TestColludersDoNotLiftAnAllowance(t *testing.T) {
	for _, x := range []struct{ k, n int }{{2, 2}, {2, 3}, {3, 3}, {3, 4}, {3, 5}, {4, 5}} {
		c := active(t, x.k, x.n)
		a, evil := c.peers[0], c.peers[1]
		e, err := evil.wild(&event.AddressLeased{Index: 1})
		if err != nil {
			t.Fatal(err)
		}
		claim := func(p *peer, seq uint64) {
			chain := journal.ChainKey{Author: evil.id(), Incarnation: 1}
			a.must(ClaimIn{From: p.id(), Claim: port.Claim{Frontier: journal.Frontier{chain: {Seq: seq, ID: journal.EntryID{1}}}}})
		}
		// The author, and k-2 with it.
		for _, p := range c.peers[1:min(x.k, x.n)] {
			claim(p, journal.MaxSeq)
		}
		if a.m.Vouched(e) {
			t.Errorf("%d of %d: vouched for by %d colluders", x.k, x.n, x.k-1)
		}
		for _, p := range c.peers[2:] {
			claim(p, e.Position().Seq)
		}
		if want := x.k < x.n; a.m.Vouched(e) != want {
			t.Errorf("%d of %d: vouched for by all others %v, want %v", x.k, x.n, !want, want)
		}
	}
}
