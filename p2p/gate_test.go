package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// pass lets virtual time go by, and then everything that is due.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

type testDoor struct{ open bool }

func (d *testDoor) Open() bool { return d.open }

func (d *testDoor) Admit(context.Context, journal.GroupID, journal.Author, [32]byte, [32]byte, *port.SuccessionClaim) (port.Grant, error) {
	return port.Grant{}, port.ErrInviteUnknown
}

// noInbox is an inbox that is never asked.
type noInbox struct{ port.Inbox }

// fakeConn is a connection that knows who is at its end and whether it is closed.
type fakeConn struct {
	network.Conn
	peer   peer.ID
	at     string // an IPv4 address
	mu     sync.Mutex
	closed bool
}

func (c *fakeConn) RemotePeer() peer.ID { return c.peer }

func (c *fakeConn) RemoteMultiaddr() ma.Multiaddr {
	if c.at == "" {
		return ma.StringCast("/ip4/192.0.2.1/tcp/1")
	}
	return ma.StringCast("/ip4/" + c.at + "/tcp/1")
}

func (c *fakeConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *fakeConn) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func testPeer(t testing.TB, n byte) peer.ID {
	t.Helper()
	id, err := PeerID(testIdentity(n).Author())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// testGate is the gate of identity 1, in a group with identity 2, with identity
// 3 as its relay.
func testGate(t *testing.T, d port.Doorman) *gate {
	t.Helper()
	reg := newRegistry(testIdentity(1).Author())
	rules := newDialRules(newTestDirectory(t, nil), []peer.AddrInfo{{ID: testPeer(t, 3)}}, nil)
	g := newGate(reg, rules, d, slog.New(slog.DiscardHandler))
	t.Cleanup(g.close)
	_, _, err := reg.attach(port.GroupLink{
		Topics:  []string{"topic"},
		Members: []journal.Author{testIdentity(1).Author(), testIdentity(2).Author()},
	}, noInbox{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGate(t *testing.T) {
	g := testGate(t, nil)
	member, relay, stranger := testPeer(t, 2), testPeer(t, 3), testPeer(t, 4)
	rsa := peer.ID("no key in here")
	at := &fakeConn{}
	for _, c := range []struct {
		name string
		got  bool
		want bool
	}{
		{"dial a member", g.InterceptPeerDial(member), true},
		{"dial a relay", g.InterceptPeerDial(relay), true},
		{"dial a stranger", g.InterceptPeerDial(stranger), false},
		{"member comes", g.InterceptSecured(network.DirInbound, member, at), true},
		{"relay comes", g.InterceptSecured(network.DirInbound, relay, at), true},
		{"stranger comes", g.InterceptSecured(network.DirInbound, stranger, at), false},
		{"stranger was dialed", g.InterceptSecured(network.DirOutbound, stranger, at), false},
		{"peer of another key type", g.InterceptSecured(network.DirInbound, rsa, at), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if p := g.pending.list(); len(p) != 1 || p[0].PeerID != stranger.String() || !p[0].Pending {
		t.Errorf("pending: %+v", p)
	}
	reached, done := g.approach(stranger)
	if !g.InterceptSecured(network.DirInbound, stranger, at) || reached() {
		t.Error("a founder that dials this node counts as reached by it")
	}
	if !g.InterceptPeerDial(stranger) || !g.InterceptSecured(network.DirOutbound, stranger, at) {
		t.Error("a founder is refused while this node joins")
	}
	if !reached() {
		t.Error("a founder that proved who it is was not reached")
	}
	done()
	done()
	if g.InterceptPeerDial(stranger) {
		t.Error("a founder may be dialed after the attempt")
	}
}

// No few addresses take all places of strangers, and identities cost nothing.
func TestStrangersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &testDoor{open: true}
		g := testGate(t, d)
		come := func(n byte, at string) bool {
			return g.InterceptSecured(network.DirInbound, testPeer(t, n), &fakeConn{at: at})
		}
		limits, in := strangerLimits(), 0
		for n := byte(10); n < 60; n++ {
			if come(n, "192.0.2.1") {
				in++
			}
		}
		if in != limits.perAddr {
			t.Errorf("%d strangers of one address were let in at once, want %d", in, limits.perAddr)
		}
		for n := byte(60); n < 100; n++ {
			if come(n, fmt.Sprintf("192.0.2.%d", n)) {
				in++
			}
		}
		if in != limits.perNetwork {
			t.Errorf("%d strangers of one network were let in at once, want %d", in, limits.perNetwork)
		}
		if !come(100, "198.51.100.1") {
			t.Error("one of another network has no place")
		}
		if g.InterceptSecured(network.DirOutbound, testPeer(t, 10), &fakeConn{}) {
			t.Error("a stranger may be dialed because it came before")
		}
		for n := range byte(100) {
			if come(101+n, fmt.Sprintf("203.0.%d.1", n)) {
				in++
			}
		}
		if in+1 != limits.places {
			t.Errorf("%d strangers were let in at once, want %d", in+1, limits.places)
		}
		pass(2 * time.Second)
		leave := func(n byte) {
			c := &fakeConn{peer: testPeer(t, n)}
			g.connected(c)
			g.disconnected(c)
		}
		leave(100)
		if !come(201, "198.51.100.2") {
			t.Error("no room after one left")
		}
		d.open = false
		leave(201)
		if come(202, "198.51.100.3") {
			t.Error("a stranger was let in though no invite is open")
		}
	})
}

func TestStrangersAreRateLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := testGate(t, &testDoor{open: true})
		come := func(n byte, at string) bool {
			c := &fakeConn{peer: testPeer(t, n), at: at}
			ok := g.InterceptSecured(network.DirInbound, c.peer, c)
			if ok {
				g.connected(c)
				g.disconnected(c)
			}
			return ok
		}
		in := 0
		for n := byte(10); n < 100; n++ {
			if come(n, "192.0.2.1") {
				in++
			}
		}
		if in != strangerBurst {
			t.Errorf("%d strangers of one address came in at once, want %d", in, strangerBurst)
		}
		if !come(100, "192.0.2.2") {
			t.Error("one address used up what all may do")
		}
		pass(time.Second)
		if !come(101, "192.0.2.1") {
			t.Error("refused after a second")
		}
	})
}

func TestStrangerStaysBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := testGate(t, &testDoor{open: true})
		// Without a proof: until it is connected, and then a little longer.
		arrive := func(n byte) *fakeConn {
			c := &fakeConn{peer: testPeer(t, n)}
			if !g.InterceptSecured(network.DirInbound, c.peer, c) {
				t.Fatal("refused")
			}
			return c
		}
		in := func() int { g.mu.Lock(); defer g.mu.Unlock(); return g.strangers.room.taken }
		arrive(9)
		pass(upgradeTime + time.Millisecond)
		if in() != 0 {
			t.Error("one that is never connected holds a place")
		}
		leaves := func(c *fakeConn, after time.Duration) {
			t.Helper()
			pass(after - time.Millisecond)
			if c.gone() {
				t.Error("sent away early")
			}
			pass(2 * time.Millisecond)
			if !c.gone() || in() != 0 {
				t.Error("stays for ever")
			}
		}
		c := arrive(9)
		g.connected(c)
		g.connected(c)
		leaves(c, proofTime)
		// With one there is time to answer.
		c = arrive(9)
		g.connected(c)
		g.stay(c.peer, strangerTime)
		leaves(c, strangerTime)
		// One stream, so that it cannot hold up others.
		c = arrive(9)
		g.connected(c)
		if !g.joinBegins(c.peer) || g.joinBegins(c.peer) {
			t.Error("a stranger has no join stream, or two")
		}
		g.joinEnds(c.peer)
		if !c.gone() {
			t.Error("stays after joining")
		}

		// Who becomes a member comes again as one, but is not cut off while it
		// is being told so.
		c = &fakeConn{peer: testPeer(t, 8)}
		if !g.InterceptSecured(network.DirInbound, c.peer, c) {
			t.Fatal("refused")
		}
		g.connected(c)
		g.joinBegins(c.peer)
		g.welcome(c.peer)
		if c.gone() {
			t.Error("cut off while joining")
		}
		g.joinEnds(c.peer)
		if !c.gone() {
			t.Error("stays after joining")
		}
	})
}

func TestPendingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newPendingPeers()
		for n := range 200 {
			a := journal.Author{byte(n)}
			pass(time.Second)
			if !q.add(a, "p", "addr") {
				t.Fatalf("peer %d was not taken", n)
			}
			if q.add(a, "p", "addr") {
				t.Fatalf("peer %d is new twice", n)
			}
		}
		if n := len(q.list()); n != maxPending {
			t.Errorf("%d kept, want %d", n, maxPending)
		}
		if p := sortPending(q.list()); p[0].Peer != (journal.Author{199}) || p[maxPending-1].Peer != (journal.Author{200 - maxPending}) {
			t.Error("the oldest were not the ones dropped, or the order is wrong")
		}
		more := 0
		for n := range 200 {
			if q.add(journal.Author{1, byte(n)}, "p", "addr") {
				more++
			}
		}
		if more > pendingBurst {
			t.Errorf("%d new ones at once", more)
		}
	})
}
