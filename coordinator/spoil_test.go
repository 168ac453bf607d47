package coordinator

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// epochAfter is an epoch of a member's own making.
func (p *peer) epochAfter(parent journal.Epoch) journal.Epoch {
	p.drawn++
	ep := journal.Epoch{Group: p.m.State.Group(), Number: parent.Number + 1, Parent: parent.ID()}
	copy(ep.Secret[:], p.name)
	binary.BigEndian.PutUint64(ep.Secret[24:], p.drawn)
	return ep
}

// rekey is an entry that seals an epoch to members, with stanzas that do not
// open for some. It is added to the peer's chain without a step.
func (p *peer) rekey(ep journal.Epoch, to, spoiled []*peer) *journal.Entry {
	p.tb.Helper()
	body := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for _, m := range to {
		sealed, err := journal.SealSecret(ep, p.id(), m.id(), m.self.Sealing.Public())
		if err != nil {
			p.tb.Fatal(err)
		}
		if slices.Contains(spoiled, m) {
			sealed[0]++
		}
		body.Stanzas = append(body.Stanzas, event.Stanza{To: m.id(), Sealed: sealed})
	}
	plain, err := event.Encode(event.Event{Time: p.clock.UnixMilli(), Body: body})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.drawn++
	e, err := journal.SealPlain(p.self.Identity, p.m.State.Group(), ep.ID(), p.m.State.Chains().Next(p.chain()), plain, [24]byte{byte(p.drawn), byte(p.drawn >> 8)})
	if err != nil {
		p.tb.Fatal(err)
	}
	if p.m.State, err = linked(p.m.State, e); err != nil {
		p.tb.Fatal(err)
	}
	p.Held[e.ID()] = e
	return e
}

func (p *peer) chain() journal.ChainKey {
	return journal.ChainKey{Author: p.id(), Incarnation: p.m.local.Incarnation}
}

// spoil writes a chain of n epochs that do not open for some, after the one that
// the peer writes under.
func (p *peer) spoil(n int, all []*peer, victims ...*peer) []*journal.Entry {
	last, _ := p.m.State.Epoch()
	if p.spoiled.Number > 0 {
		last = p.spoiled
	}
	var out []*journal.Entry
	for range n {
		last = p.epochAfter(last)
		out = append(out, p.rekey(last, all, victims))
	}
	p.spoiled = last
	return out
}

// twoMinutes lets that pass among peers that are connected.
func (c *circle) twoMinutes(among ...*peer) {
	var online []journal.Author
	for _, p := range among {
		online = append(online, p.id())
	}
	for range 60 {
		c.clock = c.clock.Add(2 * time.Second)
		for _, p := range among {
			p.must(Tick{Online: online})
		}
		c.settle(among...)
	}
}

// reads fails where an honest member cannot read what another one wrote, where
// one writes under an epoch that the members do not share, or where they cannot spend.
func (c *circle) reads(honest ...*peer) {
	c.tb.Helper()
	for _, p := range honest {
		for _, o := range honest {
			if ids := p.m.State.Unread(o.id()); len(ids) > 0 {
				c.tb.Fatalf("%s cannot read %v of %s, another honest member", p.name, ids, o.name)
			}
		}
		if _, ok := p.m.State.Fitting(); !ok {
			c.tb.Fatalf("%s writes under the first epoch", p.name)
		}
	}
	x := pay(1, 1000+int64(c.clock.Unix()%1000))
	x.Allow = []string{refusal.DoublePayment}
	id := honest[0].must(x).(Proposed).Proposal
	c.settle(honest...)
	for _, p := range honest[1:] {
		p.must(Approve{Proposal: id, Allow: []string{refusal.DoublePayment}})
	}
	c.settle(honest...)
	for _, p := range honest {
		if got := p.status(id); got != group.StatusFinal {
			c.tb.Fatalf("%s: %s", p.name, got)
		}
	}
}

// written counts the entries of a peer's own.
func (p *peer) written() int { return int(p.m.State.Chains().Frontier()[p.chain()].Seq) }

// Invariant: every honest member can read what any honest member writes under,
// within two minutes, however often it was spoiled.
func TestASpoilerLocksNobodyOut(t *testing.T) {
	slow(t)
	for _, n := range []int{1, 10, group.MaxStanzas, group.MaxStanzas + 1, 600} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := active(t, 2, 3)
			c.fund(1_000_000, 1_000_000)
			a, b, evil := c.peers[0], c.peers[1], c.peers[2]
			before := b.written()
			for i, e := range evil.spoil(n, c.peers, b) {
				a.must(EntryIn{e})
				b.must(EntryIn{e})
				if i%4 == 0 {
					b.pass(a)
					a.pass(b)
				}
			}
			c.settle(a, b)
			c.twoMinutes(a, b)
			c.reads(a, b)
			// It is answered as often as it takes, and then not obeyed.
			if got := b.written() - before; got > 24 {
				t.Errorf("b wrote %d entries", got)
			}
			if st := a.m.State; n > 8 && st.MayRekey(evil.id()) {
				t.Error("the spoiler is still obeyed")
			}
		})
	}
}

