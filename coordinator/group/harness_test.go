package group

import (
	"encoding/binary"
	"errors"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// node is one who writes what it likes, as a device would at its own State: what
// it holds, and the chain that it goes on with. Nobody guards what it signs.
type node struct {
	*insider
	st          State
	incarnation uint8
	held        map[journal.EntryID]*journal.Entry
}

// nodesOf is an active group, with an epoch of the founder's, as each of its
// members holds it.
func nodesOf(tb testing.TB, k, n int) (*inside, []*node) {
	tb.Helper()
	g := activeInside(tb, k, n)
	var nodes []*node
	for _, p := range g.all {
		st, err := NewState(p.self, g.genesis, g.zero.Secret, g.st.Pinned())
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range g.entries {
			if st, _, err = st.Add(e, false); err != nil {
				tb.Fatal(err)
			}
		}
		if st = st.Activated(); st.Active() == nil {
			tb.Fatalf("%s is not active", p.name)
		}
		x := &node{insider: p, st: st, incarnation: 1, held: map[journal.EntryID]*journal.Entry{}}
		for _, e := range g.entries {
			x.held[e.ID()] = e
		}
		nodes = append(nodes, x)
	}
	first := nodes[0].rekey(nodes[0].epochAfter(g.zero), nodes, nil)
	for _, x := range nodes {
		x.st = x.st.fold(first).Derived()
		if x != nodes[0] {
			x.takes(first)
		}
	}
	if ep, ok := nodes[len(nodes)-1].st.Fitting(); !ok || ep.Number != 1 {
		tb.Fatal("the first epoch is not written under")
	}
	return g, nodes
}

// clone copies a node: what it holds changes, a State does not.
func (p *node) clone() *node {
	q := *p
	q.held = maps.Clone(p.held)
	i := *p.insider
	q.insider = &i
	return &q
}

// as is a new device of a node that knows what the node knows, and writes as if it
// were a member.
func (p *node) as(n byte) *node {
	d := p.clone()
	d.insider = newInsider(p.tb, p.name+"'", n)
	d.account = p.account
	d.st.self = d.self
	return d
}

func (p *node) chain() journal.ChainKey {
	return journal.ChainKey{Author: p.id(), Incarnation: p.incarnation}
}

// takes links an entry that is folded already.
func (p *node) takes(e *journal.Entry) {
	p.tb.Helper()
	var err error
	if p.st.chains, _, err = p.st.chains.Add(e, false); err != nil {
		p.tb.Fatal(err)
	}
	p.held[e.ID()] = e
}

// errOver: an honest program would not write any more.
var errOver = errors.New("this chain has no next place")

// next is the place of a node's next entry.
func (p *node) next() (journal.Next, error) {
	n := p.st.chains.Next(p.chain())
	if n.Seq == 0 || p.st.Superseded(p.chain()) || p.st.Succeeded() {
		return n, errOver
	}
	return n, nil
}

// write adds an entry of a node's own making, whatever it says, under the epoch
// that a program would choose, and folds it.
func (p *node) write(body event.Body) (*journal.Entry, error) {
	next, err := p.next()
	if err != nil {
		return nil, err
	}
	ep, _ := p.st.FirstEpoch()
	switch body.(type) {
	case *event.StanzaFailed, *event.MemberReplaced, *event.ReplacementApproved:
	default:
		if _, first := body.(*event.IncarnationStarted); !first {
			p.fit()
			if next, err = p.next(); err != nil {
				return nil, err
			}
		}
		ep, _ = p.st.Epoch()
	}
	e := p.seal(ep, &next, body)
	p.add(e)
	return e, nil
}

// fit makes an epoch first where none is sealed to exactly the members.
func (p *node) fit() {
	p.tb.Helper()
	if _, ok := p.st.Fitting(); ok || !p.st.MayRekey(p.id()) {
		return
	}
	ep := p.epochAfter(journal.Epoch{Group: p.st.group, Secret: p.zeroSecret()})
	body := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for _, m := range p.st.Active().Members {
		if m.Identity == (journal.Author{}) {
			return // contested
		}
		body.Stanzas = append(body.Stanzas, p.stanza(ep, m.Identity, m.Sealing))
	}
	p.add(p.plain(ep, body))
}

func (p *node) zeroSecret() [32]byte {
	ep, _ := p.st.FirstEpoch()
	return ep.Secret
}

func (p *node) add(e *journal.Entry) {
	p.tb.Helper()
	st, _, err := p.st.Add(e, false)
	if err != nil {
		p.tb.Fatal(err)
	}
	p.st, p.held[e.ID()] = st.Derived(), e
}

// epochAfter is an epoch of a node's own making.
func (p *node) epochAfter(parent journal.Epoch) journal.Epoch {
	p.drawn++
	ep := journal.Epoch{Group: p.st.group, Number: parent.Number + 1, Parent: parent.ID()}
	copy(ep.Secret[:], p.name)
	binary.BigEndian.PutUint64(ep.Secret[24:], p.drawn)
	return ep
}

func (p *node) stanza(ep journal.Epoch, to journal.Author, key [32]byte) event.Stanza {
	p.tb.Helper()
	sealed, err := journal.SealSecret(ep, p.id(), to, key)
	if err != nil {
		p.tb.Fatal(err)
	}
	return event.Stanza{To: to, Sealed: sealed}
}

// rekey is an entry that seals an epoch to some, with stanzas that do not open
// for those spoiled. It is in the node's chain, and the node makes nothing of it.
func (p *node) rekey(ep journal.Epoch, to, spoiled []*node) *journal.Entry {
	p.tb.Helper()
	body := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for _, m := range to {
		x := p.stanza(ep, m.id(), m.self.Sealing.Public())
		if slices.ContainsFunc(spoiled, func(s *node) bool { return s.id() == m.id() }) {
			x.Sealed[0]++
		}
		body.Stanzas = append(body.Stanzas, x)
	}
	e := p.plain(ep, body)
	p.takes(e)
	return e
}

func (p *node) plain(ep journal.Epoch, body *event.EpochRotated) *journal.Entry {
	p.tb.Helper()
	plain, err := event.Encode(event.Event{Time: 1, Body: body})
	if err != nil {
		p.tb.Fatal(err)
	}
	p.drawn++
	e, err := journal.SealPlain(p.self.Identity, p.st.group, ep.ID(), p.st.chains.Next(p.chain()), plain, [24]byte{byte(p.drawn), byte(p.drawn >> 8)})
	if err != nil {
		p.tb.Fatal(err)
	}
	return e
}

// under is an entry under an epoch of the node's choice, in its chain; it makes
// nothing of it.
func (p *node) under(ep journal.Epoch, body event.Body) *journal.Entry {
	p.tb.Helper()
	next := p.st.chains.Next(p.chain())
	e := p.seal(ep, &next, body)
	p.takes(e)
	return e
}

// restored has a node go on as incarnation 2 from what it was.
func (p *node) restored(was State) {
	if p.incarnation != 1 {
		return
	}
	at := was.chains.Frontier()[p.chain()]
	p.incarnation = 2
	_, _ = p.write(&event.IncarnationStarted{Seq: at.Seq, Last: at.ID})
}

// succeeding is a replacement of old by d, with a proof by d's key.
func (d *node) replacing(old *node, cut int) *event.MemberReplaced {
	k := slices.IndexFunc(d.st.Active().Members, func(m Member) bool { return m.Key.XPub == d.account.Key().XPub })
	b := &event.MemberReplaced{Key: uint32(k), Old: old.id(), New: d.id(), Sealing: d.self.Sealing.Public()}
	if cut > 0 {
		b.Cuts = []event.ReplacedCut{{Incarnation: 1, Seq: uint64(cut)}}
	}
	id := b.ID(d.st.group)
	b.Proof, b.Consent = d.account.SignHash(id), d.self.Identity.Sign(event.ConsentTag, id[:])
	return b
}

// throughSnapshot is what a start makes of a State.
func throughSnapshot(tb fatalf, g *inside, s State) State {
	b, err := s.Snapshot()
	if err != nil {
		tb.Fatalf("%v", err)
	}
	empty, err := NewState(s.self, g.genesis, g.zero.Secret, s.pinned)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	again, err := empty.WithSnapshot(b)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	return again
}

// diff lists the lines that two texts do not have in common.
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

// slow leaves a test that folds very many entries, and starts no goroutine, to
// the run without the race detector, under which it takes ten times as long.
func slow(t *testing.T) {
	t.Helper()
	info, _ := debug.ReadBuildInfo()
	if info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("left to the run without the race detector")
	}
}
