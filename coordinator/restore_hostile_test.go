package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// pull takes what another peer holds, and gives nothing.
func (p *peer) pull(from *peer) {
	for again := true; again; {
		again = false
		for _, chain := range from.Chains() {
			for _, e := range chain {
				if p.m.State.Chains().Has(e.ID()) {
					continue
				}
				if _, err := p.do(EntryIn{e}); err == nil {
					again = true
				}
			}
		}
	}
}

func (p *peer) hearClaims(others ...*peer) {
	for _, o := range others {
		p.must(ClaimIn{From: o.id(), Claim: port.Claim{Frontier: o.m.State.Chains().Frontier()}})
	}
}

// rivals are two proposals over one coin; the first is signed by z, the second by b.
func (c *circle) rivals(tb testing.TB, z *peer, sign func(journal.EntryID)) (first, second journal.EntryID) {
	tb.Helper()
	a, b := c.peers[0], c.peers[1]
	coin := c.of(100_000, pay(1, 40_000)).Coins
	x := withUnsigned(pay(1, 40_000))
	x.Coins = coin
	first = a.must(x).(Proposed).Proposal
	c.settle(a, b, z)
	sign(first)
	c.settle(a, b, z)
	y := withUnsigned(pay(2, 39_000))
	y.Coins = coin
	second = b.must(y).(Proposed).Proposal
	c.settle(a, b, z)
	return first, second
}

// A member that lets a new device in and withholds the secret of what the lost
// one signed under cannot have it sign another transaction over the same coin.
func TestANewDeviceThatCannotReadDoesNotSign(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(100_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	_, second := c.rivals(t, z, func(id journal.EntryID) { z.must(Approve{Proposal: id}) })

	d := z.device(9)
	inv, err := a.invite(z)
	if err != nil {
		t.Fatal(err)
	}
	g, err := a.present(d, inv, nil)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, d.prove)
	if err != nil {
		t.Fatal(err)
	}
	s := &step{m: a.m, in: a.input(nil), batch: port.Batch{Group: a.m.State.Group(), Puts: map[string][]byte{}}}
	if err := s.writeEpoch(s.newEpoch(), s.m.State.Active().Members); err != nil {
		t.Fatal(err)
	}
	ep, _ := s.m.State.Epoch()
	if _, err := s.write(g.Challenge.Event(d.id(), claim)); err != nil {
		t.Fatal(err)
	}
	if err := s.writeEpoch(ep, []group.Member{{Identity: d.id(), Sealing: d.self.Sealing.Public()}}); err != nil {
		t.Fatal(err)
	}
	a.m = s.m
	for _, e := range s.batch.Entries {
		a.Held[e.ID()] = e
	}
	b.pull(a)
	g.Genesis, g.Secret = a.m.local.Genesis, a.m.local.Secret
	m, effects, err := EnterSuccession(d.self, d.input(nil), inv, g, wallet.Regtest, d.key())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.execute(m, effects); err != nil {
		t.Fatal(err)
	}
	d.hearClaims(a, b)
	d.pull(a)
	d.follows()
	if _, in := d.m.State.Active().Index(d.id()); !in || d.m.State.UnreadCount() == 0 || len(d.m.unsynced()) != 0 {
		t.Fatalf("it is not where the test wants it: member %v, %d unread, without %d", in, d.m.State.UnreadCount(), len(d.m.unsynced()))
	}
	if r := d.m.Restored(); r == nil || r.Unread == 0 {
		t.Fatalf("restored: %+v", r)
	}
	// The proposals are among what it cannot read; this one it gets to see.
	if _, err := d.do(Propose{Outputs: pay(2, 39_000).Outputs, FeeRate: 2000}); ruleOf(err) != refusal.Restored {
		t.Fatalf("it signs: %v", err)
	}
	// The others help, and it is guarded by what it reads.
	c.settle(b, d)
	if d.m.Restored() != nil {
		t.Fatalf("it still waits: %+v", d.m.Restored())
	}
	_, err = d.do(Approve{Proposal: second})
	mustRefuse(t, err, refusal.SignGuard)
}

