package net_test

import (
	"os"
	"testing"
	"time"
)

// cutTime is how long a partition lasts. A minute is what it is to stand; the
// tests that run every time cut for less.
func cutTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("QUORATE_NET_CUT")
	if text == "" {
		return 5 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The group is cut in two, both sides go on as far as they can, and after the
// cut all hold the same.
func TestPartition(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes := office(t, n, loss, "a", "b", "c")
	a, b, c := nodes[0], nodes[1], nodes[2]
	g := found(t, 2, nodes...).fund(10_000_000, 10_000_000, 10_000_000, 10_000_000)

	n.cut(c.site.wan)
	cut := time.Now()
	here := a.propose(15_000_000)
	there := c.propose(3_000_000)
	b.approve(here.Proposal)
	final(here.Proposal, a, b)
	world.Eventually(t, "the cut lasts", func() bool { return time.Since(cut) > cutTime(t) })
	if s := c.Status(here.Proposal); s != "" {
		t.Errorf("c sees what it cannot have heard of: %s", s)
	}
	for _, x := range []*node{a, b} {
		if s := x.Status(there.Proposal); s != "" {
			t.Errorf("%s sees what it cannot have heard of: %s", x.Name, s)
		}
	}

	n.heal()
	healed := time.Now()
	g.equal()
	took(t, "cut for "+cutTime(t).String()+", then healed: equal on all", healed)
	g.held(here.Proposal)
	g.held(there.Proposal)
	took(t, "healed: all know that all hold it", healed)
	g.confirmed(here.Proposal)
}
