package p2ptest

import (
	"context"
	"slices"
	"testing"

	"github.com/quorate/quorate/journal"
)

func testPublish(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b, c := newMember(t, w, g, 1), newMember(t, w, g, 2), newMember(t, w, g, 3)
	meet(t, w, g, a, b, c)
	for range 3 {
		for _, m := range []*member{a, b, c} {
			e := m.publish(t)
			for _, o := range []*member{a, b, c} {
				Eventually(t, "the entry is with every member", func() bool { return o.in.Has(e) })
			}
		}
	}
	// Each member soon knows that the others hold it.
	want := journal.Position{Seq: 3}
	for _, m := range []*member{a, b, c} {
		for _, o := range []*member{a, b, c} {
			if m == o {
				continue
			}
			Eventually(t, "held by is known", func() bool {
				return m.in.ClaimOf(o.Author()).Frontier[m.out.Chain()].Seq == want.Seq
			})
		}
	}
}

func testLateJoiner(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	meet(t, w, g, a, b)
	var all []*journal.Entry
	for range 5 {
		all = append(all, a.publish(t), b.publish(t))
	}
	Eventually(t, "both hold all", func() bool { return a.in.Len() == 10 && b.in.Len() == 10 })

	c := newMember(t, w, g, 3)
	members := authors(a, b, c)
	for _, m := range []*member{a, b, c} {
		attach(t, m, link(w, g, []*member{a, b, c}, members...))
	}
	for _, e := range all {
		Eventually(t, "the late one holds all", func() bool { return c.in.Has(e) })
	}
}

func testVouched(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b, c := newMember(t, w, g, 1), newMember(t, w, g, 2), newMember(t, w, g, 3)
	members := authors(a, b, c)
	attach(t, a, link(w, g, nil, members...))
	attach(t, b, link(w, g, []*member{a}, members...))
	attach(t, c, link(w, g, []*member{a}, members...))
	awaitConnected(t, b, a.Author())
	awaitConnected(t, c, a.Author())
	Eventually(t, "b and c find each other", func() bool {
		return status(b.Peer, c.Author()).Connected && status(c.Peer, b.Author()).Connected
	})
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	e := b.publish(t)
	Eventually(t, "c hears b without a", func() bool { return c.in.Has(e) })
}

func testGap(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	meet(t, w, g, a, b)
	Eventually(t, "the first exchange is over", func() bool { return b.in.ClaimOf(a.Author()).Frontier != nil })
	lost := a.out.Fill(t, a.in, 3)
	e := a.publish(t)
	Eventually(t, "the entry and those before it arrive", func() bool { return b.in.Has(e) })
	for _, l := range lost {
		if !b.in.Has(l) {
			t.Fatal("an entry before the last one is missing")
		}
	}
}

func testFlood(t *testing.T, w Network) {
	const flood = 2000
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	NewWriter(Identity(8), g, 1).Fill(t, a.in, flood)
	quiet := NewWriter(Identity(9), g, 1).Fill(t, a.in, 5)
	meet(t, w, g, a, b)
	Eventually(t, "everything arrives", func() bool { return b.in.Len() == flood+len(quiet) })
	order := b.in.Order()
	for i, e := range quiet {
		// Two chains share a batch of 64, half each.
		if at := slices.Index(order, e.ID()); at >= 64 {
			t.Errorf("entry %d of the quiet author came at place %d, behind the flood", i+1, at)
		}
	}
}

func testBacklog(t *testing.T, w Network) {
	const each, chains = 1000, 5
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	for n := range byte(chains) {
		NewWriter(Identity(20+n), g, 1).Fill(t, a.in, each)
	}
	big := a.out.WriteEvent(t, make([]byte, 200<<10))
	if err := a.in.Put(big); err != nil {
		t.Fatal(err)
	}
	for range 9 { // more than a batch holds
		e := a.out.WriteEvent(t, make([]byte, 200<<10))
		if err := a.in.Put(e); err != nil {
			t.Fatal(err)
		}
	}
	meet(t, w, g, a, b)
	Eventually(t, "everything arrives", func() bool { return b.in.Len() == each*chains+10 })
	if got := status(b.Peer, a.Author()).Rejects; len(got) != 0 {
		t.Errorf("an honest peer was counted: %v", got)
	}
}

