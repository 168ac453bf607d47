package bench

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/quorate/quorate/app/apptest"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

const manyEntries = 10_000

var storeKey = make([]byte, 32)

// filled is a store on disk with manyEntries of one wallet, made once.
type filled struct {
	dir     string
	who     *cosigner
	entries []*journal.Entry
}

func fillOnce(b *testing.B) *filled {
	b.Helper()
	all := circle(b, 2, 3, manyEntries/3+2)
	f := &filled{who: all[0], dir: b.TempDir()}
	f.entries = history(b, all, manyEntries)
	s, err := store.Open(f.dir, storeKey, quiet())
	if err != nil {
		b.Fatal(err)
	}
	f.who.fill(s)
	// What a node does when it stops in order.
	snap, _, err := f.who.m.Snapshots().Batches(f.who.m)
	if err != nil {
		b.Fatal(err)
	}
	for _, part := range snap {
		if err := s.Commit(context.Background(), part); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return f
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// BenchmarkStart10000 opens a store and rebuilds the wallet of 10,000 entries.
// Floor: opening the store and reading its entries, each id checked.
func BenchmarkStart10000(b *testing.B) {
	f := fillOnce(b)
	group := f.who.m.State.Group()
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(f.dir, storeKey, quiet())
			if err != nil {
				b.Fatal(err)
			}
			m, err := coordinator.Load(context.Background(), s, f.who.self, group)
			if err != nil {
				b.Fatal(err)
			}
			if m.State.Active() == nil || m.State.Chains().Len() < manyEntries {
				b.Fatalf("%d entries", m.State.Chains().Len())
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor-read", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(f.dir, storeKey, quiet())
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			if err := s.Walk(context.Background(), group, func(*journal.Entry) error { n++; return nil }); err != nil || n < manyEntries {
				b.Fatalf("%d entries: %v", n, err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEntries puts entries through store and fold as a catching-up node
// does: 128 to a commit. Floors: the signature check of each alone (the door does
// that, before an entry gets here), the commits alone, and what Bitcoin takes
// alone: the scripts of the change, the signatures that the entries carry, and
// the script engine for each final transaction.
func BenchmarkEntries(b *testing.B) {
	all := circle(b, 2, 3, manyEntries/3+2)
	late := all[2]
	entries := history(b, all, manyEntries)
	base := late.m
	descriptor, payments := paymentsOf(b, all[0])
	clear(all) // a node holds one machine, and not those of who wrote
	b.Run("store-and-fold", func(b *testing.B) {
		began := apptest.CPUTime(b)
		for b.Loop() {
			s, err := store.Open(b.TempDir(), storeKey, quiet())
			if err != nil {
				b.Fatal(err)
			}
			late.self.Verified = wallet.NewSigCache(1 << 16)
			m := base
			var batch port.Batch
			for n, e := range entries {
				var effects []coordinator.Effect
				if m, effects, err = coordinator.Step(m, late.input(coordinator.EntryIn{Entry: e})); err != nil {
					b.Fatal(err)
				}
				for _, x := range effects {
					if p, ok := x.(coordinator.Persist); ok {
						batch.Group, batch.Entries = p.Batch.Group, append(batch.Entries, p.Batch.Entries...)
					}
				}
				if n%128 == 127 || n == len(entries)-1 {
					if err := s.Commit(context.Background(), batch); err != nil {
						b.Fatal(err)
					}
					batch.Entries = nil
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, len(entries), began)
	})
	b.Run("floor-commit", func(b *testing.B) {
		began := apptest.CPUTime(b)
		for b.Loop() {
			s, err := store.Open(b.TempDir(), storeKey, quiet())
			if err != nil {
				b.Fatal(err)
			}
			for n := 0; n < len(entries); n += 128 {
				part := entries[n:min(n+128, len(entries))]
				if err := s.Commit(context.Background(), port.Batch{Group: base.State.Group(), Entries: part}); err != nil {
					b.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, len(entries), began)
	})
	b.Run("floor-signatures", func(b *testing.B) {
		began := apptest.CPUTime(b)
		for b.Loop() {
			for _, e := range entries {
				if err := e.Verify(); err != nil {
					b.Fatal(err)
				}
			}
		}
		perSecond(b, len(entries), began)
	})
	b.Run("floor-bitcoin", func(b *testing.B) {
		began := apptest.CPUTime(b)
		for b.Loop() {
			for _, err := range bitcoin(descriptor, payments) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		perSecond(b, len(entries), began)
	})
}

// payment is what Bitcoin knows of a proposal, and the signatures on it.
type payment struct {
	known *wallet.Spend
	sigs  []wallet.Signature
}

// paymentsOf are those of a cosigner, with the descriptor of its wallet.
func paymentsOf(b *testing.B, c *cosigner) (descriptor string, out []payment) {
	b.Helper()
	st := c.m.State
	for p := range st.AllProposals {
		s, err := p.Spend(st.Active())
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, payment{s, st.Signatures(p)})
	}
	return st.Active().Descriptor.String(), out
}

// bitcoin derives, verifies and finalizes payments as if none of it had been done
// before.
func bitcoin(descriptor string, all []payment) (errs []error) {
	d, err := wallet.ParseDescriptor(descriptor, wallet.Regtest)
	if err != nil {
		return []error{err}
	}
	seen := wallet.NewSigCache(1 << 16)
	for n, p := range all {
		_, err := d.PkScript(wallet.BranchChange, uint32(n))
		errs = append(errs, err)
		s, err := wallet.NewSpend(d, p.known.Inputs(), p.known.Outputs(), p.known.LockTime())
		if err != nil {
			return append(errs, err)
		}
		errs = append(errs, s.VerifyAll(p.sigs, seen)...)
		_, err = s.Finalize(p.sigs, seen)
		errs = append(errs, err)
	}
	return errs
}

func perSecond(b *testing.B, n int, began time.Duration) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric((apptest.CPUTime(b)-began).Seconds()/float64(b.N), "cpu-s/op")
}
