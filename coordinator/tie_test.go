package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/event"
)

// An address tie is told though the step in which it comes to light changes who
// the members are as well: what says both is sealed under an epoch that opens in it.
func TestATieIsToldThoughMembersChange(t *testing.T) {
	for name, also := range map[string]bool{"a tie alone": false, "and a replacement": true} {
		t.Run(name, func(t *testing.T) {
			c := active(t, 2, 3)
			a, evil := c.peers[0], c.peers[2]
			l := a.must(LeaseAddress{}).(Lease)
			first, _ := evil.m.State.Epoch()
			ep := evil.epochAfter(first)
			a.must(EntryIn{evil.sealed(ep, &event.AddressLeased{Index: l.Index})})
			if also {
				a.must(EntryIn{evil.sealed(ep, evil.stranger(9).replacing(evil, 1_000_000))})
			}
			a.told = nil
			a.must(EntryIn{evil.rekey(ep, []*peer{a}, nil)})
			if others, _ := a.m.State.Tied(l.Index); len(others) != 1 {
				t.Fatalf("a tie with %d others", len(others))
			}
			if !told(a, AlarmAddressTie) || told(a, AlarmReplaced) != also {
				t.Errorf("told: %+v", a.told)
			}
			a.told = nil
			a.must(Tick{})
			if len(a.told) != 0 {
				t.Errorf("told again: %+v", a.told)
			}
		})
	}
}
