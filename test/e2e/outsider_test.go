package e2e_test

import (
	"context"
	"crypto/rand"
	"io"
	"sync/atomic"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// A host outside the group that knows the nodes' addresses, the group and even
// the name of its topic gets no connection, no message and no answer. While an
// invite is open it gets a connection, and nothing on it.
func TestOutsider(t *testing.T) {
	g := newGroup(t, 2, 3).Fund(50_000_000, 50_000_000)
	a, b, c := g.Nodes[0], g.Nodes[1], g.Nodes[2]
	c.Stop()
	secrets := impersonate(t, c, g.ID) // only to know the topic
	if err := secrets.host.Close(); err != nil {
		t.Fatal(err)
	}
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		t.Fatal(err)
	}
	x := newStranger(t, journal.NewIdentity(seed))
	topic, err := x.ps.Join(secrets.epoch.Topic())
	if err != nil {
		t.Fatal(err)
	}
	heard := listen(t, topic, x.host.ID())
	to := []peer.AddrInfo{addressOf(t, a), addressOf(t, b)}

	for _, at := range to {
		// The dialer may be done before the other side refuses.
		_ = x.host.Connect(context.Background(), at)
		world.Eventually(t, "the connection is gone", func() bool { return x.host.Network().Connectedness(at.ID) == network.NotConnected })
		for _, proto := range []protocol.ID{p2p.SyncProtocol, p2p.JoinProtocol, pubsub.GossipSubID_v11} {
			s, err := x.host.NewStream(network.WithNoDial(context.Background(), "refused before"), at.ID, proto)
			if err == nil {
				_ = s.Reset()
				t.Errorf("an outsider has a stream of %s", proto)
			}
		}
	}
	for _, n := range []*node{a, b} {
		world.Eventually(t, n.Name+" shows who tried", func() bool {
			for _, p := range ask[api.Page[api.Peer]](n, "peers", "pending").Items {
				if p.PeerID == x.host.ID().String() && !p.Connected {
					return true
				}
			}
			return false
		})
	}
	spend := func() {
		t.Helper()
		p := ask[api.Proposed](a, pay(t, 20_000_000, "--note", "not for you")...)
		b.Reaches(p.Proposal, api.StatusPending)
		ask[api.Proposal](b, "approve", p.Proposal)
		world.Confirmed(t, p.Proposal, a, b)
	}
	spend()

	// An invite to another wallet is open: whoever comes may try to prove it.
	ask[api.WalletInvites](a, "wallet", "create", "other", "--threshold", "1", "--cosigners", "2")
	world.Eventually(t, "a stranger is let in to join", func() bool {
		return x.host.Connect(context.Background(), to[0]) == nil && x.host.Network().Connectedness(to[0].ID) == network.Connected
	})
	if b := x.sync(to[0].ID, p2ptest.Hello(secrets.epoch.Group)); len(b) > 0 {
		t.Errorf("sync answered a stranger with %d bytes", len(b))
	}
	if err := topic.Publish(context.Background(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	spend()
	if peers := topic.ListPeers(); len(peers) != 0 {
		t.Errorf("a stranger was told of the topic by %v", peers)
	}
	if n := heard.Load(); n != 0 {
		t.Errorf("an outsider heard %d messages", n)
	}
	for _, p := range ask[api.Page[api.Peer]](a, "peers").Items {
		if p.PeerID == x.host.ID().String() {
			t.Errorf("a stranger is listed as a member: %+v", p)
		}
	}
}

// listen counts what comes from others on a topic.
func listen(t testing.TB, topic *pubsub.Topic, self peer.ID) *atomic.Int64 {
	t.Helper()
	sub, err := topic.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var heard atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := sub.Next(ctx)
			if err != nil {
				return
			}
			if m.ReceivedFrom != self {
				heard.Add(1)
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return &heard
}

// sync asks as a member would, and returns whatever comes back before the stream ends.
func (x *stranger) sync(to peer.ID, hello p2ptest.Frame) []byte {
	x.t.Helper()
	s, err := x.host.NewStream(network.WithNoDial(context.Background(), "connected"), to, p2p.SyncProtocol)
	if err != nil {
		return nil
	}
	defer func() { _ = s.Close() }()
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		x.t.Fatal(err)
	}
	if _, err := s.Write(p2ptest.Encode(x.t, hello)); err != nil {
		return nil
	}
	b, err := io.ReadAll(s)
	if err == nil {
		x.t.Error("the stream of a stranger was closed in order, not refused")
	}
	return b
}
