package p2p_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// After a rotation both sides hear each other on the new topic by gossip alone,
// though one announced it before the other knew it.
func TestRotationKeepsGossip(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	topics := []string{g.Epoch.Topic()}
	both := []*p2p.Node{a, b}
	attach := func(n *p2p.Node) {
		l := port.GroupLink{
			Group: g.ID(), Topics: topics, Members: []journal.Author{a.Author(), b.Author()},
			Hints: map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()},
		}
		if err := n.Attach(context.Background(), l, p2ptest.NewInbox()); err != nil {
			t.Fatal(err)
		}
	}
	for number := uint64(1); number < 4; number++ {
		for _, n := range both {
			attach(n)
		}
		for _, n := range both {
			p2ptest.Eventually(t, "the other is on every topic", func() bool {
				return !slices.ContainsFunc(topics, func(topic string) bool { return len(n.TopicPeers(topic)) != 1 })
			})
		}
		next := g.Epoch
		next.Number = number
		next.Secret = journal.H("next", []byte{byte(number)})
		topics = append([]string{next.Topic()}, topics...)
		slices.Reverse(both)
	}
}

// Who left a group is no longer sent its messages, though still connected for
// another group.
func TestRemovedIsOffTheTopic(t *testing.T) {
	net, g, h := quicAndTCP(), p2ptest.NewGroup(1), p2ptest.NewGroup(2)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	hints := map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()}
	for _, n := range []*p2p.Node{a, b} {
		for _, g := range []p2ptest.Group{g, h} {
			attachNode(t, n, g, hints, a.Author(), b.Author())
		}
	}
	on := func(g p2ptest.Group, want int) func() bool {
		return func() bool { return len(a.TopicPeers(g.Epoch.Topic())) == want }
	}
	p2ptest.Eventually(t, "b is on the first topic", on(g, 1))
	p2ptest.Eventually(t, "b is on the second topic", on(h, 1))
	attachNode(t, a, g, hints, a.Author())
	p2ptest.Eventually(t, "b is off the first topic", on(g, 0))
	p2ptest.Eventually(t, "b is on the second topic", on(h, 1))
	if !on(g, 0)() {
		t.Error("b came back on the topic of a group it left")
	}
	if err := a.Detach(h.ID()); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "b is cut", func() bool { return !statusOf(b, a.Author()).Connected })
}

// book is an address book in memory.
type book struct {
	mu   sync.Mutex
	kept map[string][]string
	fail error
}

func (b *book) Load() (map[string][]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept, b.fail
}

func (b *book) Save(m map[string][]string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = m
	return b.fail
}

// A node that starts again finds members without any hint.
func TestAddressesAreRemembered(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	kept := &book{}
	cfg := p2p.Config{Identity: p2ptest.Identity(2), Book: kept}
	members := []journal.Author{a.Author(), p2ptest.Identity(2).Author()}
	attachNode(t, a, g, nil, members...)
	b := net.node(t, cfg)
	attachNode(t, b, g, map[journal.Author][]string{a.Author(): a.ListenAddrs()}, members...)
	p2ptest.Eventually(t, "the two meet", func() bool { return statusOf(b, a.Author()).Connected })
	p2ptest.Eventually(t, "a told where it is", func() bool { return len(b.Record(a.Author())) > 0 })
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if len(kept.kept[a.Author().String()]) == 0 {
		t.Fatalf("nothing was saved: %v", kept.kept)
	}
	kept.kept["damaged"] = []string{"x"}
	b = net.node(t, cfg)
	attachNode(t, b, g, nil, members...)
	p2ptest.Eventually(t, "the two meet again", func() bool { return statusOf(b, a.Author()).Connected })

	kept.fail = errors.New("disk is gone")
	if _, err := p2p.New(context.Background(), cfg); !errors.Is(err, kept.fail) {
		t.Errorf("started without its address book: %v", err)
	}
	kept.fail = nil
}

func TestBootstrapAndExternalAddresses(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1), ExternalAddrs: []string{"/dns4/wallet.example/tcp/4001"}})
	if !slices.ContainsFunc(a.Addresses(), func(s string) bool {
		return strings.HasPrefix(s, "/dns4/wallet.example/tcp/4001/p2p/12D3")
	}) {
		t.Errorf("external address is not told: %v", a.Addresses())
	}
	for _, l := range a.ListenAddrs() {
		if strings.Contains(l, "/0") && !strings.Contains(l, "127.0.0.1") {
			t.Errorf("port 0 is reported: %v", a.ListenAddrs())
		}
	}
	var boot []string
	for _, s := range a.Addresses() {
		if strings.Contains(s, "127.0.0.1") {
			boot = append(boot, s)
		}
	}
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2), Bootstrap: boot})
	for _, n := range []*p2p.Node{a, b} {
		attachNode(t, n, g, nil, a.Author(), b.Author())
	}
	p2ptest.Eventually(t, "b finds a", func() bool { return statusOf(b, a.Author()).Connected })
}

