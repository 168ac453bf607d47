package coordinator

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// externalGroup is an active 2-of-3 whose third key is on a device.
func externalGroup(tb testing.TB) (*circle, *device) {
	tb.Helper()
	d := newDevice(tb, 9)
	c := formingExternal(tb, 2, 3, d.text())
	c.peers[2].must(Prove{Name: "C", How: event.ProofNone})
	c.settle()
	c.ratifyAll(true)
	c.fund(100_000, 60_000, 70_000)
	return c, d
}

// sign signs a packet as a device does: it knows the packet and its own key alone.
func (d *device) sign(desc *wallet.Descriptor, packet *psbt.Packet) {
	d.tb.Helper()
	spend, err := wallet.SpendFromPSBT(desc, packet)
	if err != nil {
		d.tb.Fatal(err)
	}
	sigs, err := spend.Sign(d.account)
	if err != nil {
		d.tb.Fatal(err)
	}
	for _, s := range sigs {
		in := spend.Inputs()[s.Input]
		script, err := desc.Script(in.Branch, in.Index)
		if err != nil {
			d.tb.Fatal(err)
		}
		packet.Inputs[s.Input].PartialSigs = append(packet.Inputs[s.Input].PartialSigs, psbt.PartialSig{PubKey: script.PubKeys[s.Key], Signature: s.Bytes})
	}
}

func (p *peer) packet(id journal.EntryID, version int) *psbt.Packet {
	p.tb.Helper()
	prop, ok := p.m.State.Proposal(id)
	if !ok {
		p.tb.Fatal("no such proposal")
	}
	packet, missing, err := p.m.PSBT(prop, version)
	if err != nil || len(missing) != 0 {
		p.tb.Fatalf("export: %v, missing %v", err, missing)
	}
	return packet
}

func TestExportIsGuarded(t *testing.T) {
	c, _ := externalGroup(t)
	a, x := c.peers[0], c.peers[2]
	p := a.must(pay(1, 40_000)).(Proposed)
	c.settle()
	if got := a.must(Export{Proposal: p.Proposal}).(Exported); got.Guarded {
		t.Error("a plain copy of a node with its own key is guarded")
	}
	prop, _ := x.m.State.Proposal(p.Proposal)
	x.failing = true
	if _, err := x.do(Export{Proposal: p.Proposal}); err == nil || len(x.Signed) != 0 {
		t.Fatalf("the file would leave before the guard is durable: %v", err)
	}
	x.failing = false
	if got := x.must(Export{Proposal: p.Proposal}).(Exported); !got.Guarded {
		t.Error("an export of a node with an external key is not guarded")
	}
	for _, in := range prop.Body.Inputs {
		if !x.Signed[port.GuardRecord{OutPoint: in.OutPoint(), TxID: prop.TxID}] {
			t.Errorf("%v is not in the guard", in.OutPoint())
		}
	}
	x.crash()
	// Another transaction over the same coin.
	rival := pay(2, 39_000)
	rival.Coins = []wire.OutPoint{prop.Body.Inputs[0].OutPoint()}
	q := c.peers[1].must(withUnsigned(rival)).(Proposed)
	c.settle()
	if _, err := x.do(Export{Proposal: q.Proposal}); ruleOf(err) != refusal.SignGuard {
		t.Errorf("a second transaction over a coin: %v", err)
	}
	x.must(Export{Proposal: p.Proposal}) // the same again is harmless
}

// of spends the one coin of an amount.
func (c *circle) of(amount int64, p Propose) Propose {
	for o := range c.peers[0].m.View.Unspent() {
		if o.Amount == amount {
			p.Coins = []wire.OutPoint{o.OutPoint}
		}
	}
	return p
}

func withUnsigned(p Propose) Propose { p.Unsigned = true; return p }

