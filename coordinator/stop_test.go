package coordinator

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// stops are the freezes that a peer sees, each by whom and whether it rests, by name.
func (p *peer) stops() (out []string) {
	for _, f := range p.m.State.GroupFreezes(p.m.View.Tip().Height) {
		s := p.m.State.Active().Members[f.Key].Called() + ": " + f.Reason
		if f.Rests > 0 {
			s += " (rests)"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (c *circle) allStopped(want ...string) {
	c.tb.Helper()
	c.settle()
	for _, p := range c.peers {
		if got := p.stops(); !slices.Equal(got, want) {
			c.tb.Errorf("%s sees the freezes %q, want %q", p.name, got, want)
		}
	}
}

// standing are the ids of the freezes that stand.
func (p *peer) standingStops() (out []journal.EntryID) {
	for _, f := range p.m.State.GroupFreezes(p.m.View.Tip().Height) {
		out = append(out, f.Ref.ID)
	}
	return out
}

func (p *peer) stopped(reason string) journal.EntryID {
	p.tb.Helper()
	return p.must(Stop{Reason: reason}).(Stopped).Freeze
}

// wildStop and wildLift are what a member of whatever rules says.
func (p *peer) wildStop() journal.EntryID {
	p.tb.Helper()
	e, err := p.wild(&event.GroupFrozen{})
	if err != nil {
		p.tb.Fatal(err)
	}
	return e.ID()
}

func (p *peer) wildLift(height int32, ids ...journal.EntryID) {
	p.tb.Helper()
	if _, err := p.wild(&event.FreezeLifted{Freezes: ids, Height: uint32(height)}); err != nil {
		p.tb.Fatal(err)
	}
}

// grow makes so many blocks, which only pass time.
func (c *circle) grow(n int) {
	for range n {
		c.mine(nil)
	}
}

func TestTheGroupIsFrozenAndLiftedByItsQuorum(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 400_000)
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	a.refused(refusal.Outdated, Stop{Reason: "early"})
	c.featured()
	p := a.proposed(pay(1, 100_000))
	c.settle()
	id := z.stopped("my laptop is gone")
	if again := z.stopped("my laptop is gone"); again != id || z.stopped("") != id {
		t.Error("a repeat froze it once more")
	}
	c.allStopped("C: my laptop is gone")
	if w := b.m.Warn(p, c.clock, 0, port.Policy{}); len(w) != 1 || w[0].Rule != refusal.Frozen || !strings.Contains(w[0].Text, `C: "my laptop is gone"`) || !strings.Contains(w[0].Hint, "2 members") {
		t.Errorf("warned of %v", w)
	}
	b.refused(refusal.Frozen, Approve{Proposal: p.Ref.ID})
	a.refused(refusal.Frozen, pay(2, 100_000))
	unsigned := pay(2, 100_000)
	unsigned.Unsigned = true
	a.proposed(unsigned) // what signs nothing goes on
	if alarms := a.m.Alarms(); len(alarms) != 1 || alarms[0].Kind != frozen.AlarmGroup || strings.Contains(alarms[0].Text, "laptop") {
		t.Errorf("alarms %+v", alarms)
	}
	a.must(Lift{Freezes: []journal.EntryID{id}})
	entries := a.written()
	a.must(Lift{Freezes: []journal.EntryID{id}})
	if a.written() != entries {
		t.Error("who is for it already says so again")
	}
	c.allStopped("C: my laptop is gone")
	b.refused(refusal.Frozen, Approve{Proposal: p.Ref.ID})
	for _, x := range c.peers {
		if f := x.m.State.GroupFreezes(x.m.View.Tip().Height); len(f) != 1 || !slices.Equal(f[0].For, []int{memberIndex(x, a)}) {
			t.Errorf("%s: for lifting it are %v", x.name, f)
		}
	}
	z.must(Lift{Freezes: []journal.EntryID{id}}) // its author too is a member
	c.allStopped()
	z.crash()
	c.allStopped()
	if got := throughSnapshot(t, b, b.m.State).GroupFreezes(c.height); len(got) != 0 {
		t.Errorf("a snapshot has %+v", got)
	}
	if got := throughSnapshot(t, b, b.m.State).GroupFreezes(0); len(got) != 1 || got[0].Reason != "my laptop is gone" {
		t.Errorf("of below the lift a snapshot has %+v", got)
	}
	b.must(Approve{Proposal: p.Ref.ID})
}

// A person goes on by name, and what a node signs by itself does not.
func TestWhatIsFrozenIsSignedByNameOnly(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000, 400_000)
	c.featured()
	a, b := c.peers[0], c.peers[1]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	c.peers[2].stopped("")
	c.settle()
	spend, err := p.Spend(b.m.State.Active())
	if err != nil {
		t.Fatal(err)
	}
	own, err := spend.Sign(b.account)
	if err != nil {
		t.Fatal(err)
	}
	b.refused(refusal.Frozen, Export{Proposal: p.Ref.ID, ForSigning: true})
	b.refused(refusal.Frozen, Import{Proposal: p.Ref.ID, Signatures: own})
	a.refused(refusal.Frozen, Propose{Follows: FollowUp{Cancel: p.Ref.ID}})
	x := pay(2, 50_000)
	x.Allow = []string{refusal.Frozen}
	a.proposed(x)
	b.must(Approve{Proposal: p.Ref.ID, Allow: []string{refusal.Frozen}})
	if st := b.status(p.Ref.ID); st != group.StatusFinal {
		t.Errorf("it is %s", st)
	}
}

func TestAFreezeOfTheGroupEndsAPreApproval(t *testing.T) {
	c, p := preApproved(t, UpTo{Fee: 5000})
	b := c.peers[1]
	c.featured()
	q := c.peers[0].proposed(bump(p, 8000))
	c.hear(b)
	if _, err := b.m.mayBump(q, b.input(nil)); err != nil {
		t.Fatalf("without a freeze: %v", err)
	}
	c.peers[2].stopped("")
	c.hear(b)
	if _, err := b.m.mayBump(q, b.input(nil)); !refusedBy(err, refusal.Frozen) {
		t.Errorf("a bump of a frozen group: %v", err)
	}
}

func TestAFreezeOfTheGroupStopsWhatRecurs(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a := c.peers[0]
	a.must(c.daily(1, 10_000))
	id := c.peers[2].stopped("")
	c.settle()
	c.pass(3 * 24 * 3600e9)
	if made, errs := a.run(); len(made) != 0 || len(errs) != 1 || !refusedBy(errs[0], refusal.Frozen) {
		t.Fatalf("proposed %d, refused with %v", len(made), errs)
	}
	for _, p := range c.peers[:2] {
		p.must(Lift{Freezes: []journal.EntryID{id}})
	}
	c.settle()
	if made, errs := a.run(); len(made) != 1 {
		t.Errorf("once lifted it proposes %d: %v", len(made), errs)
	}
}

func TestStopRefusals(t *testing.T) {
	forming := newCircle(t, 2, 2)
	forming.settle()
	forming.peers[0].refused(refusal.NotActive, Stop{})
	forming.peers[0].refused(refusal.NotActive, Lift{Freezes: []journal.EntryID{{1}}})
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a := c.peers[0]
	a.refused(refusal.NoFreeze, Lift{Freezes: []journal.EntryID{{1}}})
	if _, err := a.do(Lift{}); !errors.Is(err, refusal.ErrBadRequest) {
		t.Errorf("nothing is lifted: %v", err)
	}
	for name, reason := range map[string]string{"too long": strings.Repeat("x", event.MaxTextBytes+1), "turned around": "\u202eyas"} {
		if _, err := a.do(Stop{Reason: reason}); !errors.Is(err, event.ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
	c.allStopped()
	id := a.stopped("x")
	m, err := Load(t.Context(), &a.Disk, a.self, a.m.State.Group())
	if err != nil {
		t.Fatal(err)
	}
	a.m = m // it has not heard of the chain's tip since it started
	a.refused(refusal.ChainBehind, Lift{Freezes: []journal.EntryID{id}})
}

// Who watches is told when a freeze has effect and when it has none any more, once.
func TestAFreezeOfTheGroupIsTold(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	id := z.stopped("x")
	c.settle()
	b.crash()
	for _, p := range []*peer{a, b} {
		p.must(Lift{Freezes: []journal.EntryID{id}})
		c.settle()
	}
	again := z.wildStop() // without effect for a day
	c.settle()
	c.grow(group.FreezeRest)
	freeze := func(status string, id journal.EntryID) string { return status + " by C: freeze " + id.String() }
	want := []string{freeze("frozen", id), frozen.AlarmGroup, freeze("lifted", id), freeze("frozen", again), frozen.AlarmGroup}
	for _, p := range c.peers {
		var got []string
		for _, n := range p.told {
			switch {
			case n.Type == "group_freeze":
				got = append(got, n.Status+" by "+p.m.MemberName(n.By)+": "+n.Detail)
			case n.Status == frozen.AlarmGroup:
				got = append(got, n.Status)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s tells\n%s\nwant\n%s", p.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
