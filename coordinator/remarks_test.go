package coordinator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
)

// featured has all peers say what they know, and hear it.
func (c *circle) featured() {
	for _, p := range c.peers {
		p.must(Tick{})
	}
	c.settle()
}

func (p *peer) comments(q *group.Proposal) (out []string) {
	for _, d := range p.m.Course(q) {
		if d.Kind == DeedCommented {
			out = append(out, d.By.Called()+": "+d.Text)
		}
	}
	return out
}

func TestCommentsReachEverybody(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	if _, err := b.do(Remark{Proposal: p.Ref.ID, Text: "why?"}); !refusedBy(err, refusal.Outdated) || !strings.Contains(err.Error(), a.name) {
		t.Fatalf("before the others said what they know: %v", err)
	}
	c.featured()
	held := len(b.Held)
	for _, text := range []string{"", " \n", strings.Repeat("x", event.MaxCommentRunes+1), "\u202eyas"} {
		if _, err := b.do(Remark{Proposal: p.Ref.ID, Text: text}); err == nil || len(b.Held) != held {
			t.Errorf("%.10q: err %v, %d entries more", text, err, len(b.Held)-held)
		}
	}
	b.must(Remark{Proposal: p.Ref.ID, Text: "why?"})
	c.clock = c.clock.Add(1e9)
	c.settle()
	a.must(Remark{Proposal: p.Ref.ID, Text: strings.Repeat("ü", event.MaxCommentRunes)})
	c.settle()
	want := []string{b.name + ": why?", a.name + ": " + strings.Repeat("ü", event.MaxCommentRunes)}
	for _, x := range c.peers {
		if got := x.comments(p); !slices.Equal(got, want) {
			t.Errorf("%s shows %.60q", x.name, got)
		}
		x.crash()
		if got := x.comments(p); !slices.Equal(got, want) {
			t.Errorf("%s shows %.60q after a restart", x.name, got)
		}
	}
}

// A member who comments without end takes nothing from what the others say, nor makes it
// cost more to show.
func TestCommentsOfOneMemberAreBounded(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	c.featured()
	flood := func(n int) {
		next := evil.nextPlace()
		for i := range n {
			e := evil.forge(next, &event.ProposalCommented{Proposal: p.Ref.ID, Text: fmt.Sprint("again ", i)})
			a.must(EntryIn{e})
			evil.must(EntryIn{e})
		}
	}
	flood(group.MaxComments + 1)
	b.must(Remark{Proposal: p.Ref.ID, Text: "mine"})
	b.pass(a)
	if got := a.comments(p); len(got) != group.MaxComments+1 || !slices.Contains(got, b.name+": mine") || slices.Contains(got, fmt.Sprintf("%s: again %d", evil.name, group.MaxComments)) {
		t.Errorf("%d comments are shown: %.200q", len(got), got)
	}
	before := testing.AllocsPerRun(5, func() { a.m.Course(p) })
	flood(1000)
	if after := testing.AllocsPerRun(5, func() { a.m.Course(p) }); after > before*1.1 {
		t.Errorf("to show them costs %v allocations, %v before the flood", after, before)
	}
	told := 0
	for _, n := range a.told {
		if n.Type == "comment" && n.By == evil.id() {
			told++
		}
	}
	if told != group.MaxComments {
		t.Errorf("%d comments of one member are told, %d are shown", told, group.MaxComments)
	}
	if _, err := evil.do(Remark{Proposal: p.Ref.ID, Text: "once more"}); !refusedBy(err, refusal.Comments) {
		t.Errorf("a comment that nobody would show: %v", err)
	}
}

// A node says once what it knows, and again where it knows something else.
func TestFeaturesAreSaidOnce(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	count := func() (n int) {
		for _, e := range a.Held {
			if e.Header().Author == a.id() {
				if _, ok := a.bodyOf(e).(*event.NodeFeatures); ok {
					n++
				}
			}
		}
		return n
	}
	for range 3 {
		a.must(Tick{})
	}
	a.crash()
	a.must(Tick{})
	if n := count(); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	// What an older version said of itself does not stand.
	if _, err := a.wild(&event.NodeFeatures{Kinds: []uint64{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	a.must(Tick{})
	a.must(Tick{})
	if n := count(); n != 3 {
		t.Errorf("said %d times, want it said again", n)
	}
	c.settle()
	if out := c.peers[1].m.State.Outdated(event.KindProposalCommented); slices.ContainsFunc(out, func(m group.Member) bool { return m.Identity == a.id() }) {
		t.Error("what it says last does not count")
	}
}

// A vote that was taken back stays in the history, with its reason.
func TestVotesStayInTheHistory(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a, b := c.peers[0], c.peers[1]
	x := pay(1, 100_000)
	x.Unsigned = true
	p := a.proposed(x)
	c.settle()
	b.must(Reject{Proposal: p.Ref.ID, Reason: "the amount is wrong"})
	c.clock = c.clock.Add(1e9)
	b.must(Approve{Proposal: p.Ref.ID})
	c.settle()
	for _, y := range c.peers {
		var got []string
		for _, d := range y.m.Course(p) {
			got = append(got, d.By.Called()+" "+d.Kind+" "+d.Text)
		}
		want := []string{a.name + " proposed ", b.name + " rejected the amount is wrong", b.name + " approved ", b.name + " rejection_withdrawn "}
		slices.Sort(got[2:])
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", y.name, got)
		}
	}
}
