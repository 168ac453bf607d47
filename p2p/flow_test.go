package p2p

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

func TestChainLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow()
		a, b := journal.ChainKey{Incarnation: 1}, journal.ChainKey{Incarnation: 2}
		both := []journal.ChainKey{a, b}
		if got := f.take(both, 1); len(got) != 1 || got[0] != a {
			t.Fatalf("took %v with a limit of one", got)
		}
		if got := f.take(both, 9); len(got) != 1 || got[0] != b {
			t.Fatalf("took %v though the first is leased", got)
		}
		if got := f.take(both, 9); len(got) != 0 {
			t.Fatalf("took %v though all are leased", got)
		}
		freed := make(chan error, 1)
		go func() { freed <- f.await(t.Context()) }()
		synctest.Wait()
		f.release([]journal.ChainKey{a})
		if err := <-freed; err != nil {
			t.Fatal(err)
		}
		if got := f.take(both, 9); len(got) != 1 || got[0] != a {
			t.Fatalf("took %v after a release", got)
		}
		// Who does not come back in time loses the lease.
		start := time.Now()
		if err := f.await(t.Context()); err != nil || time.Since(start) != chainLease {
			t.Fatalf("waited %v: %v", time.Since(start), err)
		}
		if got := f.take(both, 9); len(got) != 2 {
			t.Fatalf("took %v after leases ran out", got)
		}
	})
}

func TestPatienceIsBounded(t *testing.T) {
	f := newFlow()
	p, q := journal.Author{1}, journal.Author{2}
	for range maxPatience {
		if !f.queue(p) {
			t.Fatal("refused below the limit")
		}
	}
	if f.queue(p) {
		t.Error("one peer may wait without limit")
	}
	if !f.queue(q) {
		t.Error("one peer's flood keeps another from waiting")
	}
	f.unqueue(p)
	if !f.queue(p) {
		t.Error("refused after one stopped waiting")
	}
}

func TestTallyCountsOnlyRejectsOfMembers(t *testing.T) {
	g := testGate(t, nil)
	tally := newTally(g.reg)
	member, stranger := testIdentity(2).Author(), testIdentity(9).Author()
	for _, r := range port.Outcomes() {
		tally.count(member, r)
		tally.count(stranger, r)
		if got := tally.of(member)[r.Name()]; (got == 1) != port.IsReject(r) {
			t.Errorf("%s was counted %d times", r.Name(), got)
		}
	}
	if tally.of(stranger) != nil {
		t.Error("a stranger takes up memory")
	}
	g.reg.detach(journal.GroupID{})
	tally.forget()
	if tally.of(member) != nil {
		t.Error("a peer that left is still counted")
	}
}

func TestBackoff(t *testing.T) {
	for fails, want := range map[int]time.Duration{
		0: 2 * time.Second, 1: 2 * time.Second, 2: 4 * time.Second, 5: 32 * time.Second,
		9: 512 * time.Second, 10: 10 * time.Minute, 1000: 10 * time.Minute,
	} {
		for range 100 {
			if got := backoff(fails); got < want*3/4 || got > want*5/4 {
				t.Fatalf("after %d failures: %v, want %v give or take a quarter", fails, got, want)
			}
		}
	}
}