func testSyncNow(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	meet(t, w, g, a, b)
	Eventually(t, "the first exchange is over", func() bool { return b.in.ClaimOf(a.Author()).Frontier != nil })
	e := a.out.Fill(t, a.in, 1)[0]
	to := a.Author()
	b.Sync(g.ID(), &to)
	Eventually(t, "the entry is pulled", func() bool { return b.in.Has(e) })
	e = a.out.Fill(t, a.in, 1)[0]
	b.Sync(g.ID(), nil)
	Eventually(t, "the entry is pulled from all", func() bool { return b.in.Has(e) })
}

func testFork(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b, c := newMember(t, w, g, 1), newMember(t, w, g, 2), newMember(t, w, g, 3)
	liar := NewWriter(Identity(9), g, 1)
	for _, e := range liar.Fill(t, a.in, 2) {
		if err := b.in.Put(e); err != nil {
			t.Fatal(err)
		}
	}
	other := liar.Fork(2)
	liar.Fill(t, a.in, 1)
	other.Fill(t, b.in, 1)
	meet(t, w, g, a, b)
	for _, m := range []*member{a, b} {
		Eventually(t, "the fork is proved", func() bool { return len(m.in.Claim().Forks) == 1 })
	}
	// Who comes later learns of it too.
	for _, m := range []*member{a, b, c} {
		attach(t, m, link(w, g, []*member{a, b, c}, authors(a, b, c)...))
	}
	Eventually(t, "the evidence travels", func() bool { return len(c.in.Claim().Forks) == 1 })
	want := a.in.Claim().Forks[0]
	for _, m := range []*member{b, c} {
		if got := m.in.Claim().Forks[0]; got != want || got.Seq != 3 {
			t.Errorf("fork %+v, want %+v", got, want)
		}
	}
	if e := a.publish(t); true {
		Eventually(t, "the group goes on", func() bool { return c.in.Has(e) })
	}
}

func testDeepFork(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	liar := NewWriter(Identity(9), g, 1)
	for _, e := range liar.Fill(t, a.in, 7) {
		if err := b.in.Put(e); err != nil {
			t.Fatal(err)
		}
	}
	other := liar.Fork(2)
	liar.Fill(t, a.in, 300)
	other.Fill(t, b.in, 200)
	meet(t, w, g, a, b)
	for _, m := range []*member{a, b} {
		Eventually(t, "the lowest fork is found", func() bool {
			f := m.in.Claim().Forks
			return len(f) == 1 && f[0].Seq == 8
		})
	}
}

func testWanted(t *testing.T, w Network) {
	g := NewGroup(1)
	a, b := newMember(t, w, g, 1), newMember(t, w, g, 2)
	liar := NewWriter(Identity(9), g, 1)
	other := liar.Fork(2)
	branch := liar.Fill(t, a.in, 5) // entry 1 forks, so entries 2 to 5 are past it
	fork := other.Fill(t, a.in, 1)[0]
	meet(t, w, g, a, b)
	Eventually(t, "the fork is known", func() bool { return b.in.Has(fork) && b.in.Has(branch[0]) })
	if b.in.Has(branch[3]) {
		t.Fatal("an entry past the fork came unasked")
	}
	b.in.Want(branch[3].ID())
	b.Sync(g.ID(), nil)
	Eventually(t, "the wanted entry comes", func() bool { return b.in.Has(branch[3]) })
	if b.in.Has(branch[2]) {
		t.Error("more came than was wanted")
	}
	if err := b.Publish(context.Background(), branch[3]); err != nil {
		t.Errorf("publish what another wrote: %v", err)
	}
}
