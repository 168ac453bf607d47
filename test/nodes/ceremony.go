package nodes

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// Member is a cosigner's node as the ceremony needs it: a client of its API, a
// node in the test's own process, or its command lines (see Node.Member).
type Member interface {
	CreateWallet(ctx context.Context, r api.CreateWallet) (api.WalletInvites, error)
	JoinWallet(ctx context.Context, r api.JoinWallet) (api.WalletSummary, error)
	Wallet(ctx context.Context, ref string) (api.Wallet, error)
	RatifyWallet(ctx context.Context, ref string, r api.RatifyWallet) (api.Ratified, error)
}

// Cosigner is a member, and what the test calls it.
type Cosigner struct {
	Name string
	Member
}

// Founded is what a ceremony came to.
type Founded struct {
	Wallet   api.Wallet     // as the first cosigner shows it
	Ratified []api.Ratified // what each was told when it ratified
}

// Ceremony founds a wallet: the first creates it, the others join, all see the
// same words and ratify, all show the same descriptor, and nobody any before.
func Ceremony(t testing.TB, patience time.Duration, name string, threshold int, all ...Cosigner) Founded {
	t.Helper()
	ctx := t.Context()
	made, err := all[0].CreateWallet(ctx, api.CreateWallet{Name: name, Threshold: threshold, Cosigners: len(all)})
	if err != nil {
		t.Fatalf("%s: create wallet: %v", all[0].Name, err)
	}
	if made.State != "forming" || len(made.Invites) != len(all)-1 {
		t.Fatalf("a new wallet: %+v", made)
	}
	for i, invite := range made.Invites {
		if _, err := all[i+1].JoinWallet(ctx, api.JoinWallet{Invite: invite, Wait: true}); err != nil {
			t.Fatalf("%s: join wallet: %v", all[i+1].Name, err)
		}
	}
	// each waits until something is shown that is the same everywhere.
	each := func(what string, of func(api.Wallet) *string) (first *string) {
		t.Helper()
		for _, c := range all {
			Eventually(t, patience, c.Name+" shows "+what, func() bool {
				w, err := c.Wallet(ctx, name)
				if err != nil {
					t.Fatalf("%s: look at wallet: %v", c.Name, err)
				}
				v := of(w)
				if v == nil {
					return false
				}
				if first == nil {
					first = v
				}
				if *v != *first {
					t.Fatalf("%s shows another one of %s", c.Name, what)
				}
				return true
			})
		}
		return first
	}
	words := each("the words", func(w api.Wallet) *string {
		if w.Descriptor != nil {
			t.Fatal("a descriptor is shown before all have ratified")
		}
		return w.Words
	})
	var f Founded
	for _, c := range all {
		r, err := c.RatifyWallet(ctx, name, api.RatifyWallet{Words: *words})
		if err != nil {
			t.Fatalf("%s: ratify wallet: %v", c.Name, err)
		}
		f.Ratified = append(f.Ratified, r)
	}
	each("an active wallet", func(w api.Wallet) *string {
		if w.State != "active" {
			return nil
		}
		return w.Descriptor
	})
	if f.Wallet, err = all[0].Wallet(ctx, name); err != nil {
		t.Fatalf("%s: look at wallet: %v", all[0].Name, err)
	}
	return f
}

// Member is the node by its command lines, as its user founds a wallet.
func (n *Node) Member() Member { return lines{n} }

type lines struct{ n *Node }

func (l lines) CreateWallet(_ context.Context, r api.CreateWallet) (api.WalletInvites, error) {
	l.n.T.Helper()
	return Ask[api.WalletInvites](l.n, "wallet", "create", r.Name,
		"--threshold", fmt.Sprint(r.Threshold), "--cosigners", fmt.Sprint(r.Cosigners)), nil
}

func (l lines) JoinWallet(_ context.Context, r api.JoinWallet) (api.WalletSummary, error) {
	l.n.T.Helper()
	return Read[api.WalletSummary](l.n.T, l.n.RunWith(r.Invite, "wallet", "join", "-", "--wait")), nil
}

func (l lines) Wallet(ctx context.Context, ref string) (api.Wallet, error) {
	return l.n.Client.Wallet(ctx, ref)
}

func (l lines) RatifyWallet(_ context.Context, ref string, r api.RatifyWallet) (api.Ratified, error) {
	l.n.T.Helper()
	return Ask[api.Ratified](l.n, "wallet", "ratify", ref, "--words", r.Words), nil
}
