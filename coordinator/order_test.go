package coordinator

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// canon writes down everything a State says, so that two can be compared: what a
// snapshot holds, line by line; what is derived from that; and the digest, which
// is over both.
func canon(s group.State) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, k := range sortedFrontier(s.Chains().Frontier()) {
		line("frontier %s", k)
	}
	for _, f := range s.Chains().Forks() {
		line("fork %v %d %s %s", f.Chain, f.Seq, f.A, f.B)
	}
	line("name %q by now %q active %v roster %x", s.Name(), s.Renamed(), s.Active() != nil, s.Pinned())
	for field, facts := range heldIn(s) {
		for _, f := range facts {
			line("snapshot %d %x %s", field, f.key, f.says)
		}
	}
	counts := s.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if !strings.Contains(kind, ".") { // what is still to be looked at is a matter of when
			line("count %s %d", kind, counts[kind])
		}
	}
	for _, kind := range []string{"book.full", "book.given", "book.users", "book.asked", "book.under", "book.waiting", "book.ranked", "wants.by", "wants.missing"} {
		line("count %s %d", kind, counts[kind])
	}
	who := map[journal.Author]bool{}
	for c := range s.Chains().Keys() {
		line("chain %v tainted from %d cut %v", c, s.TaintedFrom(c), s.Superseded(c))
		who[c.Author] = true
	}
	for _, x := range sortedAuthors(who) {
		line("author %s newcomer %v admitted %v may rekey %v", x, s.IsNewcomer(x), s.Admitted(x), s.Active() != nil && s.MayRekey(x))
		line("unread of %s: %v", x, s.Unread(x))
		if s.Active() != nil {
			key, ok := s.Active().KeyOf(x)
			line("member of %s: %d %v", x, key, ok)
		}
	}
	for f, n := range s.FaultsOf {
		line("fault %s %s %d", f.Author, f.Rule, n)
	}
	cur, _ := s.Epoch()
	line("epoch %s members %v topics %v", cur.ID(), s.Members(), s.Topics())
	if r, ok := s.Roster(); ok {
		line("roster %s hash %x revealed %d ratified %d", r.ID, r.Hash, r.Revealed, len(r.Ratified))
	}
	if s.Active() != nil {
		line("changed %v", s.Active().Changed())
		for i, m := range s.Active().Members {
			line("member %d %s %x line %v", i, m.Identity, m.Sealing, s.Active().Identities(i))
			for _, f := range s.Active().Contested(i) {
				line("contested %d: %s", i, f.Ref.ID)
			}
		}
	}
	for f := range s.CountingSuccessions {
		line("replacement %s counts", f.Ref.ID)
	}
	for _, l := range s.Labels() {
		line("shows %v %q of %s", l.Target, l.Text, l.Ref.ID)
	}
	for p := range s.AllProposals {
		line("proposal %x %v %v sound %v alive %v", p.Ref.ID, p.Ref, p.TxID, p.Sound, s.Alive(p))
		if s.Alive(p) {
			line("  final %v withdrawn %v against %v replaced %v conflicts %v", s.Final(p), s.Withdrawn(p), s.Against(p), s.Replaced(p), entryIDs(s.ConflictsOf(p)))
			if tx, err := s.FinalTx(p); err == nil {
				line("  wtxid %v", tx.WitnessHash())
			}
		}
	}
	d, err := s.Digest()
	if err != nil {
		panic(err)
	}
	line("digest %x %x %x", d.Entries, d.Secrets, d.Says)
	return b.String()
}

// Fields of a snapshot.
const (
	snapChains = 4
	snapName   = 5
	snapLabels = 30
)

// fact is one line of a snapshot: what it is found by, and what it says.
type fact struct{ key, says string }

