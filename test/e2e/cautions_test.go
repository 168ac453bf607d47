package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// alike are two addresses of nobody that begin and end alike.
func alike(t *testing.T) (string, string) {
	t.Helper()
	seen := map[string]string{}
	for {
		a := outside(t)
		body := strings.TrimPrefix(a, "bcrt1q")
		ends := body[:3] + body[len(body)-3:]
		if b, ok := seen[ends]; ok {
			return b, a
		}
		seen[ends] = a
	}
}

// What to look at twice is in the answer of a dry run; and small coins are gathered only
// below a fee rate.
func TestCautions(t *testing.T) {
	g := newGroup(t, 1, 2).Fund(1_000_000, 900_000)
	a := g.Nodes[0]
	paid, other := alike(t)
	made := ask[api.Proposed](a, "propose", walletName, "--to", paid+"=0.001", "--fee-rate", "2")
	world.Confirmed(t, made.Proposal, g.Nodes...)
	for i, c := range a.Coins() {
		ask[api.LabelsSet](a, "label", walletName, c.OutPoint, fmt.Sprint("purpose ", i))
	}
	for name, x := range map[string]struct {
		to   string
		want []string
	}{
		"to whom was paid before":     {paid + "=0.001", []string{"address_reused"}},
		"to one who looks like it":    {other + "=0.001", []string{"address_resembles"}},
		"from coins of two purposes":  {outside(t) + "=0.015", []string{"mixes_labels"}},
		"to nobody in particular":     {outside(t) + "=0.001", nil},
		"to a look-alike, with mixes": {other + "=0.015", []string{"address_resembles", "mixes_labels"}},
	} {
		line := []string{"propose", walletName, "--to", x.to, "--fee-rate", "2", "--dry-run", "--allow", "possible_double_payment"}
		d := ask[api.Draft](a, line...)
		var got []string
		for _, c := range d.Cautions {
			got = append(got, c.Code)
		}
		if slices.Sort(got); !slices.Equal(got, x.want) {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
		text := string(a.Finish(a.Command(line...), "").OK(t).Out)
		for _, c := range d.Cautions {
			if !strings.Contains(text, "\nlook twice ("+c.Code+"): "+c.Message+"\n") {
				t.Errorf("%s: people are not told %s: %s", name, c.Code, text)
			}
		}
		if n := strings.Count(text, "look twice"); n != len(x.want) {
			t.Errorf("%s: people are told of %d things", name, n)
		}
	}
	before := snapshot(a)
	refused(t, a.Run("consolidate", walletName, "--below", "1", "--fee-rate", "2"), 4, "fee_not_below")
	unchanged(t, a, before)
}
