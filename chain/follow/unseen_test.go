package follow

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// poolScript is a source that can tell what is missing from its mempool.
type poolScript struct {
	*script
	whole, tip time.Time
	stuck      bool // the tip is not asked for
}

func (p *poolScript) Missing(ids []chainhash.Hash) ([]chainhash.Hash, Sight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stuck {
		p.tip = time.Now()
	}
	var missing []chainhash.Hash
	for _, id := range ids {
		if !slices.ContainsFunc(p.pool, func(tx *wire.MsgTx) bool { return tx != nil && tx.TxHash() == id }) {
			missing = append(missing, id)
		}
	}
	return missing, Sight{Whole: p.whole, Tip: p.tip}
}

// Unconfirmed leaves out what has left: its place stays empty.
func (p *poolScript) Unconfirmed(mark uint64) ([]*wire.MsgTx, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var txs []*wire.MsgTx
	for _, tx := range p.pool[min(mark, uint64(len(p.pool))):] {
		if tx != nil {
			txs = append(txs, tx)
		}
	}
	return txs, uint64(len(p.pool))
}

// poolTx pays the script {200, 0}.
func poolTx(n uint32) *wire.MsgTx {
	return &wire.MsgTx{LockTime: n, TxOut: []*wire.TxOut{{PkScript: []byte{200, 0}}}}
}

// pooled runs a test in virtual time: one transaction was told, and the chain is at 9.
func pooled(t *testing.T, test func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx)) {
	synctest.Test(t, func(t *testing.T) {
		s := &poolScript{script: newScript(10), whole: time.Now()}
		tx := poolTx(1)
		s.pool = []*wire.MsgTx{tx}
		var set Set
		defer set.Close()
		f, err := set.Start(t.Context(), s, Options{Known: []port.BlockRef{s.ref(8), s.ref(9)}, Scripts: [][]byte{{200, 0}}})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, f, port.Seen, s.ref(9))
		expect(t, f, port.CaughtUp, s.ref(9))
		test(t, s, f, tx)
	})
}

// silent fails the test when anything is told within a time.
func silent(t *testing.T, f *Follower, d time.Duration) {
	t.Helper()
	select {
	case n := <-f.Notices():
		t.Fatalf("got a notice of kind %d of %v", n.Kind, n.TxIDs)
	case <-time.After(d):
	}
}

// unseen expects that transactions are told to have left, at a time.
func unseen(t *testing.T, f *Follower, at time.Time, txs ...*wire.MsgTx) {
	t.Helper()
	n := <-f.Notices()
	var ids []chainhash.Hash
	for _, tx := range txs {
		ids = append(ids, tx.TxHash())
	}
	slices.SortFunc(ids, func(a, b chainhash.Hash) int { return slices.Compare(a[:], b[:]) })
	if n.Kind != port.Unseen || !slices.Equal(n.TxIDs, ids) {
		t.Fatalf("got kind %d of %v, want %v to have left", n.Kind, n.TxIDs, ids)
	}
	if late := time.Since(at); late < 0 || late > 2*time.Second {
		t.Errorf("told %v after the time", late)
	}
}

// TestUnseenAfterTheGrace: what leaves the mempool is told once its time is over,
// by nothing but time, and told as seen when it is there again.
func TestUnseenAfterTheGrace(t *testing.T) {
	pooled(t, func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx) {
		start := time.Now()
		s.change(func() { s.pool[0] = nil })
		unseen(t, f, start.Add(graceTime), tx)
		silent(t, f, 3*graceTime)
		s.change(func() { s.pool = append(s.pool, tx) })
		expect(t, f, port.Seen, s.ref(9))
		start = time.Now()
		s.change(func() { s.pool[1] = nil })
		unseen(t, f, start.Add(graceTime), tx)
	})
}

// TestBackWithinTheGrace: what comes back in time never left, and its time begins
// anew.
func TestBackWithinTheGrace(t *testing.T) {
	pooled(t, func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx) {
		s.change(func() { s.pool[0] = nil })
		silent(t, f, graceTime-time.Second)
		s.change(func() { s.pool = append(s.pool, tx) })
		silent(t, f, 3*graceTime)
		start := time.Now()
		s.change(func() { s.pool[1] = nil })
		unseen(t, f, start.Add(graceTime), tx)
	})
}

