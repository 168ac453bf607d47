package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// kind makes the i-th entry of one kind by the hostile member. What it needs
// before is made at its first call.
type kind func(g *circle, i int) (*journal.Entry, error)

func kinds() map[string]kind {
	out := map[string]kind{
		"leases of one index":       says(func(_ *circle, i int) event.Body { return &event.AddressLeased{Index: 7} }),
		"leases of many indexes":    says(func(_ *circle, i int) event.Body { return &event.AddressLeased{Index: uint32(i)} }),
		"proposals":                 says(func(g *circle, i int) event.Body { return pays(g, chainhash.Hash(hash("coin", i)), 0, int64(i)) }),
		"rivals for one coin":       says(func(g *circle, i int) event.Body { return pays(g, g.coin.Hash, 0, int64(i)) }),
		"replacements of one coin":  says(replacing),
		"copies of one transaction": says(func(g *circle, i int) event.Body { return noted(pays(g, g.coin.Hash, 0, 0), i) }),
		"copies and a fork":         copiesAndAFork,
		"copies of other amounts":   otherAmounts(),
		"expiring proposals":        says(expiring),
		"approvals that wait": says(func(_ *circle, i int) event.Body {
			return &event.ProposalApproved{Proposal: journal.EntryID(hash("nowhere", i)), Signatures: wrong(2, 3)}
		}),
		"wrong signatures": about(func(p journal.EntryID, i int) event.Body {
			return &event.ProposalApproved{Proposal: p, Signatures: wrong(2, 3)}
		}),
		"a valid signature, again": repeated,
		"votes on one proposal": about(func(p journal.EntryID, i int) event.Body {
			if i%2 == 0 {
				return &event.ProposalRejected{Proposal: p, Reason: "because"}
			}
			return &event.RejectionWithdrawn{Proposal: p}
		}),
		"votes on nothing": says(func(_ *circle, i int) event.Body {
			return &event.ProposalRejected{Proposal: journal.EntryID(hash("nowhere", i))}
		}),
		"withdrawals":          about(func(p journal.EntryID, _ int) event.Body { return &event.ProposalWithdrawn{Proposal: p} }),
		"labels of one target": says(func(g *circle, i int) event.Body { return label(g.coin.Hash[:], i) }),
		"labels of many":       says(func(_ *circle, i int) event.Body { h := hash("target", i); return label(h[:], i) }),
		"epochs in a chain":    epochs,
		"rekeys of an epoch":   rekeys,
		"epochs left out of":   spoiled,
		"failed stanzas": says(func(_ *circle, i int) event.Body {
			return &event.StanzaFailed{Epoch: journal.EpochID(hash("epoch", i))}
		}),
		"pings": says(func(*circle, int) event.Body { return &event.PingAsked{} }),
		"false answers to pings": says(func(_ *circle, i int) event.Body {
			return &event.PingAnswered{Round: journal.EntryID(hash("round", i)), Key: 2, Proof: wrong(2, 1)[0].Bytes}
		}),
		"named entries":        says(named),
		"invalid replacements": says(func(g *circle, i int) event.Body { return replaced(g, i, []byte("no proof")) }),
		"valid replacements":   proven,
		"approved replacements": says(func(_ *circle, i int) event.Body {
			return &event.ReplacementApproved{Replacement: hash("replacement", i)}
		}),
		"garbage":            func(g *circle, i int) (*journal.Entry, error) { return g.seal([]byte{0xff, byte(i), byte(i >> 8)}) },
		"unreadable entries": unreadable,
		"forks":              forks,
		"forming: records": says(func(g *circle, i int) event.Body {
			return &event.MemberRecord{Name: fmt.Sprint("C", i), SealingKey: g.hostile().self.Sealing.Public(), Key: g.hostile().account.Key().String(), Proof: make([]byte, 64), Commitment: hash("salt", i)}
		}),
		"forming: valid records": valid,
		"forming: reveals": says(func(g *circle, i int) event.Body {
			return &event.RosterRevealed{Roster: journal.EntryID(hash("roster", i)), Salt: hash("salt", i)}
		}),
		"forming: reveals of the roster": says(func(g *circle, i int) event.Body {
			r, _ := g.honest().m.State.Roster()
			return &event.RosterRevealed{Roster: r.ID, Salt: hash("salt", i)}
		}),
		"forming: ratifications": says(func(g *circle, i int) event.Body { return &event.RosterRatified{Hash: hash("roster", i)} }),
		"forming: epochs":        epochs,
		"forming: failed stanzas": says(func(_ *circle, i int) event.Body {
			return &event.StanzaFailed{Epoch: journal.EpochID(hash("epoch", i))}
		}),
		"forming: named entries": says(named),
		"forming: replacements":  says(func(g *circle, i int) event.Body { return replaced(g, i, []byte("no proof")) }),
		"forming: proposals":     says(func(g *circle, i int) event.Body { return pays(g, chainhash.Hash(hash("coin", i)), 0, int64(i)) }),
		"forming: names, by the founder": says(func(g *circle, i int) event.Body {
			return &event.GroupCreated{Genesis: g.genesis, Name: fmt.Sprint("treasury ", i)}
		}),
		"names, by the founder": says(func(g *circle, i int) event.Body {
			return &event.GroupCreated{Genesis: g.genesis, Name: fmt.Sprint("treasury ", i)}
		}),
		"forming: admissions, by the founder": says(func(_ *circle, i int) event.Body {
			return &event.MemberAdmitted{Identity: journal.NewIdentity(hash("device", i)).Author()}
		}),
		"forming: rosters, by the founder": says(func(g *circle, i int) event.Body {
			return &event.RosterClosed{Records: []journal.EntryID{journal.EntryID(hash("record", 3*i)), journal.EntryID(hash("record", 3*i+1)), journal.EntryID(hash("record", 3*i+2))}}
		}),
		"forming: valid rosters, by the founder": says(func(g *circle, i int) event.Body {
			var ids []journal.EntryID
			for _, c := range g.honest().m.Cosigners() {
				ids = append(ids, c.Record)
			}
			return &event.RosterClosed{Records: ids}
		}),
	}
	maps.Copy(out, deviceKinds())
	return out
}

