package coordinator

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

func (p *peer) leases(n int) []uint32 {
	p.tb.Helper()
	var out []uint32
	for range n {
		out = append(out, p.must(LeaseAddress{}).(Lease).Index)
	}
	return out
}

// alarms returns what a peer was told of a kind.
func (p *peer) alarms(kind string) []port.Notice {
	var out []port.Notice
	for _, n := range p.told {
		if n.Type == "alarm" && n.Status == kind {
			out = append(out, n)
		}
	}
	return out
}

func (p *peer) standing(kind string) []Alarm {
	return slices.DeleteFunc(p.m.Alarms(), func(a Alarm) bool { return a.Kind != kind })
}

// Members who ask at the same moment, before any has heard of the others, get
// different addresses: each takes its own share first.
func TestAddressesAskedForAtOnceDiffer(t *testing.T) {
	sizes := []int{1, 2, 3, 7, 20}
	if underRace {
		sizes = sizes[:4]
	}
	for _, n := range sizes {
		c := active(t, 1, n)
		seen := map[uint32]string{}
		for _, p := range c.peers {
			for _, i := range p.leases(ledger.GapLimit / n) {
				if who, twice := seen[i]; twice || i >= ledger.GapLimit {
					t.Errorf("of %d members %s gets address %d, as did %q", n, p.name, i, who)
				}
				seen[i] = p.name
			}
		}
		c.settle()
		for _, p := range c.peers {
			for i, name := range seen {
				if by := p.m.LeasedBy(i); len(by) != 1 || p.m.MemberName(by[0]) != name {
					t.Errorf("of %d members %s finds %d leased by %v, not by %s", n, p.name, i, by, name)
				}
			}
			if got := p.alarms(AlarmAddressTie); len(got) > 0 {
				t.Errorf("of %d members %s is told of a tie: %v", n, p.name, got)
			}
		}
	}
}

// While all hear of each lease before the next, all 20 are handed out, once
// each, whoever asks.
func TestEveryAddressOfTheGapIsHandedOutOnce(t *testing.T) {
	base := active(t, 2, 3)
	for _, turns := range [][]int{{0}, {2}, {0, 1, 2}, {1, 1, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 2}} {
		c := base.clone(t)
		seen := map[uint32]bool{}
		for i := range ledger.GapLimit {
			seen[c.peers[turns[i%len(turns)]].leases(1)[0]] = true
			c.settle()
		}
		if len(seen) != ledger.GapLimit || slices.Max(slices.Collect(maps.Keys(seen))) != ledger.GapLimit-1 {
			t.Fatalf("%v: handed out %v", turns, seen)
		}
		for _, p := range c.peers {
			p.refused(refusal.Gap, LeaseAddress{})
		}
	}
}

// One who has used up its share takes of the others' what they come to last.
func TestWhoUsedUpItsShareKeepsClearOfTheOthers(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	a.leases(7)
	c.settle()
	seen := map[uint32]bool{}
	for _, p := range c.peers {
		for _, i := range p.leases(3) {
			seen[i] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("9 leases gave %v", seen)
	}
}

// Two members apart who use up more than their shares give one address to two
// payers: both are told, once, and the next address is another one.
func TestATieAfterAPartitionIsSeen(t *testing.T) {
	c := active(t, 2, 3)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	mine, theirs := a.leases(12), b.leases(12)
	var both []uint32
	for _, i := range mine {
		if slices.Contains(theirs, i) {
			both = append(both, i)
		}
	}
	if len(both) == 0 {
		t.Fatalf("no tie in %v and %v", mine, theirs)
	}
	if len(a.alarms(AlarmAddressTie))+len(a.standing(AlarmAddressTie)) > 0 {
		t.Fatal("told of a tie while apart")
	}
	c.settle()
	for _, p := range []*peer{a, b} {
		if got := p.alarms(AlarmAddressTie); len(got) != len(both) {
			t.Fatalf("%s is told of %d ties, not %d", p.name, len(got), len(both))
		}
		other := map[*peer]string{a: "B", b: "A"}[p]
		if text := p.alarms(AlarmAddressTie)[0].Detail; !strings.Contains(text, "by this node and by "+other) {
			t.Errorf("%s is told: %s", p.name, text)
		}
		if got := p.standing(AlarmAddressTie); len(got) != len(both) {
			t.Errorf("%s shows %d ties, not %d", p.name, len(got), len(both))
		}
	}
	if got := z.alarms(AlarmAddressTie); len(got)+len(z.standing(AlarmAddressTie)) > 0 {
		t.Errorf("Z handed out none of them, and is told %v", got)
	}
	if next := a.must(LeaseAddress{Peek: true, BeyondGap: true}).(Lease).Index; slices.Contains(mine, next) || slices.Contains(theirs, next) {
		t.Errorf("address %d is handed out again", next)
	}
	// A restart shows them and tells nothing; nor does one who leases them again.
	a.told = nil
	a.crash()
	if _, err := b.wild(&event.AddressLeased{Index: both[0]}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	if got := a.alarms(AlarmAddressTie); len(got) != 0 || len(a.standing(AlarmAddressTie)) != len(both) {
		t.Errorf("after a restart %d are told and %d shown", len(got), len(a.standing(AlarmAddressTie)))
	}
	// Long after the address was used, it is no longer shown.
	a.m.View, _ = a.m.View.See(c.pays(wallet.BranchExternal, both[0]+ledger.GapLimit, 1000), true)
	if got := a.standing(AlarmAddressTie); len(got) >= len(both) {
		t.Errorf("%d are still shown", len(got))
	}
}