// heldIn yields the fields of a State's snapshot in order, each as the facts of its
// map, or as one fact.
func heldIn(s group.State) func(yield func(field int, facts []fact) bool) {
	b, err := s.Snapshot()
	if err != nil {
		panic(err)
	}
	text := func(raw []byte) string {
		t, err := cbor.Diagnose(raw)
		if err != nil {
			panic(err)
		}
		return t
	}
	var fields map[int]cbor.RawMessage
	if err := cbor.Unmarshal(b, &fields); err != nil {
		panic(err)
	}
	return func(yield func(int, []fact) bool) {
		for _, n := range slices.Sorted(maps.Keys(fields)) {
			var facts []fact
			var pairs []record.Pair[cbor.RawMessage]
			var items []cbor.RawMessage
			switch {
			case n == snapChains: // see the frontier and the forks; whole in the digest
				continue
			case record.Decode(fields[n], &pairs) == nil && len(pairs) > 0:
				for _, p := range pairs {
					facts = append(facts, fact{string(p.K), text(p.V)})
				}
			case record.Decode(fields[n], &items) == nil:
				for _, x := range items {
					facts = append(facts, fact{"", text(x)})
				}
			default:
				facts = []fact{{"", text(fields[n])}}
			}
			if !yield(n, facts) {
				return
			}
		}
	}
}

// factsIn returns the facts of one field of a State's snapshot.
func factsIn(s group.State, field int) []fact {
	for n, facts := range heldIn(s) {
		if n == field {
			return facts
		}
	}
	return nil
}

func sortedFrontier(f journal.Frontier) []string {
	var out []string
	for k, v := range f {
		out = append(out, fmt.Sprintf("%s/%d %d %s", k.Author, k.Incarnation, v.Seq, v.ID))
	}
	slices.Sort(out)
	return out
}

// refold folds a set of entries in the given order, putting off those that do
// not link yet, as a node does that pulls what is missing.
func refold(tb rapid.TB, p *peer, order []*journal.Entry, each ...func(group.State, *journal.Entry)) group.State {
	st, err := group.NewState(p.self, p.m.local.Genesis, p.m.local.Secret, p.m.State.Pinned())
	if err != nil {
		tb.Fatal(err)
	}
	for len(order) > 0 {
		var later []*journal.Entry
		for _, e := range order {
			next, out, err := st.Add(e, true)
			var gap *journal.MissingError
			if errors.As(err, &gap) {
				later = append(later, e)
				continue
			}
			if err != nil {
				tb.Fatalf("entry %s seq %d: %v", e.ID(), e.Position().Seq, err)
			}
			if out == journal.Duplicate {
				continue
			}
			st = next.Derived()
			for _, f := range each {
				f(st.Work(workAll), e)
			}
		}
		if len(later) == len(order) {
			tb.Fatalf("%d entries never link", len(later))
		}
		order = later
	}
	return st.Work(workAll)
}

// wild adds an entry of a member's own making, whatever it says.
func (p *peer) wild(body event.Body) (*journal.Entry, error) {
	s := &step{m: p.m, in: p.input(nil), batch: port.Batch{Group: p.m.State.Group(), Puts: map[string][]byte{}}}
	e, err := s.write(body)
	if err != nil {
		return nil, err
	}
	p.m = s.m
	for _, x := range s.batch.Entries { // a new epoch may come first
		p.Held[x.ID()] = x
	}
	return e, nil
}

// pass hands over what a peer wrote itself.
func (p *peer) pass(to *peer) {
	for _, chain := range p.Chains() {
		for _, e := range chain {
			if e.Chain().Author == p.id() && !to.m.State.Chains().Has(e.ID()) {
				_, _ = to.do(EntryIn{e})
			}
		}
	}
}

// garbage seals bytes that are no event, unless the peer's own chain is forked.
func (p *peer) garbage(b []byte) {
	s := &step{m: p.m, in: p.input(nil), batch: port.Batch{Group: p.m.State.Group(), Puts: map[string][]byte{}}}
	ep, _ := s.m.State.Epoch()
	next, err := s.next()
	if err != nil {
		return
	}
	e, err := journal.Seal(p.self.Identity, ep, next, b, s.nonce())
	if err != nil {
		p.tb.Fatal(err)
	}
	if err := s.append(e); err != nil {
		p.tb.Fatal(err)
	}
	p.m = s.m
	p.Held[e.ID()] = e
}

// restored continues a peer as incarnation 2 from an older machine.
func (p *peer) restored(old Machine) error {
	chain := journal.ChainKey{Author: p.id(), Incarnation: 1}
	pos := old.State.Chains().Frontier()[chain]
	if p.m.local.Incarnation != 1 {
		return nil
	}
	p.m.local.Incarnation = 2
	_, err := p.wild(&event.IncarnationStarted{Seq: pos.Seq, Last: pos.ID})
	return err
}

