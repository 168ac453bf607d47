package coordinator

import (
	"errors"
	"slices"
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

// formingWith is a forming circle of n cosigners of which only some have nodes.
func formingWith(tb testing.TB, k, n, nodes int) (*circle, []port.Invite) {
	tb.Helper()
	c, invites := founded(tb, k, n, nodes)
	for i, p := range c.peers[1:] {
		c.join(p, invites[i], p.key())
	}
	c.settle()
	return c, invites[nodes-1:]
}

// hostedBy gives a device's owner a place, with a proof of its key.
func (p *peer) hostedBy(name string, d *device) {
	p.tb.Helper()
	p.must(Host{Name: name, Key: d.text()})
	want, err := p.m.HostedProofRequest(name)
	if err != nil {
		p.tb.Fatal(err)
	}
	p.must(Prove{For: name, How: event.ProofMessage, Proof: d.message(want.Text)})
}

// activeHosting is a wallet of k of nodes and one more, whom the second node hosts.
func activeHosting(tb testing.TB, k, nodes int) (*circle, *device) {
	tb.Helper()
	c, _ := formingWith(tb, k, nodes+1, nodes)
	d := newDevice(tb, 9)
	c.peers[1].hostedBy("Hal", d)
	c.settle()
	r, ok := c.peers[0].m.State.Roster()
	if !ok || !r.Complete() {
		tb.Fatalf("roster: %v", c.peers[0].m.Missing())
	}
	for _, p := range c.peers {
		p.must(Ratify{Words: r.Words(), AcceptHosted: true})
	}
	c.peers[1].must(Ratify{Words: r.Words(), For: "Hal"})
	c.settle()
	for _, p := range c.peers {
		if p.m.State.Active() == nil {
			tb.Fatalf("%s is not active: %s", p.name, p.m.Missing())
		}
		p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	}
	return c, d
}

// signatures signs a proposal as a device does, with the key of its index.
func (d *device) signatures(m *Machine, id journal.EntryID) []wallet.Signature {
	d.tb.Helper()
	p, _ := m.State.Proposal(id)
	spend, err := p.Spend(m.State.Active())
	if err != nil {
		d.tb.Fatal(err)
	}
	sigs, err := spend.Sign(d.account)
	if err != nil {
		d.tb.Fatal(err)
	}
	return sigs
}

func rule(err error) string {
	var r *refusal.Refusal
	if errors.As(err, &r) {
		return r.Rule
	}
	return ""
}

func TestHostedCosignerJoinsAndSigns(t *testing.T) {
	c, _ := formingWith(t, 2, 3, 2)
	a, b, d := c.peers[0], c.peers[1], newDevice(t, 9)
	b.must(Host{Name: "Hal", Key: d.text()})
	b.must(Host{Name: "Hal", Key: d.text()}) // a repeat is harmless
	b.crash()
	if got := b.m.AwaitingHosted(); len(got) != 1 || !strings.Contains(b.m.Missing(), "Hal") {
		t.Fatalf("after a restart it awaits %v: %s", got, b.m.Missing())
	}
	want, err := b.m.HostedProofRequest("Hal")
	if err != nil || len(want.Text) > 240 {
		t.Fatalf("%v: %q", err, want.Text)
	}
	_, own := (&event.MemberRecord{Key: d.text()}).Claim(b.m.State.Group(), b.id())
	for name, x := range map[string]Prove{
		"another text":  {For: "Hal", How: event.ProofMessage, Proof: d.message(want.Text + ".")},
		"another key":   {For: "Hal", How: event.ProofMessage, Proof: newDevice(t, 8).message(want.Text)},
		"a node's text": {For: "Hal", How: event.ProofMessage, Proof: d.message(own)},
	} {
		if _, err := b.do(x); rule(err) != refusal.Proof {
			t.Errorf("%s: %v", name, err)
		}
	}
	a.refused(refusal.NotHosted, Prove{For: "Hal", How: event.ProofNone})
	b.must(Prove{For: "Hal", How: event.ProofMessage, Proof: d.message(want.Text)})
	b.refused(refusal.Proved, Prove{For: "Hal", How: event.ProofNone})
	b.refused(refusal.Proved, Host{Name: "Hal", Key: newDevice(t, 7).text()})
	c.settle()
	r, ok := a.m.State.Roster()
	if !ok || !r.Complete() {
		t.Fatalf("no roster: %s", a.m.Missing())
	}
	a.refused(refusal.Hosted, Ratify{Words: r.Words()})
	a.must(Ratify{Words: r.Words(), AcceptHosted: true})
	b.refused(refusal.NotReady, Ratify{Words: r.Words(), For: "Hal"})
	b.must(Ratify{Words: r.Words()})
	a.refused(refusal.NotHosted, Ratify{Words: r.Words(), For: "Hal"})
	b.refused(refusal.NotHosted, Ratify{Words: r.Words(), For: "B"})
	// Nobody else's word counts for the hosted one.
	var record *journal.EntryID
	for _, m := range r.Members {
		if m.Hosted() {
			record = &m.Record
		}
	}
	if _, err := a.wild(&event.RosterRatified{Hash: r.Hash, Record: record}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	if b.m.State.Active() != nil || a.m.State.Active() != nil {
		t.Fatal("active before the hosted cosigner ratified")
	}
	b.must(Ratify{Words: r.Words(), For: "Hal"})
	b.must(Ratify{Words: r.Words(), For: "Hal"})
	c.settle()
	for _, p := range c.peers {
		if p.m.State.Active() == nil {
			t.Fatalf("%s: %s", p.name, p.m.Missing())
		}
		p.crash()
		var hosted []string
		for _, x := range p.m.Cosigners() {
			if !x.Ratified {
				t.Errorf("%s has not ratified", x.Name)
			}
			if x.Hosted() {
				hosted = append(hosted, x.Name+" by "+p.m.MemberName(x.Host))
			}
		}
		if !slices.Equal(hosted, []string{"Hal by B"}) || len(p.m.State.Members()) != 2 {
			t.Errorf("%s: hosted are %v, connected may be %d", p.name, hosted, len(p.m.State.Members()))
		}
	}

	c.fund(500_000)
	id := a.must(pay(1, 100_000)).(Proposed).Proposal
	c.settle()
	sigs := d.signatures(&b.m, id)
	if done := a.must(Import{Proposal: id, Signatures: sigs}).(Imported); len(done.Added) != 1 {
		t.Fatalf("imported %+v", done)
	}
	c.settle()
	p, _ := b.m.State.Proposal(id)
	if !b.m.State.Final(p) || len(b.m.Approvals(p)) != 2 {
		t.Fatalf("with A's and Hal's signatures it is %v", b.m.Status(p, c.clock))
	}
	if held := b.m.HeldBy(p); slices.ContainsFunc(held, group.Member.Hosted) {
		t.Error("a cosigner without a node holds entries")
	}
}

// A place is a place, whoever fills it: an invite, a cosigner without a node.
func TestHostedPlaces(t *testing.T) {
	c, left := formingWith(t, 2, 3, 2)
	a, b := c.peers[0], c.peers[1]
	b.refused(refusal.NameTaken, Host{Name: "A", Key: newDevice(t, 9).text()})
	b.refused(refusal.KeyTaken, Host{Name: "Hal", Key: a.account.Key().String()})
	b.refused(refusal.KeyTaken, Host{Name: "Hal", Key: b.account.Key().String()})
	b.refused(refusal.BadKey, Host{Name: "Hal", Key: "xpub"})
	b.refused(refusal.KeyOrigin, Host{Name: "Hal", Key: tapsigner})
	b.must(Host{Name: "Hal", Key: tapsigner, Allow: []string{refusal.KeyOrigin}})
	if _, err := b.do(Host{Key: newDevice(t, 9).text()}); !errors.Is(err, refusal.ErrBadRequest) {
		t.Errorf("without a name: %v", err)
	}
	// Asked for and not entered, it takes no place from anybody.
	b.must(Host{Name: "Hal", Key: newDevice(t, 9).text()})
	late := newPeer(t, "C", 3, &c.clock)
	late.circle = c
	c.join(late, left[0], late.key())
	c.peers = append(c.peers, late)
	c.settle()
	b.refused(refusal.NoPlace, Prove{For: "Hal", How: event.ProofNone})
	if r, ok := a.m.State.Roster(); !ok || slices.ContainsFunc(r.Members, group.Member.Hosted) {
		t.Error("the roster is not that of the three who joined")
	}

	c, left = formingWith(t, 2, 3, 2)
	a, b = c.peers[0], c.peers[1]
	b.hostedBy("Hal", newDevice(t, 9))
	a.hostedBy("Ida", newDevice(t, 8)) // at once: one place is left
	c.settle()
	r, ok := a.m.State.Roster()
	if !ok || len(r.Members) != 3 {
		t.Fatalf("no roster of three: %s", a.m.Missing())
	}
	if rb, ok := b.m.State.Roster(); !ok || rb.Hash != r.Hash || !r.Complete() {
		t.Error("the two have other rosters")
	}
	a.refused(refusal.NoPlace, NewInvite{Expires: c.clock.Add(time.Hour)})
	late = newPeer(t, "C", 3, &c.clock)
	nonce := [32]byte{1}
	if _, err := a.do(Admit{Joiner: late.id(), Nonce: nonce, Proof: left[0].Proof(late.id(), nonce)}); err == nil {
		t.Error("a fourth was let in")
	}

	// While its record is on the way, an invite's place stays its taker's.
	c, left = formingWith(t, 2, 3, 2)
	a = c.peers[0]
	nonce = [32]byte{2}
	a.must(Admit{Joiner: late.id(), Nonce: nonce, Proof: left[0].Proof(late.id(), nonce)})
	a.refused(refusal.NoPlace, Host{Name: "Hal", Key: newDevice(t, 9).text()})
}

// The host's guard is one for its own key and those it hosts: it hands out
// nothing that competes with what either has signed.
func TestHostGuardsWhatItHandsOut(t *testing.T) {
	c, _ := activeHosting(t, 2, 2)
	a, b := c.peers[0], c.peers[1]
	coin := c.fund(500_000)
	x := pay(1, 100_000)
	x.Unsigned = true
	first := a.must(x).(Proposed).Proposal
	y := pay(2, 100_000)
	y.Unsigned, y.Coins, y.Allow = true, coin, []string{refusal.DoublePayment}
	second := a.must(y).(Proposed).Proposal
	c.settle()
	if got := a.must(Export{Proposal: first}).(Exported); got.Guarded {
		t.Error("a node that hosts nobody guards a copy")
	}
	b.must(Reject{Proposal: first, Reason: "not with my key"})
	if got := b.must(Export{Proposal: first}).(Exported); !got.Guarded {
		t.Error("what the hosted cosigner may sign left unguarded")
	}
	p, _ := b.m.State.Proposal(first)
	if !b.m.State.MyVote(p) {
		t.Error("the export took back the host's own rejection")
	}
	b.crash()
	b.refused(refusal.SignGuard, Export{Proposal: second})

	// The same where the signature is known from the group alone.
	c, d := activeHosting(t, 2, 2)
	a, b = c.peers[0], c.peers[1]
	y.Coins = c.fund(500_000)
	first, second = a.must(x).(Proposed).Proposal, a.must(y).(Proposed).Proposal
	a.must(Import{Proposal: first, Signatures: d.signatures(&a.m, first)})
	c.settle()
	b.refused(refusal.SignGuard, Export{Proposal: second})
	b.refused(refusal.SignGuard, Approve{Proposal: second})
	b.must(Approve{Proposal: first})
}

// That the host signed a proposal itself is no reason to hand it out once more
// after the hosted cosigner signed what replaces it.
func TestHostGuardsWhatItHasSignedItself(t *testing.T) {
	c, d := activeHosting(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	coin := c.fund(500_000)
	x := pay(1, 100_000)
	x.Unsigned, x.Coins, x.FeeRate = true, coin, 1000
	first := a.must(x).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: first})
	y := pay(1, 100_000)
	y.Unsigned, y.Coins, y.FeeRate, y.Replaces = true, coin, 9000, []journal.EntryID{first}
	second := a.must(y).(Proposed).Proposal
	c.settle()
	if got := b.must(Export{Proposal: first}).(Exported); !got.Guarded {
		t.Error("what the hosted cosigner may sign left unguarded")
	}
	b.must(Export{Proposal: second})
	b.must(Import{Proposal: second, Signatures: d.signatures(&b.m, second)})
	b.refused(refusal.SignGuard, Export{Proposal: first})
	b.refused(refusal.SignGuard, Export{Proposal: first, ForSigning: true})
}

// Nobody is the identity of a cosigner that has none.
func TestHostedHasNoIdentity(t *testing.T) {
	c, _ := activeHosting(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	at := slices.IndexFunc(a.m.State.Active().Members, group.Member.Hosted)
	check := func() {
		t.Helper()
		act := a.m.State.Active()
		for name, of := range map[string]func(journal.Author) (int, bool){"index": act.Index, "keyOf": act.KeyOf} {
			if _, ok := of(journal.Author{}); ok {
				t.Errorf("%s finds a member of no identity", name)
			}
		}
		if a.m.State.Knows(journal.Author{}) {
			t.Error("entries of no identity are taken")
		}
		if got := a.m.State.ApprovalsNeeded(); got != 2 {
			t.Errorf("a replacement needs %d approvals", got)
		}
	}
	check()
	// Once a place was taken over, who is who is worked out in another way.
	dev := b.stranger(30)
	if _, err := a.wild(dev.replacing(b, 100)); err != nil {
		t.Fatal(err)
	}
	if !a.m.State.Active().Changed() || a.m.State.Active().Members[at].Identity != (journal.Author{}) {
		t.Fatal("the replacement has no effect")
	}
	check()
	if got := a.m.MemberName(a.m.State.Active().Members[at].Host); got != "B" {
		t.Errorf("the host is %q", got)
	}
	// No device takes the place of one that has none.
	x := dev.replacing(b, 100)
	x.Key, x.Old, x.Proof = uint32(at), journal.Author{}, nil
	id := x.ID(a.m.State.Group())
	x.Consent = dev.self.Identity.Sign(event.ConsentTag, id[:])
	if a.m.State.CheckSuccession(x) {
		t.Error("a hosted cosigner was replaced")
	}
	// Alone with hosted cosigners there is nobody to approve.
	small, _ := activeHosting(t, 1, 2)
	if got := small.peers[0].m.State.ApprovalsNeeded(); got != 1 {
		t.Errorf("of two nodes %d approve", got)
	}
}
