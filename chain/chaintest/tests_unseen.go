package chaintest

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// vanished reads until the stream said that the transaction left the mempool.
func (s *stream) vanished(tx *wire.MsgTx) {
	s.t.Helper()
	id := tx.TxHash()
	s.until("unseen: "+id.String(), func() bool { return s.unseen[id] })
}

// drop makes the node's mempool lose a transaction without a rival: with it
// alone, or with the whole mempool.
func drop(t *testing.T, h Harness, tx *wire.MsgTx) {
	t.Helper()
	switch h := h.(type) {
	case Evicter:
		if err := h.Evict(tx); err != nil {
			t.Fatal(err)
		}
	case Restarter: // of btcd, which does not keep its mempool
		if err := h.Stop(); err != nil {
			t.Fatal(err)
		}
		unwell(t, h)
		if err := h.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	default:
		t.Skip("this chain's mempool cannot be made to drop anything")
	}
}

// testUnseenReplaced: of two rivals, the one that gave way is no longer there.
func testUnseenReplaced(t *testing.T, h Harness) {
	if blind(h) {
		t.Skip("this backend sees no mempool")
	}
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	low, high := pay(t, k, coin, outsider(t), btc/2, 5), pay(t, k, coin, outsider(t), btc/2, 50)
	send(t, h, low)
	s.sighted(low, 1)
	send(t, h, high)
	s.vanished(low)
	s.sighted(high, 1)
	s.reaches(must(h.Mine(1))(t)[0])
	if _, there := s.in[high.TxHash()]; !there {
		t.Error("the replacement is not in the block")
	}
}

// testUnseenEvicted drops a deposit and a spend, and hands one of them over again.
func testUnseenEvicted(t *testing.T, h Harness) {
	if blind(h) {
		t.Skip("this backend sees no mempool")
	}
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	deposit := must(h.Fund(k.PkScript(), btc/4))(t)
	spend := sweep(t, k, coin, outsider(t))
	send(t, h, spend)
	s.sighted(deposit, 1)
	s.sighted(spend, 1)
	drop(t, h, spend)
	s.vanished(spend)
	if _, one := h.(Evicter); one {
		if s.unseen[deposit.TxHash()] {
			t.Error("the deposit is still there, and was told to have left")
		}
		drop(t, h, deposit)
	}
	s.vanished(deposit)
	before := s.seen[spend.TxHash()]
	send(t, h, spend)
	s.sighted(spend, before+1)
	at := must(h.Mine(1))(t)
	s.reaches(at[0])
	if s.in[spend.TxHash()].Hash != at[0] {
		t.Error("the spend is not in the block")
	}
	if _, there := s.in[deposit.TxHash()]; there {
		t.Error("the deposit is in a block")
	}
}

// testUnseenClosed drops a deposit while nobody looks.
func testUnseenClosed(t *testing.T, h Harness) {
	if blind(h) {
		t.Skip("this backend sees no mempool")
	}
	k := owner(t)
	s := fromTip(t, h, k.PkScript())
	deposit := must(h.Fund(k.PkScript(), btc/4))(t)
	s.sighted(deposit, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	drop(t, h, deposit)
	s = s.again()
	s.vanished(deposit)
	s.reaches(must(h.Mine(1))(t)[0])
}
