package coordinator

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// Whoever freezes as often as its allowance holds is lifted with one entry of each of the
// quorum, costs no more to ask, and cannot go on at once.
func TestAFloodOfFreezesIsLiftedAtOnce(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	st := a.m.State
	next := evil.nextPlace()
	flood := func(n int) {
		for range n {
			var err error
			if st, _, err = st.Add(evil.forge(next, &event.GroupFrozen{Reason: "again"}), false); err != nil {
				t.Fatal(err)
			}
		}
		st = st.Derived()
	}
	flood(group.MaxFreezes)
	before := testing.AllocsPerRun(5, func() { st.GroupFreezes(c.height) })
	flood(32_768 - group.MaxFreezes)
	if n := st.Counts()["stops"]; n != group.MaxFreezes {
		t.Errorf("%d freezes of one chain are kept", n)
	}
	if after := testing.AllocsPerRun(5, func() { st.GroupFreezes(c.height) }); after > before*1.1 {
		t.Errorf("to ask costs %v allocations, %v before the flood", after, before)
	}
	if n := len(st.GroupFreezes(c.height)); n != group.MaxStanding {
		t.Fatalf("%d freezes of one member count", n)
	}
	for range group.MaxFreezes + 3 {
		evil.wildStop()
	}
	c.settle()
	for _, p := range []*peer{a, b} {
		entries := p.written()
		p.must(Lift{Freezes: p.standingStops()})
		if n := p.written() - entries; n != 1 {
			t.Errorf("%s lifts with %d entries", p.name, n)
		}
	}
	c.allStopped()
	c.grow(group.FreezeRest)
	c.allStopped()
	evil.refused(refusal.Freezes, Stop{})
	// Nor does it cost the others more, whatever is said of freezes that nobody stated.
	ids := make([]journal.EntryID, event.MaxLifted)
	next = evil.nextPlace()
	for i := range 200 {
		for j := range ids {
			ids[j] = journal.EntryID{byte(j), byte(i), 9}
		}
		a.must(EntryIn{evil.forge(next, &event.FreezeLifted{Freezes: ids})})
	}
	if got := a.stops(); len(got) != 0 {
		t.Errorf("lifts of what is unknown left %q", got)
	}
}

// Who freezes again right after a lift has no effect for a day, by the chain, and then has.
func TestAFreezeRightAfterALiftRests(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	p := a.proposed(pay(1, 100_000))
	c.settle()
	id := evil.stopped("one")
	c.settle()
	for _, x := range []*peer{a, b} {
		x.must(Lift{Freezes: []journal.EntryID{id}})
	}
	c.settle()
	evil.stopped("two")
	c.allStopped("C: two (rests)")
	if f := a.m.State.GroupFreezes(a.m.View.Tip().Height)[0]; f.Rests != c.height+group.FreezeRest {
		t.Errorf("it rests until %d at height %d", f.Rests, c.height)
	}
	if w := b.m.Warn(p, c.clock, 0, port.Policy{}); len(w) != 0 || len(b.m.Alarms()) != 0 {
		t.Errorf("warned of %v, alarms %v", w, b.m.Alarms())
	}
	honest := a.stopped("an honest one") // of another member
	c.allStopped("A: an honest one", "C: two (rests)")
	for _, x := range []*peer{a, b} {
		x.must(Lift{Freezes: []journal.EntryID{honest}})
	}
	c.grow(group.FreezeRest - 1)
	c.allStopped("C: two (rests)")
	c.grow(1)
	c.allStopped("C: two")
	b.refused(refusal.Frozen, Approve{Proposal: p.Ref.ID})
	// What rests may be lifted as well, and rests on then.
	for _, x := range []*peer{a, b} {
		x.must(Lift{Freezes: x.standingStops()})
	}
	evil.wildStop()
	c.allStopped("C:  (rests)")
	for _, x := range []*peer{a, b} {
		x.must(Lift{Freezes: x.standingStops()})
	}
	c.grow(group.FreezeRest)
	c.allStopped()
}

