package e2e_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// proven waits for the words of nodes that make a wallet, and ratifies.
func proven(g *party, extra ...string) {
	g.T.Helper()
	words := ""
	for _, n := range g.Nodes {
		world.Eventually(g.T, n.Name+" shows the words", func() bool {
			w := n.Wallet()
			if w.Words != nil {
				words = *w.Words
			}
			return w.Words != nil
		})
	}
	for _, n := range g.Nodes {
		ask[api.Ratified](n, append([]string{"wallet", "ratify", walletName, "--words", words}, extra...)...)
	}
	g.Agree("the wallet is active", func(w api.Wallet) any {
		if w.State != "active" || w.Descriptor == nil {
			return nil
		}
		return *w.Descriptor
	})
}

// A 2-of-3 of one software key, one key in Electrum, and one key on a device
// that only ever sees files: each pair spends.
func TestExternalSigners(t *testing.T) {
	e := newElectrum(t)
	elec, cold := newColdKey(t, 21), newColdKey(t, 22)
	var nodes []*node
	for _, name := range []string{"a", "b", "c"} {
		nodes = append(nodes, newNode(t, name).Start())
	}
	a, b, c := nodes[0], nodes[1], nodes[2]
	g := world.Group(t, nodes...)
	made := ask[api.WalletInvites](a, "wallet", "create", walletName, "--threshold", "2", "--cosigners", "3")
	g.ID = made.Wallet

	// Electrum proves its key by a signed message.
	joined := read[api.WalletSummary](t, b.RunWith(made.Invites[0], "wallet", "join", "-", "--wait", "--external", elec.key.String()))
	if !joined.AwaitingProof {
		t.Fatalf("joined with an external key: %+v", joined)
	}
	b.Kill() // it waits across a crash
	b.Start()
	want := ask[api.Proof](b, "wallet", "proof", g.ID)
	sig := e.message(elec, want.Message, want.Address)
	ask[api.WalletSummary](b, "wallet", "prove", g.ID, sig)

	// The device proves its key by a PSBT. It first brings Electrum's by mistake.
	read[api.WalletSummary](t, c.RunWith(made.Invites[1], "wallet", "join", "-", "--wait", "--external", elec.key.String()))
	world.Eventually(t, "c has heard of b", func() bool {
		return slices.ContainsFunc(c.Wallet().Cosigners, func(x api.Cosigner) bool { return x.Name == "b" })
	})
	world.Eventually(t, "c hears whose key that is", func() bool {
		r := c.Run("wallet", "prove", g.ID, "--unproven")
		if r.Status != 4 {
			t.Fatalf("another cosigner's key: exit status %d: %s", r.Status, r.Err)
		}
		return strings.Contains(r.Err, `in use by cosigner "b"`)
	})
	read[api.WalletSummary](t, c.RunWith(made.Invites[1], "wallet", "join", "-", "--wait", "--external", cold.key.String()))
	dir := t.TempDir()
	asked, answered := filepath.Join(dir, "proof.psbt"), filepath.Join(dir, "proof-signed.psbt")
	ask[api.Proof](c, "wallet", "proof", g.ID, "--format", "psbt", "-o", asked)
	cold.sign(asked, answered)
	ask[api.WalletSummary](c, "wallet", "prove", g.ID, answered)
	proven(g)
	for _, k := range a.Wallet().Cosigners {
		if want := map[string]string{"a": "own", "b": "message", "c": "psbt"}[k.Name]; k.Proof != want {
			t.Errorf("the key of %s is proved by %s, want %s", k.Name, k.Proof, want)
		}
	}

	// Electrum opens what quorate exports, and sees the same addresses.
	exported := filepath.Join(dir, "electrum.json")
	a.Run("wallet", "export", walletName, "--format", "electrum", "-o", exported).OK(t)
	file := e.cosigner(elec, exported)
	var theirs []string
	if err := json.Unmarshal([]byte(e.run(file, "listaddresses", "--receiving")), &theirs); err != nil || len(theirs) < 20 {
		t.Fatalf("Electrum lists %d addresses: %v", len(theirs), err)
	}
	d, err := wallet.ParseDescriptor(*a.Wallet().Descriptor, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	for i, theirs := range theirs[:20] {
		if ours, err := d.Address(wallet.BranchExternal, uint32(i)); err != nil || ours != theirs {
			t.Errorf("address %d: %s, Electrum has %s: %v", i, ours, theirs, err)
		}
	}

	g.Fund(10_000_000, 20_000_000, 30_000_000)
	for _, n := range nodes {
		n.Synced()
	}
	byElectrum := func(proposal string) {
		t.Helper()
		out := filepath.Join(dir, proposal+"-electrum.psbt")
		if x := ask[api.ExportedPSBT](b, "psbt", "export", proposal, "-o", out); !x.Guarded || len(x.Missing) != 0 {
			t.Fatalf("exported: %+v", x)
		}
		got := read[api.ImportedPSBT](t, b.RunWith(e.electrumSigns(file, out), "psbt", "import", "-"))
		if len(got.Added) != 1 || got.Added[0].Cosigner.Name != "b" || !got.Added[0].Own {
			t.Fatalf("imported: %+v", got)
		}
	}
	// The device's file goes in at whatever node is at hand.
	byDevice := func(version int, proposal string, at *node) {
		t.Helper()
		out, signed := filepath.Join(dir, proposal+"-device.psbt"), filepath.Join(dir, proposal+"-signed.psbt")
		ask[api.ExportedPSBT](c, "psbt", "export", proposal, "--version", fmt.Sprint(version), "--format", "binary", "-o", out)
		cold.sign(out, signed)
		got := ask[api.ImportedPSBT](at, "psbt", "import", signed)
		if len(got.Added) != 1 || got.Added[0].Cosigner.Name != "c" || got.Added[0].Own != (at == c) {
			t.Fatalf("imported: %+v", got)
		}
	}

	p := ask[api.Proposed](a, pay(t, 5_000_000)...)
	b.Reaches(p.Proposal, api.StatusPending)
	if r := b.Run("approve", p.Proposal); r.Status != 4 || !strings.Contains(r.Err, "psbt export") {
		t.Errorf("approve without the key: exit status %d: %s", r.Status, r.Err)
	}
	byElectrum(p.Proposal)
	world.Confirmed(t, p.Proposal, nodes...)

	p = ask[api.Proposed](a, pay(t, 6_000_000)...)
	c.Reaches(p.Proposal, api.StatusPending)
	byDevice(2, p.Proposal, b) // a colleague takes it in
	world.Confirmed(t, p.Proposal, nodes...)

	p = ask[api.Proposed](b, pay(t, 7_000_000)...)
	c.Reaches(p.Proposal, api.StatusPending)
	byElectrum(p.Proposal)
	byDevice(0, p.Proposal, c)
	world.Confirmed(t, p.Proposal, nodes...)
	for _, n := range nodes[1:] {
		same(t, a, n, "proposal", "show", p.Proposal)
	}
	for _, n := range nodes {
		n.Stop()
	}
}
