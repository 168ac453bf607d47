package p2p_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// newRelay runs a relay on loopback for the group of these identities.
func newRelay(t testing.TB, cfg p2p.RelayConfig, named ...byte) *p2p.Relay {
	t.Helper()
	if cfg.Identity == nil {
		cfg.Identity = p2ptest.Identity(200)
	}
	if cfg.Listen == nil {
		cfg.Listen = quicAndTCP().listen
	}
	if cfg.Allow == nil {
		cfg.Allow = p2p.RelayGroups{"": ids(t, named...)}
	}
	r, err := p2p.NewRelay(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// ids are the peer IDs of identities.
func ids(t testing.TB, of ...byte) []string {
	t.Helper()
	var out []string
	for _, n := range of {
		id, err := p2p.PeerID(p2ptest.Identity(n).Author())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, id.String())
	}
	return out
}

// hidden is a node that listens nowhere: it is reached at relays alone.
func hidden(t testing.TB, n byte, relays ...*p2p.Relay) *p2p.Node {
	t.Helper()
	cfg := p2p.Config{Identity: p2ptest.Identity(n), Listen: []string{}}
	for _, r := range relays {
		cfg.Relays = append(cfg.Relays, r.Addresses()...)
	}
	return quicAndTCP().node(t, cfg)
}

// circuitsOf are the addresses of a node at relays, for hints.
func circuitsOf(relays ...*p2p.Relay) []string {
	var out []string
	for _, r := range relays {
		for _, a := range r.Addresses() {
			out = append(out, a+"/p2p-circuit")
		}
	}
	return out
}

// relayed are two members who have nothing between them but relays.
type relayed struct {
	g    p2ptest.Group
	a, b *p2p.Node
	in   *p2ptest.Inbox // of a
	out  *p2ptest.Inbox // of b
	w    *p2ptest.Writer
}

func newRelayed(t testing.TB, relays ...*p2p.Relay) *relayed {
	t.Helper()
	p := &relayed{g: p2ptest.NewGroup(1), a: hidden(t, 1, relays...), b: hidden(t, 2, relays...)}
	at := circuitsOf(relays...)
	hints := map[journal.Author][]string{p.a.Author(): at, p.b.Author(): at}
	p.in = attachNode(t, p.a, p.g, hints, p.a.Author(), p.b.Author())
	p.out = attachNode(t, p.b, p.g, hints, p.a.Author(), p.b.Author())
	p.w = p2ptest.NewWriter(p2ptest.Identity(1), p.g, 1)
	return p
}

func (p *relayed) meet(t testing.TB) {
	t.Helper()
	p2ptest.Eventually(t, "the two are connected over a relay, and on the topic", func() bool {
		s := statusOf(p.a, p.b.Author())
		return s.Connected && s.Relayed && len(p.a.TopicPeers(p.g.Epoch.Topic())) == 1
	})
}

// carry has an entry cross.
func (p *relayed) carry(t testing.TB) *journal.Entry {
	t.Helper()
	e := p.w.Fill(t, p.in, 1)[0]
	if err := p.a.Publish(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "the entry arrives", func() bool { return p.out.Has(e) })
	return e
}

// Members who have nothing but a relay between them gossip over it, without a
// limit of bytes; and the relay sees who talks to whom, and not one word.
func TestRelay(t *testing.T) {
	var mu sync.Mutex
	var seen []byte
	r := newRelay(t, p2p.RelayConfig{Tap: func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, b...)
	}}, 1, 2)
	p := newRelayed(t, r)
	p.meet(t)
	var sent [][]byte
	const each, entries = 60_000, 12 // several times what a limited circuit carries
	for i := range entries {
		event := bytes.Repeat([]byte{'x', byte(i)}, each/2)
		e := p.w.WriteEvent(t, event)
		if err := p.in.Put(e); err != nil {
			t.Fatal(err)
		}
		if err := p.a.Publish(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, e.Bytes()[:64], e.Bytes()[len(e.Bytes())-64:])
		p2ptest.Eventually(t, "a large entry arrives", func() bool { return p.out.Has(e) })
	}
	s := r.Stats()
	if s.Connected != 2 || s.Reservations != 2 || s.Circuits < 1 || s.Bytes < each*entries || s.Refused != 0 || s.Strangers != 0 {
		t.Errorf("the relay counts %+v", s)
	}
	mu.Lock()
	defer mu.Unlock()
	group := p.g.ID()
	secret := map[string][]byte{
		"a topic": []byte(p.g.Epoch.Topic()), "a group": group[:], "a protocol": []byte(p2p.SyncProtocol), "pubsub": []byte("/meshsub"),
	}
	for i, b := range sent {
		secret[fmt.Sprintf("part %d of an entry", i)] = b
	}
	for what, b := range secret {
		if bytes.Contains(seen, b) {
			t.Errorf("the relay reads %s", what)
		}
	}
	// What it does see, so that the search above is one: whom to join, and how
	// the two agree to encrypt.
	to, err := p2p.PeerID(p.a.Author())
	if err != nil {
		t.Fatal(err)
	}
	from, err := p2p.PeerID(p.b.Author())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(seen, []byte(to)) && !bytes.Contains(seen, []byte(from)) || !bytes.Contains(seen, []byte("/multistream/1.0.0")) {
		t.Error("the tap shows nothing")
	}
}

