package net_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/test/nodes"
)

// relay is a `quorate relay` at a site.
type relay struct {
	*nodes.Daemon
	args []string
	addr []string
}

// newRelay runs a relay for nodes, which need not run yet.
func newRelay(t testing.TB, s *site, name string, users ...*node) *relay {
	t.Helper()
	r := &relay{Daemon: world.Daemon(t, nodes.Config{Name: name, Through: s.inside()})}
	r.args = []string{"relay", "--json", "--log-level", "debug", "--listen", "/ip4/0.0.0.0/udp/9782/quic-v1,/ip4/0.0.0.0/tcp/9782"}
	for _, n := range users {
		r.args = append(r.args, "--allow", n.PeerID)
	}
	r.start()
	return r
}

func (r *relay) start() {
	r.T.Helper()
	var ready struct{ Addresses []string }
	if err := json.Unmarshal(r.Up(r.args...), &ready); err != nil {
		r.T.Fatal(err)
	}
	r.addr = slices.DeleteFunc(ready.Addresses, func(a string) bool { return strings.HasPrefix(a, "/ip4/127.") })
}

// via is the setting that names relays.
func via(relays ...*relay) string {
	var all []string
	for _, r := range relays {
		all = append(all, r.addr...)
	}
	return "relays=" + strings.Join(all, ",")
}

// natted is two nodes behind a NAT each, and relays that both use.
func natted(t *testing.T, n *internet, nat string, relays int) ([]*node, []*relay) {
	t.Helper()
	var nodes []*node
	for i, name := range []string{"a", "b"} {
		nodes = append(nodes, newNode(t, n.behind(t, nat, name, i+1, loss, 1)[0], name))
	}
	var all []*relay
	for i := range relays {
		name := "relay" + string(rune('1'+i))
		all = append(all, newRelay(t, n.public(t, name, 10+i, loss), name, nodes...))
	}
	for _, x := range nodes {
		x.start(via(all...))
	}
	return nodes, all
}

// Two cosigners behind NATs that let in whom they sent to meet by a relay, and
// then reach each other without it.
func TestPortRestrictedNAT(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes, relays := natted(t, n, portRestricted, 1)
	began := time.Now()
	g := found(t, 2, nodes...)
	took(t, "founded over a relay, two cosigners", began)
	direct(t, nodes[0], nodes[1], func() { nodes[1].start(via(relays...)) })
	took(t, "founded, and connected without the relay", began)
	g.fund(10_000_000, 10_000_000)
	began = time.Now()
	g.spend(5_000_000)
	took(t, "proposed, and confirmed on both", began)
	measured(t, "connection at the end", nodes[0].connection(nodes[1]))
	g.equal()
}

// direct waits until two nodes reach each other without a relay. libp2p tries three times on
// a connection to punch a hole, at one moment on both sides, which a machine under load
// misses: so one of the two is started again, which makes another connection.
func direct(t testing.TB, a, b *node, start func()) {
	t.Helper()
	tried := time.Now()
	world.Eventually(t, a.Name+" and "+b.Name+" are connected without a relay", func() bool {
		if a.connection(b) == "direct" && b.connection(a) == "direct" {
			return true
		}
		if time.Since(tried) > 50*time.Second {
			tried = time.Now()
			b.Kill()
			start()
		}
		return false
	})
}

// Behind NATs that choose another port for each peer, no hole can be punched:
// the relay is enough.
func TestSymmetricNAT(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes, _ := natted(t, n, symmetric, 1)
	began := time.Now()
	g := found(t, 2, nodes...)
	took(t, "founded over a relay, two cosigners", began)
	g.fund(10_000_000, 10_000_000)
	began = time.Now()
	g.spend(5_000_000)
	took(t, "proposed, and confirmed on both", began)
	measured(t, "connection at the end", nodes[0].connection(nodes[1]))
	g.equal()
}

// The relay in use dies; the other one that both name takes its place.
func TestRelayDies(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes, relays := natted(t, n, symmetric, 2)
	a, b := nodes[0], nodes[1]
	g := found(t, 2, nodes...).fund(10_000_000, 10_000_000)
	began := time.Now()
	relays[0].Kill()
	p := a.propose(5_000_000)
	b.approve(p.Proposal)
	took(t, "the first relay dies, a proposal is approved", began)
	g.confirmed(p.Proposal)

	relays[0].start()
	began = time.Now()
	relays[1].Kill()
	p = b.propose(5_000_000)
	a.approve(p.Proposal)
	took(t, "it is back and the second dies, a proposal is approved", began)
	g.confirmed(p.Proposal)
	g.equal()
}
