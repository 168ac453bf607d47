package coordinator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// ownTo hands another peer what this one wrote itself, and nothing else.
func (p *peer) ownTo(other *peer) {
	for _, chain := range p.Chains() {
		for _, e := range chain {
			if e.Header().Author == p.id() && !other.m.State.Chains().Has(e.ID()) {
				_, _ = other.do(EntryIn{e})
			}
		}
	}
}

// otherOver is another proposal over the coin, by a.
func otherOver(a *peer, x Propose) journal.EntryID {
	y := withUnsigned(pay(2, 300_000))
	y.Coins = x.Coins
	return a.must(y).(Proposed).Proposal
}

// mustWaitFor fails where a restored node does not say that it waits for one
// entry of a member, or hands out or signs what is over the same coin.
func (p *peer) mustWaitFor(t *testing.T, by *peer, rival journal.EntryID) {
	t.Helper()
	r := p.m.Restored()
	if r == nil || len(r.Unsynced) > 0 || r.Unread != 1 {
		t.Fatalf("restored: %+v", r)
	}
	if len(r.UnreadBy) != 1 || r.UnreadBy[0].Identity != by.id() {
		t.Errorf("it waits for entries by %+v", r.UnreadBy)
	}
	if p.m.hostsAny() {
		_, err := p.do(Export{Proposal: rival})
		mustRefuse(t, err, refusal.Restored)
	}
	_, err := p.do(Approve{Proposal: rival})
	mustRefuse(t, err, refusal.Restored)
}

// What a hosted cosigner signed is in its host's entries as a carried signature: a
// restored host, and a new device in its place, wait for what it is on, though its
// author hides that, and never hand out a rival of it.
func TestARestoredHostLooksForWhatItsGuestSigned(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		name := "restored"
		if replaced {
			name = "a new device"
		}
		t.Run(name, func(t *testing.T) {
			c, d := activeHosting(t, 2, 3)
			a, b, evil := c.peers[0], c.peers[1], c.peers[2]
			x := withUnsigned(pay(1, 400_000))
			x.Coins = c.fund(1_000_000)
			saved := b.backup()
			before := evil.m.State.Chains().Frontier()
			first := evil.must(x).(Proposed).Proposal
			b.pull(evil)
			b.must(Export{Proposal: first})
			b.must(Import{Proposal: first, Signatures: d.signatures(&b.m, first)})
			b.ownTo(a)
			var r *peer
			if replaced {
				r = b.device(19)
				r.takePlace(a, b)
				r.hearClaims(a)
				r.pull(a)
				r.follows()
			} else {
				r = saved.restore()
				r.hearClaims(a)
			}
			r.must(ClaimIn{From: evil.id(), Claim: port.Claim{Frontier: before}})
			c.settle(a, r)
			r.must(Tick{Online: []journal.Author{a.id(), evil.id()}})
			second := otherOver(a, x)
			c.settle(a, r)
			r.mustWaitFor(t, b, second)
			// However long: it is of this node's own line.
			r.m.ticks = waitForOthersTicks
			for range 3 {
				c.clock = c.clock.Add(2 * waitForOthers)
				r.must(Tick{Online: []journal.Author{a.id(), evil.id()}})
			}
			r.mustWaitFor(t, b, second)

			r.pull(evil)
			r.must(Tick{})
			if r.m.Restored() != nil {
				t.Fatalf("it still waits: %+v", r.m.Restored())
			}
			_, err := r.do(Export{Proposal: second})
			mustRefuse(t, err, refusal.SignGuard)
		})
	}
}

// A node may have carried more signatures of a forker than the entries it waits
// for are counted: those that are of others' keys keep it from nothing.
func TestARestoredNodeLooksThroughAllThatItCarried(t *testing.T) {
	c := active(t, 3, 4)
	ins := c.peers[0].coinsOf(c.fund(1_000_000, 2_000_000))
	a, b, evil, other := c.peers[0], c.peers[1], c.peers[2], c.peers[3]
	saved := b.backup()
	before, beforeOther := evil.m.State.Chains().Frontier(), other.m.State.Chains().Frontier()
	next := evil.nextPlace()
	first := *next
	ofOther := other.nextPlace()
	for _, e := range evil.rivalsOf(next, ins[:1], maxCarries, 1) {
		b.must(EntryIn{e})
		if p, ok := b.m.State.Proposal(e.ID()); ok {
			b.must(EntryIn{other.forge(ofOther, &event.ProposalApproved{Proposal: e.ID(), Signatures: other.signedBy(p.Body)})})
		}
	}
	b.must(EntryIn{evil.forge(&first, &event.AddressLeased{Index: 6})})
	b.rest()
	if n := b.carries(); n != maxCarries || n <= group.MaxUnread {
		t.Fatalf("%d carries", n)
	}
	b.ownTo(a)
	r := saved.restore()
	r.hearClaims(a)
	r.must(ClaimIn{From: evil.id(), Claim: port.Claim{Frontier: before}})
	r.must(ClaimIn{From: other.id(), Claim: port.Claim{Frontier: beforeOther}})
	c.settle(a, r)
	for range 5 {
		r.must(Tick{Online: []journal.Author{a.id(), evil.id()}})
	}
	if n := r.carries(); n != maxCarries {
		t.Fatalf("it holds %d carries", n)
	}
	if x := r.m.Restored(); x != nil {
		t.Errorf("it waits for %d entries, none of which is its own approval", x.Unread)
	}
}