// Who is not named gets no connection; who is named gets no circuit to another
// group's members, to the unnamed, or to itself.
func TestRelayRefuses(t *testing.T) {
	r := newRelay(t, p2p.RelayConfig{Allow: p2p.RelayGroups{"one": ids(t, 1, 2), "two": ids(t, 3)}})
	at, err := peer.AddrInfoFromString(r.Addresses()[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	stranger := newHostile(t, p2ptest.Identity(9), "/ip4/127.0.0.1/tcp/0")
	for range 3 {
		// The dialer may be done before the other side refuses.
		_ = stranger.host.Connect(ctx, *at)
		p2ptest.Eventually(t, "the stranger is disconnected", func() bool {
			return stranger.host.Network().Connectedness(at.ID) == network.NotConnected
		})
	}
	if _, err := client.Reserve(ctx, stranger.host, *at); err == nil {
		t.Error("a stranger has a reservation")
	}
	if s := r.Stats(); s.Strangers < 3 || s.Connected != 0 || s.Reservations != 0 {
		t.Errorf("the relay counts %+v", s)
	}

	one, two, other := newClient(t, 1), newClient(t, 2), newClient(t, 3)
	for _, x := range []*hostile{one, two, other} {
		if err := x.host.Connect(ctx, *at); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []*hostile{two, other} {
		if _, err := client.Reserve(ctx, x.host, *at); err != nil {
			t.Fatalf("a named peer has no reservation: %v", err)
		}
	}
	reach := func(x *hostile, to peer.ID) error {
		c := ma.StringCast(r.Addresses()[0] + "/p2p-circuit")
		return x.host.Connect(ctx, peer.AddrInfo{ID: to, Addrs: []ma.Multiaddr{c}})
	}
	if err := reach(one, two.host.ID()); err != nil {
		t.Errorf("two of a group: %v", err)
	}
	for what, to := range map[string]peer.ID{"a member of another group": other.host.ID(), "a stranger": stranger.host.ID()} {
		if err := reach(one, to); err == nil {
			t.Errorf("a circuit to %s", what)
		}
	}
	// The relay answers nothing but what it is for.
	for _, id := range []protocol.ID{p2p.SyncProtocol, p2p.JoinProtocol, proto.ProtoIDv2Stop, "/meshsub/1.1.0", "/ipfs/ping/1.0.0", "/libp2p/dcutr"} {
		if s, err := one.host.NewStream(ctx, at.ID, id); err == nil {
			_ = s.Reset()
			t.Errorf("the relay answers %s", id)
		}
	}
	if s := r.Stats(); s.Refused < 2 {
		t.Errorf("the relay counts %+v", s)
	}
}

// newClient is a plain host that can use relays.
func newClient(t testing.TB, n byte) *hostile {
	t.Helper()
	return newHostile(t, p2ptest.Identity(n))
}

// A list that cannot be right changes nothing, and a new one applies to what
// lives.
func TestRelayList(t *testing.T) {
	r := newRelay(t, p2p.RelayConfig{}, 1, 2)
	p := newRelayed(t, r)
	p.meet(t)
	rsa := "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"
	for _, bad := range []string{"", "alice", strings.ToLower(ids(t, 1)[0]), rsa} {
		if err := r.Allow(p2p.RelayGroups{"": {bad}}); !errors.Is(err, p2p.ErrRelayGroups) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var many []string
	for i := range 1100 {
		a := journal.NewIdentity(journal.H("relay test", []byte{byte(i), byte(i >> 8)})).Author()
		id, err := p2p.PeerID(a)
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, id.String())
	}
	if err := r.Allow(p2p.RelayGroups{"": many}); !errors.Is(err, p2p.ErrRelayGroups) {
		t.Errorf("a list of %d: %v", len(many), err)
	}
	p.carry(t)
	if err := r.Allow(p2p.RelayGroups{"": ids(t, 1, 3)}); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "who is no longer named is cut off", func() bool {
		s := r.Stats()
		return s.Connected == 1 && s.Circuits == 0 && !statusOf(p.a, p.b.Author()).Connected
	})
	if err := r.Allow(p2p.RelayGroups{"x": ids(t, 1), "y": ids(t, 2)}); err != nil {
		t.Fatal(err)
	}
	if err := r.Allow(p2p.RelayGroups{"x": ids(t, 1, 2)}); err != nil {
		t.Fatal(err)
	}
	p.meet(t)
	p.carry(t)
}

// Several relays serve at once. When the one that carries dies, another does;
// when it is back, it is used again.
func TestSeveralRelays(t *testing.T) {
	one := newRelay(t, p2p.RelayConfig{Identity: p2ptest.Identity(200)}, 1, 2)
	two := newRelay(t, p2p.RelayConfig{Identity: p2ptest.Identity(201)}, 1, 2)
	p := newRelayed(t, one, two)
	p2ptest.Eventually(t, "both nodes have a place at both relays", func() bool {
		return one.Stats().Reservations == 2 && two.Stats().Reservations == 2
	})
	p.meet(t)
	p.carry(t)
	dies, stays := one, two
	if two.Stats().Circuits > 0 {
		dies, stays = two, one
	}
	was := dies.Addresses()
	if err := dies.Close(); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "the other relay carries", func() bool { return stays.Stats().Circuits > 0 })
	p.meet(t)
	p.carry(t)

	cfg := p2p.RelayConfig{Identity: p2ptest.Identity(200)}
	if dies == two {
		cfg.Identity = p2ptest.Identity(201)
	}
	for _, a := range was {
		cfg.Listen = append(cfg.Listen, a[:strings.Index(a, "/p2p/")])
	}
	again := newRelay(t, cfg, 1, 2)
	if !slices.Equal(again.Addresses(), was) {
		t.Fatalf("the relay is at %v, and was at %v", again.Addresses(), was)
	}
	p2ptest.Eventually(t, "the relay that is back is used again", func() bool { return again.Stats().Reservations == 2 })
}

// Members who can reach each other need none, and use none that they have.
func TestNoRelayIsNeeded(t *testing.T) {
	r := newRelay(t, p2p.RelayConfig{}, 1, 2)
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1), Relays: r.Addresses()})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2), Relays: r.Addresses()})
	p2ptest.Eventually(t, "both have a place at the relay", func() bool { return r.Stats().Reservations == 2 })
	hints := map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()}
	in := attachNode(t, a, g, hints, a.Author(), b.Author())
	out := attachNode(t, b, g, hints, a.Author(), b.Author())
	p2ptest.Eventually(t, "the two are connected", func() bool { return statusOf(a, b.Author()).Connected })
	e := p2ptest.NewWriter(p2ptest.Identity(1), g, 1).Fill(t, in, 1)[0]
	if err := a.Publish(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "the entry arrives", func() bool { return out.Has(e) })
	if s := statusOf(a, b.Author()); s.Relayed || r.Stats().Opened != 0 {
		t.Errorf("they use the relay: %+v, %+v", s, r.Stats())
	}
}