// What stands before a signature stands before an export.
func TestExportAsksEveryRule(t *testing.T) {
	c, _ := externalGroup(t)
	a, x := c.peers[0], c.peers[2]
	p := a.must(pay(1, 40_000)).(Proposed)
	c.settle()
	x.must(Reject{Proposal: p.Proposal, Reason: "no"})
	x.must(Export{Proposal: p.Proposal})
	prop, _ := x.m.State.Proposal(p.Proposal)
	if x.m.State.MyVote(prop) {
		t.Error("exported for signing while the own rejection stands")
	}
	q := a.must(withUnsigned(pay(3, 20_000))).(Proposed)
	c.settle()
	a.must(Withdraw(q))
	c.settle()
	if _, err := x.do(Export{Proposal: q.Proposal}); ruleOf(err) != refusal.Withdrawn {
		t.Errorf("a withdrawn one: %v", err)
	}
	// The same payment again, from another coin.
	r := withUnsigned(pay(1, 40_000))
	r.Allow = []string{refusal.DoublePayment}
	again := a.must(r).(Proposed)
	c.settle()
	if _, err := x.do(Export{Proposal: again.Proposal}); ruleOf(err) != refusal.DoublePayment {
		t.Errorf("a second payment: %v", err)
	}
	x.must(Export{Proposal: again.Proposal, Allow: []string{refusal.DoublePayment}})
	if _, err := a.do(Export{Proposal: q.Proposal, ForSigning: true}); ruleOf(err) != refusal.Withdrawn {
		t.Errorf("for signing, by a node with its own key: %v", err)
	}
}

func TestImportCreditsTheKeyThatVerifies(t *testing.T) {
	for _, version := range []int{0, 2} {
		c, d := externalGroup(t)
		a, b, x := c.peers[0], c.peers[1], c.peers[2]
		p := a.must(c.of(100_000, pay(1, 40_000))).(Proposed)
		c.settle()
		desc := x.m.State.Active().Descriptor
		// A colleague takes the file of the device in: it is carried, not approved.
		packet := b.packet(p.Proposal, version)
		d.sign(desc, packet)
		_, sigs, err := b.m.MatchPSBT(packet)
		if err != nil {
			t.Fatal(err)
		}
		other := c.clone(t)
		me, _ := x.m.State.Active().Index(x.id())
		written := len(other.peers[1].out)
		if look := other.peers[1].must(Import{Proposal: p.Proposal, Signatures: sigs, Look: true}).(Imported); look.Added[uint32(me)] != 1 || look.Known != 0 || len(other.peers[1].out) != written {
			t.Errorf("a look %+v, and %d entries", look, len(other.peers[1].out)-written)
		}
		wrong := slices.Clone(sigs)
		wrong[0].Bytes = append(slices.Clone(wrong[0].Bytes[:8]), append([]byte{wrong[0].Bytes[8] ^ 1}, wrong[0].Bytes[9:]...)...)
		other.peers[1].refused(refusal.PSBTSignature, Import{Proposal: p.Proposal, Signatures: wrong, Look: true})
		done := other.peers[1].must(Import{Proposal: p.Proposal, Signatures: sigs}).(Imported)
		if done.Added[uint32(me)] != 1 || done.Known != 0 {
			t.Errorf("imported %+v", done)
		}
		prop, _ := other.peers[1].m.State.Proposal(p.Proposal)
		if !other.peers[1].m.State.Final(prop) {
			t.Error("two signatures of three are not final")
		}
		if again := other.peers[1].must(Import{Proposal: p.Proposal, Signatures: sigs}).(Imported); again.Known != 1 || len(again.Added) != 0 {
			t.Errorf("imported again: %+v", again)
		}
		other.settle()
		if n := len(other.peers[0].m.State.Inert()); n != 0 {
			t.Errorf("%d entries without effect", n)
		}
		// The node whose key it is enters it as its own approval, guarded.
		if done := x.must(Import{Proposal: p.Proposal, Signatures: sigs}).(Imported); done.Added[uint32(me)] != 1 {
			t.Errorf("own: %+v", done)
		}
		if len(x.Signed) == 0 {
			t.Error("an own signature that came from elsewhere is not in the guard")
		}
		c.settle()
		ev := 0
		for _, f := range allSaid[*event.ProposalApproved](a) {
			if f.ref.Chain.Author == x.id() {
				ev++
			}
		}
		if ev != 1 {
			t.Errorf("%d approvals by the node with the external key", ev)
		}
	}
}

