package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// canon writes down everything a State says, so that two can be compared.
func canon(s group.State) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, k := range sortedFrontier(s.Chains().Frontier()) {
		line("frontier %s", k)
	}
	for _, f := range s.Chains().Forks() {
		line("fork %v %d %s %s", f.Chain, f.Seq, f.A, f.B)
	}
	line("name %q by %s active %v roster %x", s.Name(), s.nameRef.ID, s.Active() != nil, s.Pinned())
	for c := range s.Chains().Keys() {
		line("chain %v tainted from %d", c, s.TaintedFrom(c))
	}
	cur, _ := s.Epoch()
	line("epoch %s members %v topics %v", cur.ID(), s.Members(), s.Topics())
	if r, ok := s.Roster(); ok {
		line("roster %s hash %x revealed %d ratified %d", r.ID, r.Hash, r.Revealed, len(r.Ratified))
	}
	for k, v := range s.rosters.All() {
		line("roster %x %v", k, v)
	}
	for k, v := range s.rotations.All() {
		line("rotation %x %v", k, v)
	}
	for k, v := range s.failures.All() {
		line("failure %x %v", k, v)
	}
	for k, v := range s.carriers.All() {
		line("carrier %x %v", k, v)
	}
	for k, v := range s.votes.All() {
		line("vote %x %v", k, v)
	}
	for k, v := range s.withdrawals.All() {
		line("withdrawal %x %v", k, v)
	}
	for k, v := range s.abandoned.All() {
		line("abandoned %x %v", k, v)
	}
	if s.Active() != nil {
		for i, m := range s.Active().Members {
			line("member %d %s %x line %v", i, m.Identity, m.Sealing, s.Active().Identities(i))
		}
		l := s.Active().lines
		line("lines %v", l != nil)
		if l != nil {
			line("ends %v", l.ends)
			line("key %v", l.key)
			line("sealing %v", l.sealing)
			line("member %v", l.member)
			for i := range s.Active().Members {
				for _, f := range l.contested[i] {
					line("contested %d: %s", i, f.Ref.ID)
				}
			}
		}
	}
	for k := range s.newcomers.All() {
		line("newcomer %x", k)
	}
	for k := range s.replaced.All() {
		line("replaced %x", k)
	}
	for k, v := range s.replaceVotes.All() {
		line("replacement vote %x %x", k, v.Replacement)
	}
	for k, v := range s.cuts.All() {
		line("cut %x %+v", k, v)
	}
	for k := range s.epochs.All() {
		line("epoch %x", k)
	}
	for k := range s.sealed.All() {
		line("sealed %x", k)
	}
	for k, v := range s.inert.All() {
		line("inert %x %s", k, v.Rule)
	}
	for k := range s.unknown.All() {
		line("unknown %x", k)
	}
	for k := range s.admitted.All() {
		line("admitted %x", k)
	}
	for k, v := range s.records.All() {
		line("record %x %+v", k, *v.Body)
	}
	for k := range s.reveals.All() {
		line("reveal %x", k)
	}
	for k := range s.ratified.All() {
		line("ratified %x", k)
	}
	for k := range s.named.All() {
		line("named %x", k)
	}
	for k, l := range s.leases.All() {
		line("lease %x by %x", k, l.Ref.ID)
	}
	for k, v := range s.labels.All() {
		line("label %x %q over %v", k, v.Text, v.Supersedes)
	}
	for _, l := range s.Labels() {
		line("shows %v %q of %s", l.Target, l.Text, l.Ref.ID)
	}
	for k, v := range s.sigs.All() {
		line("sig %x %x", k, v)
	}
	for k, v := range s.approvals.All() {
		line("approval %x %+v", k, v.Ref)
	}
	for k, p := range s.proposals.All() {
		line("proposal %x %v %v sound %v alive %v", k, p.Ref, p.TxID, p.Sound, s.Alive(p))
		if s.Alive(p) {
			line("  final %v withdrawn %v against %v replaced %v conflicts %v", s.Final(p), s.Withdrawn(p), s.Against(p), group.replaced(s, p, &group.Inquiry{}), entryIDs(s.ConflictsOf(p)))
			if tx, err := s.FinalTx(p); err == nil {
				line("  wtxid %v", tx.WitnessHash())
			}
		}
	}
	return b.String()
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
		p.held[x.ID()] = x
	}
	return e, nil
}

// pass hands over what a peer wrote itself.
func (p *peer) pass(to *peer) {
	for _, chain := range p.chains() {
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
	p.held[e.ID()] = e
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
	d.m, d.evil = p.m, true
	d.m.State = as(d.m.State, d.self)
	for id, e := range p.held {
		d.held[id] = e
	}
	return d
}

// replacing is a replacement of old by d, with a proof by d's key.
func (d *peer) replacing(old *peer, cut int) *event.MemberReplaced {
	k, _ := d.m.State.Active().original(d.circleKey())
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
