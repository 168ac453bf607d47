package p2p

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// openInbox holds nothing.
type openInbox struct{ port.Inbox }

func (openInbox) Claim() port.Claim                    { return port.Claim{} }
func (openInbox) PeerClaim(journal.Author, port.Claim) {}
func (openInbox) Wanted() []journal.EntryID            { return nil }

func testNode(t *testing.T, n byte, link port.GroupLink) *Node {
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
	link := port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
	na, nb := testNode(t, 1, link), testNode(t, 2, link)
	link.Members = []journal.Author{a, c}
	nc := testNode(t, 3, link)
	for _, n := range []*Node{nb, nc} {
		found{na}.HandlePeerFound(peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Network().ListenAddresses()})
	}
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for len(lines{na}.Connected()) == 0 {
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
	link := port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
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

// What others tell brings a dial forward once a minute, and never makes
// failures forgotten; nor does an unsigned notice of the local network.
func TestWhatIsToldResetsNoBackoff(t *testing.T) {
	a, far := testIdentity(1).Author(), testIdentity(9).Author()
	n := testNode(t, 1, port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, far}})
	state := func() (fails int, next time.Time) {
		n.redial.mu.Lock()
		defer n.redial.mu.Unlock()
		d := n.redial.m[far]
		return d.fails, d.next
	}
	const many = 20
	until(t, "the first dial failed", func() bool { f, _ := state(); return f > 0 })
	n.redial.mu.Lock()
	n.redial.m[far].fails, n.redial.m[far].next = many, time.Now().Add(time.Hour)
	n.redial.mu.Unlock()

	toldOf(t, n, 1, "/ip4/127.0.0.1/tcp/1999")
	until(t, "it is dialed for the first word", func() bool { f, _ := state(); return f > many })
	id := testPeer(t, 9)
	for i := range 50 {
		at := ma.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", 2000+i))
		toldOf(t, n, uint64(2+i), at.String())
		found{n}.HandlePeerFound(peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{at}})
		n.redial.anew(far)
	}
	if fails, next := state(); fails != many+1 || time.Until(next) < time.Minute {
		t.Errorf("after many words: %d failures, the next dial in %v", fails, time.Until(next))
	}
	// Its owner's word is another thing.
	if _, err := n.AddAddress("/ip4/127.0.0.1/tcp/3000/p2p/" + id.String()); err != nil {
		t.Fatal(err)
	}
	until(t, "it is dialed for its owner's word", func() bool { f, _ := state(); return f < many && f > 0 })
}

// Told addresses at which nobody is do not hold the places of sure ones.
func TestDeadAddressesHoldNoPlaces(t *testing.T) {
	a, b := testIdentity(1).Author(), testIdentity(2).Author()
	link := port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{a, b}}
	nb := testNode(t, 2, link)
	na, err := New(t.Context(), Config{Identity: testIdentity(1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = na.Close() })
	for range maxHearsay {
		na.redial.hearsay <- struct{}{}
	}
	na.dir.say(b, []ma.Multiaddr{ma.StringCast("/ip4/198.51.100.1/tcp/9")})
	link.Hints = map[journal.Author][]string{b: nb.ListenAddrs()}
	if err := na.Attach(t.Context(), link, openInbox{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the member is reached where it surely is", func() bool { return len(lines{na}.Connected()) > 0 })
}

// A member that was here lately is tried once a minute at least, and others
// more rarely.
func TestWhoWasHereIsTriedOften(t *testing.T) {
	for range 100 {
		here, away := &dialing{fails: 30, met: time.Now()}, &dialing{fails: 30, met: time.Now().Add(-metFor)}
		if b := here.backoff(); b > time.Minute || b < backoffMin {
			t.Fatalf("%v for one that was here", b)
		}
		if b := away.backoff(); b < backoffMax/2 {
			t.Fatalf("%v for one that was not", b)
		}
	}
}

// An address of who is no member is not kept.
func TestAddAddressOfNoMember(t *testing.T) {
	n := testNode(t, 1, port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{testIdentity(1).Author(), testIdentity(2).Author()}})
	for id, member := range map[byte]bool{2: true, 9: false} {
		a, err := n.AddAddress("/ip4/127.0.0.1/tcp/3000/p2p/" + testPeer(t, id).String())
		if a != testIdentity(id).Author() || errors.Is(err, port.ErrNotMember) == member || member && err != nil {
			t.Errorf("identity %d: %v, %v", id, a, err)
		}
		n.dir.mu.Lock()
		if kept := n.dir.m[a] != nil; kept != member {
			t.Errorf("identity %d: an address is kept: %v", id, kept)
		}
		n.dir.mu.Unlock()
	}
}
