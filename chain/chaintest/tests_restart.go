package chaintest

import (
	"maps"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// again closes a stream, wherever it is, and goes on from what it knows, as a
// node does that is started again.
func (s *stream) again() *stream {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatalf("Close: %v", err)
	}
	n := follow(s.t, s.h, s.chain, s.from, s.scripts...)
	n.in, n.coins = maps.Clone(s.in), maps.Clone(s.coins)
	var sighted []chainhash.Hash
	for id := range s.seen {
		if _, mined := s.in[id]; !mined && !s.unseen[id] {
			sighted, n.expected[id] = append(sighted, id), true
		}
	}
	n.Expect(sighted)
	return n
}

// adds holds a stream, however often it was interrupted, against one that was not.
func (s *stream) adds(base port.BlockRef) {
	s.t.Helper()
	check := follow(s.t, s.h, []port.BlockRef{base}, base.Height, s.scripts...)
	check.reaches(s.tip().Hash)
	if !slices.Equal(s.chain, check.chain) {
		s.t.Errorf("the stream adds up to another chain")
	}
	if !maps.Equal(s.in, check.in) {
		s.t.Errorf("the stream adds up to other transactions: %v, want %v", s.in, check.in)
	}
}

// testRestartDeposit closes the stream when a deposit was seen, when it was
// mined unseen, and between two confirmations.
func testRestartDeposit(t *testing.T, h Harness) {
	k := owner(t)
	s := fromTip(t, h, k.PkScript())
	base := s.chain[0] // a slow backend may have shown a block more by now
	tx := must(h.Fund(k.PkScript(), btc))(t)
	s.sighted(tx, 1)
	s = s.again()
	s.sighted(tx, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	first := must(h.Mine(1))(t)
	s = s.again()
	if at := s.confirmed(tx); at.Hash != first[0] {
		t.Errorf("confirmed in %s, mined was %s", at.Hash, first[0])
	}
	s = s.again()
	last := must(h.Mine(3))(t)
	s.until("one confirmation more", func() bool { return s.tip().Hash == last[0] })
	s = s.again()
	s.reaches(last[2])
	s.adds(base)
}

// testRestartSpend closes the stream after a spend was handed over, and once
// more when it was mined: its coin is from before the stream began.
func testRestartSpend(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	base := s.chain[0] // a slow backend may have shown a block more by now
	tx := sweep(t, k, coin, outsider(t))
	send(t, h, tx)
	s.sighted(tx, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mined := must(h.Mine(2))(t)
	s = s.again()
	s.until("the spend's block", func() bool { return s.tip().Hash == mined[0] })
	s = s.again()
	s.reaches(mined[1])
	if s.in[tx.TxHash()].Hash != mined[0] {
		t.Error("the spend is not in the block that holds it")
	}
	s.adds(base)
}

// testRestartReorg closes the stream after every second notice of a reorg that
// takes a deposit away and moves a spend.
func testRestartReorg(t *testing.T, h Harness) {
	const depth = 6
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	base := s.chain[0] // a slow backend may have shown a block more by now
	deposit := must(h.Fund(k.PkScript(), btc))(t)
	must(h.Mine(3))(t)
	spend := sweep(t, k, coin, outsider(t))
	send(t, h, spend)
	s.reaches(must(h.Mine(depth - 3))(t)[depth-4])
	s.confirmed(deposit)
	s.confirmed(spend)
	branch := must(h.Reorg(depth, spend))(t)
	for count := 0; s.tip().Hash != branch[depth]; s = s.again() {
		count = 0
		s.until("two notices later", func() bool { count++; return count > 2 || s.tip().Hash == branch[depth] })
	}
	s.reaches(branch[depth])
	if _, there := s.in[deposit.TxHash()]; there || s.in[spend.TxHash()].Hash != branch[0] {
		t.Errorf("after the reorg: %v", s.in)
	}
	s.adds(base)
	again := must(h.Mine(1))(t)
	if at := s.confirmed(deposit); at.Hash != again[0] {
		t.Errorf("confirmed again in %s, want %s", at.Hash, again[0])
	}
}
