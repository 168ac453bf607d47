package coordinator

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func TestRekeyMakesAnEpochForTheMembersAsTheyAre(t *testing.T) {
	c := newCircle(t, 2, 3)
	_, err := c.peers[0].do(Rekey{})
	mustRefuse(t, err, refusal.NotActive)
	c = active(t, 2, 3)
	c.fund(1_000_000)
	b := c.peers[1]
	before, _ := b.m.State.Epoch()
	b.must(Rekey{})
	c.settle()
	for _, p := range c.peers {
		if ep, ok := p.m.State.Fitting(); !ok || ep.Number != before.Number+1 || ep.Parent != before.ID() {
			t.Errorf("%s writes under epoch %d", p.name, ep.Number)
		}
	}
	c.reads(c.peers...)
}

// One who should rekey, and is online, and does not, hinders the others for an hour.
func TestWhoDoesNotRekeyDoesNotHinderTheOthers(t *testing.T) {
	c := active(t, 2, 3)
	order := slices.Clone(c.peers)
	slices.SortFunc(order, func(a, b *peer) int { x, y := a.id(), b.id(); return slices.Compare(x[:], y[:]) })
	idle, next := order[0], order[1]
	online := []journal.Author{idle.id(), next.id()}
	before, _ := next.m.State.Epoch()
	c.clock = c.clock.Add(epochAge)
	next.must(Tick{Online: online})
	if ep, _ := next.m.State.Epoch(); ep != before {
		t.Fatal("it rekeys before its turn")
	}
	c.clock = c.clock.Add(rekeyRank)
	next.must(Tick{Online: online})
	if ep, _ := next.m.State.Epoch(); ep.Number != before.Number+1 {
		t.Errorf("epoch %d after %d", ep.Number, before.Number)
	}
}
