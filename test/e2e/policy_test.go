package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type policyAnswer struct {
	Hash      string   `json:"hash"`
	Versions  []string `json:"versions"`
	Rules     int      `json:"rule_count"`
	Sentences []string `json:"sentences"`
}

// A template of a real wallet is a policy for it, by the same hash at each node; what is
// changed in it is told.
func TestPolicyFiles(t *testing.T) {
	g := newGroup(t, 2, 3)
	a, b := g.Nodes[0], g.Nodes[1]
	dir := t.TempDir()
	for _, template := range []string{"payroll", "treasury", "recovery", "escrow"} {
		file := filepath.Join(dir, template+".toml")
		a.Run("policy", "new", walletName, "--template", template, "--robot", "c", "-o", file).OK(t)
		one, two := ask[policyAnswer](a, "policy", "check", walletName, file), ask[policyAnswer](b, "policy", "show", walletName, file)
		if one.Hash != two.Hash || len(one.Hash) != 64 || len(one.Versions) != 0 || one.Rules == 0 || !strings.Contains(one.Sentences[0], "the nodes of c are robots") {
			t.Errorf("%s: %+v, %+v", template, one, two)
		}
	}
	file, other := filepath.Join(dir, "payroll.toml"), filepath.Join(dir, "other.toml")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[[2]string]bool{{`"72h"`, `"96h"`}: true, {`"72h"`, `"24h"`}: false, {`meters.month  = { limit = "1btc"`, `meters.month  = { limit = "2btc"`}: false} {
		text := strings.Replace(string(content), change[0], change[1], 1)
		if text == string(content) {
			t.Fatalf("the template has no %s", change[0])
		}
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d := ask[struct {
			Tighter bool `json:"is_tighter"`
		}](a, "policy", "diff", walletName, file, other)
		if d.Tighter != want {
			t.Errorf("%s for %s is tighter: %v", change[1], change[0], d.Tighter)
		}
	}
	if err := os.WriteFile(other, []byte("title = \"T\"\nrobots = [\"dora\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, a.Run("policy", "check", walletName, other), 2, "bad_policy")
	refused(t, a.Run("policy", "check", walletName, filepath.Join(dir, "none")), 2, "bad_policy")
	refused(t, a.Run("policy", "new", walletName, "--template", "nothing"), 2, "bad_template")
}