// A height that a lift claims gains its author nothing: one that is to come is no sooner
// there, and one that is over does not end the rest of the author's own freezes.
func TestAClaimedHeightGainsNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	c.grow(20)
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	id := evil.stopped("one")
	c.settle()
	evil.wildLift(c.height+50, id)
	a.must(Lift{Freezes: []journal.EntryID{id}})
	c.allStopped("C: one") // of the two lifts one is not there yet
	c.grow(50)
	c.allStopped()
	evil.wildStop()
	c.allStopped("C:  (rests)")
	c.grow(group.FreezeRest - 1)
	c.allStopped("C:  (rests)")
	c.grow(1)
	c.allStopped("C: ")

	// It lifts its own, as if long ago, when the second of the others is about to.
	id = a.standingStops()[0]
	a.must(Lift{Freezes: []journal.EntryID{id}})
	c.grow(100)
	evil.wildLift(0, id)
	b.must(Lift{Freezes: []journal.EntryID{id}})
	evil.wildStop()
	c.settle()
	if f := a.m.State.GroupFreezes(a.m.View.Tip().Height); len(f) != 1 || f[0].Rests != c.height+group.FreezeRest {
		t.Errorf("after its own lift it rests until %d, at height %d", f[0].Rests, c.height)
	}
	// Nor does who lifts again make another's rest longer.
	rests := a.m.State.GroupFreezes(a.m.View.Tip().Height)[0].Rests
	c.grow(10)
	for _, x := range []*peer{b, a} {
		x.wildLift(c.height, id)
	}
	c.settle()
	if got := a.m.State.GroupFreezes(a.m.View.Tip().Height)[0].Rests; got != rests {
		t.Errorf("it rests until %d, and until %d once two lift it again", rests, got)
	}
}

// A lift past a fork counts for nothing, a freeze does.
func TestAForkLiftsNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a, b, evil := c.peers[0], c.peers[1], c.peers[2]
	id := a.stopped("mine")
	a.must(Lift{Freezes: []journal.EntryID{id}})
	c.settle()
	before := evil.m
	evil.wildLift(c.height, id)
	c.allStopped()
	evil.m = before
	evil.wildStop()
	for _, p := range []*peer{a, b} {
		for _, e := range evil.Held {
			_, _ = p.do(EntryIn{e})
		}
		if got := p.stops(); !slices.Equal(got, []string{"A: mine", "C: "}) {
			t.Errorf("%s, after a fork: %q", p.name, got)
		}
	}
	b.must(Lift{Freezes: []journal.EntryID{id}})
	c.settle(a, b)
	if got := a.stops(); !slices.Equal(got, []string{"C: "}) {
		t.Errorf("once two lifted it: %q", got)
	}
}

// Of a member who was replaced nothing counts that it wrote past its end, and what it
// said before stays its member's, who counts once.
func TestAReplacedMemberNeitherFreezesNorLifts(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.featured()
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	kept := z.stopped("before")
	c.settle()
	mine := a.stopped("mine")
	c.settle(a, b)
	d := z.device(9)
	d.takePlace(b, z)
	d.hear(a, b)
	d.follows()
	d.must(Tick{})
	c.settle(a, b, d)
	z.wildStop()
	z.wildLift(c.height, mine)
	for _, p := range []*peer{a, b, d} {
		z.pass(p)
	}
	a.must(Lift{Freezes: []journal.EntryID{mine}})
	c.settle(a, b, d)
	for _, p := range []*peer{a, b, d} {
		if got := p.stops(); !slices.Equal(got, []string{"A: mine", "C: before"}) {
			t.Errorf("%s sees %q", p.name, got)
		}
	}
	d.must(Lift{Freezes: []journal.EntryID{mine, kept}, Allow: []string{refusal.Outdated}})
	c.settle(a, b, d)
	if got := b.stops(); !slices.Equal(got, []string{"C: before"}) {
		t.Errorf("lifted by two: %q", got)
	}
}

// A cosigner without a node says nothing of freezes, and where too few have one all of
// those lift it.
func TestFreezesOfAWalletWithFewNodes(t *testing.T) {
	c, _ := activeHosting(t, 3, 2)
	c.featured()
	c.grow(1)
	a, host := c.peers[0], c.peers[1]
	id := a.stopped("x")
	c.settle()
	if n := host.m.State.LiftsNeeded(); n != 2 {
		t.Fatalf("%d members lift a freeze", n)
	}
	host.must(Lift{Freezes: []journal.EntryID{id}})
	c.allStopped("A: x") // its host counts once
	a.must(Lift{Freezes: []journal.EntryID{id}})
	c.allStopped()
}

func TestAStrangerFreezesNothing(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	a := c.peers[0]
	who := a.stranger(20)
	id := who.wildStop()
	st := a.m.State
	for _, chain := range who.Chains() {
		for _, e := range chain {
			if next, _, err := st.Add(e, false); err == nil {
				st = next.Derived()
			}
		}
	}
	if got := st.GroupFreezes(c.height); len(got) != 0 || !st.Chains().Has(id) {
		t.Errorf("a stranger's freeze counts: %v, held: %v", got, st.Chains().Has(id))
	}
}

