package chaintest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
)

// watch adds a script and waits until the stream says that it has caught up.
func (s *stream) watch(script []byte, from int32, until func() bool) {
	s.t.Helper()
	if err := s.Watch(s.ctx, [][]byte{script}, from); err != nil {
		s.t.Fatalf("Watch: %v", err)
	}
	s.until("rescanned", until)
	now := s.caughtUp
	s.until("caught up after a rescan", func() bool { return s.caughtUp > now })
}

func testWatch(t *testing.T, h Harness) {
	k := owner(t)
	s := fromTip(t, h)
	must(h.Mine(2))(t)
	tx := must(h.Fund(k.PkScript(), btc))(t)
	deposit := must(h.Mine(3))(t)
	spend := sweep(t, k, coinOf(t, tx, k), outsider(t))
	send(t, h, spend)
	last := must(h.Mine(3))(t)
	s.reaches(last[2])
	if len(s.rescans) > 0 || len(s.seen) > 0 {
		t.Fatal("notices of a script that is not watched")
	}
	s.watch(k.PkScript(), s.chain[0].Height, func() bool { return len(s.rescans) == 2 })
	if s.rescans[0].Hash != deposit[0] || s.rescans[1].Hash != last[0] {
		t.Errorf("rescanned %v, want the blocks of the deposit and of the spend", s.rescans)
	}
	// From a height above both, neither comes again.
	if err := s.Watch(s.ctx, [][]byte{k.PkScript()}, s.tip().Height); err != nil {
		t.Fatal(err)
	}
	s.reaches(must(h.Mine(1))(t)[0])
	if len(s.rescans) != 2 {
		t.Errorf("rescanned %v below the height asked for", s.rescans[2:])
	}
}

func testWatchMempool(t *testing.T, h Harness) {
	if blind(h) {
		t.Skip("this backend sees no mempool")
	}
	k, other := owner(t), outsider(t)
	s := fromTip(t, h, other)
	hidden := must(h.Fund(k.PkScript(), btc))(t)
	shown := must(h.Fund(other, btc))(t)
	s.sighted(shown, 1)
	if s.seen[hidden.TxHash()] > 0 {
		t.Fatal("saw a script that is not watched")
	}
	if err := s.Watch(t.Context(), [][]byte{k.PkScript()}, s.tip().Height+1); err != nil {
		t.Fatal(err)
	}
	s.sighted(hidden, 1)
	s.reaches(must(h.Mine(1))(t)[0])
	if s.seen[shown.TxHash()] != 1 {
		t.Errorf("one transaction was seen %d times", s.seen[shown.TxHash()])
	}
}

// testWatchBelowStart rescans blocks that an earlier run streamed.
func testWatchBelowStart(t *testing.T, h Harness) {
	k := owner(t)
	tx := must(h.Fund(k.PkScript(), btc))(t)
	at := must(h.Mine(1))(t)[0]
	must(h.Mine(40))(t)
	s := fromTip(t, h)
	s.watch(k.PkScript(), 0, func() bool { return len(s.rescans) > 0 })
	if len(s.rescans) != 1 || s.rescans[0].Hash != at {
		t.Errorf("rescanned %v, want %s", s.rescans, at)
	}
	s.confirmed(tx)
}

func testMany(t *testing.T, h Harness) {
	const followers = 15
	streams := make([]*stream, followers)
	for i := range streams {
		streams[i] = fromTip(t, h, owner(t).PkScript())
	}
	tx := must(h.Fund(owner(t).PkScript(), btc))(t)
	must(h.Mine(3))(t)
	last := must(h.Reorg(2))(t)[2]
	for _, s := range streams {
		s.reaches(last)
	}
	for i, s := range streams {
		if !slices.Equal(s.chain[1:], streams[0].chain[1:]) {
			t.Errorf("stream %d differs from stream 0", i)
		}
		s.confirmed(tx)
	}
}

func testSlow(t *testing.T, h Harness) {
	tip := must(h.Chain().Tip(t.Context()))(t)
	slow := follow(t, h, nil, tip.Height-50)
	quick := fromTip(t, h)
	last := must(h.Mine(20))(t)[19]
	quick.reaches(last)
	slow.reaches(last)
}

func testClose(t *testing.T, h Harness) {
	tip := must(h.Chain().Tip(t.Context()))(t)
	// Nobody reads it: Close must not wait for a reader.
	f := must(h.Chain().Follow(t.Context(), nil, tip.Height-50, nil))(t)
	for range 2 {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	ended(t, f)
	if err := f.Watch(t.Context(), [][]byte{{1}}, 0); err == nil {
		t.Error("Watch after Close returned nil")
	}
}

func testContext(t *testing.T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	f := must(h.Chain().Follow(ctx, nil, 0, nil))(t)
	cancel()
	ended(t, f)
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := h.Chain().Follow(ctx, nil, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Follow with an ended context: got %v", err)
	}
	if _, err := h.Chain().Tip(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Tip with an ended context: got %v", err)
	}
}

// ended waits until the notices are closed; a few may still be there.
func ended(t *testing.T, f port.Follower) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case _, open := <-f.Notices():
			if !open {
				return
			}
		case <-timer.C:
			t.Fatal("notices stay open")
		}
	}
}

// testStorm mines, reorganizes and watches in a random order, without waiting
// for the stream; whatever it saw in between, it must add up to the chain.
func testStorm(t *testing.T, h Harness) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	k := owner(t)
	s := fromTip(t, h, k.PkScript())
	base := s.chain[0].Height // a slow backend may have shown a block more by now
	must(h.Mine(5))(t)
	for range 25 {
		switch r.IntN(4) {
		case 0:
			must(h.Fund(k.PkScript(), btc/10))(t)
		case 1:
			must(h.Reorg(1 + r.IntN(5)))(t)
		case 2:
			if err := s.Watch(t.Context(), [][]byte{{0x51, byte(r.IntN(256))}}, base); err != nil {
				t.Fatal(err)
			}
		default:
			must(h.Mine(1 + r.IntN(3)))(t)
		}
	}
	s.reaches(must(h.Mine(1))(t)[0])
	check := follow(t, h, nil, base, k.PkScript())
	check.reaches(s.tip().Hash)
	if !slices.Equal(s.chain[1:], check.chain) {
		t.Errorf("the stream adds up to another chain")
	}
	for id, at := range check.in {
		if s.in[id] != at {
			t.Errorf("transaction %s is in block %d, by the stream in %d", id, at.Height, s.in[id].Height)
		}
	}
}

func testRestart(t *testing.T, h Harness) {
	node, ok := h.(Restarter)
	if !ok {
		t.Skip("this chain has no process to restart")
	}
	k := owner(t)
	tx := pay(t, k, owned(t, h, k, btc), outsider(t), btc/2, 10)
	s := fromTip(t, h)
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Chain().Broadcast(t.Context(), tx); err == nil || errors.Is(err, port.ErrTxRejected) {
		t.Errorf("Broadcast to a node that is down: got %v", err)
	}
	unwell(t, h)
	if err := node.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.reaches(must(h.Mine(2))(t)[1])
	well(t, h)
}
