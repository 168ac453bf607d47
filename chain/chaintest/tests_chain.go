package chaintest

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// testReorg confirms a deposit depth blocks deep and takes all of them away.
func testReorg(t *testing.T, h Harness, depth int) {
	k := owner(t)
	s := fromTip(t, h, k.PkScript())
	tx := must(h.Fund(k.PkScript(), btc))(t)
	s.sighted(tx, 1)
	old := must(h.Mine(depth))(t)
	s.reaches(old[depth-1])
	if s.in[tx.TxHash()].Hash != old[0] {
		t.Fatal("deposit is not in the first block")
	}

	branch := must(h.Reorg(depth))(t)
	s.reaches(branch[depth])
	if len(s.gone) != depth {
		t.Fatalf("%d blocks were disconnected, want %d", len(s.gone), depth)
	}
	for i, b := range s.gone {
		if b.Hash != old[depth-1-i] {
			t.Fatalf("disconnected block %d is %s, want %s", i, b.Hash, old[depth-1-i])
		}
	}
	if _, ok := s.in[tx.TxHash()]; ok {
		t.Fatal("deposit is still confirmed")
	}
	s.sighted(tx, 2)

	again := must(h.Mine(1))(t)
	if at := s.confirmed(tx); at.Hash != again[0] {
		t.Errorf("confirmed again in %s, want %s", at.Hash, again[0])
	}
}

func testReorgDoubleSpend(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	a, b := pay(t, k, coin, outsider(t), btc/2, 10), pay(t, k, coin, outsider(t), btc/3, 10)
	send(t, h, a)
	must(h.Mine(2))(t)
	s.confirmed(a)
	branch := must(h.Reorg(2, b))(t)
	s.reaches(branch[2])
	if _, ok := s.in[a.TxHash()]; ok {
		t.Error("the old spend is still confirmed")
	}
	if s.in[b.TxHash()].Hash != branch[0] {
		t.Error("the new spend is not confirmed")
	}
	refused(t, h, "Broadcast of the old spend", offer(t, h, a))
	seen := s.seen[a.TxHash()]
	s.reaches(must(h.Mine(1))(t)[0])
	if s.seen[a.TxHash()] != seen {
		t.Error("the old spend was seen in the mempool after its coin was spent")
	}
}

func testKnown(t *testing.T, h Harness) {
	first := fromTip(t, h)
	first.reaches(must(h.Mine(5))(t)[4])
	known := first.chain
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	away := must(h.Mine(4))(t)
	s := follow(t, h, known, 0)
	s.reaches(away[3])
	if got := len(s.chain) - len(known); got != 4 || len(s.gone) != 0 {
		t.Errorf("%d blocks connected and %d disconnected, want 4 and 0", got, len(s.gone))
	}
	// One known block is as good as all of them.
	one := follow(t, h, known[len(known)-1:], 0)
	one.reaches(away[3])
}

func testKnownReorged(t *testing.T, h Harness) {
	k := owner(t)
	first := fromTip(t, h, k.PkScript())
	tx := must(h.Fund(k.PkScript(), btc))(t)
	first.reaches(must(h.Mine(3))(t)[2])
	known := first.chain
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	branch := must(h.Reorg(3))(t)
	s := follow(t, h, known, 0, k.PkScript())
	s.reaches(branch[3])
	if len(s.gone) != 3 {
		t.Errorf("%d blocks were disconnected, want 3", len(s.gone))
	}
	s.sighted(tx, 1)
	must(h.Mine(1))(t)
	s.confirmed(tx)
}

func testUnknown(t *testing.T, h Harness) {
	tip := must(h.Chain().Tip(t.Context()))(t)
	var known []port.BlockRef
	for i := range int32(3) {
		known = append(known, port.BlockRef{Height: tip.Height - 2 + i, Hash: chainhash.Hash{1, byte(i)}, Time: 1, MedianTime: 1})
	}
	// One that is higher than the chain.
	known = append(known, port.BlockRef{Height: tip.Height + 1, Hash: chainhash.Hash{2}, Time: 1, MedianTime: 1})
	s := follow(t, h, known, tip.Height-5)
	s.reaches(tip.Hash)
	if len(s.gone) != 4 {
		t.Errorf("%d unknown blocks were disconnected, want 4", len(s.gone))
	}
	if s.chain[0].Height != tip.Height-4 {
		t.Errorf("stream goes on at %d, want %d", s.chain[0].Height, tip.Height-4)
	}
	// With a start above the unknown blocks, their heights come all the same.
	s = follow(t, h, known[:1], tip.Height)
	s.reaches(tip.Hash)
	if s.chain[0].Height != tip.Height-2 {
		t.Errorf("stream goes on at %d, want %d", s.chain[0].Height, tip.Height-2)
	}
}

func testAboveTip(t *testing.T, h Harness) {
	tip := must(h.Chain().Tip(t.Context()))(t)
	s := follow(t, h, nil, tip.Height+2)
	mined := must(h.Mine(4))(t)
	s.until("at the tip", func() bool { return s.tip().Hash == mined[3] })
	if len(s.chain) != 2 || s.chain[0].Hash != mined[2] {
		t.Errorf("stream began at %d, want %d", s.chain[0].Height, tip.Height+3)
	}
}
