package net_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/quorate/quorate/test/nodes"
)

// A cosigner gets another address while a proposal is on its way to it, and
// again while its approval is on its way back.
func TestAddressChanges(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes := office(t, n, loss, "a", "b", "c")
	a, c := nodes[0], nodes[2]
	g := found(t, 2, nodes...).fund(10_000_000, 10_000_000)

	p := a.propose(15_000_000)
	moved := time.Now()
	c.site.move(address(33))
	c.approve(p.Proposal)
	took(t, "moved while a proposal came: it arrived", moved)
	moved = time.Now()
	c.site.move(address(34))
	final(p.Proposal, nodes...)
	took(t, "moved while the approval went: final on all", moved)
	g.confirmed(p.Proposal)
	// And nobody talks to where it was.
	c.site.move(address(35))
	began := time.Now()
	p = a.propose(2_000_000)
	c.approve(p.Proposal)
	g.confirmed(p.Proposal)
	took(t, "moved before the next: proposed, and confirmed on all", began)
	g.equal()
}

// The path to one cosigner carries no packets over 1280 bytes.
func TestSmallMTU(t *testing.T) {
	ready(t)
	const mtu = 1280
	for _, c := range []struct {
		name  string
		apply func(*site)
	}{
		{"its own device says so", func(s *site) { s.ip("link", "set", "wan", "mtu", strconv.Itoa(mtu)) }},
		{"a router says so", func(s *site) { s.wan.mtu.Store(mtu) }},
		// QUIC and TCP both begin with more than fits. What saves such a path is a
		// setting of the hosts on it, which TCP then finds out with.
		{"nobody says so", func(s *site) {
			s.wan.mtu.Store(mtu)
			s.wan.mute.Store(true)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t)
			s, r := n.public(t, "b", 2, 0), n.public(t, "a", 1, 0)
			c.apply(s)
			for _, x := range []*site{s, r} {
				if s.wan.mute.Load() {
					x.exec("sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_mtu_probing")
				}
			}
			a, b := newNode(t, r, "a").start(), newNode(t, s, "b").start()
			began := time.Now()
			g := found(t, 2, a, b)
			took(t, "founded, two cosigners", began)
			g.fund(10_000_000, 10_000_000)
			// Each way something that does not fit into one packet.
			for _, way := range [][2]*node{{a, b}, {b, a}} {
				var more []string
				for i := range 100 {
					more = append(more, "--to", fmt.Sprintf("%s=%dsat", nodes.Outside(t), 1000+i))
				}
				began = time.Now()
				p := way[0].propose(1_000_000, more...)
				way[1].approve(p.Proposal)
				took(t, "a proposal of several packets from "+way[0].Name+" is approved", began)
				g.confirmed(p.Proposal)
			}
			g.equal()
			measured(t, "packets lost for their size", fmt.Sprint(s.wan.large.Load()))
		})
	}
}
