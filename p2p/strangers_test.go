package p2p

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Whatever strangers do with their connections, in whatever order: no more are
// open than their places allow, and none once their time is over.
func TestStrangersConnectionsAreBounded(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			d := &testDoor{open: true}
			g := testGate(t, d)
			var secured, open []*fakeConn
			var let int
			take := func(from *[]*fakeConn) *fakeConn {
				if len(*from) == 0 {
					return nil
				}
				i := r.IntN(len(*from))
				c := (*from)[i]
				*from = append((*from)[:i], (*from)[i+1:]...)
				return c
			}
			// What the host tells of those that are closed.
			settle := func() {
				synctest.Wait()
				for i := len(open) - 1; i >= 0; i-- {
					if c := open[i]; c.gone() {
						open = append(open[:i], open[i+1:]...)
						g.disconnected(c)
					}
				}
			}
			for range 2000 {
				switch r.IntN(8) {
				case 0, 1, 2:
					n := byte(10 + r.IntN(40))
					c := &fakeConn{peer: testPeer(t, n), at: fmt.Sprintf("192.0.%d.1", n)}
					if g.InterceptSecured(network.DirInbound, c.peer, c) {
						let++
						secured = append(secured, c)
					}
				case 3, 4:
					if c := take(&secured); c != nil {
						open = append(open, c)
						g.connected(c)
					}
				case 5:
					if len(open) > 0 {
						_ = open[r.IntN(len(open))].Close()
					}
				case 6:
					if len(open) > 0 {
						p := open[r.IntN(len(open))].peer
						if g.joinBegins(p) {
							g.stay(p, strangerTime)
							g.joinEnds(p)
						}
					}
				case 7:
					pass(time.Duration(r.IntN(1000)) * time.Millisecond)
				}
				settle()
				of := map[peer.ID]int{}
				for _, c := range open {
					if of[c.peer]++; of[c.peer] > maxStrangerConns {
						t.Fatalf("seed %d: one stranger has %d connections", seed, of[c.peer])
					}
				}
				if len(of) > strangerLimits().places {
					t.Fatalf("seed %d: %d strangers are connected", seed, len(of))
				}
			}
			if let == 0 {
				t.Fatal("none was let in")
			}
			d.open = false
			for _, c := range secured { // these were about to be connected
				open = append(open, c)
				g.connected(c)
			}
			pass(proofTime + time.Millisecond)
			settle()
			g.mu.Lock()
			defer g.mu.Unlock()
			if len(open) > 0 || len(g.strangers.m) > 0 || g.strangers.room.taken > 0 {
				t.Errorf("seed %d: %d connections and %d strangers are left, with %d places",
					seed, len(open), len(g.strangers.m), g.strangers.room.taken)
			}
		})
	}
}

func TestAStrangersFurtherConnectionsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := testGate(t, &testDoor{open: true})
		come := func(n byte) *fakeConn {
			c := &fakeConn{peer: testPeer(t, n)}
			if !g.InterceptSecured(network.DirInbound, c.peer, c) {
				return nil
			}
			return c
		}
		var in []*fakeConn
		for range 10 {
			if c := come(9); c != nil {
				g.connected(c)
				in = append(in, c)
			}
		}
		if len(in) != maxStrangerConns {
			t.Errorf("a stranger has %d connections, want %d", len(in), maxStrangerConns)
		}
		g.disconnected(in[0])
		if come(9) != nil {
			t.Error("one that closes connections gets more, past the rates")
		}
		// One that nobody let in, or that was let in before its peer was sent away.
		late := &fakeConn{peer: testPeer(t, 8)}
		if g.joinBegins(late.peer) {
			t.Error("a peer that was not let in has a join stream")
		}
		g.connected(late)
		extra := &fakeConn{peer: testPeer(t, 9)}
		second := &fakeConn{peer: testPeer(t, 9)}
		g.connected(extra)
		g.connected(second)
		member, relay := &fakeConn{peer: testPeer(t, 2)}, &fakeConn{peer: testPeer(t, 3)}
		g.connected(member)
		g.connected(relay)
		synctest.Wait()
		if !late.gone() || !second.gone() || in[1].gone() || extra.gone() {
			t.Error("a connection that nobody ends is left open, or another was ended")
		}
		if member.gone() || relay.gone() || !g.joinBegins(member.peer) {
			t.Error("a member or a relay is sent away")
		}
		// Gone with its last connection, and its place with it.
		g.disconnected(in[1])
		g.disconnected(extra)
		if come(9) == nil || g.strangers.room.taken != 1 {
			t.Error("one that left cannot come again, or holds two places")
		}
	})
}

// openDoor is a doorman whose invite can be used up, and whom nobody satisfies.
type openDoor struct {
	testDoor
	closed atomic.Bool
}

func (d *openDoor) Open() bool { return !d.closed.Load() }

// The same over real connections: of one identity, some closed and made anew.
func TestNoStrangersConnectionLasts(t *testing.T) {
	d := &openDoor{}
	n, err := New(t.Context(), Config{Identity: testIdentity(1), Doorman: d, Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	link := port.GroupLink{Topics: []string{"topic"}, Members: []journal.Author{testIdentity(1).Author(), testIdentity(2).Author()}}
	if err := n.Attach(t.Context(), link, openInbox{}); err != nil {
		t.Fatal(err)
	}
	key, err := hostKey(testIdentity(9))
	if err != nil {
		t.Fatal(err)
	}
	come := func() host.Host {
		h, err := libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		// It may be refused, and that may be known only later.
		_ = dialPeer(t.Context(), h, peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Network().ListenAddresses()})
		return h
	}
	conns := func() int { return len(n.host.Network().ConnsToPeer(testPeer(t, 9))) }
	first := come()
	until(t, "a stranger is let in", func() bool { return conns() > 0 })
	var more []host.Host
	for range nodeConnsOfPeer - 1 {
		more = append(more, come())
	}
	for _, h := range more {
		_ = h.Close()
	}
	until(t, "those are gone", func() bool { return conns() <= 1 })
	for range nodeConnsOfPeer - 1 {
		come()
	}
	d.closed.Store(true) // the invite is used up
	_ = first.Close()
	until(t, "all are gone", func() bool { return conns() == 0 })
	until(t, "their places are free", func() bool {
		n.gate.mu.Lock()
		defer n.gate.mu.Unlock()
		return len(n.gate.strangers.m) == 0 && n.gate.strangers.room.taken == 0
	})
	nb := testNode(t, 2, port.GroupLink{Topics: link.Topics, Members: link.Members,
		Hints: map[journal.Author][]string{testIdentity(1).Author(): n.ListenAddrs()}})
	until(t, "a member comes in", func() bool { return len(lines{nb}.Connected()) > 0 && len(lines{n}.Connected()) > 0 })
}