// The last of several signers hands back the finished transaction: its
// signatures are credited as those of a packet are.
func TestImportOfTheFinishedTransaction(t *testing.T) {
	c, d := externalGroup(t)
	a, b := c.peers[0], c.peers[1]
	p := a.must(c.of(100_000, withUnsigned(pay(1, 40_000)))).(Proposed)
	c.settle()
	prop, _ := b.m.State.Proposal(p.Proposal)
	spend, err := prop.Spend(b.m.State.Active())
	if err != nil {
		t.Fatal(err)
	}
	var sigs []wallet.Signature
	for _, by := range []*wallet.AccountKey{a.account, d.account} {
		own, err := spend.Sign(by)
		if err != nil {
			t.Fatal(err)
		}
		sigs = append(sigs, own...)
	}
	tx, err := spend.Finalize(sigs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	packet, err := psbt.ParseSigned(raw.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	_, found, err := b.m.MatchPSBT(packet)
	if err != nil || len(found) != len(sigs) {
		t.Fatalf("%d signatures, want %d: %v", len(found), len(sigs), err)
	}
	if done := b.must(Import{Proposal: p.Proposal, Signatures: found}).(Imported); len(done.Added) != 2 {
		t.Errorf("imported %+v", done)
	}
	prop, _ = b.m.State.Proposal(p.Proposal)
	if !b.m.State.Final(prop) {
		t.Error("not final")
	}
	// Another payment is no proposal of the wallet, whoever finished it.
	tx.TxOut[0].Value--
	raw.Reset()
	if err := tx.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	if packet, err = psbt.ParseSigned(raw.Bytes()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.m.MatchPSBT(packet); ruleOf(err) != refusal.PSBTChanged {
		t.Errorf("changed: %v", err)
	}
}

// An own signature over a coin that this node has signed otherwise stays out.
func TestImportOfOwnSignatureIsGuarded(t *testing.T) {
	c, d := externalGroup(t)
	a, x := c.peers[0], c.peers[2]
	p := a.must(pay(1, 40_000)).(Proposed)
	c.settle()
	x.must(Export{Proposal: p.Proposal})
	prop, _ := x.m.State.Proposal(p.Proposal)
	rival := pay(2, 39_000)
	rival.Coins = []wire.OutPoint{prop.Body.Inputs[0].OutPoint()}
	q := c.peers[1].must(withUnsigned(rival)).(Proposed)
	c.settle()
	packet := a.packet(q.Proposal, 0)
	d.sign(x.m.State.Active().Descriptor, packet)
	_, sigs, err := x.m.MatchPSBT(packet)
	if err != nil {
		t.Fatal(err)
	}
	before := len(x.out)
	if _, err := x.do(Import{Proposal: q.Proposal, Signatures: sigs}); ruleOf(err) != refusal.SignGuard || len(x.out) != before {
		t.Errorf("%v, %d entries", err, len(x.out)-before)
	}
}

func TestPSBTThatChangedIsRefusedByName(t *testing.T) {
	c, d := externalGroup(t)
	a, x := c.peers[0], c.peers[2]
	p := a.must(c.of(100_000, pay(1, 90_000))).(Proposed)
	c.settle()
	desc := x.m.State.Active().Descriptor
	signed := func() *psbt.Packet {
		packet := x.packet(p.Proposal, 2)
		d.sign(desc, packet)
		return packet
	}
	if _, _, err := x.m.MatchPSBT(signed()); err != nil {
		t.Fatal(err)
	}
	all, none := uint32(1), uint32(2)
	for name, tc := range map[string]struct {
		change func(*psbt.Packet)
		rule   string
		says   string
	}{
		"an amount":       {func(p *psbt.Packet) { p.Outputs[0].Amount-- }, refusal.PSBTChanged, "output 0 pays"},
		"an address":      {func(p *psbt.Packet) { p.Outputs[0].Script = recipient(77) }, refusal.PSBTChanged, "output 0 pays another address"},
		"an output more":  {func(p *psbt.Packet) { p.Outputs = append(p.Outputs, psbt.Output{Amount: 1, Script: recipient(1)}) }, refusal.PSBTChanged, "outputs"},
		"the locktime":    {func(p *psbt.Packet) { p.FallbackLockTime = &none }, refusal.PSBTChanged, "locktime is 2"},
		"a sequence":      {func(p *psbt.Packet) { p.Inputs[0].Sequence = &all }, refusal.PSBTChanged, "sequence"},
		"the tx version":  {func(p *psbt.Packet) { p.TxVersion = 1 }, refusal.PSBTChanged, "version is 1"},
		"an input's hash": {func(p *psbt.Packet) { p.Inputs[0].SighashType = &none }, refusal.PSBTChanged, "NONE"},
		"the fee": {func(p *psbt.Packet) {
			p.Inputs[0].NonWitnessUTXO = nil
			p.Inputs[0].WitnessUTXO.Value += 5000
		}, refusal.PSBTChanged, "fee"},
		"a sighash byte": {func(p *psbt.Packet) {
			s := bytes.Clone(p.Inputs[0].PartialSigs[0].Signature)
			s[len(s)-1] = 0x83
			p.Inputs[0].PartialSigs[0].Signature = s
		}, refusal.PSBTChanged, "SINGLE|ANYONECANPAY"},
		"a signature": {func(p *psbt.Packet) {
			p.Inputs[0].PartialSigs[0].Signature = append(d.account.SignHash([32]byte{1}), 1)
		}, refusal.PSBTSignature, `"C"`},
		"a key": {func(p *psbt.Packet) {
			p.Inputs[0].PartialSigs[0].PubKey = newDevice(t, 3).pub()
		}, refusal.PSBTSignature, "not of wallet"},
		"nothing signed": {func(p *psbt.Packet) { p.Inputs[0].PartialSigs = nil }, refusal.PSBTUnsigned, "no signature"},
		"another coin": {func(p *psbt.Packet) {
			p.Inputs[0].OutputIndex ^= 1
			p.Inputs[0].NonWitnessUTXO = nil
		}, refusal.NoProposal, "nobody proposed"},
	} {
		packet := signed()
		tc.change(packet)
		_, sigs, err := x.m.MatchPSBT(packet)
		if ruleOf(err) != tc.rule || !strings.Contains(err.Error(), tc.says) || sigs != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	foreign := signed()
	foreign.Inputs[0].PrevTxID = chainhash.Hash{1}
	foreign.Inputs[0].NonWitnessUTXO = nil
	if _, _, err := x.m.MatchPSBT(foreign); !errors.Is(err, ErrForeignPSBT) {
		t.Errorf("of another wallet: %v", err)
	}
}

func (d *device) pub() []byte {
	pub, err := d.xprv.ECPubKey()
	if err != nil {
		d.tb.Fatal(err)
	}
	return pub.SerializeCompressed()
}

// Change is marked, and so is what the wallet pays itself.
func TestExportMarksWhatIsTheWallets(t *testing.T) {
	c, _ := externalGroup(t)
	a := c.peers[0]
	own, err := a.m.State.Active().Descriptor.Script(wallet.BranchExternal, 5)
	if err != nil {
		t.Fatal(err)
	}
	req := withUnsigned(pay(1, 40_000))
	req.Outputs = append(req.Outputs, event.ProposalOutput{PkScript: own.PkScript, Amount: 20_000})
	p := a.must(req).(Proposed)
	packet := a.packet(p.Proposal, 0)
	marked := 0
	for i, o := range packet.Outputs {
		switch {
		case bytes.Equal(o.Script, recipient(1)):
			if len(o.Derivations) != 0 {
				t.Errorf("output %d, to somebody else, is marked as the wallet's", i)
			}
		case len(o.Derivations) != 3 || o.WitnessScript == nil:
			t.Errorf("output %d, to the wallet, is not marked", i)
		default:
			marked++
		}
	}
	if marked != 2 {
		t.Errorf("%d outputs marked", marked)
	}
	if len(packet.XPubs) != 3 || packet.Inputs[0].NonWitnessUTXO == nil || len(packet.Inputs[0].Derivations) != 3 {
		t.Errorf("%d account keys, previous transaction %v, %d derivations", len(packet.XPubs), packet.Inputs[0].NonWitnessUTXO != nil, len(packet.Inputs[0].Derivations))
	}
	// One that is not at hand is named.
	m := a.m
	prop, _ := m.State.Proposal(p.Proposal)
	m.View = a.viewOf(prop.Body.Inputs[0].TxID)
	if _, missing, err := m.PSBT(prop, 0); err != nil || len(missing) != 1 || missing[0] != prop.Body.Inputs[0].TxID {
		t.Errorf("missing %v: %v", missing, err)
	}
}

// A node with an external key that is no member any more, or not yet, hands no
// file out: the device would sign it, and the member's guard would not know.
func TestExportNeedsAPlaceInTheWallet(t *testing.T) {
	c, d := externalGroup(t)
	a, b, x := c.peers[0], c.peers[1], c.peers[2]
	p := a.must(pay(1, 40_000)).(Proposed)
	c.settle()
	packet := a.packet(p.Proposal, 0)
	d.sign(x.m.State.Active().Descriptor, packet)
	_, sigs, err := x.m.MatchPSBT(packet)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := x.m.State.Active().Index(x.id())
	e := newPeer(t, "E", 30, &c.clock)
	r := &event.MemberReplaced{Key: uint32(at), Old: x.id(), New: e.id(), Sealing: e.self.Sealing.Public()}
	id := r.ID(x.m.State.Group())
	r.Consent = e.self.Identity.Sign(event.ConsentTag, id[:])
	if _, err := a.wild(r); err != nil {
		t.Fatal(err)
	}
	c.settle()
	a.must(ApproveSuccession{Succession: id})
	b.must(ApproveSuccession{Succession: id})
	c.settle()
	if got := x.m.State.Active().Members[at].Identity; got == x.id() {
		t.Fatal("it was not replaced")
	}
	if _, err := x.do(Export{Proposal: p.Proposal}); ruleOf(err) != refusal.Replaced {
		t.Errorf("a replaced node exports: %v", err)
	}
	before := len(x.out)
	if _, err := x.do(Import{Proposal: p.Proposal, Signatures: sigs}); err == nil || len(x.out) != before {
		t.Errorf("a replaced node enters its own signatures: %v", err)
	}
	// The same for a new device that is not let in.
	y := *x
	y.self = newPeer(t, "E", 50, &c.clock).self
	y.m.State = as(y.m.State, y.self)
	y.m.local.Replaces = x.id()
	if _, err := y.do(Export{Proposal: p.Proposal}); ruleOf(err) != refusal.NoKey {
		t.Errorf("a device that is nobody exports: %v", err)
	}
}

// Another member's word that a transaction replaces what the device signed enters no
// signature of a file that this node did not let out, whichever entry is named; its
// user's does, who exports that entry.
func TestAnImportTakesNoMembersWordForAReplacement(t *testing.T) {
	c, d := externalGroup(t)
	a, b, x := c.peers[0], c.peers[1], c.peers[2]
	signed := func(id journal.EntryID) Import {
		packet := a.packet(id, 0)
		d.sign(x.m.State.Active().Descriptor, packet)
		_, sigs, err := x.m.MatchPSBT(packet)
		if err != nil {
			t.Fatal(err)
		}
		return Import{Proposal: id, Signatures: sigs}
	}
	first := a.must(c.of(100_000, withUnsigned(pay(1, 40_000)))).(Proposed).Proposal
	c.settle()
	x.must(Export{Proposal: first})
	x.must(signed(first))
	c.settle()
	second := a.must(c.of(100_000, withUnsigned(pay(2, 30_000)))).(Proposed).Proposal
	c.settle()
	x.refused(refusal.SignGuard, Export{Proposal: second})
	file := signed(second)
	x.refused(refusal.SignGuard, file)

	one, _ := x.m.State.Proposal(first)
	two, _ := x.m.State.Proposal(second)
	body, expired := *two.Body, *two.Body
	body.Replaces = []chainhash.Hash{one.TxID}
	expired.Expires = 1
	copied, err := b.wild(&body)
	if err != nil {
		t.Fatal(err)
	}
	old, err := b.wild(&expired)
	if err != nil {
		t.Fatal(err)
	}
	c.settle()
	file.Proposal = second
	x.refused(refusal.SignGuard, file)
	file.Proposal = old.ID() // refused as expired, not by the guard
	if _, err := x.do(file); err == nil {
		t.Error("an expired entry is taken for one that replaces")
	}
	file.Proposal = copied.ID() // as a file is matched
	x.refused(refusal.SignGuard, file)
	a.must(Withdraw{Proposal: second})
	c.settle()
	x.refused(refusal.SignGuard, file)
	file.Proposal = second
	x.refused(refusal.Withdrawn, file)

	file.Proposal = old.ID()
	x.must(Export{Proposal: copied.ID()})
	if done := x.must(file).(Imported); done.Proposal != copied.ID() {
		t.Errorf("entered for %v, said for %v", copied.ID(), done.Proposal)
	}
}
