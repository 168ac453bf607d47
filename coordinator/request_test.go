package coordinator

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// A request id that comes again with other content is refused, also after a restart, and
// changes nothing.
func TestARequestIDStandsForOneRequest(t *testing.T) {
	c := active(t, 2, 3)
	coins := c.fund(1_000_000, 1_000_000)
	a := c.peers[0]
	first := pay(1, 100_000)
	first.RequestID, first.Note, first.Terms = "invoice-17", "rent", "6 blocks"
	made := a.must(first).(Proposed)
	others := map[string]func(*Propose){
		"another payee":     func(x *Propose) { x.Outputs = pay(2, 100_000).Outputs },
		"another amount":    func(x *Propose) { x.Outputs = pay(1, 100_001).Outputs },
		"another label":     func(x *Propose) { x.Outputs = slices.Clone(x.Outputs); x.Outputs[0].Label = "x" },
		"two payees":        func(x *Propose) { x.Outputs = slices.Concat(x.Outputs, pay(2, 100_000).Outputs) },
		"another note":      func(x *Propose) { x.Note = "" },
		"named coins":       func(x *Propose) { x.Coins = []wire.OutPoint{coins[0]} },
		"a replacement":     func(x *Propose) { x.Replaces = []journal.EntryID{made.Proposal} },
		"another fee asked": func(x *Propose) { x.Terms = "3 sat/vB" },
	}
	for _, restart := range []bool{false, true} {
		if restart {
			a.crash()
		}
		for name, change := range others {
			x := first
			change(&x)
			if _, err := a.do(x); rule(err) != refusal.RequestReused || !strings.Contains(err.Error(), made.Proposal.String()) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if again := a.must(first).(Proposed); again != made {
			t.Errorf("%v, then %v", made, again)
		}
	}
	if n := a.m.State.Counts()["proposals"]; n != 1 {
		t.Fatalf("%d proposals", n)
	}
	// An earlier version kept the id alone.
	maps.DeleteFunc(a.Kept, func(k string, _ []byte) bool { return strings.HasPrefix(k, recContent) })
	a.crash()
	for _, name := range []string{"another payee", "another amount", "another note"} {
		x := first
		others[name](&x)
		if _, err := a.do(x); rule(err) != refusal.RequestReused {
			t.Errorf("without its content, %s: %v", name, err)
		}
	}
	if again := a.must(first).(Proposed); again != made {
		t.Errorf("%v, then %v", made, again)
	}
}

// An address and a comment are given once for a request id, also after a crash, and an
// id that stands for one thing is not taken for another.
func TestARequestIDGivesOneAddress(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(1_000_000)
	a := c.peers[0]
	p := a.must(pay(1, 100_000)).(Proposed).Proposal
	ask := LeaseAddress{RequestID: "order-1"}
	all := []string{refusal.Outdated}
	say := Remark{Proposal: p, Text: "hm", RequestID: "remark-1", Allow: all}
	first := a.must(ask).(Lease)
	a.must(say)
	entries := a.m.State.Chains().Len()
	for _, restart := range []bool{false, true} {
		if restart {
			a.crash()
		}
		if again := a.must(ask).(Lease); again != first {
			t.Errorf("%v, then %v", first, again)
		}
		a.must(say)
		if n := a.m.State.Chains().Len(); n != entries {
			t.Errorf("%d entries, then %d", entries, n)
		}
		asProposal := pay(1, 100_000)
		asProposal.RequestID = "order-1"
		for name, cmd := range map[string]Message{
			"an address as a comment": Remark{Proposal: p, Text: "hm", RequestID: "order-1", Allow: all},
			"another comment":         Remark{Proposal: p, Text: "hmm", RequestID: "remark-1", Allow: all},
			"a comment as an address": LeaseAddress{RequestID: "remark-1"},
			"an address as a payment": asProposal,
		} {
			if _, err := a.do(cmd); rule(err) != refusal.RequestReused {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if peek := a.must(LeaseAddress{RequestID: "order-1", Peek: true}).(Lease); peek == first {
		t.Error("a look gives what was given")
	}
	if second := a.must(LeaseAddress{RequestID: "order-2"}).(Lease); second == first {
		t.Error("another order gets the same address")
	}
	if _, err := a.do(LeaseAddress{RequestID: strings.Repeat("x", 129)}); err == nil {
		t.Error("a long id")
	}
}