func TestBadConfig(t *testing.T) {
	id := p2ptest.Identity(1)
	for name, cfg := range map[string]p2p.Config{
		"no identity":          {},
		"bad listen address":   {Identity: id, Listen: []string{"here"}},
		"bad external address": {Identity: id, ExternalAddrs: []string{"/ip4/1"}},
		"relay without peer":   {Identity: id, Relays: []string{"/ip4/127.0.0.1/tcp/1"}},
		"bad bootstrap":        {Identity: id, Bootstrap: []string{"x"}},
	} {
		if n, err := p2p.New(context.Background(), cfg); err == nil {
			_ = n.Close()
			t.Errorf("%s: started", name)
		}
	}
}

// What the host answers to is what it needs: no AutoNAT, no ping.
func TestProtocols(t *testing.T) {
	a := quicAndTCP().node(t, p2p.Config{Identity: p2ptest.Identity(1)})
	for _, p := range a.Protocols() {
		if strings.Contains(string(p), "autonat") || strings.Contains(string(p), "ping") {
			t.Errorf("the host answers %s", p)
		}
	}
	if len(a.Protocols()) == 0 {
		t.Error("the host answers nothing")
	}
}

// Two nodes that reach each other only over a limited relay sync; gossip does
// not run there.
func TestSyncOverRelay(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	r, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics(), libp2p.ForceReachabilityPublic())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	rs, err := relay.New(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rs.Close() }()
	at := r.Addrs()[0].String() + "/p2p/" + r.ID().String()

	cfg := p2p.Config{Listen: []string{}, Relays: []string{at}}
	cfg.Identity = p2ptest.Identity(1)
	a := net.node(t, cfg)
	cfg.Identity = p2ptest.Identity(2)
	b := net.node(t, cfg)
	for _, n := range []*p2p.Node{a, b} {
		p2ptest.Eventually(t, "the node is connected to the relay", func() bool {
			return n.Host().Network().Connectedness(r.ID()) == network.Connected
		})
		if !slices.ContainsFunc(n.Addresses(), func(s string) bool { return strings.HasPrefix(s, at+"/p2p-circuit/p2p/") }) {
			t.Errorf("the address at the relay is not told: %v", n.Addresses())
		}
	}
	hints := map[journal.Author][]string{a.Author(): {at + "/p2p-circuit"}, b.Author(): {at + "/p2p-circuit"}}
	in := attachNode(t, a, g, hints, a.Author(), b.Author())
	out := attachNode(t, b, g, hints, a.Author(), b.Author())
	p2ptest.Eventually(t, "the two are connected over the relay", func() bool {
		s := statusOf(a, b.Author())
		return s.Connected && s.Relayed
	})
	w := p2ptest.NewWriter(p2ptest.Identity(1), g, 1)
	e := w.Fill(t, in, 1)[0]
	if err := a.Publish(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "the entry arrives", func() bool { return out.Has(e) })
	p2ptest.Eventually(t, "its holder is known", func() bool {
		return in.ClaimOf(b.Author()).Frontier[w.Chain()].Seq == 1
	})
	if peers := a.TopicPeers(g.Epoch.Topic()); len(peers) != 0 {
		t.Errorf("gossip runs over a limited relay: %v", peers)
	}
}

// The tap sees everything that leaves and comes, so that a test can look for
// secrets in it.
func TestTap(t *testing.T) {
	net, g := quicAndTCP(), p2ptest.NewGroup(1)
	var mu sync.Mutex
	seen := map[string][]byte{}
	tap := func(kind string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen[kind] = append(seen[kind], b...)
	}
	a := net.node(t, p2p.Config{Identity: p2ptest.Identity(1), Tap: tap})
	b := net.node(t, p2p.Config{Identity: p2ptest.Identity(2)})
	hints := map[journal.Author][]string{a.Author(): a.ListenAddrs(), b.Author(): b.ListenAddrs()}
	in := attachNode(t, a, g, hints, a.Author(), b.Author())
	w := p2ptest.NewWriter(p2ptest.Identity(1), g, 1)
	synced := w.Fill(t, in, 1)[0]
	out := attachNode(t, b, g, hints, a.Author(), b.Author())
	p2ptest.Eventually(t, "the first entry arrives by sync", func() bool { return out.Has(synced) })
	p2ptest.Eventually(t, "b is on the topic", func() bool { return len(a.TopicPeers(g.Epoch.Topic())) == 1 })
	gossiped := w.Fill(t, in, 1)[0]
	if err := a.Publish(context.Background(), gossiped); err != nil {
		t.Fatal(err)
	}
	p2ptest.Eventually(t, "the second entry arrives", func() bool { return out.Has(gossiped) })
	mu.Lock()
	defer mu.Unlock()
	if !bytes.Contains(seen["sync"], synced.Bytes()) {
		t.Error("the tap did not see a synced entry")
	}
	if !bytes.Contains(seen["pubsub"], gossiped.Bytes()) {
		t.Error("the tap did not see a gossiped entry")
	}
	if bytes.Contains(seen["sync"], []byte("an event")) || bytes.Contains(seen["pubsub"], []byte("an event")) {
		t.Error("an event travels in the open")
	}
}