func hash(what string, i int) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(what), uint64(i)))
}

// fill lets the hostile member write n entries, which the honest one takes.
func (g *circle) fill(k kind, n int) error {
	g.n = n
	for i := range n {
		e, err := k(g, i)
		if err != nil {
			return err
		}
		if err := g.take(e); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return nil
}

func (g *circle) take(e *journal.Entry) error {
	_, err := g.step(g.honest(), coordinator.EntryIn{Entry: e})
	return err
}

// advance puts an entry at the end of the hostile member's chain.
func (g *circle) advance(e *journal.Entry) {
	g.next = journal.Next{Incarnation: g.next.Incarnation, Seq: g.next.Seq + 1, Prev: e.ID()}
}

func (g *circle) seal(plain []byte) (*journal.Entry, error) {
	ep, ok := g.second().m.State.Epoch()
	if !ok {
		return nil, fmt.Errorf("there is no epoch")
	}
	e, err := journal.Seal(g.hostile().self.Identity, ep, g.next, plain, g.nonce())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	g.advance(e)
	return e, nil
}

func (g *circle) write(b event.Body) (*journal.Entry, error) {
	plain, err := event.Encode(event.Event{Time: g.now.UnixMilli(), Body: b})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return g.seal(plain)
}

func says(body func(g *circle, i int) event.Body) kind {
	return func(g *circle, i int) (*journal.Entry, error) { return g.write(body(g, i)) }
}

// about writes of one proposal, which is the first entry.
func about(body func(p journal.EntryID, i int) event.Body) kind {
	var p journal.EntryID
	return func(g *circle, i int) (*journal.Entry, error) {
		if i == 0 {
			e, err := g.write(pays(g, g.coin.Hash, 0, 0))
			if err == nil {
				p = e.ID()
			}
			return e, err
		}
		return g.write(body(p, i))
	}
}

func pays(g *circle, coin chainhash.Hash, vout uint32, less int64) *event.ProposalCreated {
	return &event.ProposalCreated{
		Inputs:  []event.ProposalInput{{TxID: coin, Vout: vout, Amount: 1_000_000, Index: vout}},
		Outputs: []event.ProposalOutput{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 900_000 - less}},
	}
}

