package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// A node is killed while a client asks it, and the client sends each request again with
// the same key until it is answered: each was done once.
func TestAClientThatRetriesDoesNothingTwice(t *testing.T) {
	const rounds = 6
	g := newGroup(t, 2, 3).Fund(slices.Repeat([]int64{1_000_000}, 2*rounds)...)
	a, b := g.Nodes[0], g.Nodes[1]
	ctx := context.Background()
	wallet := g.ID
	before, err := a.Client.Addresses(ctx, wallet, api.AddressQuery{Limit: api.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	var made, given []string
	for round := range rounds {
		foreign := ask[api.Proposed](b, pay(t, int64(200_000+10_000*round))...).Proposal
		a.Reaches(foreign, api.StatusPending)
		// Killed before, while, and after it is done, and answered: whichever it is.
		after := time.Duration(round*round) * time.Millisecond
		to := outside(t)
		var p api.Proposed
		retried(t, a, after, fmt.Sprint("pay-", round), func(ctx context.Context) (err error) {
			p, err = a.Client.Propose(ctx, wallet, api.Propose{To: []api.Recipient{{Address: to, Amount: int64(100_000 + round)}}, FeeRate: 2})
			return err
		})
		made = append(made, p.Proposal)
		var at api.Address
		retried(t, a, after, fmt.Sprint("address-", round), func(ctx context.Context) (err error) {
			at, err = a.Client.NewAddress(ctx, wallet, api.NewAddress{BeyondGap: true})
			return err
		})
		given = append(given, at.Address)
		retried(t, a, after, fmt.Sprint("comment-", round), func(ctx context.Context) error {
			_, err := a.Client.Comment(ctx, p.Proposal, api.Comment{Text: "once", Allow: []string{"members_outdated"}})
			return err
		})
		retried(t, a, after, fmt.Sprint("vote-", round), func(ctx context.Context) error {
			_, err := a.Client.Reject(ctx, foreign, api.Reject{Reason: "once"})
			return err
		})
		x, err := a.Client.Proposal(ctx, foreign)
		if err != nil {
			t.Fatal(err)
		}
		y, err := a.Client.Proposal(ctx, p.Proposal)
		if err != nil {
			t.Fatal(err)
		}
		votes, said := 0, 0
		for _, d := range slices.Concat(x.History, y.History) {
			switch d.Kind {
			case "rejected":
				votes++
			case "commented":
				said++
			}
		}
		if votes != 1 || said != 1 || len(y.Approvals) != 1 {
			t.Errorf("round %d: %d votes, %d comments, %d approvals", round, votes, said, len(y.Approvals))
		}
	}
	all, err := a.Client.Proposals(ctx, wallet, api.ProposalQuery{Limit: api.MaxPage})
	if err != nil || len(all.Items) != 2*rounds {
		t.Errorf("%v: %d proposals, and %d were made", err, len(all.Items), 2*rounds)
	}
	after, err := a.Client.Addresses(ctx, wallet, api.AddressQuery{Limit: api.MaxPage})
	if n := len(after.Items) - len(before.Items); err != nil || n != rounds {
		t.Errorf("%v: %d addresses were given out, and %d were asked for", err, n, rounds)
	}
	for name, ids := range map[string][]string{"proposal": made, "address": given} {
		if n := len(slices.Compact(slices.Sorted(slices.Values(ids)))); n != rounds {
			t.Errorf("%d times another %s", n, name)
		}
	}
}

// retried sends a request, kills the node after a while, and sends it again until it is
// answered.
func retried(t *testing.T, n *nodes.Node, after time.Duration, key string, do func(context.Context) error) {
	t.Helper()
	ctx := api.WithKey(context.Background(), "retry/"+key)
	first := make(chan error, 1)
	go func() { first <- do(ctx) }()
	timer := time.NewTimer(after)
	<-timer.C
	n.Kill()
	<-first
	n.Start().Synced()
	if err := do(ctx); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
}
