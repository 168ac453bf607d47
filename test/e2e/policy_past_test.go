package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/api"
)

// A policy that nobody voted on is run over what members proposed, from the file to the
// answer, and says the same at each node; where no robot ever wrote anything nothing differs.
func TestPolicySimulate(t *testing.T) {
	g := newGroup(t, 2, 2).Fund(1_000_000)
	a, b := g.Nodes[0], g.Nodes[1]
	small := ask[api.Proposed](a, pay(t, 123_457)...).Proposal
	b.Reaches(small, "pending")
	ask[api.Proposal](b, "approve", small)
	for _, n := range g.Nodes {
		n.Reaches(small, "broadcast")
	}
	world.Mine(t, 1)
	for _, n := range g.Nodes {
		n.Reaches(small, "confirmed")
	}
	large := ask[api.Proposed](b, pay(t, 223_457)...).Proposal
	a.Reaches(large, "pending")
	file := filepath.Join(t.TempDir(), "policy.toml")
	text := `title = "Small payments"
robots = ["b"]
start_quorum = 1
meters.daily = { limit = "0.01btc", window = "24h" }

[[rules]]
name    = "small"
require = { amount_max = "200000sat", meters = ["daily"] }
then    = "sign"
else    = "deny"
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		s := ask[api.Simulation](n, "policy", "simulate", walletName, file)
		if s.Proposals != 2 || s.Signed != 1 || s.Denied != 1 || s.Robot.Name != "b" || len(s.Items) != 2 || len(s.Meters) != 1 {
			t.Fatalf("%s: %+v", n.Name, s)
		}
		if x := s.Items[0]; x.Proposal != small || x.Outcome != "sign" || x.Status != "confirmed" || x.Amount != 123_457 {
			t.Errorf("%s: of the small one %+v", n.Name, x)
		}
		if x := s.Items[1]; x.Proposal != large || x.Outcome != "deny" || len(x.Codes) != 1 || x.Codes[0] != "amount_max" {
			t.Errorf("%s: of the large one %+v", n.Name, x)
		}
		if m := s.Meters[0]; m.Signed.Amount < 123_457 || m.Signed.Amount > 200_000 || m.Mined.Amount != m.Signed.Amount {
			t.Errorf("%s: the meter had %+v", n.Name, m)
		}
		if none := ask[api.Simulation](n, "policy", "simulate", walletName, file, "--since", "2100-01-01"); none.Proposals != 0 {
			t.Errorf("%s: from 2100 on it has %+v", n.Name, none)
		}
		n.Run("policy", "simulate", walletName, file).OK(t)
		n.Run("policy", "replay", walletName).OK(t)
	}
	if err := os.WriteFile(file, []byte("title = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, a.Run("policy", "simulate", walletName, file), 2, "bad_policy")
	refused(t, a.Run("policy", "simulate", walletName, file, "--since", "yesterday"), 2, "bad_time")
}
