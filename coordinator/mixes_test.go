package coordinator

import (
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/known"
)

// A payment is made from coins of one label where those suffice, and of a payment that
// mixes labels all are told.
func TestLabelsAreNotMixed(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(400_000, 300_000, 400_000, 300_000, 900_000)
	a := c.peers[0]
	label := func(text string, of ...wire.OutPoint) {
		var all []LabelEdit
		for _, o := range of {
			all = append(all, LabelEdit{Target: event.OutputTarget(o), Text: text})
		}
		a.must(SetLabels{Edits: all})
	}
	of := func(amount int64) []wire.OutPoint {
		d, err := a.m.Preview(withUnsigned(pay(1, amount)), a.input(nil))
		if err != nil {
			t.Fatal(err)
		}
		var out []wire.OutPoint
		for _, in := range d.Proposal.Body.Inputs {
			out = append(out, in.OutPoint())
		}
		if mixed := strings.Contains(codesOf(a.m.Cautions(d.Proposal)), known.Mixes); mixed != (amount > 1_000_000) {
			t.Errorf("of %d it is told: %v", amount, a.m.Cautions(d.Proposal))
		}
		return out
	}
	within := func(got []wire.OutPoint, of ...wire.OutPoint) bool {
		return !slices.ContainsFunc(got, func(o wire.OutPoint) bool { return !slices.Contains(of, o) })
	}
	label("shop", coins[0], coins[1])
	label("donations", coins[2], coins[3])
	label("savings", coins[4])
	for range 20 { // whatever is drawn
		if got := of(600_000); !within(got, coins[0], coins[1]) && !within(got, coins[2], coins[3]) {
			t.Errorf("it takes %v", got)
		}
		if got := of(800_000); !within(got, coins[4]) {
			t.Errorf("it takes %v", got)
		}
		if got := of(1_500_000); len(got) < 3 {
			t.Errorf("it takes %v", got)
		}
	}
	// Coins without a label are none to be mixed with, but no label either.
	label("", coins[4])
	if got := of(800_000); !within(got, coins[4]) {
		t.Errorf("it takes %v", got)
	}
}

func codesOf(list []known.Caution) string {
	var out []string
	for _, c := range list {
		out = append(out, c.Code)
	}
	return strings.Join(out, " ")
}
