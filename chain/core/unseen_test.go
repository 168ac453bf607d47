package core_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator/port"
)

// mempool is that of a fake.
type mempool struct {
	mu     sync.Mutex
	txs    []*wire.MsgTx
	info   any // of getmempoolinfo
	code   int // of its error
	listed int
}

func (m *mempool) set(edit func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	edit()
}

func (f *fake) mempool(m *mempool) {
	f.on("getmempoolinfo", func([]json.RawMessage) (any, int, string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.info, m.code, "no"
	})
	f.on("getrawmempool", func([]json.RawMessage) (any, int, string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.listed++
		ids := []string{}
		for _, tx := range m.txs {
			ids = append(ids, tx.TxHash().String())
		}
		return ids, 0, ""
	})
	f.on("getrawtransaction", func(p []json.RawMessage) (any, int, string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, tx := range m.txs {
			if tx.TxHash().String() == str(p[0]) {
				var b bytes.Buffer
				_ = tx.Serialize(&b) // a bytes.Buffer takes everything
				return hex.EncodeToString(b.Bytes()), 0, ""
			}
		}
		return nil, -5, "No such mempool transaction"
	})
}

// polls waits until the mempool was listed a few times more.
func (m *mempool) polls(t *testing.T, n int) {
	t.Helper()
	m.mu.Lock()
	until := m.listed + n
	m.mu.Unlock()
	eventually(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.listed >= until
	})
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !ok(); <-tick.C {
		if time.Since(start) > 30*time.Second {
			t.Fatal("not in 30 s")
		}
	}
}

// TestUnseen: what leaves the mempool is told, and only when the node shows all
// of it: not while it starts, reads its mempool back, catches up, or does not say.
func TestUnseen(t *testing.T) {
	blocks := regtestChain(t, 3)
	tx := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: 1}}, TxOut: []*wire.TxOut{{Value: 5, PkScript: []byte{0x52}}}}
	for name, c := range map[string]struct {
		info   any
		code   int
		behind bool
		told   bool
	}{
		"Bitcoin Core":               {map[string]any{"loaded": true}, 0, false, true},
		"btcd":                       {map[string]any{"size": 1, "bytes": 2}, 0, false, true},
		"Core, loading":              {map[string]any{"loaded": false}, 0, false, false},
		"a node that does not say":   {nil, -32601, false, false},
		"Core, with blocks to fetch": {map[string]any{"loaded": true}, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.chain(blocks)
			m := &mempool{txs: []*wire.MsgTx{tx}, info: c.info, code: c.code}
			f.mempool(m)
			b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond, Grace: 50 * time.Millisecond})
			known := port.BlockRef{Height: 3, Hash: blocks[2].BlockHash()}
			follower, err := b.Follow(t.Context(), []port.BlockRef{known}, 0, [][]byte{{0x52}})
			if err != nil {
				t.Fatal(err)
			}
			for n := notice(t, follower); n.Kind != port.Seen; n = notice(t, follower) {
			}
			if c.behind {
				f.on("getblockchaininfo", func([]json.RawMessage) (any, int, string) {
					return map[string]any{"chain": "regtest", "blocks": 3, "headers": 9, "bestblockhash": blocks[2].BlockHash().String()}, 0, ""
				})
				healthy(t, b, "still syncing")
			}
			m.set(func() { m.txs = nil })
			if !c.told {
				// Far longer than the grace, of a node that answers.
				m.polls(t, 8)
				for more := true; more; {
					select {
					case n := <-follower.Notices():
						if n.Kind == port.Unseen {
							t.Fatal("told to have left by a node that does not show its mempool")
						}
					default:
						more = false
					}
				}
				f.chain(blocks)
				m.set(func() { m.info, m.code = map[string]any{"loaded": true}, 0 })
			}
			for {
				n := notice(t, follower)
				if n.Kind == port.CaughtUp {
					continue
				}
				if n.Kind != port.Unseen || len(n.TxIDs) != 1 || n.TxIDs[0] != tx.TxHash() {
					t.Fatalf("kind %d of %v", n.Kind, n.TxIDs)
				}
				break
			}
		})
	}
}

// TestARestartOfTheNodeUnseesNothing: a node that was away and reads its mempool
// back, slowly and more than the grace long, leaves everything as it was.
func TestARestartOfTheNodeUnseesNothing(t *testing.T) {
	blocks := regtestChain(t, 3)
	var txs []*wire.MsgTx
	for i := range uint32(3) {
		txs = append(txs, &wire.MsgTx{Version: 2, LockTime: i, TxIn: []*wire.TxIn{{Sequence: 1}}, TxOut: []*wire.TxOut{{Value: 5, PkScript: []byte{0x52}}}})
	}
	f := newFake(t)
	f.chain(blocks)
	info := f.answers["getblockchaininfo"]
	m := &mempool{txs: txs, info: map[string]any{"loaded": true}}
	f.mempool(m)
	b := open(t, core.Config{URL: f.server.URL, Poll: 5 * time.Millisecond, Grace: 50 * time.Millisecond})
	known := port.BlockRef{Height: 3, Hash: blocks[2].BlockHash()}
	follower, err := b.Follow(t.Context(), []port.BlockRef{known}, 0, [][]byte{{0x52}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[chainhash.Hash]int{}
	read := func(until func() bool) {
		t.Helper()
		for !until() {
			n := notice(t, follower)
			for _, tx := range n.Txs {
				seen[tx.TxHash()]++
			}
			for _, id := range n.TxIDs {
				seen[id] = -100
			}
		}
	}
	read(func() bool { return len(seen) == 3 })
	for range 2 {
		f.on("getblockchaininfo", says(-28, "Loading block index…"))
		healthy(t, b, core.ErrStarting.Error())
		m.set(func() { m.txs, m.info = nil, map[string]any{"loaded": false} })
		f.on("getblockchaininfo", info)
		healthy(t, b, "")
		for i := range txs {
			m.polls(t, 8)
			m.set(func() { m.txs = txs[:i+1] })
		}
		m.set(func() { m.info = map[string]any{"loaded": true} })
		m.polls(t, 3)
	}
	// One more is seen after all that, and none of the others left or came again.
	last := &wire.MsgTx{Version: 2, LockTime: 9, TxIn: []*wire.TxIn{{Sequence: 1}}, TxOut: []*wire.TxOut{{Value: 5, PkScript: []byte{0x52}}}}
	m.set(func() { m.txs = append(m.txs[:3:3], last) })
	read(func() bool { return seen[last.TxHash()] > 0 })
	for _, tx := range txs {
		if seen[tx.TxHash()] != 1 {
			t.Errorf("a transaction was seen %d times", seen[tx.TxHash()])
		}
	}
}
