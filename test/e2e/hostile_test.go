package e2e_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p/p2ptest"
	"github.com/quorate/quorate/wallet"
)

// A cosigner who holds a key and every secret of the group, and keeps no rule:
// each lie is refused or without effect, named and counted against it, and the
// others go on.
func TestHostileCosigner(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(50_000_000, 40_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	made := ask[api.Proposed](a, pay(t, 20_000_000, "--note", "for the roof")...)
	c.Reaches(made.Proposal, api.StatusPending)
	before := ask[api.Proposal](b, "proposal", "show", made.Proposal)
	c.Stop()
	x := impersonate(t, c, g.ID)
	x.meet(a, b)

	p, me := x.find(made.Proposal)
	untouched := func(what string) {
		t.Helper()
		for _, n := range []*node{a, b} {
			got := ask[api.Proposal](n, "proposal", "show", made.Proposal)
			if names(got) != "a" || got.Status != api.StatusPending || !got.Approvals[0].Time.Equal(before.Approvals[0].Time) {
				t.Errorf("after %s, %s shows status %s and approvals %+v", what, n.Name, got.Status, got.Approvals)
			}
		}
	}

	// Good signatures by its own key, over another transaction.
	x.write(&event.ProposalApproved{Proposal: p.ID(), Signatures: x.signOther(p)})
	x.counted("bad_bitcoin_signature", 1, a, b)
	untouched("signatures over other bytes")

	// A's signatures under C's key, and as A's in an entry of C's.
	replay := x.signatures(p)
	for i := range replay {
		replay[i].Key = me
	}
	x.write(&event.ProposalApproved{Proposal: p.ID(), Signatures: replay})
	x.counted("bad_bitcoin_signature", 2, a, b)
	x.write(&event.ProposalApproved{Proposal: p.ID(), Signatures: x.signatures(p)})
	x.counted("signature_of_another", 1, a, b)
	untouched("a replay")

	// An event that is none, and one of a member who may not write it.
	e := x.sealBytes(x.next, []byte{0xa1, 0x00, 0x18, 0x20})
	x.append(e)
	x.publish(e.Bytes())
	x.counted("malformed_event", 1, a, b)
	x.write(&event.MemberAdmitted{Identity: x.id.Author()})
	x.counted("not_the_founder", 1, a, b)

	// An entry in A's name. The signature is C's: it has no other.
	x.publish(x.forge(p))
	x.counted("bad_signature", 1, a, b)
	untouched("a forged author")

	// Bytes that are no entry, on the topic and by sync.
	good := x.seal(x.next, &event.ProposalWithdrawn{Proposal: p.ID()}).Bytes()
	malformed := append(bytes.Clone(good), 0)
	oversized := append(bytes.Clone(good), make([]byte, journal.MaxEntrySize+1-len(good))...)
	x.publish(malformed)
	x.counted("malformed", 1, a, b)
	x.publish(oversized)
	x.counted("oversized", 1, a, b)
	for _, n := range []*node{a, b} {
		x.serveLie(n, malformed)
		x.counted("malformed", 2, n)
		x.serveLie(n, oversized)
		x.counted("oversized", 2, n)
		x.send(n, p2ptest.Encode(t, p2ptest.Frame{1: 99, 2: x.epoch.Group[:]}))
		x.counted("bad_frame", 1, n)
	}
	// Only the author withdraws: an honest form, and no effect.
	x.write(&event.ProposalWithdrawn{Proposal: p.ID()})
	untouched("a withdrawal by another")

	// A proposal that spends more than the coin holds: shown with a warning, refused to sign.
	lie := x.write(x.inflated(p)).ID().String()
	for _, n := range []*node{a, b} {
		n.Reaches(lie, api.StatusPending)
		refused(t, n.Run("approve", lie), 4, refusal.Coin)
	}

	// Two entries at one place. What it wrote after the fork has no effect.
	at := x.next
	x.publish(x.seal(at, &event.ProposalRejected{Proposal: p.ID(), Reason: "no"}).Bytes())
	x.write(&event.ProposalRejected{Proposal: p.ID(), Reason: "never"})
	x.counted("equivocation", 1, a, b)
	for _, n := range []*node{a, b} {
		world.Eventually(t, n.Name+" drops both votes", func() bool {
			return len(ask[api.Proposal](n, "proposal", "show", made.Proposal).Rejections) == 0
		})
	}
	untouched("an equivocation")

	// The others go on.
	ask[api.Proposal](b, "approve", made.Proposal)
	world.Confirmed(t, made.Proposal, a, b)
	q := ask[api.Proposed](b, pay(t, 30_000_000)...)
	a.Reaches(q.Proposal, api.StatusPending)
	ask[api.Proposal](a, "approve", q.Proposal)
	world.Confirmed(t, q.Proposal, a, b)
	same(t, a, b, "proposals", walletName)
	same(t, a, b, "coins", walletName)
	t.Logf("counted against C on A: %v", rejects(a, x.host.ID().String()))
	a.Stop()
	b.Stop()
}

// find returns a proposal as C's node stored it, and the index of C's key.
func (x *impostor) find(proposal string) (*group.Proposal, uint32) {
	x.t.Helper()
	var id journal.EntryID
	if err := id.UnmarshalText([]byte(proposal)); err != nil {
		x.t.Fatal(err)
	}
	p, ok := x.machine.State.Proposal(id)
	if !ok {
		x.t.Fatal("C's node does not hold the proposal")
	}
	for _, m := range x.machine.State.Active().Members {
		if m.Identity == x.id.Author() {
			return p, uint32(m.Index)
		}
	}
	x.t.Fatal("C is no member")
	return nil, 0
}

// signatures are those that A released.
func (x *impostor) signatures(p *group.Proposal) []event.PartialSignature {
	x.t.Helper()
	return partial(x.t, x.machine.State.Signatures(p))
}

func partial(t testing.TB, sigs []wallet.Signature) []event.PartialSignature {
	t.Helper()
	if len(sigs) == 0 {
		t.Fatal("no signatures")
	}
	var out []event.PartialSignature
	for _, s := range sigs {
		out = append(out, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	return out
}

// signOther signs a transaction that sends the same coins all to C.
func (x *impostor) signOther(p *group.Proposal) []event.PartialSignature {
	x.t.Helper()
	spend, err := p.Spend(x.machine.State.Active())
	if err != nil {
		x.t.Fatal(err)
	}
	sum := -int64(1000)
	for _, in := range spend.Inputs() {
		sum += in.Amount
	}
	other, err := wallet.NewSpend(spend.Descriptor(), spend.Inputs(), []wallet.Output{{PkScript: world.Bitcoin.FaucetScript(), Amount: sum}}, 0)
	if err != nil {
		x.t.Fatal(err)
	}
	sigs, err := other.Sign(x.account)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, s := range sigs {
		if err := other.Verify(s, nil); err != nil {
			x.t.Fatalf("the signatures are not good even for the other transaction: %v", err)
		}
	}
	return partial(x.t, sigs)
}

// forge makes an entry that names A as its author: A's withdrawal, with C's signature.
func (x *impostor) forge(p *group.Proposal) []byte {
	const author, signature = 66, 64 // where the author begins; how long the signature at the end is
	chain := p.Ref.Chain
	at := x.machine.State.Chains().Next(chain)
	raw := bytes.Clone(x.seal(at, &event.ProposalWithdrawn{Proposal: p.ID()}).Bytes())
	copy(raw[author:], chain.Author[:])
	e, err := journal.Decode(raw)
	if err != nil {
		x.t.Fatal(err)
	}
	if e.Header().Author != chain.Author {
		x.t.Fatal("the forgery does not name A")
	}
	id, seed := e.ID(), x.id.Seed()
	copy(raw[len(raw)-signature:], ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), id[:]))
	return raw
}

// inflated is a proposal that claims more for a coin than it holds.
func (x *impostor) inflated(p *group.Proposal) *event.ProposalCreated {
	in := p.Body.Inputs[0]
	in.Amount += 10_000_000
	return &event.ProposalCreated{
		Inputs:  []event.ProposalInput{in},
		Outputs: []event.ProposalOutput{{PkScript: world.Bitcoin.FaucetScript(), Amount: in.Amount - 1000}},
	}
}
