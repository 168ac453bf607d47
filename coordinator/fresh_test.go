package coordinator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// A node whose Bitcoin node is gone does not know what was spent since: it neither
// proposes nor signs, unless told to by name.
func TestAStaleChainIsNotSignedOver(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000, 1_000_000)
	a, b := c.peers[0], c.peers[1]
	first := a.proposed(pay(1, 100_000))
	c.settle()
	a.chainAge, b.chainAge = StaleAfter, StaleAfter
	if w := b.m.Warn(first, c.clock, b.chainAge, port.Policy{}); len(w) != 0 {
		t.Fatalf("within the time a connection may be away it warns of %v", w)
	}
	a.chainAge, b.chainAge = 3*time.Minute, 3*time.Minute
	broke := pay(2, 100_000_000)
	for name, try := range map[string]func() error{
		"propose too much": func() error { _, err := a.do(broke); return err },
		"propose":          func() error { _, err := a.do(pay(2, 100_000)); return err },
		"propose unsigned": func() error { x := pay(2, 100_000); x.Unsigned = true; _, err := a.do(x); return err },
		"approve":          func() error { _, err := b.do(Approve{Proposal: first.Ref.ID}); return err },
	} {
		err := try()
		var r *refusal.Refusal
		if !errors.As(err, &r) || r.Rule != refusal.ChainStale || !r.Overridable || !strings.Contains(r.Text, "3 min") {
			t.Errorf("%s: %v", name, err)
		}
	}
	warned := false
	for _, w := range b.m.Warn(first, c.clock, b.chainAge, port.Policy{}) {
		warned = warned || w.Rule == refusal.ChainStale
	}
	if !warned {
		t.Error("showing the proposal does not warn of what approving refuses")
	}
	if _, err := b.do(Reject{Proposal: first.Ref.ID}); err != nil {
		t.Errorf("a vote against needs no chain: %v", err)
	}
	b.must(Approve{Proposal: first.Ref.ID, Allow: []string{refusal.ChainStale}})
	c.settle()
	if got := a.status(first.Ref.ID); got != group.StatusFinal {
		t.Fatal(got)
	}
	x := pay(2, 100_000)
	x.Allow = []string{refusal.ChainStale}
	a.must(x)
}

func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		11 * time.Second: "11 s", 3*time.Minute + 59*time.Second: "3 min", 90 * time.Minute: "1 h 30 min", 49 * time.Hour: "2 days",
	} {
		if got := age(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
