package e2e_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// An unproven key is seen and accepted by name; a PSBT that is not exactly a
// proposal is refused in one clear line, and nothing changes.
func TestUnprovenKeyAndRefusedPSBTs(t *testing.T) {
	cold := newColdKey(t, 23)
	a, b := newNode(t, "a").Start(), newNode(t, "b").Start()
	g := world.Group(t, a, b)

	refused := func(n *node, code string, status int, args ...string) {
		t.Helper()
		r := n.Run(args...)
		if r.Status != status || !bytes.Contains(r.Out, []byte(`"code":"`+code+`"`)) || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("`quorate %s`: exit status %d: %s%s", r.Line, r.Status, r.Err, r.Out)
		}
	}
	create := func(key string) []string {
		return []string{"wallet", "create", walletName, "--threshold", "2", "--cosigners", "2", "--external", key}
	}
	xprv := strings.Replace(cold.key.String(), cold.key.XPub, cold.account.String(), 1)
	refused(a, "bad_key", 4, create(xprv)...)
	if r := a.Run(create(xprv)...); strings.Contains(r.Err+string(r.Out), cold.account.String()) {
		t.Error("a private key is shown in an error")
	}
	refused(a, "bad_key", 4, create("[00000000/48h/0h/0h/2h]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8")...)
	refused(a, "key_origin", 4, create(strings.Replace(cold.key.String(), "/0h/2h]", "/0h]", 1))...)
	const tapsigner = "[73c5da0a/48h/1h/0h]tpubDCAEGbq3DZjU3xe5kuwhddqa4jQDUMw1bnWEL6RqH2LJVREpCZE9BZNHvzcoBEAKqApr85YWPSuvq9NCrCaTtr7rNWRzmJ2ri4CTqWnTH8Z"
	refused(a, "key_origin", 4, create(tapsigner)...)
	refused(a, "bad_key", 4, create(cold.key.XPub)...)
	if w := ask[api.Page[api.Wallet]](a, "wallet", "list"); len(w.Items) != 0 {
		t.Fatalf("a refused key left a wallet: %+v", w.Items)
	}

	made := ask[api.WalletInvites](a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "2")
	g.ID = made.Wallet
	read[api.WalletSummary](t, b.RunWith(made.Invites[0], "wallet", "join", "-", "--external", cold.key.String(), "--unproven"))
	words := ""
	world.Eventually(t, "a shows the words", func() bool {
		if w := a.Wallet(); w.Words != nil {
			words = *w.Words
		}
		return words != ""
	})
	refused(a, "unproven_key", 4, "wallet", "ratify", walletName, "--words", words)
	proven(g, "--accept-unproven")
	proofs := map[string]string{}
	for _, k := range b.Wallet().Cosigners {
		proofs[k.Name] = k.Proof
	}
	if proofs["a"] != "own" || proofs["b"] != "none" {
		t.Errorf("proofs %v", proofs)
	}

	// Where a device knows no other origin it is taken by name, and shown.
	ask[api.WalletInvites](a, "wallet", "create", "tap", "--threshold", "1", "--cosigners", "2", "--external", tapsigner, "--unproven", "--allow", "key_origin")
	if k := ask[api.Wallet](a, "wallet", "show", "tap").Cosigners[0]; k.Path != "48h/1h/0h" || k.OriginWarning == nil {
		t.Errorf("an unusual key is shown as %+v", k)
	}
	ask[api.WalletSummary](a, "wallet", "abandon", "tap")

	// A wallet that was founded here is known by what it became, in any order of its keys.
	twin := filepath.Join(t.TempDir(), "twin")
	d, err := wallet.ParseDescriptor(*a.Wallet().Descriptor, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	keys := d.Keys()
	for _, text := range []string{d.String(), fmt.Sprintf("wsh(multi(2,%s/<0;1>/*,%s/<0;1>/*))", keys[1], keys[0])} {
		if err := os.WriteFile(twin, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(a, "wallet_exists", 4, "wallet", "create", "again", "--from", twin, "--birthday", "1")
	}

	// Nor does a group around keys that another wallet of the node has come to be:
	// whose keys they are is known when it is ratified.
	single := newColdKey(t, 24)
	alone := single.key.String()
	for _, name := range []string{"one", "two"} {
		ask[api.WalletInvites](a, "wallet", "create", name, "--threshold", "1", "--cosigners", "1", "--external", alone, "--unproven")
		show := func() api.Wallet { return ask[api.Wallet](a, "wallet", "show", name) }
		world.Eventually(t, name+" shows words", func() bool { return show().Words != nil })
		ratify := []string{"wallet", "ratify", name, "--words", *show().Words, "--accept-unproven"}
		if name == "one" {
			ask[api.Ratified](a, ratify...)
		} else {
			refused(a, "wallet_exists", 4, ratify...)
			// One that is put aside is in nobody's way, and comes back only when the other goes.
			ask[api.WalletSummary](a, "wallet", "archive", "one")
			ask[api.Ratified](a, ratify...)
			refused(a, "wallet_exists", 4, "wallet", "archive", "one", "--undo")
			ask[api.WalletSummary](a, "wallet", "archive", "two")
			ask[api.WalletSummary](a, "wallet", "archive", "one", "--undo")
			refused(a, "wallet_exists", 4, "wallet", "archive", "two", "--undo")
		}
	}

	// Both know the coins, and one of them has the proposal: that is where its signatures go.
	world.PayTo(t, ask[api.Address](a, "address", "one").Address, 300_000)
	world.Mine(t, 1)
	world.Eventually(t, "one has its coin", func() bool { return ask[api.Wallet](a, "wallet", "show", "one").Balance.Spendable == 300_000 })
	of := ask[api.Proposed](a.Synced(), "propose", "one", "--to", outside(t)+"=0.001", "--fee-rate", "2")
	ofOut, ofSigned := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "signed")
	ask[api.ExportedPSBT](a, "psbt", "export", of.Proposal, "-o", ofOut)
	single.sign(ofOut, ofSigned)
	if x := ask[api.ImportedPSBT](a, "psbt", "import", ofSigned); x.Proposal != of.Proposal || x.Wallet != ask[api.Wallet](a, "wallet", "show", "one").Wallet || len(x.Added) != 1 {
		t.Errorf("imported %+v", x)
	}

	g.Fund(10_000_000)
	p := ask[api.Proposed](a.Synced(), pay(t, 5_000_000)...)
	b.Synced().Reaches(p.Proposal, api.StatusPending)
	dir := t.TempDir()
	out, signed := filepath.Join(dir, "out.psbt"), filepath.Join(dir, "signed.psbt")
	if x := ask[api.ExportedPSBT](a, "psbt", "export", p.Proposal); x.Guarded {
		t.Error("a plain copy counts as signed")
	}
	ask[api.ExportedPSBT](b, "psbt", "export", p.Proposal, "-o", out)
	refused(b, "file_exists", 4, "psbt", "export", p.Proposal, "-o", out)
	cold.sign(out, signed)
	raw, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(name string, change func(*psbt.Packet)) string {
		t.Helper()
		packet, err := psbt.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		change(packet)
		text, err := packet.Base64()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	none := uint32(2)
	cut := filepath.Join(dir, "cut")
	if err := os.WriteFile(cut, []byte(base64.StdEncoding.EncodeToString(raw)[:400]), 0o600); err != nil {
		t.Fatal(err)
	}
	before := b.Run("proposal", "show", p.Proposal).OK(t).Out
	refused(b, "psbt_changed", 4, "psbt", "import", changed("output", func(p *psbt.Packet) { p.Outputs[0].Amount -= 1000 }))
	refused(b, "psbt_changed", 4, "psbt", "import", changed("sighash", func(p *psbt.Packet) { p.Inputs[0].SighashType = &none }))
	refused(b, "psbt_changed", 4, "psbt", "import", changed("locktime", func(p *psbt.Packet) { p.FallbackLockTime = &none }))
	refused(b, "foreign_psbt", 4, "psbt", "import", changed("wallet", func(p *psbt.Packet) {
		p.Inputs[0].PrevTxID[0] ^= 1
		p.Inputs[0].WitnessUTXO, p.Inputs[0].NonWitnessUTXO = p.Inputs[0].Spent(), nil
	}))
	refused(b, "wrong_network", 4, "psbt", "import", changed("network", func(p *psbt.Packet) {
		for i := range p.XPubs {
			copy(p.XPubs[i].Key[:], []byte{0x04, 0x88, 0xb2, 0x1e})
		}
	}))
	refused(b, "psbt_unsigned", 4, "psbt", "import", out)
	refused(b, "bad_psbt", 2, "psbt", "import", cut)
	refused(b, "bad_psbt", 2, "psbt", "import", filepath.Join(dir, "absent"))
	if after := b.Run("proposal", "show", p.Proposal).OK(t).Out; !bytes.Equal(before, after) {
		t.Errorf("a refused PSBT changed the proposal: %s", after)
	}
	ask[api.ImportedPSBT](b, "psbt", "import", signed)
	world.Confirmed(t, p.Proposal, a, b)
	for _, n := range g.Nodes {
		n.Stop()
	}
}
