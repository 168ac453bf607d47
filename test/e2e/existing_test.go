package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// A group around a multisig that was there before: its descriptor, with its
// keys in their order, its addresses, and its history, which light clients find too.
func TestGroupAroundAnExistingWallet(t *testing.T) {
	b1, c1 := newColdKey(t, 31), newColdKey(t, 32)
	a, b, c := newNodeOn(t, "a", "neutrino").Start(), newNode(t, "b").Start(), newNodeOn(t, "c", "neutrino").Start()
	// The key that a's seed derives, as another wallet's show tells it.
	ask[api.WalletInvites](a, "wallet", "create", "other", "--threshold", "1", "--cosigners", "1")
	k := ask[api.Wallet](a, "wallet", "show", "other").Cosigners[0]
	ask[api.WalletSummary](a, "wallet", "abandon", "other")
	text := fmt.Sprintf("wsh(multi(2,%s/<0;1>/*,[%s/%s]%s/<0;1>/*,%s/<0;1>/*))", c1.key, *k.Key, k.Path, k.XPub, b1.key)
	d, err := wallet.ParseDescriptor(text, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	height := status(a.Synced()).Chain.Height
	// Paid out of order, far beyond the gap of twenty.
	for i, sat := range map[uint32]int64{150: 30_000_000, 0: 10_000_000} {
		script, err := d.Script(wallet.BranchExternal, i)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := world.Bitcoin.Fund(script.PkScript, sat); err != nil {
			t.Fatal(err)
		}
		world.Mine(t, 1)
	}
	world.Mine(t, 3)
	file := filepath.Join(t.TempDir(), "wallet.txt")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.Run("wallet", "create", walletName, "--from", file); r.Status != 4 || !strings.Contains(r.Err, b1.fingerprint()) {
		t.Errorf("without one of its keys: exit status %d: %s", r.Status, r.Err)
	}
	g := world.Group(t, a, b, c)
	made := ask[api.WalletInvites](a, "wallet", "create", walletName, "--from", file, "--birthday", fmt.Sprint(*height))
	g.ID = made.Wallet
	if made.AwaitingProof || len(made.Invites) != 2 {
		t.Fatalf("made %+v", made)
	}
	if r := b.RunWith(made.Invites[0], "wallet", "join", "-", "--wait"); r.Status != 4 || !strings.Contains(r.Err, c1.fingerprint()) {
		t.Errorf("joined without a key of the wallet: exit status %d: %s", r.Status, r.Err)
	}
	if r := b.RunWith(made.Invites[0], "wallet", "join", "-", "--wait", "--external", newColdKey(t, 33).key.String()); r.Status != 4 {
		t.Errorf("joined with a stranger's key: exit status %d: %s", r.Status, r.Err)
	}
	read[api.WalletSummary](t, b.RunWith(made.Invites[0], "wallet", "join", "-", "--external", b1.fingerprint(), "--unproven"))
	read[api.WalletSummary](t, c.RunWith(made.Invites[1], "wallet", "join", "-", "--external", c1.key.String(), "--unproven"))
	proven(g, "--accept-unproven")
	for _, n := range g.Nodes {
		if got := *n.Wallet().Descriptor; got != d.String() {
			t.Errorf("%s derives %s, the file says %s", n.Name, got, d)
		}
	}
	balance(g, "its coins are found", func(b api.Balance) bool { return b.Spendable == 40_000_000 })
	for _, n := range g.Nodes {
		n.Synced()
		h, err := n.Client.History(context.Background(), walletName, api.HistoryQuery{Limit: 10})
		if err != nil || len(h.Items) != 2 {
			t.Errorf("%s: history of %d: %v", n.Name, len(h.Items), err)
		}
	}
	p := ask[api.Proposed](a, pay(t, 35_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	out, signed := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "signed")
	ask[api.ExportedPSBT](b, "psbt", "export", p.Proposal, "--format", "bbqr", "-o", out)
	if r := b.Run("psbt", "import", out); !strings.Contains(r.Err, "no signature") {
		t.Errorf("frames read back: %s", r.Err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	ask[api.ExportedPSBT](b, "psbt", "export", p.Proposal, "-o", plain)
	b1.sign(plain, signed)
	ask[api.ImportedPSBT](b, "psbt", "import", signed)
	world.Confirmed(t, p.Proposal, g.Nodes...)
	for _, n := range g.Nodes {
		n.Stop()
	}
}

func status(n *node) api.Status {
	n.T.Helper()
	s, err := n.Client.Status(context.Background())
	if err != nil {
		n.T.Fatal(err)
	}
	return s
}
