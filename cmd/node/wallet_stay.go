package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// On a terminal create, join and ratify stay until the wallet is active: they say
// who has joined, show the six words, ask for those that were heard, and ratify.
// Whoever leaves meanwhile loses nothing: ratify goes on.

// lookAgain is the pause between two looks at a wallet that forms.
const lookAgain = 500 * time.Millisecond

func stayFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "no-stay", false, "return at once, on a terminal too, and do not wait for the words")
}

// stay goes on with a wallet on a terminal until it is active.
func (c *cli) stay(ctx context.Context, node *api.Client, q *asker, wallet string, r api.RatifyWallet) error {
	me, err := node.Status(ctx)
	if err != nil {
		return err
	}
	w, err := c.watch(ctx, node, wallet, func(w api.Wallet) bool { return w.Words != nil || w.State == "active" })
	if err != nil {
		return err
	}
	if !ratified(w, me.PeerID) {
		if err := c.compare(ctx, node, q, w, me.PeerID, r); err != nil {
			return left(ctx, err, w)
		}
	}
	if w, err = c.watch(ctx, node, wallet, func(w api.Wallet) bool { return w.State == "active" }); err != nil {
		return err
	}
	name := called(w.WalletSummary)
	c.note("\nThe wallet %s is active: %s of its keys sign.", clean(name), keysText(w.WalletSummary))
	c.note("With their seeds and the descriptor any wallet software can spend: keep a copy.\n")
	c.note("Next: quorate wallet export %s > descriptor.txt", clean(name))
	c.note("      quorate address %s", clean(name))
	return nil
}

// mayStay stays with a wallet that was founded or joined, where there is a person.
// A key that has to be proved first is another command's.
func (c *cli) mayStay(ctx context.Context, node *api.Client, w api.WalletSummary, noStay bool) error {
	q := c.asker()
	if q == nil || noStay || w.AwaitingProof || len(w.AwaitingHosted) > 0 {
		return nil
	}
	q.say("")
	return c.stay(ctx, node, q, w.Wallet, api.RatifyWallet{})
}

// left is what to say to whoever leaves before the words are compared.
func left(ctx context.Context, err error, w api.Wallet) error {
	if ctx.Err() == nil && api.AsError(err).Code != "interrupted" {
		return err
	}
	return api.Fail("interrupted", "left before the wallet is active; nothing is lost", "`quorate wallet ratify "+called(w.WalletSummary)+"` goes on")
}

// watch looks at a wallet until it is as far as is wanted, and says each change.
func (c *cli) watch(ctx context.Context, node *api.Client, wallet string, far func(api.Wallet) bool) (api.Wallet, error) {
	said := ""
	for {
		w, err := node.Wallet(ctx, wallet)
		if err != nil {
			return w, left(ctx, err, w)
		}
		if w.State == "abandoned" || w.State == "failed" {
			return w, api.Refuse("wallet_"+w.State, "the wallet "+called(w.WalletSummary)+" is "+w.State, "`quorate wallet list` shows all of them")
		}
		if far(w) {
			return w, nil
		}
		if line := standing(w); line != said {
			c.note("%s", clean(line))
			said = line
		}
		select {
		case <-ctx.Done():
			return w, left(ctx, ctx.Err(), w)
		case <-time.After(lookAgain):
		}
	}
}

// standing is how far a wallet is that forms, in one line.
func standing(w api.Wallet) string {
	var joined, ratified []string
	for _, k := range w.Cosigners {
		joined = append(joined, k.Called())
		if k.Ratified {
			ratified = append(ratified, k.Called())
		}
	}
	switch {
	case w.State == "joining" || w.PlaceCount == nil:
		return "waiting for the founder's node; Ctrl-C leaves, and nothing is lost"
	case w.Words != nil:
		return fmt.Sprintf("%d of %d have ratified%s; waiting for the others", len(ratified), places(w.WalletSummary), after(ratified))
	case len(joined) == places(w.WalletSummary):
		return "all have joined; waiting for their nodes to make the words"
	}
	return fmt.Sprintf("%d of %d have joined%s; waiting for the others", len(joined), places(w.WalletSummary), after(joined))
}

// after lists a few names.
func after(names []string) string {
	if len(names) == 0 || len(names) > 5 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// ratified says whether the cosigner of a node has ratified.
func ratified(w api.Wallet, peerID string) bool {
	return w.State == "active" || slices.ContainsFunc(w.Cosigners, func(k api.Cosigner) bool { return maybe(k.PeerID) == peerID && k.Ratified })
}

// compare shows the six words, asks for those that were heard, and ratifies.
func (c *cli) compare(ctx context.Context, node *api.Client, q *asker, w api.Wallet, peerID string, r api.RatifyWallet) error {
	var others []string
	for _, k := range w.Cosigners {
		if maybe(k.PeerID) != peerID {
			others = append(others, k.Called())
		}
	}
	q.say("\nAll %d have joined %s. Your six words:\n\n    %s\n", len(w.Cosigners), called(w.WalletSummary), *w.Words)
	if len(others) > 0 {
		q.say("Say them to each of the others, in person or on the phone, and hear theirs from")
		q.say("each: %s.", strings.Join(others, ", "))
		q.say("If anybody's differ, somebody sits between you. Do not go on then.\n")
	}
	for _, line := range originWarnings(w) {
		q.say("%s\n", line)
	}
	for try := 1; ; try++ {
		typed, err := q.typed(ctx, "The words that you heard: ")
		if err != nil {
			return err
		}
		if err = ops.CheckWords(typed, *w.Words); err == nil {
			break
		}
		if try == maxTries {
			return err
		}
		q.say("%s", reason(err))
	}
	if len(others) > 0 {
		ok, err := q.sure(ctx, "Did you hear them from each of these yourself: "+clean(strings.Join(others, ", "))+"?")
		if err != nil {
			return err
		}
		if !ok {
			return api.Refuse("not_agreed", "nothing was ratified, since the words were not heard from each", "`quorate wallet ratify "+called(w.WalletSummary)+"` asks again")
		}
	}
	r.Words = *w.Words
	if _, err := node.RatifyWallet(ctx, w.Wallet, r); err != nil {
		return err
	}
	c.note("Ratified.")
	return nil
}