// The device of an external key is replaced twice: what the second one signed is
// in a chain that the third does not know of before it is let in.
func TestANewDeviceHearsOfTheOneBeforeIt(t *testing.T) {
	c, ext := externalGroup(t)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	key, err := ExternalKey(ext.text(), wallet.Regtest, wallet.ScriptWSH, nil)
	if err != nil {
		t.Fatal(err)
	}
	enter := func(n byte, lost *peer) *peer {
		d := newPeer(t, "D", n, &c.clock)
		d.circle = c
		inv, err := a.invite(lost)
		if err != nil {
			t.Fatal(err)
		}
		claim := d.claims(a, inv)
		c.settle(a, b)
		rs := a.m.Successions()
		if len(rs) != 1 {
			t.Fatalf("replacements: %+v", rs)
		}
		a.must(ApproveSuccession{Succession: rs[0].ID})
		b.must(ApproveSuccession{Succession: rs[0].ID})
		c.settle(a, b)
		d.enter(a, inv, claim, CosignerKey{Key: key})
		c.settle(a, b)
		return d
	}
	words := a.m.State.Active().Words()
	d := enter(9, z)
	d.hear(a, b)
	d.must(Ratify{Words: words, AcceptUnproven: true})
	d.hear(a, b)
	d.follows()
	c.settle(a, b, d)
	_, second := c.rivals(t, d, func(id journal.EntryID) {
		d.must(Export{Proposal: id})
		packet := d.packet(id, 0)
		ext.sign(d.m.State.Active().Descriptor, packet)
		_, sigs, err := d.m.MatchPSBT(packet)
		if err != nil {
			t.Fatal(err)
		}
		d.must(Import{Proposal: id, Signatures: sigs})
	})

	e := enter(10, d)
	e.hearClaims(a, b)
	e.pull(a)
	e.must(Ratify{Words: words, AcceptUnproven: true})
	e.follows()
	if _, err := e.do(Export{Proposal: second}); ruleOf(err) != refusal.Restored {
		t.Fatalf("it exports for signing: %v", err)
	}
	e.hear(a, b)
	c.settle(a, b, e)
	if e.m.Restored() != nil {
		t.Fatalf("it still waits: %+v", e.m.Restored())
	}
	_, err = e.do(Export{Proposal: second})
	mustRefuse(t, err, refusal.SignGuard)
}

// A restored node does not take a contested member for one that it need not hear.
func TestARestoredNodeWaitsForAContestedMember(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	saved := b.backup()
	d, thief := z.device(9), z.device(10)
	d.takePlace(a, z)
	thief.takePlace(b, z)
	c.settle(a, b)
	r := saved.restore()
	r.hear(a)
	r.follows()
	for range 2 * catchUpMost {
		r.must(Tick{})
	}
	_, err := r.do(Approve{Proposal: id})
	mustRefuse(t, err, refusal.Restored)
	r.must(Approve{Proposal: id, Allow: []string{refusal.Restored}})
}

// An approval of its own that names what nobody hands over keeps a restored
// node from signing.
func TestARestoredNodeLooksForWhatItSigned(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	id := a.must(withUnsigned(pay(1, 100_000))).(Proposed).Proposal
	x := withUnsigned(pay(2, 100_000))
	x.Coins = c.of(1_000_000, x).Coins
	other := b.must(x).(Proposed).Proposal
	saved := z.backup()
	z.pull(a)
	z.must(Approve{Proposal: id})
	r := saved.restore()
	r.hearClaims(b)
	// Its approval, and the other proposal, without the one that was approved.
	for _, p := range []*peer{z, b} {
		for _, chain := range p.Chains() {
			for _, e := range chain {
				if !r.m.State.Chains().Has(e.ID()) && (e.Header().Author == p.id()) {
					_, _ = r.do(EntryIn{e})
				}
			}
		}
	}
	hidden := a.m.State.Chains().Frontier()
	delete(hidden, journal.ChainKey{Author: a.id(), Incarnation: 1})
	r.must(ClaimIn{From: a.id(), Claim: port.Claim{Frontier: hidden}})
	if left := r.m.unsynced(); len(left) != 0 {
		t.Fatalf("without %v", left)
	}
	_, err := r.do(Approve{Proposal: other})
	mustRefuse(t, err, refusal.Restored)
	r.pull(a)
	r.must(Tick{})
	if r.m.Restored() != nil {
		t.Fatalf("it still waits: %+v", r.m.Restored())
	}
	_, err = r.do(Approve{Proposal: other})
	mustRefuse(t, err, refusal.SignGuard)
}
