package p2p

import (
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
)

// openInbox holds nothing.
type openInbox struct{ coordinator.Inbox }

func (openInbox) Claim() coordinator.Claim                    { return coordinator.Claim{} }
func (openInbox) PeerClaim(journal.Author, coordinator.Claim) {}
func (openInbox) Wanted() []journal.EntryID                   { return nil }

func testNode(t *testing.T, n byte, link coordinator.GroupLink) *Node {
	t.Helper()
	node, err := New(context.Background(), Config{Identity: testIdentity(n), Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := node.Attach(context.Background(), link, openInbox{}); err != nil {
		t.Fatal(err)
	}
	return node
}

// What the local network shows makes members meet, and nobody else.
func TestFoundInLocalNetwork(t *testing.T) {
	a, b, c := testIdentity(1).Author(), testIdentity(2).Author(), testIdentity(3).Author()
	link := coordinator.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
	na, nb := testNode(t, 1, link), testNode(t, 2, link)
	link.Members = []journal.Author{a, c}
	nc := testNode(t, 3, link)
	for _, n := range []*Node{nb, nc} {
		found{na}.HandlePeerFound(peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Network().ListenAddresses()})
	}
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for len(na.connected()) == 0 {
		select {
		case <-deadline:
			t.Fatal("the member was not dialed")
		case <-tick.C:
		}
	}
	if len(na.dir.of(c)) != 0 {
		t.Error("where a stranger is was kept")
	}
	if p := na.host.Network().Peers(); len(p) != 1 || p[0] != nb.host.ID() {
		t.Errorf("connected to %v", p)
	}
}

// The smaller peer ID dials at once, the greater waits a little, and both dial.
func TestWhoDialsFirst(t *testing.T) {
	a, b := testIdentity(1).Author(), testIdentity(2).Author()
	link := coordinator.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
	for n, other := range map[byte]journal.Author{1: b, 2: a} {
		before := time.Now()
		node := testNode(t, n, link)
		id, err := PeerID(other)
		if err != nil {
			t.Fatal(err)
		}
		node.redial.mu.Lock()
		first := node.redial.m[other].first
		node.redial.mu.Unlock()
		if waits := first.Sub(before) >= yieldFor*3/4; waits != (node.host.ID() > id) {
			t.Errorf("node %d waits %v: %v", n, first.Sub(before), waits)
		}
	}
}