// The victim is away while the others write under each of the spoiled epochs.
func TestASpoilerLocksNobodyOutWhoWasAway(t *testing.T) {
	slow(t)
	c := active(t, 2, 5)
	c.fund(1_000_000, 1_000_000)
	a, b, hostile := c.peers[0], c.peers[1], c.peers[2:] // who work together
	used, made := map[journal.EpochID]bool{}, map[*peer][]*journal.Entry{}
	for range group.MaxStanzas + 20 {
		for _, p := range hostile {
			cur, _ := a.m.State.Epoch()
			p.spoiled = cur
			e := p.spoil(1, c.peers, b)[0]
			a.must(EntryIn{e})
			made[p] = append(made[p], e)
			if _, err := a.wild(&event.AddressLeased{Index: 1}); err != nil {
				t.Fatal(err)
			}
			ep, _ := a.m.State.Epoch()
			used[ep.ID()] = true
		}
	}
	if len(used) != 3*group.MaxStanzas {
		t.Fatalf("a wrote under %d epochs", len(used))
	}
	// They are known to spoil before b hears of most of what a wrote under.
	for _, p := range hostile {
		for _, e := range p.Chains() {
			for _, e := range e {
				if e.Chain() == p.chain() && !b.m.State.Chains().Has(e.ID()) && (e.Header().Suite != 0 || slices.Index(made[p], e) < 10) {
					_, _ = b.do(EntryIn{e})
				}
			}
		}
	}
	for range 3 {
		a.pass(b)
		b.pass(a)
	}
	for _, p := range hostile {
		if b.m.State.MayRekey(p.id()) {
			t.Fatalf("%s is still obeyed", p.name)
		}
	}
	c.settle(a, b)
	c.twoMinutes(a, b)
	c.reads(a, b)
	// They go on.
	for range 3 {
		for _, p := range hostile {
			for _, e := range p.spoil(20, c.peers, a) {
				a.must(EntryIn{e})
				b.must(EntryIn{e})
			}
		}
		c.settle(a, b)
		c.twoMinutes(a, b)
		c.reads(a, b)
	}
}

// Of two members each lacks what the other one writes under, so what they ask
// must not be sealed under that.
func TestTwoWhoLackEachOthersEpochMeet(t *testing.T) {
	c := active(t, 2, 4)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	last, _ := evil.m.State.Epoch()
	one, two := evil.epochAfter(last), c.peers[3].epochAfter(last)
	friend := c.peers[3]
	x, y := evil.rekey(one, c.peers, []*peer{a}), friend.rekey(two, c.peers, []*peer{b})
	a.must(EntryIn{y}) // each first gets the one that it can read
	b.must(EntryIn{x})
	ea, _ := a.m.State.Epoch()
	eb, _ := b.m.State.Epoch()
	a.must(EntryIn{x})
	b.must(EntryIn{y})
	if ea.ID() != two.ID() || eb.ID() != one.ID() {
		t.Fatal("the attack is not set up")
	}
	c.settle(a, b)
	c.twoMinutes(a, b)
	c.reads(a, b)
}

// Who says of honest epochs that they do not open has others rekey at worst: the
// group keeps an epoch that all read, and a new device of whomever begins anew.
func TestFramingEndsNoEpoch(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000, 1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	frame := func(by *peer) {
		for range group.MaxSpoiled {
			by.must(Rekey{})
			ep, _ := by.m.State.Epoch()
			c.settle()
			if _, err := evil.wild(&event.StanzaFailed{Epoch: ep.ID()}); err != nil {
				t.Fatal(err)
			}
			c.settle()
		}
	}
	frame(a)
	_, err := a.do(Rekey{})
	mustRefuse(t, err, refusal.Rekey)
	c.reads(a, b)
	// The founder made the first epoch, b none.
	ep, _ := b.m.State.Epoch()
	b.must(Rekey{})
	c.settle()
	if now, _ := a.m.State.Epoch(); now.Number != ep.Number+1 {
		t.Fatalf("epoch %d after %d", now.Number, ep.Number)
	}
	frame(b)
	_, err = b.do(Rekey{})
	mustRefuse(t, err, refusal.Rekey)
	a.must(Tick{Online: []journal.Author{a.id()}}) // it says which kinds of entries it knows
	cur, _ := a.m.State.Epoch()
	written := a.written()
	c.clock = c.clock.Add(2 * epochAge)
	c.twoMinutes(a, b)
	if now, _ := a.m.State.Epoch(); now != cur || a.written() != written {
		t.Errorf("epoch %d after %d, %d entries more", now.Number, cur.Number, a.written()-written)
	}
	c.reads(a, b)
	a.must(Tick{Online: []journal.Author{a.id()}})
	d := b.device(9)
	d.takePlace(a, b)
	c.settle(a)
	d.hear(a, evil)
	c.settle(a, d)
	ep, ok := a.m.State.Fitting()
	if !ok || ep.ID() == cur.ID() || !a.m.State.MayRekey(a.id()) {
		t.Errorf("no new epoch with a new device: %v, epoch %d", ok, ep.Number)
	}
}

