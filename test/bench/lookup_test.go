package bench

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// Lookups are among so many proposals, spread over lookupWallets wallets.
const (
	lookupWallets = 5
	lookupFew     = 1_000
	lookupMany    = 100_000
)

// BenchmarkLookup finds one proposal among those of several wallets as `show`,
// `approve`, `wait` and `tx` do: by its whole id, or by the eight characters that
// people type. What it costs may not grow with how many there are. Floor: a hash
// table of each wallet, which finds whole ids only.
func BenchmarkLookup(b *testing.B) {
	var wallets []*shelf
	for n := range lookupWallets {
		wallets = append(wallets, newShelf(b, n))
	}
	for _, total := range []int{lookupFew, lookupMany} {
		var ids []string
		for _, w := range wallets {
			w.fill(b, total/lookupWallets)
			ids = append(ids, w.some...)
		}
		for _, by := range []struct {
			what  string
			chars int
		}{{"id", 64}, {"prefix", 8}} {
			b.Run(fmt.Sprintf("%d/%s", total, by.what), func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if found(wallets, ids[i%len(ids)][:by.chars]) == 0 {
						b.Fatal("not found")
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/floor-map", total), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				n := 0
				for _, w := range wallets {
					if w.ids[ids[i%len(ids)]] {
						n++
					}
				}
				if n != 1 {
					b.Fatalf("found %d", n)
				}
			}
		})
	}
}

// found is how many proposals of all wallets a reference leads to.
func found(wallets []*shelf, ref string) (n int) {
	for _, w := range wallets {
		n += len(w.m.ProposalsBy(ref))
	}
	return n
}

// shelf is a wallet that holds many proposals, each of a coin of its own that
// nobody has seen.
type shelf struct {
	number int
	m      coordinator.Machine
	writer *journal.Identity
	epoch  journal.Epoch
	ids    map[string]bool
	some   []string // each hundredth id
}

func newShelf(b *testing.B, number int) *shelf {
	b.Helper()
	all := active(b, 2, 3)
	ep, ok := all[0].m.State.Epoch()
	if !ok {
		b.Fatal("no epoch")
	}
	return &shelf{number: number, m: all[0].m, writer: all[1].self.Identity, epoch: ep, ids: map[string]bool{}}
}

// fill has the wallet hold n proposals.
func (w *shelf) fill(b *testing.B, n int) {
	b.Helper()
	st := w.m.State
	next := st.Chains().Next(journal.ChainKey{Author: w.writer.Author(), Incarnation: 1})
	for i := len(w.ids); i < n; i++ {
		h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte{byte(w.number)}, uint64(i)))
		plain, err := event.Encode(event.Event{Time: 1_780_000_000_000 + int64(i), Body: &event.ProposalCreated{
			Inputs:  []event.ProposalInput{{TxID: chainhash.Hash(h), Amount: 1_000_000}},
			Outputs: []event.ProposalOutput{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 900_000}},
		}})
		if err != nil {
			b.Fatal(err)
		}
		e, err := journal.Seal(w.writer, w.epoch, next, plain, [24]byte(h[:]))
		if err != nil {
			b.Fatal(err)
		}
		if st, _, err = st.Add(e, false); err != nil {
			b.Fatal(err)
		}
		next = journal.Next{Incarnation: 1, Seq: next.Seq + 1, Prev: e.ID()}
		id := e.ID().String()
		if w.ids[id] = true; i%100 == 0 {
			w.some = append(w.some, id)
		}
	}
	w.m.State = st.Derived().Told()
}
