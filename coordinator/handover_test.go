package coordinator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/port"
)

// mempool is a backend that takes nothing that spends what it does not have.
type mempool struct {
	has     map[chainhash.Hash]bool
	refuses map[chainhash.Hash]bool
	down    bool
	orphans int
}

func (b *mempool) take(tx *wire.MsgTx, ours map[chainhash.Hash]bool) error {
	if b.down {
		return fmt.Errorf("the Bitcoin node is starting")
	}
	for _, in := range tx.TxIn {
		if parent := in.PreviousOutPoint.Hash; ours[parent] && !b.has[parent] {
			b.orphans++
			return fmt.Errorf("%w: bad-txns-inputs-missingorspent", port.ErrTxRejected)
		}
	}
	if b.refuses[tx.TxHash()] {
		return fmt.Errorf("%w: min relay fee not met", port.ErrTxRejected)
	}
	b.has[tx.TxHash()] = true
	return nil
}

// Payments that spend each other's change go to the backend parents first, however their
// hashes are ordered, and all within one try once it answers again.
func TestParentsGoFirst(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := active(t, 1, 1)
		c.fund(10_000_000)
		a := c.peers[0]
		b := &mempool{has: map[chainhash.Hash]bool{}, refuses: map[chainhash.Hash]bool{}, down: true}
		n := rapid.IntRange(2, 12).Draw(r, "payments")
		ours := map[chainhash.Hash]bool{}
		answered := 0
		answer := func() {
			// In any order: each runs by itself.
			for answered < len(a.sent) {
				left := a.sent[answered:]
				k := rapid.IntRange(0, len(left)-1).Draw(r, "answers")
				left[0], left[k] = left[k], left[0]
				answered++
				tx := left[0]
				a.must(Broadcasted{TxID: tx.TxHash(), Reach: port.ReachNode, Err: b.take(tx, ours)})
			}
		}
		for i := range n {
			p := a.proposed(pay(byte(i), 10_000))
			ours[p.TxID] = true
			answer()
		}
		b.down = false
		a.ticks(retryEach)
		answer()
		if len(b.has) != n || b.orphans != 0 {
			r.Fatalf("%d of %d are taken in one try, %d without their parents", len(b.has), n, b.orphans)
		}
		// The backend loses all of them.
		for id := range b.has {
			delete(b.has, id)
		}
		a.ticks(rebroadcastEach)
		answer()
		if len(b.has) != n || b.orphans != 0 {
			r.Fatalf("lost: %d of %d are taken in one try, %d without their parents", len(b.has), n, b.orphans)
		}
	})
}

// What spends a transaction that is refused is not tried, says why it is not in the
// network, and its change is no coin to spend; it goes once that one is taken.
func TestChildrenOfWhatIsRefused(t *testing.T) {
	c := active(t, 1, 1)
	c.fund(10_000_000)
	a := c.peers[0]
	first := a.proposed(pay(1, 10_000))
	second := a.proposed(pay(2, 10_000))
	third := a.proposed(pay(3, 10_000))
	sent := func() (out []chainhash.Hash) {
		for _, tx := range a.sent {
			out = append(out, tx.TxHash())
		}
		return out
	}
	if got := sent(); !slices.Equal(got, []chainhash.Hash{first.TxID}) {
		t.Fatalf("sent before the first was answered for: %v", got)
	}
	a.must(Broadcasted{TxID: first.TxID, Err: fmt.Errorf("%w: dust", port.ErrTxRejected)})
	if got := sent(); len(got) != 1 {
		t.Errorf("sent though what it spends is refused: %v", got)
	}
	for _, p := range []chainhash.Hash{second.TxID, third.TxID} {
		q, _ := a.m.State.Lead(p)
		x, ok := a.m.Unsent(q)
		if !ok || x.Kind != AlarmUnsent || x.TxID != p {
			t.Errorf("why it is not sent: %+v, %v", x, ok)
		}
	}
	if got := Sum(Coins(a.m.State, a.m.View, c.clock)); got.Spendable != 0 {
		t.Errorf("%d sat are spendable, all of them from what is refused", got.Spendable)
	}
	if got := a.m.Reach(first); got != "" {
		t.Errorf("refused, and %s", got)
	}
	a.must(Broadcasted{TxID: first.TxID, Reach: port.ReachHeld})
	if got := a.m.Reach(first); got != port.ReachHeld {
		t.Errorf("held, and %q", got)
	}
	a.must(Broadcasted{TxID: second.TxID, Reach: port.ReachNode})
	if got := sent(); !slices.Equal(got, []chainhash.Hash{first.TxID, second.TxID, third.TxID}) {
		t.Errorf("sent %v", got)
	}
	if got := Sum(Coins(a.m.State, a.m.View, c.clock)); got.Spendable == 0 {
		t.Error("nothing is spendable")
	}
}