// restoredWith has a node restored that holds an entry of another member, and has
// synced with all; it returns a proposal that it could sign.
func restoredWith(t *testing.T, write func(evil *peer) *journal.Entry) (c *circle, r *peer, id journal.EntryID) {
	t.Helper()
	c = active(t, 2, 3)
	c.fund(1_000_000)
	a, z, evil := c.peers[0], c.peers[1], c.peers[2]
	id = a.must(withUnsigned(pay(1, 100_000))).(Proposed).Proposal
	c.settle()
	saved := z.backup()
	a.must(EntryIn{write(evil)})
	r = saved.restore()
	r.follows()
	r.hear(a)
	r.must(ClaimIn{From: evil.id(), Claim: port.Claim{Frontier: a.m.State.Chains().Frontier()}})
	r.must(Tick{Online: []journal.Author{a.id(), evil.id()}})
	r.mustWaitFor(t, evil, id)
	return c, r, id
}

// What another member wrote, and nobody can read, or what it says to bring of this
// node's key for a proposal that nobody has, costs it nothing: it stops a
// restored node for a day, and not for good.
func TestWhatNobodyCanReadStopsARestoredNodeForADay(t *testing.T) {
	for name, write := range map[string]func(evil *peer) *journal.Entry{
		"an epoch that it never handed out": func(evil *peer) *journal.Entry {
			s := &step{m: evil.m, in: evil.input(nil), batch: port.Batch{Group: evil.m.State.Group(), Puts: map[string][]byte{}}}
			plain, err := event.Encode(event.Event{Time: 1, Body: &event.AddressLeased{Index: 1}})
			if err != nil {
				evil.tb.Fatal(err)
			}
			e, err := journal.Seal(evil.self.Identity, s.newEpoch(), *evil.nextPlace(), plain, [24]byte{5})
			if err != nil {
				evil.tb.Fatal(err)
			}
			return e
		},
		"a signature on what is not there": func(evil *peer) *journal.Entry {
			z := evil.circle.peers[1]
			k, _ := evil.m.State.Active().Index(z.id())
			return evil.forge(evil.nextPlace(), &event.SignatureCarried{Proposal: journal.EntryID{7}, Signatures: []event.PartialSignature{
				{Key: uint32(k), Bytes: make([]byte, 71)},
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, r, id := restoredWith(t, write)
			a, evil := c.peers[0], c.peers[2]
			tick := func() { r.must(Tick{Online: []journal.Author{a.id(), evil.id()}}) }
			r.m.ticks = waitForOthersTicks
			c.clock = c.clock.Add(waitForOthers - time.Minute)
			tick()
			r.mustWaitFor(t, evil, id)
			// One that was off in between is told first what there is to tell.
			c.clock = c.clock.Add(time.Hour)
			r.crash()
			tick()
			r.mustWaitFor(t, evil, id)

			r.m.ticks = waitForOthersTicks
			r.told = nil
			tick()
			if x := r.m.Restored(); x != nil {
				t.Fatalf("it still waits: %+v", x)
			}
			if !slices.ContainsFunc(r.told, func(n port.Notice) bool {
				return n.Type == "wallet" && strings.Contains(n.Detail, r.m.called(evil.id()))
			}) {
				t.Errorf("told: %+v", r.told)
			}
			r.must(Approve{Proposal: id})
		})
	}
}

// A proposal that was unreadable when the wait for it ended counts as one that
// this node's key may have signed, once it is read.
func TestWhatIsReadAfterTheWaitMayHaveBeenSigned(t *testing.T) {
	var ep journal.Epoch
	var rival *event.ProposalCreated
	c, r, id := restoredWith(t, func(evil *peer) *journal.Entry {
		s := &step{m: evil.m, in: evil.input(nil), batch: port.Batch{Group: evil.m.State.Group(), Puts: map[string][]byte{}}}
		ep = s.newEpoch()
		for p := range evil.m.State.AllProposals {
			b := *p.Body
			b.Outputs = slices.Clone(b.Outputs)
			b.Outputs[0].Amount--
			rival = &b
		}
		plain, err := event.Encode(event.Event{Time: evil.clock.AddDate(1, 0, 0).UnixMilli(), Body: rival})
		if err != nil {
			evil.tb.Fatal(err)
		}
		e, err := journal.Seal(evil.self.Identity, ep, *evil.nextPlace(), plain, [24]byte{5})
		if err != nil {
			evil.tb.Fatal(err)
		}
		return e
	})
	r.m.ticks = waitForOthersTicks
	c.clock = c.clock.Add(waitForOthers + time.Minute)
	r.must(Tick{})
	if r.m.Restored() != nil {
		t.Fatalf("it still waits: %+v", r.m.Restored())
	}
	r.must(EntryIn{c.peers[0].rekey(ep, []*peer{r}, nil)}) // the secret comes
	r.must(Tick{})
	if n := r.m.State.Counts()["proposals"]; n != 2 {
		t.Fatalf("%d proposals", n)
	}
	_, err := r.do(Approve{Proposal: id})
	mustRefuse(t, err, refusal.MaybeSigned)
}