// Whatever members write, with forks and in any order, what stands is what a plain loop
// over all that was said finds.
func TestFreezesEqualAPlainLoop(t *testing.T) {
	base := active(t, 2, 3)
	base.fund(500_000)
	rapid.Check(t, func(rt *rapid.T) {
		c := base.clone(t)
		ids := []journal.EntryID{{9}}
		for range rapid.IntRange(1, 30).Draw(rt, "entries") {
			p := rapid.SampledFrom(c.peers).Draw(rt, "who")
			before := p.m
			if rapid.Bool().Draw(rt, "freezes") {
				if e, err := p.wild(&event.GroupFrozen{}); err == nil {
					ids = append(ids, e.ID())
				}
			} else {
				named := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 3, func(id journal.EntryID) journal.EntryID { return id }).Draw(rt, "named")
				slices.SortFunc(named, compareIDs)
				_, _ = p.wild(&event.FreezeLifted{Freezes: named, Height: uint32(rapid.IntRange(0, 300).Draw(rt, "height"))})
			}
			if rapid.IntRange(0, 9).Draw(rt, "fork") == 0 {
				p.m = before
			}
		}
		var all []*journal.Entry
		for _, p := range c.peers {
			for _, e := range p.Held {
				if !slices.ContainsFunc(all, func(x *journal.Entry) bool { return x.ID() == e.ID() }) {
					all = append(all, e)
				}
			}
		}
		slices.SortFunc(all, func(x, y *journal.Entry) int { return compareIDs(x.ID(), y.ID()) })
		a := c.peers[0]
		for _, e := range all {
			a.Held[e.ID()] = e
		}
		st := refold(t, a, rapid.Permutation(all).Draw(rt, "order"))
		a.m.State = st
		for _, tip := range []int32{0, int32(rapid.IntRange(0, 500).Draw(rt, "tip"))} {
			got, want := st.GroupFreezes(tip), plainStops(a, tip)
			if !slices.EqualFunc(got, want, func(x, y group.GroupFreeze) bool {
				return x.Ref.ID == y.Ref.ID && x.Key == y.Key && x.Rests == y.Rests && slices.Equal(x.For, y.For)
			}) {
				rt.Fatalf("at %d\n%+v\nwant\n%+v", tip, got, want)
			}
		}
	})
}

// plainStops says the same as State.GroupFreezes, by going through everything that was said.
func plainStops(p *peer, tip int32) (out []group.GroupFreeze) {
	st, a := p.m.State, p.m.State.Active()
	keyOf := func(r group.Ref) int { k, _ := a.KeyOf(r.Chain.Author); return k }
	froze, lifts := allSaid[*event.GroupFrozen](p), allSaid[*event.FreezeLifted](p)
	slices.SortFunc(froze, func(x, y said[*event.GroupFrozen]) int { // the latest first
		return cmp.Or(cmp.Compare(y.ref.Seq, x.ref.Seq), compareIDs(x.ref.ID, y.ref.ID))
	})
	lifted := func(id journal.EntryID, author int) (keys []int, at int32) {
		heights := map[int]int32{}
		first := map[journal.ChainKey]group.Ref{}
		for _, l := range lifts {
			if slices.Contains(l.body.Freezes, id) {
				if old, ok := first[l.ref.Chain]; !ok || l.ref.Seq < old.Seq || l.ref.Seq == old.Seq && compareIDs(l.ref.ID, old.ID) < 0 {
					first[l.ref.Chain] = l.ref
				}
			}
		}
		for _, l := range lifts {
			if h := int32(l.body.Height); first[l.ref.Chain].ID == l.ref.ID && !tainted(st, l.ref) && h <= tip {
				heights[keyOf(l.ref)] = h
			}
		}
		var others []int32
		for k, h := range heights {
			keys = append(keys, k)
			if k != author {
				others = append(others, h)
			}
		}
		slices.Sort(keys)
		slices.Sort(others)
		own, self := heights[author]
		switch {
		case len(others) >= 2:
			return keys, others[1]
		case self && len(others) == 1:
			return keys, max(own, others[0])
		}
		return keys, -1
	}
	for k := range a.Members {
		rests, n, from := int32(0), 0, len(out)
		for _, f := range froze {
			if keyOf(f.ref) != k {
				continue
			}
			keys, at := lifted(f.ref.ID, k)
			if at >= 0 {
				rests = max(rests, at+group.FreezeRest)
			}
			if n++; n <= group.MaxStanding && at < 0 {
				out = append(out, group.GroupFreeze{Ref: f.ref, Key: k, For: keys})
			}
		}
		for i := range out[from:] {
			if tip < rests {
				out[from+i].Rests = rests
			}
		}
	}
	return out
}