// stranger is another device of a peer that knows what the peer knows, and
// writes as if it were a member.
func (p *peer) stranger(n byte) *peer {
	d := p.device(n)
	d.m, d.Careless = p.m, true
	d.m.State = as(d.m.State, d.self)
	for id, e := range p.Held {
		d.Held[id] = e
	}
	return d
}

// replacing is a replacement of old by d, with a proof by d's key.
func (d *peer) replacing(old *peer, cut int) *event.MemberReplaced {
	k := max(0, slices.IndexFunc(d.m.State.Active().Members, func(m group.Member) bool { return m.Original == d.circleKey() && !m.Hosted() }))
	b := &event.MemberReplaced{Key: uint32(k), Old: old.id(), New: d.id(), Sealing: d.self.Sealing.Public()}
	if cut > 0 {
		b.Cuts = []event.ReplacedCut{{Incarnation: 1, Seq: uint64(cut)}}
	}
	id := b.ID(d.m.State.Group())
	b.Proof, b.Consent = d.account.SignHash(id), d.self.Identity.Sign(event.ConsentTag, id[:])
	return b
}

// circleKey is the roster's identity of the key that a device holds.
func (d *peer) circleKey() journal.Author {
	for _, m := range d.m.State.Active().Members {
		if m.Key.XPub == d.account.Key().XPub {
			return m.Original
		}
	}
	return journal.Author{}
}

func TestAnyOrderAndRepetitionGivesTheSameState(t *testing.T) {
	hosting, d := activeHosting(t, 2, 3)
	t.Run("hosting", func(t *testing.T) { anyOrder(t, hosting, d) })
	ext, key := externalGroup(t)
	ext.peers[2].account = key.account // its new devices may be proved, or approved
	t.Run("external", func(t *testing.T) { anyOrder(t, ext, nil) })
	t.Run("nodes", func(t *testing.T) { anyOrder(t, active(t, 2, 3), nil) })
}

// anyOrder lets members do what they like, and folds what came of it in any order.
func anyOrder(t *testing.T, base *circle, hosted *device) {
	base.fund(500_000, 600_000, 700_000)
	rapid.Check(t, func(rt *rapid.T) {
		c, all := wildHistory(t, rt, base, hosted)
		observer := c.peers[0]
		folded := refold(rt, observer, all)
		want := canon(folded)
		if got := canon(throughSnapshot(rt, observer, folded)); got != want {
			rt.Fatalf("the snapshot holds another state:\n%s", diff(want, got))
		}
		var so []*journal.Entry
		refold(rt, observer, rapid.Permutation(all).Draw(rt, "order of the plain look"), func(st group.State, e *journal.Entry) {
			so = append(so, e)
			x := plain{}
			x.read(st, so)
			x.agrees(rt)
		})
		for range 3 {
			order := rapid.Permutation(all).Draw(rt, "order")
			order = append(order, rapid.SliceOfN(rapid.SampledFrom(all), 0, 5).Draw(rt, "again")...)
			if got := canon(refold(rt, observer, order)); got != want {
				rt.Fatalf("another order gave another state:\n%s", diff(want, got))
			}
		}
	})
}

func diff(a, b string) string {
	var out strings.Builder
	in := map[string]bool{}
	for _, l := range strings.Split(a, "\n") {
		in[l] = true
	}
	for _, l := range strings.Split(b, "\n") {
		if !in[l] {
			out.WriteString("+ " + l + "\n")
		}
		delete(in, l)
	}
	for l := range in {
		out.WriteString("- " + l + "\n")
	}
	return out.String()
}

func throughSnapshot(tb fatal, p *peer, s group.State) group.State {
	b, err := s.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	empty, err := group.NewState(p.self, p.m.local.Genesis, p.m.local.Secret, s.Pinned())
	if err != nil {
		tb.Fatal(err)
	}
	again, err := empty.WithSnapshot(b)
	if err != nil {
		tb.Fatal(err)
	}
	return again
}
