package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/memstore"
)

// BenchmarkLongHistory asks what users ask of a wallet with 100 to 100,000 proposals
// that have ended: a page of the list, one of them, a page of the log, a scrape, a new
// proposal, its approval, and how much memory all of it takes. What each costs may not
// grow with the history, but for what a list prints, and memory by what is held. A new
// proposal is also made as a node makes one, with its commit: to a store in memory, and to
// the real one on disk, each with all of the history.
func BenchmarkLongHistory(b *testing.B) {
	all := circle(b, 2, 3, 20)
	a, other := all[0], all[1]
	ep, ok := all[0].m.State.Epoch()
	if !ok {
		b.Fatal("no epoch")
	}
	entries := map[journal.EntryID]*journal.Entry{}
	stores := historyStores(b)
	keep := func() {
		for _, c := range a.batches {
			for _, e := range c.Entries {
				entries[e.ID()] = e
			}
			stores.take(c)
		}
		a.batches = nil
	}
	keep()
	// The one that is approved is by the third, and the only one that waits.
	pay := func(n byte) coordinator.Propose {
		return coordinator.Propose{Outputs: []event.ProposalOutput{{PkScript: append([]byte{0, 20}, append(make([]byte, 19), n)...), Amount: 500_000}}, FeeRate: 2000}
	}
	waits, es := all[2].do(pay(1))
	for _, e := range es {
		if _, _, err := stepQuiet(a, e); err != nil {
			b.Fatal(err)
		}
	}
	next := a.m.State.Chains().Next(journal.ChainKey{Author: other.self.Identity.Author(), Incarnation: 1})
	now := time.Unix(1_780_000_000, 0)
	held := 0
	// step leaves the machine as it is, and returns what would be kept.
	step := func(b *testing.B, msg coordinator.Message) (out []port.Batch) {
		b.Helper()
		_, effects, err := coordinator.Step(a.m, a.input(msg))
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < len(effects); n++ {
			switch x := effects[n].(type) {
			case coordinator.Persist:
				out = append(out, x.Batch)
			case coordinator.Sign:
				if x.Signed.Signatures, x.Signed.Err = x.Spend.Sign(a.account); x.Signed.Err != nil {
					b.Fatal(x.Signed.Err)
				}
				_, more, err := coordinator.Step(a.m, a.input(x.Signed))
				if err != nil {
					b.Fatal(err)
				}
				effects = append(effects, more...)
			}
		}
		return out
	}
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		var last journal.EntryID
		for ; held < n; held++ {
			e := ended(b, other.self.Identity, ep, next, held)
			if _, _, err := stepQuiet(a, e); err != nil {
				b.Fatal(err)
			}
			last = e.ID()
			next = journal.Next{Incarnation: 1, Seq: next.Seq + 1, Prev: last}
			keep()
		}
		for range 100 { // what entries leave to later steps
			a.do(coordinator.Tick{})
		}
		keep()
		b.Run(fmt.Sprintf("%d/memory", n), func(b *testing.B) {
			var m runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&m)
			}
			b.ReportMetric(float64(m.HeapAlloc)/float64(n)/1000, "kB/proposal")
		})
		b.Run(fmt.Sprintf("%d/proposals", n), func(b *testing.B) {
			for b.Loop() {
				ps, _ := a.m.ProposalPage(nil, 50, func(*group.Proposal) bool { return true })
				if len(ps) != 50 {
					b.Fatalf("%d are listed", len(ps))
				}
				for _, p := range ps {
					a.m.Status(p, now)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/show", n), func(b *testing.B) {
			for b.Loop() {
				ps := a.m.ProposalsBy(last.String()[:12])
				if len(ps) != 1 {
					b.Fatalf("%d have the id", len(ps))
				}
				a.m.Status(ps[0], now)
				a.m.Approvals(ps[0])
				a.m.Rejections(ps[0])
				a.m.HeldBy(ps[0])
			}
		})
		b.Run(fmt.Sprintf("%d/log", n), func(b *testing.B) {
			r := audit.Reader{State: a.m.State, Now: now, Entry: func(_ context.Context, id journal.EntryID) (*journal.Entry, error) { return entries[id], nil }}
			for b.Loop() {
				if page, _, err := r.Page(context.Background(), audit.Query{Limit: 50}); err != nil || len(page) != 50 {
					b.Fatal(len(page), err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d/scrape", n), func(b *testing.B) {
			for b.Loop() {
				if a.m.CountProposals()[group.StatusExpired] != n {
					b.Fatal(a.m.CountProposals())
				}
				a.m.OldestPending(now)
				a.m.AlarmsAt(now)
			}
		})
		b.Run(fmt.Sprintf("%d/propose", n), func(b *testing.B) {
			for b.Loop() {
				step(b, pay(2))
			}
		})
		for _, s := range stores.filled(n) {
			b.Run(fmt.Sprintf("%d/propose and keep %s", n, s.name), func(b *testing.B) {
				for b.Loop() {
					kept := step(b, pay(2))
					if len(kept) == 0 {
						b.Fatal("nothing is to be kept")
					}
					for _, c := range kept {
						if err := s.Commit(context.Background(), s.decided(c)); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/approve", n), func(b *testing.B) {
			for b.Loop() {
				step(b, coordinator.Approve{Proposal: waits.(coordinator.Proposed).Proposal})
			}
		})
	}
}

// ended is a proposal whose time is over.
func ended(b *testing.B, by *journal.Identity, ep journal.Epoch, at journal.Next, n int) *journal.Entry {
	b.Helper()
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	plain, err := event.Encode(event.Event{Time: 1_770_000_000_000 + int64(n), Body: &event.ProposalCreated{
		Inputs:  []event.ProposalInput{{TxID: chainhash.Hash(h), Amount: 1_000_000}},
		Outputs: []event.ProposalOutput{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 900_000}},
		Expires: 1,
	}})
	if err != nil {
		b.Fatal(err)
	}
	e, err := journal.Seal(by, ep, at, plain, [24]byte(h[:]))
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// storesHold is up to how many proposals a history is kept in the stores too: it is to be
// seen whether the store grows with it, and 100,000 take minutes to write.
const storesHold = 10_000

// namedStore is a store, and where it has what it holds.
type namedStore struct {
	port.Store
	name   string
	signed map[wire.OutPoint][]chainhash.Hash
}

// decided is a batch whose signature was decided on with those in sight that were made
// before: the same proposal is made again and again.
func (s namedStore) decided(c port.Batch) port.Batch {
	c.Guard = slices.Clone(c.Guard)
	for i, g := range c.Guard {
		c.Guard[i].Known = slices.Clone(s.signed[g.OutPoint])
		s.signed[g.OutPoint] = append(s.signed[g.OutPoint], g.TxID)
	}
	return c
}

// kept are the stores that a history goes to, some batches at once.
type kept struct {
	b       *testing.B
	all     []namedStore
	waiting []port.Batch
	over    bool
}

func historyStores(b *testing.B) *kept {
	b.Helper()
	disk, err := store.Open(b.TempDir(), storeKey, quiet())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := disk.Close(); err != nil {
			b.Error(err)
		}
	})
	return &kept{b: b, all: []namedStore{
		{memstore.New(), "in memory", map[wire.OutPoint][]chainhash.Hash{}}, {disk, "on disk", map[wire.OutPoint][]chainhash.Hash{}},
	}}
}

func (k *kept) take(c port.Batch) {
	if k.over {
		return
	}
	if k.waiting = append(k.waiting, c); len(k.waiting) >= 256 {
		k.flush()
	}
}

func (k *kept) flush() {
	if len(k.waiting) == 0 {
		return
	}
	whole := port.Batch{Group: k.waiting[0].Group, Puts: map[string][]byte{}}
	for _, c := range k.waiting {
		whole.Merge(c)
	}
	k.waiting = nil
	for _, s := range k.all {
		if err := s.Commit(context.Background(), whole); err != nil {
			k.b.Fatal(err)
		}
	}
}

// filled are the stores, where they hold all of a history of n proposals.
func (k *kept) filled(n int) []namedStore {
	if n > storesHold {
		return nil
	}
	k.flush()
	k.over = n == storesHold
	if n != 100 && n != storesHold {
		return nil
	}
	return k.all
}
