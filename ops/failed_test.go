package ops

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// descriptor is one of a wallet on regtest.
func descriptor(t *testing.T) string {
	t.Helper()
	var keys []wallet.Key
	for n := range uint32(2) {
		a, err := wallet.DeriveAccount(make([]byte, 64), wallet.Regtest, wallet.ScriptWSH, n)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, a.Key())
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 2, keys)
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// A wallet that cannot be opened is failed, and says why; the others run, and
// what is stored of it is not touched.
func TestAWalletThatFailsLeavesTheOthersRunning(t *testing.T) {
	dir, broken := stopped(t) // its only wallet cannot be opened
	// What it is called, by the number that this has in its record, is read.
	named, err := cbor.Marshal(map[int]string{10: "vault"})
	if err != nil {
		t.Fatal(err)
	}
	db := openStore(t, dir)
	if err := errors.Join(db.Commit(t.Context(), port.Batch{Group: broken, Puts: map[string][]byte{"local": named}}), db.Close()); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Network, c.Name, c.Listen, c.Chain.Backend = "regtest", "alice", []string{"/ip4/127.0.0.1/tcp/0"}, "none"
	running := func(do func(ctx context.Context, client *api.Client)) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		ready, done := make(chan struct{}), make(chan error, 1)
		go func() {
			done <- app.Run(ctx, app.RunOptions{DataDir: dir, Config: c, Passphrase: testPass, Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }})
		}()
		select {
		case <-ready:
		case err := <-done:
			stop()
			t.Fatal(err)
		}
		client, err := api.Dial(dir)
		if err != nil {
			t.Fatal(err)
		}
		do(ctx, client)
		client.Close()
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	of := func(group string, all map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range all {
			if len(k) > 8 && k[:8] == group[:8] {
				out[k] = v
			}
		}
		return out
	}
	before := of(broken.String(), contents(t, dir))
	var made string
	running(func(ctx context.Context, client *api.Client) {
		w, err := client.CreateWallet(ctx, api.CreateWallet{Name: "mine", Threshold: 1, Cosigners: 1})
		if err != nil {
			t.Fatal(err)
		}
		made = w.Wallet
		// Nothing says that it is not the one that is founded around a wallet there was.
		if _, err := client.CreateWallet(ctx, api.CreateWallet{Name: "old", From: descriptor(t)}); err == nil || codeOf(t, err) != refusal.WalletFailed || !strings.Contains(err.Error(), "vault") {
			t.Errorf("found around a wallet: %v", err)
		}
		// An invite into the group that is stored: nothing is written over.
		inv := port.Invite{Group: broken, Addresses: []string{"/ip4/127.0.0.1/tcp/1"}, Expires: time.Now().Add(time.Hour)}
		inv.Founder[0] = 7
		if _, err := client.JoinWallet(ctx, api.JoinWallet{Invite: inv.String()}); err == nil || codeOf(t, err) != refusal.WalletFailed {
			t.Errorf("join: %v", err)
		}
		if _, err := client.NewAddress(ctx, broken.String(), api.NewAddress{}); err == nil || codeOf(t, err) != refusal.WalletFailed {
			t.Errorf("address: %v", err)
		}
		if _, err := client.NewAddress(ctx, "vault", api.NewAddress{}); err == nil || codeOf(t, err) != refusal.WalletFailed {
			t.Errorf("address by the name: %v", err)
		}
		if _, err := client.CreateWallet(ctx, api.CreateWallet{Name: "Vault", Threshold: 1, Cosigners: 1}); err == nil || codeOf(t, err) != refusal.NameTaken {
			t.Errorf("another of its name: %v", err)
		}
	})
	running(func(ctx context.Context, client *api.Client) {
		s, err := client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		states := map[string]string{}
		for _, w := range s.Wallets {
			states[w.Wallet] = w.State
			if (w.State == "failed") != (w.Problem != "") || (w.State == "failed") != (w.Name == "vault") {
				t.Errorf("%+v", w)
			}
		}
		if len(states) != 2 || states[broken.String()] != "failed" || states[made] == "failed" || states[made] == "" {
			t.Errorf("states %v", states)
		}
		all, err := client.Wallets(ctx)
		if err != nil || len(all) != 2 {
			t.Errorf("%d wallets, %v", len(all), err)
		}
	})
	after := of(broken.String(), contents(t, dir))
	if len(before) == 0 || len(before) != len(after) {
		t.Errorf("%d records before, %d after", len(before), len(after))
	}
	for k, v := range before {
		if after[k] != v {
			t.Errorf("%s was changed", k)
		}
	}
}
