package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/formats"
)

// A wallet that is not active has no export; an active one has the same
// descriptor in every format, in a file for its owner only.
func TestWalletExport(t *testing.T) {
	nodes := []*node{newNode(t, "a").Start(), newNode(t, "b").Start()}
	made := ask[api.WalletInvites](nodes[0], "wallet", "create", "early", "--threshold", "1", "--cosigners", "2")
	file := filepath.Join(t.TempDir(), "early")
	refused(t, nodes[0].Run("wallet", "export", made.Wallet, "-o", file), 4, "wallet_not_active")
	if _, err := os.Stat(file); err == nil {
		t.Error("a refused export left a file")
	}

	g := groupOf(t, 2, nodes...)
	want := *nodes[0].Wallet().Descriptor
	for _, f := range formats.All() {
		file := filepath.Join(t.TempDir(), string(f))
		nodes[1].Run("wallet", "export", walletName, "--format", string(f), "-o", file).OK(t)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", f, info.Mode())
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w, as, err := formats.Parse(raw, wallet.Regtest)
		if err != nil || as != f || w.Descriptor.String() != want {
			t.Errorf("%s: read as %s (%v)\n%s", f, as, err, raw)
		}
	}
	if p := ask[api.WalletFile](nodes[0], "wallet", "export", walletName, "--format", "page").Content; !strings.Contains(p, "█") ||
		!strings.Contains(strings.ReplaceAll(p, "\n", ""), want) {
		t.Errorf("the page is\n%s", p)
	}
	electrumReads(t, g)
}

// electrumReads opens the exported file in Electrum, which knows nothing of
// this project, and compares the first addresses of both branches.
func electrumReads(t *testing.T, g *party) {
	program, err := exec.LookPath("electrum")
	if err != nil {
		t.Log("electrum is not installed: its addresses were NOT compared (apt-get install electrum)")
		return
	}
	file := filepath.Join(t.TempDir(), "wallet")
	g.Nodes[0].Run("wallet", "export", walletName, "--format", "electrum", "-o", file).OK(t)
	home := t.TempDir()
	d, err := wallet.ParseDescriptor(*g.Nodes[0].Wallet().Descriptor, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	list := func(kind string) []string {
		cmd := exec.Command(program, "--regtest", "--offline", "-D", filepath.Join(home, "electrum"), "-w", file, "listaddresses", kind)
		cmd.Env = append(os.Environ(), "HOME="+home)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("electrum listaddresses %s: %v\n%s", kind, err, out)
		}
		var got []string
		// Remarks of its own stand before the answer.
		if err := json.Unmarshal(out[max(0, strings.Index(string(out), "[\n")):], &got); err != nil {
			t.Fatalf("electrum listaddresses %s: %v\n%s", kind, err, out)
		}
		return got
	}
	for branch, c := range []struct {
		kind string
		n    uint32
	}{{"--receiving", 20}, {"--change", 10}} { // as many as Electrum derives ahead
		got := list(c.kind)
		if len(got) < int(c.n) {
			t.Fatalf("electrum shows %d addresses (%s), want %d", len(got), c.kind, c.n)
		}
		for i := range c.n {
			want, err := d.Address(uint32(branch), i)
			if err != nil {
				t.Fatal(err)
			}
			if got[i] != want {
				t.Errorf("electrum %s, address %d is %s, ours is %s", c.kind, i, got[i], want)
			}
		}
	}
}
