package coordinator

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// kept reads the outbox of a peer.
func (p *peer) kept() (out []port.Notice) {
	p.tb.Helper()
	for _, r := range p.Told {
		n, err := DecodeNotice(r)
		if err != nil {
			p.tb.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// All that is told of a wallet's life is in the outbox, in the same order, with its
// time; and where the store refuses a step, nothing of it is.
func TestWhatIsToldIsKept(t *testing.T) {
	c := active(t, 2, 3)
	a, b := c.peers[0], c.peers[1]
	c.fund(100_000)
	id := a.must(pay(1, 20_000)).(Proposed).Proposal
	c.settle()
	b.must(Approve{Proposal: id})
	c.settle()
	c.mine([]*wire.MsgTx{a.sent[0]})
	for _, p := range c.peers {
		if p == b {
			continue // its approval came in two steps: the question is kept by nobody
		}
		kept := p.kept()
		if len(kept) != len(p.told) || len(kept) < 5 {
			t.Fatalf("%s: %d notices are kept of %d", p.name, len(kept), len(p.told))
		}
		for i, n := range p.told {
			n.Time = n.Time.Truncate(time.Millisecond)
			if !reflect.DeepEqual(kept[i], n) {
				t.Errorf("%s: %+v is kept of %+v", p.name, kept[i], n)
			}
		}
	}
	before := len(a.Told)
	a.failing = true
	if _, err := a.do(pay(2, 1000)); err == nil || len(a.Told) != before {
		t.Errorf("%v, %d notices more", err, len(a.Told)-before)
	}
	a.failing = false
}

// What one member's entries cause is told 500 times a day, then as a number on the
// next one, over restarts; what others cause is told beside it, and so are alarms.
func TestOneMemberFloodsNobody(t *testing.T) {
	c := active(t, 2, 3)
	a, b, d := c.peers[0], c.peers[1], c.peers[2]
	c.fund(100_000)
	first := a.must(pay(1, 20_000)).(Proposed).Proposal
	c.settle()
	before := len(a.kept())
	next := b.nextPlace()
	flood := func(n int) {
		for i := range n {
			a.must(EntryIn{b.forge(next, &event.ProposalRejected{Proposal: first, Reason: fmt.Sprint(i)})})
		}
	}
	of := func(who journal.Author) (n int) {
		for _, x := range a.kept()[before:] {
			if x.By == who && x.Type != NoticeMore {
				n++
			}
		}
		return n
	}
	flood(maxTold - 1)
	a.crash()
	flood(100)
	if got := of(b.id()); got != maxTold {
		t.Fatalf("%d notices are kept of what one member caused", got)
	}
	told := len(a.told)
	flood(1)
	if len(a.told) != told+1 {
		t.Error("who watches now is not told of it")
	}
	dn := d.nextPlace()
	a.must(EntryIn{d.forge(dn, &event.ProposalRejected{Proposal: first})})
	if got := of(d.id()); got != 1 {
		t.Errorf("%d notices of another member", got)
	}
	// An alarm that it causes is told, too.
	fork := *next
	flood(1)
	a.must(EntryIn{b.forge(&fork, &event.ProposalRejected{Proposal: first, Reason: "other"})})
	if last := a.kept()[len(a.kept())-1]; !slices.ContainsFunc(a.kept()[before:], func(n port.Notice) bool { return n.Type == port.NoticeAlarm && n.By == b.id() }) {
		t.Errorf("no alarm is kept; the last is %+v", last)
	}
	a.crash()
	at := len(a.Told)
	c.clock = c.clock.Add(24 * time.Hour)
	a.must(Tick{})
	a.must(Tick{})
	var more []string
	for _, n := range a.kept()[at:] {
		if n.Type == NoticeMore {
			more = append(more, n.Detail)
		}
	}
	if len(more) != 1 || !strings.HasPrefix(more[0], "and 10") || !strings.Contains(more[0], a.m.MemberName(b.id())) {
		t.Errorf("told %q", more)
	}
	for k := range a.Kept {
		if strings.HasPrefix(k, recTold) && strings.HasSuffix(k, b.id().String()) {
			t.Errorf("%s is left", k)
		}
	}
}

// A proposal that expires while the node does not run is told of when it runs again,
// and once.
func TestExpiredWhileStopped(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	c.fund(100_000)
	a.must(Started{})
	x := pay(1, 20_000)
	x.Unsigned, x.Expires = true, c.clock.Add(time.Hour)
	id := a.must(x).(Proposed).Proposal
	expired := func() (n int) {
		for _, x := range a.kept() {
			if x.Proposal == id && x.Status == "expired" {
				n++
			}
		}
		return n
	}
	a.crash()
	a.must(Tick{})
	if n := expired(); n != 0 {
		t.Fatalf("told %d times before", n)
	}
	c.clock = c.clock.Add(2 * time.Hour)
	for range 3 {
		a.crash()
		a.must(Tick{})
	}
	if n := expired(); n != 1 {
		t.Errorf("told %d times", n)
	}
	// One that expires while it runs is told of once, too.
	x = pay(2, 20_000)
	x.Unsigned, x.Expires = true, c.clock.Add(time.Hour)
	id = a.must(x).(Proposed).Proposal
	c.clock = c.clock.Add(2 * time.Hour)
	a.must(Tick{})
	a.crash()
	a.must(Tick{})
	if n := expired(); n != 1 {
		t.Errorf("told %d times while it ran", n)
	}
}

// Where a node stops before it told of all that is stored, it says so.
func TestStoppedBeforeAllWasTold(t *testing.T) {
	c := active(t, 2, 3)
	a := c.peers[0]
	if a.m.outbox.Owes {
		t.Fatal("something is owed")
	}
	a.m.State = a.m.State.JudgeLater(true)
	b := c.peers[1]
	c.fund(100_000)
	b.must(pay(1, 20_000))
	before := len(a.Told)
	told := func() bool {
		return slices.ContainsFunc(a.kept()[before:], func(n port.Notice) bool { return strings.Contains(n.Detail, "read the proposals again") })
	}
	s := &step{m: a.m, before: a.m, in: a.input(Tick{}), batch: port.Batch{Puts: map[string][]byte{}}}
	for _, e := range b.out {
		if next, _, err := s.m.State.Add(e, false); err == nil {
			s.m.State = next.Derived()
			s.batch.Entries = append(s.batch.Entries, e)
		}
	}
	if s.m.State.Idle() {
		t.Fatal("nothing waits")
	}
	if _, err := s.finish(); err != nil {
		t.Fatal(err)
	}
	a.persist(s.batch)
	a.crash()
	if !told() {
		t.Fatalf("told %+v", a.kept()[before:])
	}
	before = len(a.Told)
	a.crash()
	if told() {
		t.Error("told again")
	}
}
