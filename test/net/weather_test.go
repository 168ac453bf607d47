package net_test

import (
	"fmt"
	"testing"
	"time"
)

// loss is of a hundred packets, on their way to each site.
const loss = 5

// office is a group of nodes that each have a public address of their own.
func office(t testing.TB, n *internet, loss int, names ...string) []*node {
	t.Helper()
	var nodes []*node
	for i, name := range names {
		nodes = append(nodes, newNode(t, n.public(t, name, i+1, loss), name).start())
	}
	return nodes
}

// A group is founded, funded and spends where every packet takes 150 ms and
// one in twenty is lost on its way to each site.
func TestSlowAndLossy(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes := office(t, n, loss, "a", "b", "c")
	began := time.Now()
	g := found(t, 2, nodes...)
	took(t, "founded, three cosigners", began)
	began = time.Now()
	g.fund(40_000_000, 60_000_000)
	took(t, "two deposits seen by all", began)

	before := n.bytes()
	began = time.Now()
	p := g.nodes[0].propose(70_000_000)
	g.nodes[1].approve(p.Proposal)
	took(t, "proposed, and approved by another", began)
	final(p.Proposal, g.nodes...)
	took(t, "proposed, and final on all", began)
	g.confirmed(p.Proposal)
	took(t, "proposed, and confirmed on all", began)
	measured(t, "sent by all for it", fmt.Sprintf("%d KB", (n.bytes()-before)/1000))
	g.equal()
}
