package chaintest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// patience is how long a stream may be silent before a test gives up on it.
const patience = 30 * time.Second

// stream reads a follower and holds every notice against the contract.
type stream struct {
	t     *testing.T
	h     Harness
	blind bool
	port.Follower
	ctx context.Context
	// chain is what the notices add up to; from is where it begins.
	chain []port.BlockRef
	from  int32
	seen  map[chainhash.Hash]int
	// expected are those of an earlier stream; unseen have left the mempool, and
	// are lost as long as no block left the chain since: no test mines them.
	expected, unseen, lost map[chainhash.Hash]bool
	// in is the block that holds a transaction, by the notices.
	in       map[chainhash.Hash]port.BlockRef
	rescans  []port.BlockRef
	gone     []port.BlockRef
	caughtUp int
	// scripts are those followed from the start, coins the outputs that pay them.
	scripts [][]byte
	coins   map[wire.OutPoint]bool
}

// follow starts a stream after the known blocks, or after height from.
func follow(t *testing.T, h Harness, known []port.BlockRef, from int32, scripts ...[]byte) *stream {
	t.Helper()
	f, err := h.Chain().Follow(t.Context(), known, from, scripts)
	if err != nil {
		t.Fatalf("Follow: %v", err)
	}
	s := &stream{
		t: t, h: h, blind: blind(h), scripts: scripts, coins: map[wire.OutPoint]bool{}, Follower: f, ctx: t.Context(), chain: append([]port.BlockRef(nil), known...), from: from,
		seen: map[chainhash.Hash]int{}, expected: map[chainhash.Hash]bool{}, unseen: map[chainhash.Hash]bool{}, lost: map[chainhash.Hash]bool{}, in: map[chainhash.Hash]port.BlockRef{},
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// fromTip starts a stream at the tip and waits until it has caught up.
func fromTip(t *testing.T, h Harness, scripts ...[]byte) *stream {
	t.Helper()
	tip := must(h.Chain().Tip(t.Context()))(t)
	s := follow(t, h, []port.BlockRef{tip}, tip.Height, scripts...)
	s.until("caught up", func() bool { return s.caughtUp > 0 })
	return s
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// until reads notices until the condition holds.
func (s *stream) until(what string, ok func() bool) {
	s.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !ok() {
		select {
		case n, open := <-s.Notices():
			if !open {
				s.t.Fatalf("stream ended, waiting until %s", what)
			}
			s.take(n)
		case <-timer.C:
			s.t.Fatalf("no notice in %v, waiting until %s; at %d", patience, what, s.tip().Height)
		}
	}
}

func (s *stream) tip() port.BlockRef {
	if len(s.chain) == 0 {
		return port.BlockRef{Height: s.from}
	}
	return s.chain[len(s.chain)-1]
}

// reaches reads until the stream's tip is that block and it says so.
func (s *stream) reaches(hash chainhash.Hash) {
	s.t.Helper()
	s.until("at block "+hash.String(), func() bool { return s.tip().Hash == hash })
	now := s.caughtUp
	s.until("caught up", func() bool { return s.caughtUp > now })
}

func (s *stream) take(n port.ChainNotice) {
	s.t.Helper()
	tip := s.tip()
	switch n.Kind {
	case port.Connected:
		s.connected(n, tip)
	case port.Disconnected:
		if len(s.chain) == 0 || n.Block != tip {
			s.t.Fatalf("Disconnected %d %s, tip is %d %s", n.Block.Height, n.Block.Hash, tip.Height, tip.Hash)
		}
		s.chain = s.chain[:len(s.chain)-1]
		if len(s.chain) == 0 {
			s.from = min(s.from, n.Block.Height-1)
		}
		s.gone = append(s.gone, n.Block)
		clear(s.lost)
		for id, b := range s.in {
			if b == n.Block {
				delete(s.in, id)
			}
		}
	case port.Rescanned:
		if n.Block.Height > tip.Height || len(n.Txs) == 0 {
			s.t.Fatalf("Rescanned %d with %d transactions at tip %d", n.Block.Height, len(n.Txs), tip.Height)
		}
		for _, b := range s.chain {
			if b.Height == n.Block.Height && b != n.Block {
				s.t.Fatalf("Rescanned %s, streamed was %s", n.Block.Hash, b.Hash)
			}
		}
		s.complete(n)
		s.rescans = append(s.rescans, n.Block)
		s.note(n)
	case port.Seen:
		if len(n.Txs) == 0 || s.blind {
			s.t.Fatalf("Seen with %d transactions", len(n.Txs))
		}
		for _, tx := range n.Txs {
			s.seen[tx.TxHash()]++
			delete(s.unseen, tx.TxHash())
			delete(s.lost, tx.TxHash())
		}
	case port.Unseen:
		s.left(n)
	case port.CaughtUp:
		if n.Block.Height != tip.Height || n.Block.Hash != tip.Hash {
			s.t.Fatalf("CaughtUp at %d, stream is at %d", n.Block.Height, tip.Height)
		}
		s.caughtUp++
	default:
		s.t.Fatalf("notice of kind %d", n.Kind)
	}
}

func (s *stream) connected(n port.ChainNotice, tip port.BlockRef) {
	s.t.Helper()
	if n.Block.Height != tip.Height+1 {
		s.t.Fatalf("Connected %d after %d", n.Block.Height, tip.Height)
	}
	if len(s.chain) > 0 {
		if n.Prev != tip.Hash {
			s.t.Fatalf("Connected %d builds on %s, streamed was %s", n.Block.Height, n.Prev, tip.Hash)
		}
		if n.Block.MedianTime < tip.MedianTime {
			s.t.Fatalf("median time fell from %d to %d", tip.MedianTime, n.Block.MedianTime)
		}
	}
	s.complete(n)
	if n.Block.Time == 0 || n.Block.MedianTime == 0 || n.Block.MedianTime > n.Block.Time {
		s.t.Fatalf("Connected %+v", n.Block)
	}
	s.chain = append(s.chain, n.Block)
	s.note(n)
}

// complete holds the transactions of a notice against the true block: all of
// them, or none where none pays or spends from the scripts.
func (s *stream) complete(n port.ChainNotice) {
	s.t.Helper()
	block := must(s.h.Block(n.Block.Hash))(s.t)
	if block.Header.PrevBlock != n.Prev || block.Header.Timestamp.Unix() != n.Block.Time {
		s.t.Fatalf("notice of block %d says another parent or time than its header", n.Block.Height)
	}
	for _, tx := range block.Transactions {
		if s.mine(tx) && len(n.Txs) == 0 {
			s.t.Fatalf("block %d came without transactions, but holds %s", n.Block.Height, tx.TxHash())
		}
	}
	if len(n.Txs) > 0 && !slices.EqualFunc(n.Txs, block.Transactions, func(a, b *wire.MsgTx) bool { return a.WitnessHash() == b.WitnessHash() }) {
		s.t.Fatalf("block %d came with other transactions than it has", n.Block.Height)
	}
}

// mine says whether a transaction pays or spends from the scripts.
func (s *stream) mine(tx *wire.MsgTx) bool {
	pays := func(script []byte) bool {
		return slices.ContainsFunc(s.scripts, func(own []byte) bool { return bytes.Equal(own, script) })
	}
	hit := false
	for i, out := range tx.TxOut {
		if pays(out.PkScript) {
			s.coins[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}] = true
			hit = true
		}
	}
	for _, in := range tx.TxIn {
		if s.coins[in.PreviousOutPoint] {
			hit = true
		} else if from, err := txscript.ComputePkScript(in.SignatureScript, in.Witness); err == nil && pays(from.Script()) {
			hit = true // of a coin from before the stream began
		}
	}
	return hit
}

// left holds what is told to have left the mempool against what was told before.
func (s *stream) left(n port.ChainNotice) {
	s.t.Helper()
	if len(n.TxIDs) == 0 || s.blind {
		s.t.Fatalf("Unseen with %d transactions", len(n.TxIDs))
	}
	for _, id := range n.TxIDs {
		if at, mined := s.in[id]; mined {
			s.t.Fatalf("Unseen: %s, which is in block %d", id, at.Height)
		}
		if s.unseen[id] || s.seen[id] == 0 && !s.expected[id] {
			s.t.Fatalf("Unseen: %s, which nobody holds for seen", id)
		}
		s.unseen[id], s.lost[id] = true, true
	}
}

func (s *stream) note(n port.ChainNotice) {
	s.t.Helper()
	for _, tx := range n.Txs {
		if s.lost[tx.TxHash()] {
			s.t.Fatalf("%s was told to have left the mempool, and is in block %d", tx.TxHash(), n.Block.Height)
		}
		s.in[tx.TxHash()] = n.Block
	}
}

// confirmed reads until the stream showed the transaction in a block.
func (s *stream) confirmed(tx *wire.MsgTx) port.BlockRef {
	s.t.Helper()
	id := tx.TxHash()
	s.until("in a block: "+id.String(), func() bool { _, ok := s.in[id]; return ok })
	return s.in[id]
}

// sighted reads until the stream showed the transaction in the mempool n times,
// if its backend can.
func (s *stream) sighted(tx *wire.MsgTx, n int) {
	s.t.Helper()
	if s.blind {
		return
	}
	id := tx.TxHash()
	s.until("seen: "+id.String(), func() bool { return s.seen[id] >= n })
}