func noted(b *event.ProposalCreated, i int) *event.ProposalCreated {
	b.Note = fmt.Sprint("copy ", i)
	return b
}

func expiring(g *circle, i int) event.Body {
	b := pays(g, chainhash.Hash(hash("coin", i)), 0, 0)
	b.Expires = g.now.Unix() + 1_000_000 + int64(i)
	return b
}

func replacing(g *circle, i int) event.Body {
	b := pays(g, g.coin.Hash, 0, int64(i))
	if i > 0 {
		b.Replaces = []chainhash.Hash{chainhash.Hash(hash("replaced", i-1))}
	}
	return b
}

// copiesAndAFork ends with a second entry at the place of the last one.
func copiesAndAFork(g *circle, i int) (*journal.Entry, error) {
	if i == g.n-1 {
		g.next = g.places[i-1]
	}
	g.places = append(g.places, g.next)
	return g.write(noted(pays(g, g.coin.Hash, 0, 0), i))
}

// otherAmounts enters a transaction again and again, each time with another
// amount of its input, and signs some of that.
func otherAmounts() kind {
	var last journal.EntryID
	return func(g *circle, i int) (*journal.Entry, error) {
		if p, ok := g.honest().m.State.Proposal(last); ok && i%10 == 9 {
			return g.sign(p)
		}
		b := pays(g, g.coin.Hash, 0, 0)
		b.Inputs[0].Amount += int64(i)
		e, err := g.write(b)
		if err == nil {
			last = e.ID()
		}
		return e, err
	}
}

// wrong are signatures that are well formed and do not verify.
func wrong(key uint32, n int) []event.PartialSignature {
	// The generator's x coordinate as r, and s = 1.
	der := []byte{0x30, 0x26, 0x02, 0x21, 0x00}
	r := sha256.Sum256([]byte("r"))
	r[0] |= 0x80
	der = append(append(der, r[:]...), 0x02, 0x01, 0x01, 0x01)
	var out []event.PartialSignature
	for i := range n {
		out = append(out, event.PartialSignature{Input: uint32(i), Key: key, Bytes: der})
	}
	return out
}

// repeated signs once, and says it again and again.
func repeated(g *circle, i int) (*journal.Entry, error) {
	if i == 0 {
		return g.write(pays(g, g.coin.Hash, 0, 0))
	}
	ps := g.honest().m.Proposals()
	if i == 1 {
		return g.sign(ps[0])
	}
	return g.sign(ps[len(ps)-1])
}

