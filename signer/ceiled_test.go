package signer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/signer"
	"github.com/quorate/quorate/signer/ceiling"
	"github.com/quorate/quorate/wallet"
)

// ceilingOver lets one payee get up to 60,000 sat of a wallet in a day.
func ceilingOver(t *testing.T, d *wallet.Descriptor, file string, payee []byte) *ceiling.Ceiling {
	t.Helper()
	a, err := wallet.AddressOf(payee, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ceiling.Read(fmt.Appendf(nil, `title = "T"
recipients.payee = { addresses = [%q] }
meters.day = { limit = "60000sat", window = "24h" }
[[rules]]
name = "pay"
when = { to = "payee" }
require = { meters = "day" }
then = "sign"
`, a), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ceiling.Open(ceiling.Options{Policy: p, Network: wallet.Regtest, Wallets: []*wallet.Descriptor{d}, File: file, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// paid is a payment of a wallet from one coin of 100,000 sat, with its change named or not.
func paid(t *testing.T, d *wallet.Descriptor, coin byte, to []byte, amount int64, named bool) *wallet.Spend {
	t.Helper()
	change, err := d.PkScript(wallet.BranchChange, 3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := wallet.NewSpend(d, []wallet.Input{{OutPoint: wire.OutPoint{Hash: [32]byte{coin}}, Amount: 100_000}},
		[]wallet.Output{{PkScript: to, Amount: amount}, {PkScript: change, Amount: 99_000 - amount}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if named {
		s = s.WithOwn(wallet.OwnOutput{Output: 1, Branch: wallet.BranchChange, Index: 3})
	}
	return s
}

// A node that was taken over gets no further than the ceiling, is not told how far that is, and
// what it asks for leaves nothing behind. Over a restart of the signer it is the same.
func TestASignersCeiling(t *testing.T) {
	ctx := context.Background()
	all := keys(t)
	d := descriptor(t, wallet.ScriptWSH, all...)
	thief := descriptor(t, wallet.ScriptWSH, all[0], signer.NewLocal(bytes.Repeat([]byte{9}, 64), wallet.Regtest))
	payee, stranger := append([]byte{0, 20}, bytes.Repeat([]byte{7}, 20)...), append([]byte{0, 20}, bytes.Repeat([]byte{8}, 20)...)
	file := filepath.Join(t.TempDir(), "signed")
	for round := range 2 {
		var log bytes.Buffer
		path := filepath.Join(t.TempDir(), "s")
		stop := serveWith(t, path, signer.Options{
			Keys: all[0], Users: []uint32{me()}, Ceiling: ceilingOver(t, d, file, payee), Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		c := signer.Dial(path, wallet.Regtest)
		for name, s := range map[string]*wallet.Spend{
			"a stranger":        paid(t, d, 1, stranger, 1_000, true),
			"more than all":     paid(t, d, 5, payee, 60_000, true),
			"unnamed change":    paid(t, d, 1, payee, 1_000, false),
			"a wallet of thief": paid(t, thief, 1, payee, 1_000, true),
		} {
			for what, err := range map[string]error{"asked": c.MaySign(ctx, wallet.ScriptWSH, 0, s), "signed": func() error { _, err := c.SignSpend(ctx, wallet.ScriptWSH, 0, s); return err }()} {
				if !errors.Is(err, port.ErrCeiling) {
					t.Errorf("%s, %s: %v", name, what, err)
				} else if text := err.Error(); strings.Contains(text, "no_rule") || strings.Contains(text, "meter") || strings.Contains(text, "other_wallet") {
					t.Errorf("%s: the node is told why: %s", name, text)
				}
			}
		}
		good := paid(t, d, 1, payee, 40_000, true)
		if err := c.MaySign(ctx, wallet.ScriptWSH, 0, good); err != nil {
			t.Error(err)
		}
		for range 2 {
			if sigs, err := c.SignSpend(ctx, wallet.ScriptWSH, 0, good); err != nil || len(sigs) != 1 {
				t.Errorf("round %d: %v, %v", round, sigs, err)
			}
		}
		if _, err := c.SignSpend(ctx, wallet.ScriptWSH, 0, paid(t, d, 2, payee, 30_000, true)); !errors.Is(err, port.ErrCeiling) {
			t.Errorf("round %d: over the limit: %v", round, err)
		}
		c.Close()
		stop()
		for _, why := range []string{"no_rule", "meter_max", "meter_full", "other_wallet"} {
			if !strings.Contains(log.String(), why) {
				t.Errorf("the signer's log does not say %s:\n%s", why, log.String())
			}
		}
	}
	// Without a ceiling a question is answered, and nothing is signed.
	path := filepath.Join(t.TempDir(), "s")
	serve(t, path, all[0], me())
	c := signer.Dial(path, wallet.Regtest)
	defer c.Close()
	if err := c.MaySign(ctx, wallet.ScriptWSH, 0, paid(t, d, 1, stranger, 1_000, false)); err != nil {
		t.Error(err)
	}
}
