package p2p_test

import (
	"context"
	"crypto/ed25519"
	"io"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func linkOf(g p2ptest.Group, members []journal.Author) port.GroupLink {
	return port.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Members: members}
}

// loopback runs the suite over libp2p on loopback sockets.
type loopback struct{ listen []string }

func quicAndTCP() loopback {
	return loopback{[]string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}}
}

func (l loopback) Node(t testing.TB, id *journal.Identity, d port.Doorman) p2ptest.Peer {
	return l.node(t, p2p.Config{Identity: id, Doorman: d})
}

func (l loopback) node(t testing.TB, cfg p2p.Config) *p2p.Node {
	t.Helper()
	if cfg.Listen == nil {
		cfg.Listen = l.listen
	}
	n, err := p2p.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (l loopback) Addresses(p p2ptest.Peer) []string { return p.(*p2p.Node).ListenAddrs() }

func (l loopback) Hostile(t testing.TB, id *journal.Identity) p2ptest.Hostile {
	return newHostile(t, id, l.listen...)
}

// hostile is a plain libp2p host with a plain pubsub.
type hostile struct {
	author journal.Author
	host   host.Host
	ps     *pubsub.PubSub
	mu     sync.Mutex
	topics map[string]*pubsub.Topic
	serve  func(io.ReadWriteCloser)
}

func newHostile(t testing.TB, id *journal.Identity, listen ...string) *hostile {
	t.Helper()
	seed := id.Seed()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrStrings(listen...), libp2p.DisableMetrics(),
		libp2p.Transport(tcp.NewTCPTransport), libp2p.Transport(quic.NewTransport), libp2p.ForceReachabilityPublic())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	ps, err := pubsub.NewGossipSub(ctx, h, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(), pubsub.WithFloodPublish(true), pubsub.WithMaxMessageSize(4<<20),
		pubsub.WithMessageIdFn(p2p.MessageID))
	if err != nil {
		t.Fatal(err)
	}
	x := &hostile{author: id.Author(), host: h, ps: ps, topics: map[string]*pubsub.Topic{}}
	h.SetStreamHandler(p2p.SyncProtocol, func(s network.Stream) {
		x.mu.Lock()
		serve := x.serve
		x.mu.Unlock()
		if serve != nil {
			serve(s)
		}
	})
	return x
}

func (x *hostile) Author() journal.Author { return x.author }

// info is where a node is.
func info(t testing.TB, n *p2p.Node) peer.AddrInfo {
	t.Helper()
	id, err := p2p.PeerID(n.Author())
	if err != nil {
		t.Fatal(err)
	}
	to := peer.AddrInfo{ID: id}
	for _, a := range n.ListenAddrs() {
		to.Addrs = append(to.Addrs, ma.StringCast(a))
	}
	return to
}

func (x *hostile) Meet(t testing.TB, g p2ptest.Group, to p2ptest.Peer) {
	t.Helper()
	if err := x.host.Connect(context.Background(), info(t, to.(*p2p.Node))); err != nil {
		t.Fatal(err)
	}
	x.topic(t, g.Epoch.Topic())
}

func (x *hostile) topic(t testing.TB, name string) *pubsub.Topic {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.topics[name] == nil {
		topic, err := x.ps.Join(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := topic.Subscribe(); err != nil {
			t.Fatal(err)
		}
		x.topics[name] = topic
	}
	return x.topics[name]
}

func (x *hostile) Publish(t testing.TB, topic string, raw []byte) {
	t.Helper()
	if err := x.topic(t, topic).Publish(context.Background(), raw); err != nil {
		t.Fatal(err)
	}
}

func (x *hostile) Open(to p2ptest.Peer) (io.ReadWriteCloser, error) {
	id, err := p2p.PeerID(to.Author())
	if err != nil {
		return nil, err
	}
	return x.host.NewStream(context.Background(), id, p2p.SyncProtocol)
}

func (x *hostile) Serve(f func(io.ReadWriteCloser)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.serve = f
}

func TestNode(t *testing.T) {
	p2ptest.Run(t, func(testing.TB) p2ptest.Network { return quicAndTCP() })
}
