package coordinator

import (
	"testing"

	"github.com/quorate/quorate/coordinator/group"
)

// TestReplacementsBeyondTheCountedCostNothing: one more of a key that names
// identities without end works nothing out anew.
func TestReplacementsBeyondTheCountedCostNothing(t *testing.T) {
	c := active(t, 2, 3)
	a, evil := c.peers[0], c.peers[1]
	evil.Careless = true
	x := c.peers[2]
	for n := range group.MaxCarried + 3 {
		b := evil.stranger(byte(31+n)).replacing(evil, 50)
		e, err := x.wild(b)
		if err != nil {
			t.Fatal(err)
		}
		before := a.m.State.Active()
		a.must(EntryIn{e})
		if beyond := n >= group.MaxCarried; beyond != (a.m.State.Active() == before) {
			t.Errorf("replacement %d: worked out anew %v", n, a.m.State.Active() != before)
		}
		if !a.m.State.IsNewcomer(b.New) {
			t.Errorf("replacement %d: who it names is not known", n)
		}
	}
}
