package memnet_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p/memnet"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// pass lets virtual time go by, and then everything that is due.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// trio is three nodes on a virtual network, in virtual time.
type trio struct {
	w     *memnet.Network
	g     p2ptest.Group
	nodes []*memnet.Node
	in    []*p2ptest.Inbox
	out   []*p2ptest.Writer
}

func newTrio(t *testing.T) *trio {
	t.Helper()
	x := &trio{w: memnet.NewNetwork(), g: p2ptest.NewGroup(1)}
	var members []journal.Author
	for n := range byte(3) {
		id := p2ptest.Identity(n)
		m, err := memnet.New(x.w, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, id.Author())
		x.nodes = append(x.nodes, m)
		x.in = append(x.in, p2ptest.NewInbox())
		x.out = append(x.out, p2ptest.NewWriter(id, x.g, 1))
	}
	for i, m := range x.nodes {
		if err := m.Attach(t.Context(), linkOf(x.g, members), x.in[i]); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func (x *trio) close(t *testing.T) {
	for _, m := range x.nodes {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func (x *trio) write(t *testing.T, i int) *journal.Entry {
	t.Helper()
	e := x.out[i].Fill(t, x.in[i], 1)[0]
	if err := x.nodes[i].Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

// What gossip lost without a sign arrives with the next sync, in little more
// than a minute.
func TestPeriodicSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTrio(t)
		defer x.close(t)
		pass(time.Second)
		lost := x.out[0].Fill(t, x.in[0], 3) // stored, and nobody is told
		synctest.Wait()
		if x.in[1].Len() != 0 {
			t.Fatal("entries travelled that were not sent")
		}
		pass(76 * time.Second)
		for _, e := range lost {
			if !x.in[1].Has(e) || !x.in[2].Has(e) {
				t.Fatal("the minute's sync did not bring an entry")
			}
		}
	})
}

// Whoever is cut off from one member hears it through another, within about a
// second, and all agree once links heal.
func TestPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTrio(t)
		defer x.close(t)
		a, b, c := x.nodes[0].Author(), x.nodes[1].Author(), x.nodes[2].Author()
		x.w.Cut(a, c)
		pass(time.Second)
		e := x.write(t, 0)
		pass(3 * time.Second)
		if !x.in[2].Has(e) {
			t.Error("the entry did not come by way of b")
		}
		x.w.Cut(a, b)
		x.w.Cut(b, c)
		e, f := x.write(t, 0), x.write(t, 1)
		pass(5 * time.Minute)
		if x.in[1].Has(e) || x.in[0].Has(f) {
			t.Fatal("a cut link carries entries")
		}
		for _, s := range x.nodes[0].Peers() {
			if s.Connected || s.LastSeen.IsZero() {
				t.Errorf("status while cut off: %+v", s)
			}
		}
		x.w.Heal(a, b)
		x.w.Heal(b, c)
		pass(5 * time.Second)
		for i, in := range x.in {
			if !in.Has(e) || !in.Has(f) {
				t.Errorf("node %d does not hold all after the links healed", i)
			}
		}
	})
}

// A burst of entries leads to few claims, and the last state is told soon.
func TestClaimsAreDebounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTrio(t)
		defer x.close(t)
		pass(2 * time.Second)
		before := x.in[1].Claims()
		for range 100 {
			x.write(t, 0)
			pass(10 * time.Millisecond)
		}
		pass(300 * time.Millisecond)
		if got := x.in[1].ClaimOf(x.nodes[0].Author()).Frontier[x.out[0].Chain()].Seq; got != 100 {
			t.Errorf("the last claim says %d entries, want 100", got)
		}
		if n := x.in[1].Claims() - before; n > 10 {
			t.Errorf("%d claims for a burst of a second", n)
		}
	})
}

// A member that claims everything and serves nothing does not keep this node
// from pulling from others.
func TestStallingPeerDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, g := memnet.NewNetwork(), p2ptest.NewGroup(1)
		var members []journal.Author
		for n := range byte(3) {
			members = append(members, p2ptest.Identity(n).Author())
		}
		node := func(n byte) *memnet.Node {
			m, err := memnet.New(w, p2ptest.Identity(n), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			})
			return m
		}
		a, x := node(0), node(1)
		full, empty := p2ptest.NewInbox(), p2ptest.NewInbox()
		far := p2ptest.NewWriter(p2ptest.Identity(9), g, 1)
		last := far.Fill(t, full, 1000)[999]
		hello := p2ptest.Encode(t, p2ptest.Hello(g.ID(), p2ptest.End(far.Chain(), 1000, last.ID())))
		x.ServeRaw(func(s io.ReadWriteCloser) {
			_, _ = p2ptest.ReadFrame(s)
			_, _ = s.Write(hello)
			_, _ = io.Copy(io.Discard, s) // and never answers
			_ = s.Close()
		})
		for m, in := range map[*memnet.Node]*p2ptest.Inbox{a: empty, x: p2ptest.NewInbox()} {
			if err := m.Attach(t.Context(), linkOf(g, members), in); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Second) // the stalling one has its turn first
		b := node(2)
		if err := b.Attach(t.Context(), linkOf(g, members), full); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		if !empty.Has(last) {
			t.Errorf("only %d of 1000 entries came beside a stalling peer", empty.Len())
		}
	})
}
