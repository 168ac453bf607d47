package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// counts is what `labels import` counts.
type counts struct {
	Set       int `json:"set_count"`
	Unchanged int `json:"unchanged_count"`
	Foreign   int `json:"not_of_wallet_count"`
	Lines     int `json:"line_count"`
	Other     int `json:"other_type_count"`
}

// A label given at one node shows at the other, survives kill -9, and goes out
// to a file and comes back. What is not the wallet's is refused.
func TestLabels(t *testing.T) {
	g := newGroup(t, 2, 2).Fund(1_000_000)
	a, b := g.Nodes[0], g.Nodes[1]
	coin := a.Coins()[0]
	txid, _, _ := strings.Cut(coin.OutPoint, ":")
	shows := func(n *node, want string) {
		t.Helper()
		world.Eventually(t, n.Name+" shows the label "+want, func() bool { c := n.Coins(); return len(c) == 1 && string(c[0].Label) == want })
	}
	label := func(n *node, ref, text string) int { return ask[api.LabelsSet](n, "label", walletName, ref, text).Set }

	label(a, txid, "from Carol")
	shows(a, "from Carol")
	shows(b, "from Carol")
	if label(b, txid, "from Carol") != 0 {
		t.Error("the same label was set twice")
	}
	label(b, coin.Address, "donations")
	shows(a, "donations")
	label(a, coin.OutPoint, "the first coin")
	shows(b, "the first coin")
	if h := ask[api.Page[api.HistoryItem]](b, "history", walletName).Items; len(h) != 1 || h[0].Label != "from Carol" {
		t.Errorf("history %+v", h)
	}
	if l := ask[api.Page[api.Label]](b, "labels", "list", walletName).Items; len(l) != 3 || l[0].Type != "tx" || l[0].By.Name != "a" || l[1].By.Name != "b" {
		t.Errorf("labels %+v", l)
	}

	before := snapshot(g.Nodes[0])
	refused(t, a.Run("label", walletName, strings.Repeat("ab", 32), "x"), 4, "not_of_wallet")
	refused(t, a.Run("label", walletName, txid+":7", "x"), 4, "not_of_wallet")
	refused(t, a.Run("label", walletName, outside(t), "x"), 4, "not_of_wallet")
	refused(t, a.Run("label", walletName, "bcrt1qnonsense", "x"), 2, "bad_ref")
	refused(t, a.Run("label", walletName, txid, strings.Repeat("x", 257)), 2, "long_label")
	refused(t, a.Run("label", walletName, txid, "turned \u202e around"), 2, "bad_request")
	unchanged(t, a, before)

	file := filepath.Join(t.TempDir(), "labels.jsonl")
	a.Run("labels", "export", walletName, "-o", file).OK(t)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(content), "\n"); n != 3 || !strings.Contains(string(content), `{"type":"addr","ref":"`+coin.Address+`","label":"donations"}`) {
		t.Errorf("exported\n%s", content)
	}
	if c := ask[counts](b, "labels", "import", walletName, file); c.Unchanged != 3 || c.Set != 0 {
		t.Errorf("its own export changes something: %+v", c)
	}
	for _, ref := range []string{txid, coin.Address, coin.OutPoint} {
		label(a, ref, "")
	}
	shows(b, "")

	b.Kill()
	b.Start()
	more := string(content) + `{"type":"xpub","ref":"xpub6…","label":"k"}` + "\n" +
		`{"type":"tx","ref":"` + strings.Repeat("cd", 32) + `","label":"of another wallet"}` + "\n" +
		`{"type":"tx","ref":"` + txid + `","label":"another's","origin":"wpkh([d34db33f/84'/0'/0'])"}` + "\n"
	refused(t, b.RunWith("type,ref,label\n"+`{"type":"tx"`, "labels", "import", walletName, "-"), 2, "not_labels")
	shows(b, "")
	if c := read[counts](t, b.RunWith(more, "labels", "import", walletName, "-")); c.Set != 3 || c.Lines != 6 || c.Other != 1 || c.Foreign != 2 {
		t.Errorf("imported %+v", c)
	}
	b.Kill() // what it acknowledged it tells the other once it is back
	b.Start()
	shows(b, "the first coin")
	shows(a, "the first coin")
	if c := read[counts](t, b.RunWith(more, "labels", "import", walletName, "-")); c.Set != 0 || c.Unchanged != 3 {
		t.Errorf("imported again %+v", c)
	}
}

// A coin frozen at one node is left out at the other, survives kill -9, and is spent by name
// only; the freeze goes out to a file and comes back.
func TestFreeze(t *testing.T) {
	g := newGroup(t, 2, 2).Fund(1_000_000)
	a, b := g.Nodes[0], g.Nodes[1]
	coin := a.Coins()[0].OutPoint
	frozen := func(n *node, want string) {
		t.Helper()
		world.Eventually(t, n.Name+" shows the freeze "+want, func() bool {
			c := n.Coins()
			return len(c) == 1 && (c[0].Frozen == nil) == (want == "") && (want == "" || c[0].Frozen.By.Name == want)
		})
	}
	world.Eventually(t, "all know of freezes", func() bool {
		return a.Run("coin", "freeze", walletName, coin, "--note", "wait").Status == 0
	})
	frozen(b, "a")
	b.Kill()
	b.Start().Synced()
	frozen(b, "a")
	before := snapshot(b)
	refused(t, b.Run("propose", "--to", outside(t)+"=0.001", "--yes"), 4, "insufficient_funds")
	refused(t, b.Run("propose", "--to", outside(t)+"=0.001", "--coin", coin, "--yes"), 4, "coin_frozen")
	refused(t, b.Run("coin", "freeze", strings.Repeat("ab", 32)+":0"), 4, "not_of_wallet")
	refused(t, b.Run("coin", "freeze", "nonsense"), 2, "bad_outpoint")
	unchanged(t, b, before)

	p := ask[api.Proposed](b, "propose", "--to", outside(t)+"=0.001", "--allow", "coin_frozen", "--yes")
	world.Eventually(t, "the proposal is at a", func() bool { return a.Run("proposal", "show", p.Proposal).Status == 0 })
	refused(t, a.Run("approve", p.Proposal, "--yes"), 4, "coin_frozen")
	b.Run("withdraw", p.Proposal, "--yes").OK(t)

	file := filepath.Join(t.TempDir(), "labels.jsonl")
	a.Run("labels", "export", walletName, "-o", file).OK(t)
	b.Run("coin", "freeze", coin, "--undo").OK(t)
	frozen(a, "")
	a.Run("labels", "import", walletName, file).OK(t)
	frozen(b, "a")
}
