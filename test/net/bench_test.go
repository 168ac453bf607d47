package net_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"
)

// BenchmarkSpend is a spend of 2 of 3, all by command lines, over the internet
// of the scenarios: from the start of `propose` at one site until all three hold
// the final transaction. Its floor is one way there and one back, which is what
// connecting takes, and no work at all.
func BenchmarkSpend(b *testing.B) {
	for _, lost := range []int{0, loss} {
		b.Run(fmt.Sprintf("loss=%d%%", lost), func(b *testing.B) {
			possible(b)
			n := newInternet(b)
			nodes := office(b, n, lost, "a", "b", "c")
			g := found(b, 2, nodes...)
			floor := roundTrip(b, nodes[0].site, nodes[1].site)
			var spent []time.Duration
			var sent int64
			for b.Loop() {
				b.StopTimer()
				g.fund(10_000_000)
				for _, x := range nodes {
					x.Synced()
				}
				b.StartTimer()
				before, began := n.bytes(), time.Now()
				p := nodes[0].propose(9_000_000)
				nodes[1].approve(p.Proposal)
				final(p.Proposal, nodes...)
				spent = append(spent, time.Since(began))
				sent += n.bytes() - before
				b.StopTimer()
				g.confirmed(p.Proposal)
				b.StartTimer()
			}
			slices.Sort(spent)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(spent[len(spent)/2].Milliseconds()), "ms/spend")
			b.ReportMetric(float64(floor.Milliseconds()), "floor-ms")
			b.ReportMetric(float64(sent)/float64(len(spent))/1000, "kB/spend")
		})
	}
}

// BenchmarkCatchUp is one who comes back and lacks what the others wrote. Its
// floor is the time that the bytes take on the line of the one that sends them.
func BenchmarkCatchUp(b *testing.B) {
	possible(b)
	n := newInternet(b)
	nodes := office(b, n, 0, "a", "b", "c")
	a, c := nodes[0], nodes[2]
	g := found(b, 2, nodes...).fund(10_000_000)
	coins, err := a.Client.Coins(context.Background(), walletName)
	if err != nil {
		b.Fatal(err)
	}
	count := entries(b) / 3 * 3
	var spent time.Duration
	var sent int64
	rounds := 0
	for b.Loop() {
		b.StopTimer()
		c.Kill()
		a.Synced()
		last := a.busy(count/3, coins[0].OutPoint)
		nodes[1].Reaches(last, "withdrawn")
		before := n.bytes()
		b.StartTimer()
		c.start()
		began := time.Now()
		c.Reaches(last, "withdrawn")
		spent += time.Since(began)
		sent += n.bytes() - before
		rounds++
	}
	g.equal()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(count*rounds)/spent.Seconds(), "entries/s")
	b.ReportMetric(float64(count*rounds)*bandwidth/float64(sent), "floor-entries/s")
	b.ReportMetric(float64(sent)/float64(count*rounds), "B/entry")
}

// roundTrip is how long connecting takes, in the middle of some.
func roundTrip(b *testing.B, from, to *site) time.Duration {
	b.Helper()
	var took []time.Duration
	for range 5 {
		l, err := within(from.ns, func() (net.Listener, error) {
			began := time.Now()
			c, err := net.Dial("tcp", net.JoinHostPort(to.addr.String(), "4001"))
			if err != nil {
				return nil, err
			}
			took = append(took, time.Since(began))
			return nil, c.Close()
		})
		if l != nil || err != nil {
			b.Fatalf("connect: %v", err)
		}
	}
	slices.Sort(took)
	return took[len(took)/2]
}
