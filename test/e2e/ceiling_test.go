package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/signer"
	"github.com/quorate/quorate/wallet"
)

// A signer process with a ceiling signs what that lets it sign: over a kill of the signer, and
// for whoever asks in the node's place. What its operator settles counts no more once a window is
// over, which no test waits for.
func TestASignersCeiling(t *testing.T) {
	g, s := signedElsewhere(t)
	a, b := g.Nodes[0], g.Nodes[1]
	g.Fund(15_000_000, 15_000_000, 15_000_000, 15_000_000)
	d := *ask[api.Wallet](a, "wallet", "show", walletName).Descriptor
	payee, dir := outside(t), t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const text = `title = "Mine"
recipients.payee = { addresses = ["%s"] }
meters.day = { limit = "10000000sat", window = "24h" }
[[rules]]
name = "pay"
when = { to = "payee" }
require = { meters = "day", fee_max = "0.001btc" }
then = "sign"
`
	wallets, over := file("wallets", d+"\n"), file("ceiling.toml", fmt.Sprintf(text, payee))
	s.Stop()
	for _, x := range []struct{ ceiling, wallets, want string }{
		{file("bad.toml", fmt.Sprintf(text, payee)+"ask = []\n"), wallets, "line 9, column 1"},
		{file("quorum.toml", "start_quorum = 1\n"+fmt.Sprintf(text, payee)), wallets, "line 1, column 1"},
		{filepath.Join(dir, "none"), wallets, "none"},
		{over, file("strangers", "wsh()\n"), "line 1"},
	} {
		if got := s.Run("signer", "--passphrase-file", world.PassFile, "--ceiling", x.ceiling, "--wallets", x.wallets); got.Status != 2 || !strings.Contains(got.Err, x.want) {
			t.Errorf("%s: exit status %d: %s", x.ceiling, got.Status, got.Err)
		}
	}
	if got := s.Run("signer", "--passphrase-file", world.PassFile, "--ceiling", over); got.Status != 2 {
		t.Errorf("without wallets: exit status %d: %s", got.Status, got.Err)
	}
	s.start("--ceiling", over, "--wallets", wallets)

	propose := func(to string, sat int64) api.Proposed {
		t.Helper()
		return ask[api.Proposed](a.Synced(), "propose", walletName, "--to", fmt.Sprintf("%s=%dsat", to, sat), "--fee-rate", "2", "--unsigned", "--allow", "possible_double_payment")
	}
	refuses := func(p api.Proposed) {
		t.Helper()
		if got := a.Run("approve", p.Proposal, "--allow", "possible_double_payment"); got.Status != 1 || !strings.Contains(got.Err, "does not let it sign this") {
			t.Errorf("exit status %d: %s", got.Status, got.Err)
		}
	}
	refuses(propose(outside(t), 1_000_000))
	refuses(propose(payee, 10_000_000)) // with the fee it is more
	good := propose(payee, 6_000_000)
	ask[api.Proposal](a, "approve", good.Proposal)
	b.Reaches(good.Proposal, api.StatusPending)
	ask[api.Proposal](b.Synced(), "approve", good.Proposal)
	world.Confirmed(t, good.Proposal, a, b)

	s.Kill()
	s.start("--ceiling", over, "--wallets", wallets)
	refuses(propose(payee, 5_000_000))

	// Who has the node's place names the wallet, and one of his own with the signer's key in it.
	c := signer.Dial(s.socket(), wallet.Regtest)
	defer c.Close()
	own, err := wallet.ParseDescriptor(d, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	thief, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 1, own.Keys())
	if err != nil {
		t.Fatal(err)
	}
	script, err := wallet.ParseAddress(payee, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*wallet.Descriptor{own, thief} {
		x, err := wallet.NewSpend(d, []wallet.Input{{OutPoint: wire.OutPoint{Hash: [32]byte{1}}, Amount: 5_000_000}}, []wallet.Output{{PkScript: script, Amount: 4_999_000}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.SignSpend(t.Context(), wallet.ScriptWSH, 0, x); !errors.Is(err, port.ErrCeiling) {
			t.Errorf("a node that lies got %v", err)
		}
	}

	type outstanding struct {
		Items []struct {
			TxID  string   `json:"txid"`
			Coins []string `json:"coins"`
			Takes int64    `json:"takes"`
		} `json:"items"`
	}
	left := ask[outstanding](s.Node, "signer", "settle")
	if len(left.Items) != 1 || left.Items[0].Takes <= 6_000_000 || left.Items[0].Takes > 6_100_000 {
		t.Fatalf("outstanding: %+v", left)
	}
	if got := s.Run("signer", "settle", strings.Repeat("0", 64)); got.Status != 1 {
		t.Errorf("settled what was not signed: exit status %d: %s", got.Status, got.Err)
	}
	if got := s.Run("signer", "settle", "x"); got.Status != 2 {
		t.Errorf("settled nothing: exit status %d: %s", got.Status, got.Err)
	}
	if left := ask[outstanding](s.Node, "signer", "settle", left.Items[0].TxID); len(left.Items) != 0 {
		t.Errorf("settled: %+v", left)
	}
	refuses(propose(payee, 5_000_000)) // the window is not over
	for _, n := range g.Nodes {
		n.Stop()
	}
}