// What counts are the first rekeys in the order of the author's chain.
func TestTheFirstRekeysCount(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	es := evil.spoil(group.MaxStanzas+30, c.peers)
	for _, e := range es {
		a.must(EntryIn{e})
	}
	last, _ := a.m.State.Epoch()
	if last.ID() != es[group.MaxStanzas-1].Header().Epoch {
		t.Fatalf("a writes under epoch %d", last.Number)
	}
	if a.m.State.MayRekey(evil.id()) {
		t.Error("its next one would count")
	}
	// A 256th from nowhere, and one past the bound, make no next number impossible.
	a.must(Rekey{})
	if now, _ := a.m.State.Epoch(); now.Number != last.Number+1 {
		t.Errorf("epoch %d after %d", now.Number, last.Number)
	}
}

// An author's account is used up by what it spoils, not by what others do.
func TestOneWhoSpoilsUsesUpItsOwnAccount(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	// Private epochs of evil's, each with an entry of its own that b cannot read.
	secret := func(n int, write bool) {
		for range n {
			ep := evil.epochAfter(evil.spoiled)
			evil.spoiled = journal.Epoch{}
			es := []*journal.Entry{evil.rekey(ep, []*peer{a}, nil)}
			if write {
				es = append(es, evil.sealed(ep, &event.AddressLeased{Index: 3}))
			}
			for _, e := range es {
				a.must(EntryIn{e})
				b.must(EntryIn{e})
			}
		}
	}
	secret(group.MaxStanzas+40, true)
	c.settle(a, b)
	c.twoMinutes(a, b)
	if n := b.m.State.Counts()["failures"]; n != group.MaxStanzas { // all are of evil's epochs
		t.Errorf("b asked for %d epochs on the account of one who spoils, want %d", n, group.MaxStanzas)
	}
	if n := a.m.State.UnreadCount() + b.m.State.UnreadCount(); n != 40 {
		t.Errorf("%d entries stay unreadable, want 40", n)
	}
	// a signs what is sealed under another of them: b reads that, too.
	ep := evil.epochAfter(evil.spoiled)
	d := draftFor(a, pay(1, 100_000))
	r, p := evil.rekey(ep, []*peer{a}, nil), evil.sealed(ep, d)
	for _, to := range []*peer{a, b} {
		to.must(EntryIn{r})
		to.must(EntryIn{p})
	}
	c.settle(a, b)
	if _, ok := b.m.State.Proposal(p.ID()); ok {
		t.Fatal("the attack is not set up")
	}
	a.must(Approve{Proposal: p.ID()})
	c.settle(a, b)
	if _, ok := b.m.State.Proposal(p.ID()); !ok {
		t.Error("b cannot read what a signed")
	}
}

// draftFor is a proposal as a peer would make it, not entered.
func draftFor(p *peer, x Propose) *event.ProposalCreated {
	x.Unsigned = true
	q := *p
	q.Held = map[journal.EntryID]*journal.Entry{}
	q.Kept = map[string][]byte{}
	id := q.must(x).(Proposed).Proposal
	d := draftOf(&q, id)
	return &d
}

// sealed is an entry under an epoch of the peer's choice, in its chain.
func (p *peer) sealed(ep journal.Epoch, body event.Body) *journal.Entry {
	p.tb.Helper()
	plain, err := event.Encode(event.Event{Time: p.clock.UnixMilli(), Body: body})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.drawn++
	e, err := journal.Seal(p.self.Identity, ep, p.m.State.Chains().Next(p.chain()), plain, [24]byte{byte(p.drawn), byte(p.drawn >> 8), 1})
	if err != nil {
		p.tb.Fatal(err)
	}
	if p.m.State, err = linked(p.m.State, e); err != nil {
		p.tb.Fatal(err)
	}
	p.Held[e.ID()] = e
	return e
}
