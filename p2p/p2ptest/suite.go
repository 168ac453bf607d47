package p2ptest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Peer is a node under test.
type Peer interface {
	port.Transport
	Author() journal.Author
	Close() error
}

// Hostile is a peer that says what an honest node never would. It accepts every
// connection and has no checks of its own.
type Hostile interface {
	Author() journal.Author
	// Meet connects to a node, which has to have it as a member of the group.
	Meet(t testing.TB, g Group, to Peer)
	// Publish sends any bytes on a topic.
	Publish(t testing.TB, topic string, raw []byte)
	// Open starts a sync stream.
	Open(to Peer) (io.ReadWriteCloser, error)
	// Serve answers sync streams that others open.
	Serve(func(io.ReadWriteCloser))
}

// Network makes peers of one implementation that can reach each other.
type Network interface {
	// Node starts a node. It is closed when the test ends.
	Node(t testing.TB, id *journal.Identity, d port.Doorman) Peer
	// Hostile starts a hostile peer.
	Hostile(t testing.TB, id *journal.Identity) Hostile
	// Addresses returns where a node can be reached, for hints and invites.
	Addresses(p Peer) []string
}

// Patience is how long a condition may take to come true. It is not a measure:
// only a test that fails takes this long.
const Patience = 2 * time.Minute

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(Patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not in %v: %s", Patience, what)
		case <-tick.C:
		}
	}
}

// member is a node with its inbox and its chain.
type member struct {
	Peer
	id  *journal.Identity
	in  *Inbox
	out *Writer
}

// publish writes an entry, stores it and sends it.
func (m *member) publish(t testing.TB) *journal.Entry {
	t.Helper()
	e := m.out.Write(t)
	if err := m.in.Put(e); err != nil {
		t.Fatal(err)
	}
	if err := m.Publish(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

func newMember(t testing.TB, w Network, g Group, n byte) *member {
	t.Helper()
	id := Identity(n)
	return &member{Peer: w.Node(t, id, nil), id: id, in: NewInbox(), out: NewWriter(id, g, 1)}
}

// link makes the link of a group with the given members. With hints, every
// node can find every other.
func link(w Network, g Group, hints []*member, members ...journal.Author) port.GroupLink {
	l := port.GroupLink{
		Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Members: members,
		Hints: map[journal.Author][]string{},
	}
	for _, h := range hints {
		l.Hints[h.Author()] = w.Addresses(h.Peer)
	}
	return l
}

func attach(t testing.TB, m *member, l port.GroupLink) {
	t.Helper()
	if err := m.Attach(context.Background(), l, m.in); err != nil {
		t.Fatalf("attach: %v", err)
	}
}

func authors(ms ...*member) []journal.Author {
	var out []journal.Author
	for _, m := range ms {
		out = append(out, m.Author())
	}
	return out
}

// meet attaches all members to a group and waits until all are connected.
func meet(t testing.TB, w Network, g Group, ms ...*member) {
	t.Helper()
	for _, m := range ms {
		attach(t, m, link(w, g, ms, authors(ms...)...))
	}
	for _, m := range ms {
		for _, o := range ms {
			if m != o {
				awaitConnected(t, m, o.Author())
			}
		}
	}
}

func status(p Peer, a journal.Author) port.PeerStatus {
	for _, s := range p.Peers() {
		if s.Peer == a {
			return s
		}
	}
	return port.PeerStatus{}
}

func awaitConnected(t testing.TB, m *member, a journal.Author) {
	t.Helper()
	Eventually(t, "members are connected", func() bool { return status(m.Peer, a).Connected })
}

// Run tests an implementation of port.Transport.
func Run(t *testing.T, make func(t testing.TB) Network) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Network)
	}{
		{"publish reaches members", testPublish},
		{"late joiner catches up", testLateJoiner},
		{"two who know only a third find each other", testVouched},
		{"non-members get nothing", testNonMember},
		{"other groups stay apart", testOtherGroup},
		{"links that cannot be right are refused", testBadLinks},
		{"removed member is cut", testRemoved},
		{"a new topic is followed", testNewTopic},
		{"bad gossip is refused and counted", testBadGossip},
		{"bad frames are refused and counted", testBadFrames},
		{"bad batches are refused and counted", testBadBatches},
		{"false claims are counted", testFalseClaim},
		{"a reader that fails stops nothing", testPanic},
		{"gaps are pulled", testGap},
		{"fork evidence travels", testFork},
		{"a deep fork is found at its root", testDeepFork},
		{"wanted entries are fetched by id", testWanted},
		{"a flood does not starve others", testFlood},
		{"a backlog arrives complete", testBacklog},
		{"batches are asked for ahead", testAhead},
		{"sync on request", testSyncNow},
		{"join outcomes", testJoin},
		{"peers", testPeers},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, make(t)) })
	}
}
