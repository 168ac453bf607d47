package ops

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// Whoever proposes decides how much there is to show: lists of rivals are cut, and
// say how long they are; a page ends before it is too large, and goes on where it ended.
func TestProposalListsAreBounded(t *testing.T) {
	d, w := newGroup(t, 1, 1)
	ctx, n := t.Context(), d.nodes[0]
	if err := d.fund(ctx, w.Wallet); err != nil {
		t.Fatal(err)
	}
	coins, err := n.Coins(ctx, w.Wallet)
	if err != nil || len(coins) == 0 {
		t.Fatal(coins, err)
	}
	to, err := wallet.AddressOf(d.chain.FaucetScript(), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	const (
		maxIDs = 64 // that are shown
		rivals = maxIDs + 10
	)
	var last string
	for i := range rivals + 1 {
		p, err := n.Propose(ctx, w.Wallet, api.Propose{
			To: []api.Recipient{{Address: to, Amount: int64(10_000 + i)}}, Coins: []string{coins[0].OutPoint}, FeeRate: 2, Unsigned: true,
			Note: strings.Repeat("x", 1000),
		})
		if err != nil {
			t.Fatal(i, err)
		}
		last = p.Proposal
	}
	p, err := n.Proposal(ctx, last)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Conflicts) != maxIDs || p.ConflictCount != rivals {
		t.Errorf("%d conflicts are shown, of %d", len(p.Conflicts), p.ConflictCount)
	}
	for limit, most := range map[int]int{api.MaxPage: 40_000, 10: 40_000, 3: 40_000, 2: 1} {
		seen := map[string]bool{}
		q := api.ProposalQuery{Limit: limit}
		for pages := 0; pages <= rivals+1; pages++ {
			page, err := n.ProposalsWithin(ctx, w.Wallet, q, most)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(page.Items)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Items) == 0 || len(page.Items) > limit || len(page.Items) > 1 && len(b) > most+len(page.Items)+1 {
				t.Fatalf("limit %d: %d items of %d bytes", limit, len(page.Items), len(b))
			}
			for _, x := range page.Items {
				if seen[x.Proposal] {
					t.Fatalf("limit %d: %s is shown twice", limit, x.Proposal)
				}
				seen[x.Proposal] = true
			}
			if q.Cursor = string(page.Next); q.Cursor == "" {
				break
			}
		}
		if len(seen) != rivals+1 {
			t.Errorf("limit %d: %d of %d were shown", limit, len(seen), rivals+1)
		}
	}
}