// TestMinedIsNotUnseen: what is missing because it is in a block has not left,
// however late the block comes.
func TestMinedIsNotUnseen(t *testing.T) {
	for name, late := range map[string]time.Duration{"with its block": 0, "before the grace": time.Minute, "after it": 3 * graceTime} {
		t.Run(name, func(t *testing.T) {
			pooled(t, func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx) {
				mine := func() {
					s.grow(1, 0)
					s.blocks[10].Txs = append(s.blocks[10].Txs, tx)
				}
				s.change(func() {
					s.pool[0], s.stuck = nil, late > 0
					if late == 0 {
						mine()
					}
				})
				if late > 0 {
					// The tip that it shows is an old one: the block may be there.
					silent(t, f, late)
					s.change(func() { mine(); s.stuck = false })
				}
				expect(t, f, port.Connected, s.ref(10))
				expect(t, f, port.CaughtUp, s.ref(10))
				silent(t, f, 3*graceTime)
				ten := s.ref(10)
				s.change(func() { s.blocks = s.blocks[:10] })
				expect(t, f, port.Disconnected, ten)
				expect(t, f, port.CaughtUp, s.ref(9))
				silent(t, f, 3*graceTime) // a reorg unsees by itself
			})
		})
	}
}

// TestARestartUnseesNothing: while the mempool is not seen whole nothing counts as
// missing, and the time begins after that.
func TestARestartUnseesNothing(t *testing.T) {
	pooled(t, func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx) {
		// A node that was started again and reads its mempool back.
		s.change(func() { s.pool[0], s.whole = nil, time.Time{} })
		silent(t, f, 5*graceTime)
		s.change(func() { s.whole = time.Now() })
		silent(t, f, graceTime-time.Second)
		s.change(func() { s.pool[0] = tx })
		silent(t, f, 3*graceTime)
		// Breaks between looks: only the time since the last one counts.
		s.change(func() { s.pool[0] = nil })
		for range 5 {
			silent(t, f, graceTime-time.Second)
			s.mu.Lock()
			s.whole = time.Now()
			s.mu.Unlock()
		}
		start := time.Now()
		n := <-f.Notices()
		if n.Kind != port.Unseen || time.Since(start) < graceTime || time.Since(start) > 2*graceTime {
			t.Errorf("kind %d after %v", n.Kind, time.Since(start))
		}
	})
	// A node that catches up has no mempool to speak of, and lacks blocks.
	pooled(t, func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx) {
		s.change(func() { s.pool[0], s.syncing = nil, true })
		silent(t, f, 5*graceTime)
		s.change(func() { s.syncing = false })
		unseen(t, f, time.Now(), tx)
	})
}

// TestExpectedIsUnseen: a follower that was started later tells what is missing
// of what its owner knows, and nothing of what is there or was mined meanwhile.
func TestExpectedIsUnseen(t *testing.T) {
	pooled(t, func(t *testing.T, s *poolScript, f *Follower, tx *wire.MsgTx) {
		mined := poolTx(2)
		s.change(func() {
			s.grow(1, 0)
			s.blocks[10].Txs = append(s.blocks[10].Txs, mined)
		})
		expect(t, f, port.Connected, s.ref(10))
		expect(t, f, port.CaughtUp, s.ref(10))
		start := time.Now()
		left, other := poolTx(3), poolTx(4)
		f.Expect([]chainhash.Hash{tx.TxHash(), mined.TxHash(), left.TxHash(), other.TxHash()})
		unseen(t, f, start.Add(graceTime), left, other)
		// A reorg forgets what was told, and not what is missing.
		start = time.Now()
		ten := s.ref(10)
		s.change(func() { s.pool[0] = nil })
		silent(t, f, time.Minute)
		s.change(func() { s.blocks = s.blocks[:10] })
		expect(t, f, port.Disconnected, ten)
		expect(t, f, port.CaughtUp, s.ref(9))
		unseen(t, f, start.Add(graceTime), tx)
	})
}
