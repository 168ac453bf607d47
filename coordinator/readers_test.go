package coordinator

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// TestEveryReaderReturns has members write events of every kind with every field
// at its bounds, in pairs and more, and calls every reader of every machine, and
// the commands that rest on them. What is loaded again says the same.
func TestEveryReaderReturns(t *testing.T) {
	base := active(t, 2, 3)
	coins := base.fund(1_000_000, 700_000)
	rapid.Check(t, func(rt *rapid.T) {
		hostileEvents(t, rt, base, &event.ProposalInput{TxID: coins[0].Hash, Amount: 1_000_000})
	})
}

// FuzzReaders is TestEveryReaderReturns with bytes that a fuzzer chooses.
func FuzzReaders(f *testing.F) {
	base := active(f, 2, 3)
	coins := base.fund(1_000_000, 700_000)
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Fuzz(func(t *testing.T, b []byte) {
		rapid.MakeFuzz(func(rt *rapid.T) {
			hostileEvents(t, rt, base, &event.ProposalInput{TxID: coins[0].Hash, Amount: 1_000_000})
		})(t, b)
	})
}

// TestAReplacementOfAKeyThatIsNotThereIsInert: a wallet of three has no key 19.
func TestAReplacementOfAKeyThatIsNotThereIsInert(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[2]
	for _, k := range []uint32{3, 19} {
		if _, err := evil.wild(&event.MemberReplaced{Key: k, Old: journal.Author{1}, New: journal.Author{2}, Consent: make([]byte, 64)}); err != nil {
			t.Fatal(err)
		}
	}
	c.settle()
	check := func(when string) {
		t.Helper()
		callReaders(t, a)
		if n := a.m.Faults()[evil.id()]["bad_replacement"]; n != 2 {
			t.Errorf("%s: %d bad replacements count against their author, want 2", when, n)
		}
		if a.m.State.SuccessionCount() != 0 || a.m.State.Active().Changed() {
			t.Errorf("%s: a replacement without effect is kept where readers look", when)
		}
		if _, err := a.do(ApproveSuccession{}); ruleOf(err) != refusal.NoRival {
			t.Errorf("%s: approve-replacement: %v", when, err)
		}
	}
	check("at once")
	if _, err := evil.wild(&event.RosterRevealed{}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	check("after an event of the set-up")
	a.crash()
	check("after a restart")
}

// hostile draws events of members who keep to no rule but the encoding's.
type hostile struct {
	rt      *rapid.T
	c       *circle
	coin    *event.ProposalInput
	devices []*peer
	ids     []journal.EntryID
	authors []journal.Author
	votes   [][32]byte
}

func newHostile(rt *rapid.T, c *circle, coin *event.ProposalInput) *hostile {
	h := &hostile{rt: rt, c: c, coin: coin, ids: []journal.EntryID{{1}}, authors: []journal.Author{{}, {1}, {2}}, votes: [][32]byte{{9}}}
	for i, p := range c.peers {
		p.Careless = true
		h.authors = append(h.authors, p.id())
		h.devices = append(h.devices, p.stranger(byte(40+i)))
	}
	return h
}

func (h *hostile) n(most int) int            { return rapid.IntRange(0, most).Draw(h.rt, "n") }
func (h *hostile) yes() bool                 { return rapid.Bool().Draw(h.rt, "yes") }
func (h *hostile) id() journal.EntryID       { return rapid.SampledFrom(h.ids).Draw(h.rt, "id") }
func (h *hostile) author() journal.Author    { return rapid.SampledFrom(h.authors).Draw(h.rt, "author") }
func (h *hostile) bytes(least, n int) []byte { return make([]byte, least+h.n(n)) }

func (h *hostile) u32() uint32 {
	return rapid.SampledFrom([]uint32{0, 1, 2, 3, 5, 19, 20, 21, 119, 999, 1<<31 - 1, 1<<32 - 1}).Draw(h.rt, "u32")
}

func (h *hostile) seq() uint64 {
	return rapid.SampledFrom([]uint64{1, 2, 9, 10, 11, 12, 40, journal.MaxSeq}).Draw(h.rt, "seq")
}

func (h *hostile) entries(most int) []journal.EntryID {
	var out []journal.EntryID
	seen := map[journal.EntryID]bool{}
	for range 1 + h.n(most) {
		if id := h.id(); !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

func (h *hostile) signatures() []event.PartialSignature {
	x := event.PartialSignature{Input: rapid.SampledFrom([]uint32{0, 1, 999}).Draw(h.rt, "input"), Key: uint32(h.n(19)), Bytes: h.bytes(9, 64)}
	return []event.PartialSignature{x}
}

// body draws an event of any kind.
func (h *hostile) body() event.Body {
	peers := h.c.peers
	switch kind := rapid.SampledFrom(everyKind()).Draw(h.rt, "kind"); kind {
	case event.KindGroupCreated:
		return &event.GroupCreated{Genesis: peers[0].m.local.Genesis, Name: "x"}
	case event.KindMemberAdmitted:
		return &event.MemberAdmitted{Identity: h.author()}
	case event.KindMemberRecord:
		return &event.MemberRecord{Name: "n", Key: peers[h.n(2)].account.Key().String(), How: event.ProofKind(h.n(4)), Hosted: h.yes(), Proof: h.bytes(0, 73)}
	case event.KindRosterClosed:
		return &event.RosterClosed{Records: h.entries(4)}
	case event.KindRosterRevealed:
		return &event.RosterRevealed{Roster: h.id()}
	case event.KindRosterRatified:
		b := &event.RosterRatified{Hash: peers[0].m.State.Pinned()}
		if h.yes() {
			id := h.id()
			b.Record = &id
		}
		return b
	case event.KindGroupAbandoned:
		return &event.GroupAbandoned{}
	case event.KindEpochRotated:
		return &event.EpochRotated{Number: h.seq(), Stanzas: []event.Stanza{{To: h.author(), Sealed: h.bytes(1, 90)}}}
	case event.KindStanzaFailed:
		return &event.StanzaFailed{Epoch: journal.EpochID{byte(h.n(2))}}
	case event.KindIncarnationStarted:
		return &event.IncarnationStarted{Seq: h.seq(), Last: h.id()}
	case event.KindEntriesNamed:
		return &event.EntriesNamed{Entries: h.entries(5)}
	case event.KindMemberReplaced:
		return h.replacement()
	case event.KindReplacementApproved:
		return &event.ReplacementApproved{Replacement: rapid.SampledFrom(h.votes).Draw(h.rt, "replacement")}
	case event.KindAddressLeased:
		return &event.AddressLeased{Index: h.u32() & (1<<31 - 1)}
	case event.KindProposalCreated:
		return h.proposal()
	case event.KindProposalApproved:
		return &event.ProposalApproved{Proposal: h.id(), Signatures: h.signatures()}
	case event.KindProposalRejected:
		return &event.ProposalRejected{Proposal: h.id(), Reason: "r"}
	case event.KindRejectionWithdrawn:
		return &event.RejectionWithdrawn{Proposal: h.id()}
	case event.KindProposalWithdrawn:
		return &event.ProposalWithdrawn{Proposal: h.id()}
	case event.KindSignatureCarried:
		return &event.SignatureCarried{Proposal: h.id(), Signatures: h.signatures()}
	case event.KindNodeFeatures:
		return &event.NodeFeatures{Kinds: []uint64{uint64(h.n(9)), uint64(10 + h.n(9))}}
	case event.KindProposalCommented:
		return &event.ProposalCommented{Proposal: h.id(), Text: "c"}
	case event.KindLabelSet:
		k := event.LabelKind(1 + h.n(2))
		n := map[event.LabelKind]int{event.LabelTx: 32, event.LabelAddress: 4 + h.n(38), event.LabelOutput: 36}[k]
		return &event.LabelSet{Target: k, Of: make([]byte, n), Text: "l"}
	case event.KindCoinFrozen:
		coin := event.OutputTarget(h.coin.OutPoint()).Bytes()
		if h.yes() {
			coin = make([]byte, 36)
		}
		return &event.CoinFrozen{Coin: coin, Frozen: h.yes(), Note: "f"}
	case event.KindGroupFrozen:
		return &event.GroupFrozen{Reason: "f"}
	case event.KindFreezeLifted:
		ids := h.entries(5)
		slices.SortFunc(ids, compareIDs)
		return &event.FreezeLifted{Freezes: ids, Height: h.u32() & (1<<31 - 1)}
	case event.KindPingAsked:
		return &event.PingAsked{}
	case event.KindPingAnswered:
		return &event.PingAnswered{Round: h.id(), Key: uint32(h.n(19)), How: event.ProofKind(h.n(3)), Proof: h.bytes(1, 72)}
	case event.KindPolicyProposed:
		return h.policy()
	case event.KindPolicyApproved:
		return &event.PolicyApproved{Version: h.version()}
	case event.KindPolicyObjected:
		return &event.PolicyObjected{Version: h.version()}
	case event.KindPolicyAnchored:
		return &event.PolicyAnchored{Version: h.version(), Votes: ascending(h.entries(3)), Height: int64(h.n(9)), Time: int64(h.n(9))}
	case event.KindPolicyAdopted:
		return &event.PolicyAdopted{Version: h.version(), Median: int64(h.n(9))}
	case event.KindRobotVerdict:
		return &event.RobotVerdict{Proposal: h.id(), Outcome: uint64(1 + h.n(3)), Rule: uint64(h.n(3)), Step: uint64(h.n(3)), Reasons: []string{"x"}, Policy: h.version(), Now: int64(h.n(9))}
	case event.KindBudgetReserved:
		return &event.BudgetReserved{Proposal: h.id(), Policy: h.version(), Meters: []uint64{uint64(h.n(3))}}
	case event.KindBudgetGranted:
		return &event.BudgetGranted{Reservation: h.id()}
	case event.KindBudgetReleased:
		return &event.BudgetReleased{Reservation: h.id()}
	default:
		h.rt.Fatalf("no hostile event of kind %d", kind)
		return nil
	}
}

func ascending(ids []journal.EntryID) []journal.EntryID {
	slices.SortFunc(ids, func(a, b journal.EntryID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// policy is one of a few, in the place of another one or of none.
func (h *hostile) policy() *event.PolicyProposed {
	b := &event.PolicyProposed{Bytes: h.bytes(1, 2)}
	if h.yes() {
		b.Parents = []event.PolicyVersion{h.version()}
	}
	return b
}

func (h *hostile) version() event.PolicyVersion {
	b := &event.PolicyProposed{Bytes: h.bytes(1, 2)}
	if h.yes() {
		b.Parents = []event.PolicyVersion{(&event.PolicyProposed{Bytes: make([]byte, 1)}).Version(h.c.peers[0].m.State.Group())}
	}
	return b.Version(h.c.peers[0].m.State.Group())
}

func (h *hostile) replacement() *event.MemberReplaced {
	b := &event.MemberReplaced{Key: uint32(h.n(event.MaxCosigners - 1)), Old: h.author(), New: h.author(), Sealing: h.c.peers[0].self.Sealing.Public(), Consent: make([]byte, 64)}
	if h.n(3) > 0 {
		// One that its key proves: of a member, or of a device of one.
		d := h.devices[h.n(2)]
		all := append(h.c.peers[:len(h.c.peers):len(h.c.peers)], h.devices...)
		b = d.replacing(rapid.SampledFrom(all).Draw(h.rt, "old"), h.n(12))
	}
	h.votes = append(h.votes, b.ID(h.c.peers[0].m.State.Group()))
	return b
}

func (h *hostile) proposal() *event.ProposalCreated {
	b := &event.ProposalCreated{Expires: int64(h.n(1)) * 1_900_000_000, LockTime: h.u32()}
	amount := func() int64 {
		return rapid.SampledFrom([]int64{1, 546, 100_000, 1_000_000, event.MaxMoney}).Draw(h.rt, "amount")
	}
	for n := range 1 + h.n(2) {
		in := event.ProposalInput{Amount: amount(), Branch: uint32(h.n(1)), Index: h.u32() & (1<<31 - 1), Vout: uint32(n)}
		if h.yes() {
			in = *h.coin
			in.Vout = uint32(n)
		}
		b.Inputs = append(b.Inputs, in)
	}
	for range 1 + h.n(2) {
		o := event.ProposalOutput{PkScript: h.bytes(1, 40), Amount: 600}
		if h.n(3) == 0 {
			i := h.u32() & (1<<31 - 1)
			o.PkScript, o.Change = nil, &i
		}
		b.Outputs = append(b.Outputs, o)
	}
	for p := range h.c.peers[0].m.State.AllProposals {
		if len(b.Replaces) < 3 && h.yes() {
			b.Replaces = append(b.Replaces, p.TxID)
		}
	}
	return b
}

// everyKind lists the kinds of events there are.
func everyKind() []event.Kind {
	var out []event.Kind
	for k := event.Kind(0); k < 64; k++ {
		if event.NewBody(k) != nil {
			out = append(out, k)
		}
	}
	return out
}

// write lets a member write an event, if it may write at all and the event has
// a valid encoding.
func (h *hostile) write() {
	all := append(h.c.peers[:len(h.c.peers):len(h.c.peers)], h.devices...)
	p := rapid.SampledFrom(all).Draw(h.rt, "writer")
	before := p.m
	if e, err := p.wildAny(h.body()); err == nil {
		h.ids = append(h.ids, e.ID())
	}
	if h.n(7) == 0 {
		p.m = before // it forks with the next one
	}
}

// wildAny is wild for any body, a rekey too, and for an incarnation at its start.
func (p *peer) wildAny(b event.Body) (*journal.Entry, error) {
	s := &step{m: p.m, in: p.input(nil), batch: port.Batch{Group: p.m.State.Group(), Puts: map[string][]byte{}}}
	switch x := b.(type) {
	case *event.EpochRotated:
		return p.wildRekey(s, x)
	case *event.IncarnationStarted:
		if p.m.local.Incarnation < 3 {
			p.m.local.Incarnation++
		}
	}
	return p.wild(b)
}

func (p *peer) wildRekey(s *step, x *event.EpochRotated) (*journal.Entry, error) {
	plain, err := event.Encode(event.Event{Time: 1, Body: x})
	if err != nil {
		return nil, err
	}
	next, err := s.next()
	if err != nil {
		return nil, err
	}
	e, err := journal.SealPlain(p.self.Identity, p.m.State.Group(), s.newEpoch().ID(), next, plain, s.nonce())
	if err != nil {
		return nil, err
	}
	if err := s.append(e); err != nil {
		return nil, err
	}
	p.m = s.m
	p.Held[e.ID()] = e
	return e, nil
}

func hostileEvents(tb testing.TB, rt *rapid.T, base *circle, coin *event.ProposalInput) {
	c := base.clone(tb)
	h := newHostile(rt, c, coin)
	for range 2 + h.n(18) {
		h.write()
		if h.n(3) == 0 {
			c.settle()
		}
	}
	for _, d := range h.devices {
		c.settle(append(c.peers[:len(c.peers):len(c.peers)], d)...)
	}
	for _, p := range c.peers {
		callReaders(rt, p)
		p.must(Tick{Online: h.authors})
		_, _ = p.do(ApproveSuccession{Succession: rapid.SampledFrom(h.votes).Draw(rt, "replacement")})
		_, _ = p.do(Approve{Proposal: h.id(), Allow: []string{refusal.DoublePayment, refusal.Restored}})
		_, _ = p.do(Reject{Proposal: h.id()})
		_, _ = p.do(Withdraw{Proposal: h.id()})
		_, _ = p.do(Export{Proposal: h.id()})
		_, _ = p.do(LeaseAddress{})
		_, _ = p.do(Ping{Allow: []string{refusal.Outdated}})
		_, _ = p.do(AnswerPing{Round: h.id()})
		_, _ = p.do(Lift{Freezes: []journal.EntryID{h.id()}, Allow: []string{refusal.Outdated}})
		_, _ = p.do(pay(1, 10_000))
	}
}

// callReaders calls everything that a client of a machine can ask.
func callReaders(tb fatal, p *peer) {
	m, now := &p.m, *p.clock
	m.Name()
	m.Phase()
	m.Missing()
	m.Cosigners()
	m.Successions()
	m.Alarms()
	m.Restored()
	m.Faults()
	m.Wanted()
	m.External()
	m.AwaitsProof()
	m.AwaitingHosted()
	m.State.Labels()
	m.State.Inert()
	m.State.Members()
	m.State.Topics()
	m.State.Epoch()
	m.State.Roster()
	Coins(m.State, m.View, now)
	m.Presence(now)
	m.AlarmsAt(now)
	m.State.GroupFreezes(m.View.Tip().Height)
	m.Overdue(now)
	m.Unanswered(now)
	for _, a := range m.State.Members() {
		m.MemberName(a)
		m.Holds(a)
	}
	for _, l := range allSaid[*event.AddressLeased](p) {
		m.LeasedBy(l.body.Index)
	}
	m.History(nil, 100, Period{})
	for _, l := range m.State.Labels() {
		m.Labelled(l.Target)
		m.State.Label(l.Target)
	}
	for _, q := range m.Proposals() {
		m.Status(q, now)
		m.Alive(q)
		m.Conflicts(q)
		m.Replaces(q)
		m.ReplacedBy(q)
		m.Approvals(q)
		m.Rejections(q)
		m.HeldBy(q)
		m.Warn(q, now, 0, port.Policy{})
		_, _ = m.Tx(q)
		for _, version := range []int{0, 2} {
			_, _, _ = m.PSBT(q, version)
		}
	}
	if _, err := m.State.Digest(); err != nil {
		tb.Fatalf("%s: digest: %v", p.name, err)
	}
	live := canon(m.State)
	if again := canon(throughSnapshot(tb, p, m.State)); again != live {
		tb.Fatalf("%s: the snapshot says something else:\n%s", p.name, diff(live, again))
	}
	again, err := Load(p.tb.Context(), &p.Disk, p.self, m.State.Group())
	if err != nil {
		tb.Fatalf("%s: load: %v", p.name, err)
	}
	if x, y := mustDigest(tb, m.State), mustDigest(tb, again.State); x.Entries != y.Entries {
		return // a test made it write two entries of one place: its store holds more than its machine
	}
	if got := canon(again.State); got != live {
		tb.Fatalf("%s: what was loaded says something else:\n%s", p.name, diff(live, got))
	}
}

// fatal is what a test or a property fails with.
type fatal interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func mustDigest(tb fatal, s group.State) group.Digest {
	d, err := s.Digest()
	if err != nil {
		tb.Fatal(fmt.Errorf("digest: %w", err))
	}
	return d
}

func compareIDs(a, b journal.EntryID) int { return bytes.Compare(a[:], b[:]) }
