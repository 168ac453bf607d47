package e2e_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// A node is killed while others' proposals reach it. Who follows its events sees each
// once more after the start, in the order of the list, and none is missing.
func TestKilledNodeLosesNoEvent(t *testing.T) {
	const rounds, each = 3, 4
	g := newGroup(t, 2, 3).Fund(slices.Repeat([]int64{1_000_000}, rounds*each)...) // a proposal leases its coin
	a, b := g.Nodes[0], g.Nodes[1]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex
	var seen []uint64
	var following sync.WaitGroup
	zero := uint64(0)
	following.Go(func() {
		err := a.Client.Follow(ctx, &zero, func(e api.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if e.ID > 0 {
				seen = append(seen, e.ID)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	var made []string
	for round := range rounds {
		for n := range each {
			p := ask[api.Proposed](b, pay(t, int64(100_000+10_000*(each*round+n)), "--unsigned")...)
			made = append(made, p.Proposal)
		}
		a.Kill()
		a.Start().Synced()
	}
	for _, p := range made {
		a.Reaches(p, api.StatusPending)
	}
	var ids []uint64
	told := map[string]bool{}
	for q := (api.EventQuery{Limit: 7}); ; {
		page, err := a.Client.Events(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			ids = append(ids, e.ID)
			told[string(e.Proposal)] = true
		}
		if page.Next == "" {
			break
		}
		if q.After, err = strconv.ParseUint(string(page.Next), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range made {
		if !told[p] {
			t.Errorf("nothing was told of proposal %s", p)
		}
	}
	for i := range ids[1:] {
		if ids[i+1] != ids[i]+1 {
			t.Errorf("%d comes after %d", ids[i+1], ids[i])
		}
	}
	waiting, done := context.WithTimeout(ctx, patience)
	defer done()
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) >= len(ids)
	}
	if !nodes.Poll(waiting, 100*time.Millisecond, all) {
		t.Errorf("the follower has %d of %d events", len(seen), len(ids))
	}
	cancel()
	following.Wait()
	if n := min(len(seen), len(ids)); !slices.Equal(seen[:n], ids[:n]) {
		t.Errorf("followed %v, listed %v", seen, ids)
	}
}
