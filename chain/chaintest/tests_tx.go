package chaintest

import (
	"errors"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

func testTip(t *testing.T, h Harness) {
	hashes := must(h.Mine(3))(t)
	if blind(h) { // it is told of blocks by its peers; others ask
		state(t, "the tip is known", func() bool { return must(h.Chain().Tip(t.Context()))(t).Hash == hashes[2] })
	}
	tip := must(h.Chain().Tip(t.Context()))(t)
	if tip.Hash != hashes[2] {
		t.Errorf("tip is %s, mined was %s", tip.Hash, hashes[2])
	}
	s := follow(t, h, nil, tip.Height-2)
	s.reaches(tip.Hash)
	if s.tip() != tip {
		t.Errorf("Tip says %+v, the stream %+v", tip, s.tip())
	}
}

func testHealth(t *testing.T, h Harness) {
	s := fromTip(t, h)
	hashes := must(h.Mine(1))(t)
	s.reaches(hashes[0])
	got := h.Chain().Health()
	if got.Backend == "" || got.Problem != "" || !got.Synced || got.Height != s.tip().Height || got.Target != got.Height {
		t.Errorf("health at %d: %+v", s.tip().Height, got)
	}
}

func testFeeRate(t *testing.T, h Harness) {
	rate, err := h.Chain().FeeRate(t.Context(), 2)
	switch {
	case errors.Is(err, port.ErrNoEstimate):
	case err != nil:
		t.Errorf("FeeRate: %v", err)
	case rate <= 0:
		t.Errorf("FeeRate says %d without an error", rate)
	}
	if _, err := h.Chain().FeeRate(t.Context(), 0); !errors.Is(err, port.ErrNoEstimate) {
		t.Errorf("FeeRate of no target: got %v, want ErrNoEstimate", err)
	}
}

func testDeposit(t *testing.T, h Harness) {
	k := owner(t)
	s := fromTip(t, h, k.PkScript())
	tx := must(h.Fund(k.PkScript(), btc))(t)
	s.sighted(tx, 1)
	if _, early := s.in[tx.TxHash()]; early {
		t.Error("in a block before any was mined")
	}
	hashes := must(h.Mine(1))(t)
	if at := s.confirmed(tx); at.Hash != hashes[0] {
		t.Errorf("confirmed in %s, mined was %s", at.Hash, hashes[0])
	}
	s.reaches(hashes[0])
	if n := s.seen[tx.TxHash()]; n != 1 && !s.blind {
		t.Errorf("seen %d times", n)
	}
}

// testSpend spends to a script nobody watches: what is seen is the spend.
func testSpend(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	tx := sweep(t, k, coin, outsider(t))
	if len(tx.TxOut) != 1 {
		t.Fatalf("sweep has %d outputs", len(tx.TxOut))
	}
	send(t, h, tx)
	s.sighted(tx, 1)
	must(h.Mine(1))(t)
	s.confirmed(tx)
}

func testReplace(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	s := fromTip(t, h, k.PkScript())
	low, high := pay(t, k, coin, outsider(t), btc/2, 5), pay(t, k, coin, outsider(t), btc/2, 50)
	send(t, h, low)
	s.sighted(low, 1)
	if err, can := testAccept(t, h, high); can && err != nil {
		t.Errorf("TestAccept of a replacement: %v", err)
	}
	send(t, h, high)
	s.sighted(high, 1)
	refused(t, h, "Broadcast of what was replaced", offer(t, h, low))
	must(h.Mine(1))(t)
	s.confirmed(high)
	if _, ok := s.in[low.TxHash()]; ok {
		t.Error("both are in the chain")
	}
}

func testBroadcastTwice(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	tx := pay(t, k, coin, outsider(t), btc/2, 10)
	before := tx.TxHash()
	for _, when := range []string{"first", "in the mempool", "still"} {
		if _, err := h.Chain().Broadcast(t.Context(), tx); err != nil {
			t.Errorf("Broadcast %s: %v", when, err)
		}
		if err, can := testAccept(t, h, tx); can && err != nil {
			t.Errorf("TestAccept %s: %v", when, err)
		}
	}
	must(h.Mine(1))(t)
	if blind(h) {
		return // nobody shows what is mined: its backend finds it in the block
	}
	send(t, h, tx)
	// With its outputs spent, a node takes it for one with unknown inputs.
	next := sweep(t, k, coinOf(t, tx, k), k.PkScript())
	send(t, h, next)
	must(h.Mine(1))(t)
	send(t, h, next)
	if _, err := h.Chain().Broadcast(t.Context(), tx); err != nil {
		t.Errorf("Broadcast of a mined transaction: %v", err)
	}
	if tx.TxHash() != before {
		t.Error("Broadcast changed the transaction")
	}
}

func testDoubleSpend(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	send(t, h, pay(t, k, coin, outsider(t), btc/2, 10))
	must(h.Mine(1))(t)
	rival := pay(t, k, coin, outsider(t), btc/3, 500)
	refused(t, h, "Broadcast", offer(t, h, rival))
	if err, can := testAccept(t, h, rival); can {
		refused(t, h, "TestAccept", err)
	}
}

func testInvalid(t *testing.T, h Harness) {
	k := owner(t)
	coin := owned(t, h, k, btc)
	good := pay(t, k, coin, outsider(t), btc/2, 10)
	if err, can := testAccept(t, h, good); can && err != nil {
		t.Errorf("TestAccept of a valid transaction: %v", err)
	}
	unsigned, forged, greedy, free := good.Copy(), good.Copy(), good.Copy(), pay(t, k, coin, outsider(t), btc/2, 0)
	unsigned.TxIn[0].Witness = nil
	forged.TxIn[0].Witness[0][10] ^= 1
	greedy.TxOut[0].Value = 2 * btc
	for what, tx := range map[string]*wire.MsgTx{
		"unsigned": unsigned, "bad signature": forged, "more out than in": greedy, "no fee": free,
	} {
		refused(t, h, "Broadcast, "+what, offer(t, h, tx))
		if err, can := testAccept(t, h, tx); can {
			refused(t, h, "TestAccept, "+what, err)
		}
	}
	if blind(h) {
		return // a peer remembers by its id what it refused, and takes it no more
	}
	send(t, h, good)
}
