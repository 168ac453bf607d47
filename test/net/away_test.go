package net_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// entries is how many the others write while one is away. Ten thousand are
// what it is to stand; the tests that run every time write fewer.
func entries(t testing.TB) int {
	t.Helper()
	text := os.Getenv("QUORATE_NET_ENTRIES")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A cosigner comes back after three weeks in which the others wrote much.
func TestThreeWeeksAway(t *testing.T) {
	ready(t)
	n := newInternet(t)
	nodes := office(t, n, 0, "a", "b", "c")
	a, b, c := nodes[0], nodes[1], nodes[2]
	g := found(t, 2, nodes...).fund(10_000_000, 10_000_000)
	coins, err := a.Client.Coins(context.Background(), walletName)
	if err != nil {
		t.Fatal(err)
	}
	c.Kill()
	count := entries(t) / 6 * 6
	var last [2]string
	began := time.Now()
	var all sync.WaitGroup
	for i, x := range []*node{a, b} {
		x.Synced()
		all.Go(func() { last[i] = x.busy(count/6, coins[i].OutPoint) })
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	took(t, fmt.Sprintf("%d entries written by two", count), began)
	a.Reaches(last[1], "withdrawn")
	b.Reaches(last[0], "withdrawn")
	took(t, "and held by both", began)

	before := n.bytes()
	c.start()
	began = time.Now()
	c.Reaches(last[0], "withdrawn")
	c.Reaches(last[1], "withdrawn")
	spent := time.Since(began)
	measured(t, fmt.Sprintf("one that was away has caught up with %d entries", count),
		fmt.Sprintf("%v, %.0f a second", spent.Round(10*time.Millisecond), float64(count)/spent.Seconds()))
	measured(t, "sent by all for it", fmt.Sprintf("%d KB", (n.bytes()-before)/1000))
	g.equal()
	c.Kill()
	measured(t, "processor time of the one that was away", c.Spent().Round(10*time.Millisecond).String())
}

// busy writes three entries so many times: a proposal, a vote against it and
// its end. It returns the last proposal.
func (n *node) busy(times int, coin string) (last string) {
	ctx := context.Background()
	for i := range times {
		p, err := n.Client.Propose(ctx, walletName, api.Propose{
			To: []api.Recipient{{Address: nodes.Outside(n.T), Amount: 1_000_000, Label: "rent"}}, FeeRate: 2, Coins: []string{coin},
			Unsigned: true, Note: fmt.Sprintf("the rent of month %d, as it was agreed upon", i),
		})
		if err == nil {
			_, err = n.Client.Reject(ctx, p.Proposal, api.Reject{Reason: "this month was paid already"})
		}
		if err == nil {
			_, err = n.Client.Withdraw(ctx, p.Proposal)
		}
		if err != nil {
			n.T.Errorf("%s: entry %d: %v", n.Name, 3*i, err)
			return last
		}
		last = p.Proposal
	}
	return last
}
