package coordinator

import (
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// manyEnded has a member enter one proposal that stays pending, and so many whose time
// is over.
func manyEnded(tb testing.TB, n int) *peer {
	tb.Helper()
	c := active(tb, 2, 3)
	coins := c.fund(1_000_000)
	a, other := c.peers[0], c.peers[1]
	ins := a.coinsOf(coins)
	next := other.nextPlace()
	a.must(EntryIn{other.forge(next, rival(ins, 0))})
	for i := range n {
		b := rival(ins, 1+i%100_000)
		b.Inputs[0].Amount += int64(i / 100_000)
		b.Expires = 1
		a.must(EntryIn{other.forge(next, b)})
	}
	a.rest()
	return a
}

// asScraped asks what a scrape of the metrics and `status` ask of a wallet's proposals.
func (p *peer) asScraped() (counts map[group.Status]int, awaiting []journal.EntryID, oldest int64) {
	now := *p.clock
	ps, _ := p.m.PendingPage(nil, 50, func(q *group.Proposal) bool { return p.m.AwaitsMe(q, now) })
	made, _ := p.m.OldestPending(now)
	return p.m.CountProposals(), entryIDs(ps), made.UnixMilli()
}

// What a scrape and `status` ask of the proposals costs no more with a long history.
func TestAScrapeDoesNotWalkTheHistory(t *testing.T) {
	var before float64
	for _, n := range []int{10, 300} {
		p := manyEnded(t, n)
		counts, awaiting, oldest := p.asScraped()
		if counts[group.StatusExpired] != n || counts[group.StatusPending] != 1 || len(awaiting) != 1 || oldest != 1 {
			t.Fatalf("counted %v; %d wait, the oldest from %d ms", counts, len(awaiting), oldest)
		}
		cost := testing.AllocsPerRun(5, func() { p.asScraped() })
		if before != 0 && cost > before+20 {
			t.Errorf("with %d ended proposals it allocates %.0f times, %.0f times with few", n, cost, before)
		}
		before = cost
	}
}

// The pages of what is pending hold each once, newest first, as those of all do.
func TestPagesOfWhatIsPending(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(slices.Repeat([]int64{100_000}, 20)...)
	a := c.peers[0]
	var all []journal.EntryID
	for n := range 5 {
		*a.clock = a.clock.Add(1_500_000_000)
		all = append([]journal.EntryID{a.proposed(withUnsigned(pay(byte(1+n), 50_000))).Ref.ID}, all...)
	}
	a.must(Withdraw{Proposal: all[2]})
	want := append(append([]journal.EntryID{}, all[:2]...), all[3:]...)
	var got []journal.EntryID
	var at *ProposalPos
	for {
		ps, next := a.m.PendingPage(at, 2, func(*group.Proposal) bool { return true })
		got = append(got, entryIDs(ps)...)
		if at = next; next == nil {
			break
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d are listed, %d are pending", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("number %d is %v, want %v", i, got[i], want[i])
		}
	}
	oldest, _ := a.m.State.Proposal(all[4])
	if made, ok := a.m.OldestPending(c.clock); !ok || made.UnixMilli() != oldest.Ref.Time {
		t.Errorf("the oldest is of %v, %v, want %d", made, ok, oldest.Ref.Time)
	}
}

// Making the proposals takes minutes; asking is what is measured.
func BenchmarkScrapeOf100000Proposals(b *testing.B) {
	p := manyEnded(b, 100_000)
	if counts, _, _ := p.asScraped(); counts[group.StatusExpired] != 100_000 {
		b.Fatal(counts)
	}
	for b.Loop() {
		p.asScraped()
	}
}