func (g *circle) sign(p *group.Proposal) (*journal.Entry, error) {
	spend, err := p.Spend(g.honest().m.State.Active())
	if err != nil {
		return nil, fmt.Errorf("derive a transaction: %w", err)
	}
	sigs, err := spend.Sign(g.hostile().account)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	var out []event.PartialSignature
	for _, s := range sigs {
		out = append(out, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	return g.write(&event.SignatureCarried{Proposal: p.ID(), Signatures: out})
}

// valid enters a record that is in order, again and again.
func valid(g *circle, i int) (*journal.Entry, error) {
	b := &event.MemberRecord{Name: "C", SealingKey: g.hostile().self.Sealing.Public(), Key: g.hostile().account.Key().String(), Commitment: hash("salt", i)}
	group, id := g.honest().m.State.Group(), g.hostile().id()
	b.Proof = g.hostile().account.SignHash(journal.H("possession", group[:], id[:], b.SealingKey[:], []byte(b.Key)))
	return g.write(b)
}

func label(of []byte, i int) *event.LabelSet {
	return &event.LabelSet{Target: event.LabelTx, Of: slices.Clone(of), Text: fmt.Sprint("label ", i)}
}

func named(_ *circle, i int) event.Body {
	b := &event.EntriesNamed{}
	for j := range 16 {
		b.Entries = append(b.Entries, journal.EntryID(hash("named", i*16+j)))
	}
	slices.SortFunc(b.Entries, func(x, y journal.EntryID) int { return strings.Compare(string(x[:]), string(y[:])) })
	return b
}

// writeEpoch writes a rekey of an epoch, sealed to some of the members.
func (g *circle) rekey(ep journal.Epoch, to func(int) bool) (*journal.Entry, error) {
	b := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	r, _ := g.honest().m.State.Roster()
	for i, m := range r.Members {
		sealed, err := journal.SealSecret(ep, g.hostile().id(), m.Identity, m.Sealing)
		if err != nil {
			return nil, fmt.Errorf("seal a secret: %w", err)
		}
		if !to(i) {
			sealed[0] ^= 1
		}
		b.Stanzas = append(b.Stanzas, event.Stanza{To: m.Identity, Sealed: sealed})
	}
	plain, err := event.Encode(event.Event{Time: g.now.UnixMilli(), Body: b})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	e, err := journal.SealPlain(g.hostile().self.Identity, g.honest().m.State.Group(), ep.ID(), g.next, plain, g.nonce())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	g.advance(e)
	return e, nil
}

func epochs(g *circle, i int) (*journal.Entry, error) {
	return chainOf(g, i, func(int) bool { return true })
}

// spoiled are epochs of which everybody but their author gets a damaged stanza.
func spoiled(g *circle, i int) (*journal.Entry, error) {
	return chainOf(g, i, func(k int) bool {
		return g.honest().m.State.Active().Members[k].Original == g.hostile().id()
	})
}

// chainOf derives the i-th epoch of a chain anew, so that a kind needs no state.
func chainOf(g *circle, i int, to func(int) bool) (*journal.Entry, error) {
	if i == 0 {
		g.last, _ = g.second().m.State.Epoch()
	}
	g.last = journal.Epoch{Group: g.last.Group, Number: g.last.Number + 1, Parent: g.last.ID(), Secret: hash("secret", i)}
	return g.rekey(g.last, to)
}

// rekeys carry one epoch again and again.
func rekeys(g *circle, i int) (*journal.Entry, error) {
	if i == 0 {
		cur, _ := g.second().m.State.Epoch()
		g.last = journal.Epoch{Group: cur.Group, Number: cur.Number + 1, Parent: cur.ID(), Secret: hash("secret", 0)}
	}
	return g.rekey(g.last, func(int) bool { return true })
}

// unreadable entries are of epochs that nobody else has.
func unreadable(g *circle, i int) (*journal.Entry, error) {
	cur, _ := g.second().m.State.Epoch()
	ep := journal.Epoch{Group: cur.Group, Number: cur.Number + 1, Parent: cur.ID(), Secret: hash("unknown", i)}
	e, err := journal.Seal(g.hostile().self.Identity, ep, g.next, []byte{1}, g.nonce())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	g.advance(e)
	return e, nil
}

func replaced(g *circle, i int, proof []byte) *event.MemberReplaced {
	r, _ := g.honest().m.State.Roster()
	k := slices.IndexFunc(r.Members, func(m group.Member) bool { return m.Original == g.hostile().id() })
	n := hash("device", i)
	return &event.MemberReplaced{Key: uint32(k), Old: g.hostile().id(), New: journal.NewIdentity(n).Author(), Sealing: g.hostile().self.Sealing.Public(), Proof: proof, Consent: make([]byte, 64)}
}

// proven replaces the hostile member's identity, with a proof by its key.
func proven(g *circle, i int) (*journal.Entry, error) {
	b := replaced(g, i, nil)
	c := event.Challenge{Key: b.Key, Old: b.Old}
	self := *g.hostile().self
	self.Identity = journal.NewIdentity(hash("device", i))
	claim, err := c.Claim(self.Identity, self.Sealing.Public(), g.honest().m.State.Group(), g.hostile().key().Prove)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	b.Sealing, b.Proof, b.Consent = claim.Sealing, claim.Proof, claim.Consent
	return g.write(b)
}

// forks writes second entries at half of the places, from the last to the first:
// each is the lowest fork so far.
func forks(g *circle, i int) (*journal.Entry, error) {
	half := g.n / 2
	if i >= half {
		g.next = g.places[max(0, 2*half-1-i)]
	}
	g.places = append(g.places, g.next)
	return g.write(&event.AddressLeased{Index: uint32(i)})
}

// call is something an honest member does.
type call struct {
	what string
	do   func() error
}

// calls are what is measured once n entries are there: steps, and readers of
// one thing. Each is done on the machine as it is after the fill.
func (g *circle) calls(k kind, n int) []call {
	h := g.honest()
	var out []call
	step := func(what string, msg func() coordinator.Message) {
		at := h.m
		try := func() error { // the machine is a value: each call begins where the fill ended
			h.m = at
			m := msg()
			if m == nil {
				return nil
			}
			_, err := g.step(h, m)
			h.m, h.out = at, nil
			return err
		}
		out = append(out, call{what, try})
	}
	for range 40 { // what is done by and by is done
		_, _ = g.step(h, coordinator.Tick{})
	}
	if _, err := g.step(g.second(), coordinator.LeaseAddress{}); err == nil && len(g.second().out) > 0 {
		e := g.second().out[0]
		step("an honest member's entry", func() coordinator.Message { return coordinator.EntryIn{Entry: e} })
	}
	if e, err := k(g, n); err == nil {
		step("one more entry", func() coordinator.Message { return coordinator.EntryIn{Entry: e} })
	}
	active := h.m.State.Active() != nil
	b := g.connected()
	claim := h.m.State.Chains().Frontier()
	step("tick", func() coordinator.Message { return coordinator.Tick{Online: []journal.Author{g.second().id()}} })
	step("claim", func() coordinator.Message {
		return coordinator.ClaimIn{From: g.second().id(), Claim: port.Claim{Frontier: claim}}
	})
	if active {
		step("block", func() coordinator.Message { return b })
	}
	step("address", func() coordinator.Message { return coordinator.LeaseAddress{} })
	step("propose", func() coordinator.Message {
		return coordinator.Propose{Outputs: []event.ProposalOutput{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 50_000}}, FeeRate: 2000,
			Allow: []string{refusal.DoublePayment}}
	})
	read := func(what string, f func()) {
		out = append(out, call{what, func() error { f(); return nil }})
	}
	m := &h.m
	read("alarms", func() { m.Alarms() })
	read("replacements", func() { m.Successions() })
	read("cosigners", func() { m.Cosigners() })
	read("presence", func() { m.Presence(g.now) })
	read("overdue", func() { m.Overdue(g.now) })
	read("wanted", func() { m.Wanted() })
	read("epoch", func() { m.State.Epoch() })
	read("members", func() { m.State.Members() })
	read("label", func() { m.State.Label(event.TxTarget(g.coin.Hash)) })
	read("restored", func() { m.Restored() })
	read("roster", func() { m.State.Roster() })
	read("missing", func() { m.Missing() })
	read("name", func() { m.Name() })
	read("entries", func() { m.State.Entries() })
	read("faults", func() { m.Faults() })
	read("history", func() { m.History(nil, 10, coordinator.Period{}) })
	if ps := m.Proposals(); len(ps) > 0 {
		p := ps[len(ps)-1]
		read("status", func() { m.Status(p, g.now) })
		read("approvals", func() { m.Approvals(p) })
		read("rejections", func() { m.Rejections(p) })
		read("warnings", func() { m.Warn(p, g.now, 0, port.Policy{}) })
		id := p.ID().String()
		read("proposal by id", func() { m.ProposalsBy(id) })
		read("proposal by prefix", func() { m.ProposalsBy(id[:8]) })
	}
	return out
}
