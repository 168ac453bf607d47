package neutrino

import (
	"errors"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet"
)

// blockPaying is a block whose miner got so much beyond the subsidy, with transactions of
// so many bytes besides.
func blockPaying(height int32, fees int64, bytes int) *wire.MsgBlock {
	coinbase := wire.NewMsgTx(2)
	coinbase.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}})
	coinbase.AddTxOut(wire.NewTxOut(blockchain.CalcBlockSubsidy(height, &chaincfg.MainNetParams)+fees, make([]byte, 22)))
	b := &wire.MsgBlock{Transactions: []*wire.MsgTx{coinbase}}
	for bytes > 0 {
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(&wire.TxIn{})
		tx.AddTxOut(wire.NewTxOut(1, make([]byte, 100_000-tx.SerializeSize()-13)))
		bytes -= tx.SerializeSize()
		b.Transactions = append(b.Transactions, tx)
	}
	return b
}

func TestPaidIn(t *testing.T) {
	for name, x := range map[string]struct {
		fees  int64
		bytes int
		want  wallet.FeeRate
		none  bool
	}{
		"12 sat a byte":        {12 * 900_000, 900_000, 12_000, false},
		"a block with room":    {12 * 300_000, 300_000, 1_000, false},
		"an empty block":       {0, 0, 1_000, false},
		"less than the floor":  {900_000 / 2, 900_000, 1_000, false},
		"a lie of its miner":   {20_000_000_000_000, 900_000, 500_000, false},
		"less than it may":     {-1, 900_000, 0, true},
		"more than there is":   {21_000_001 * 100_000_000, 900_000, 0, true},
		"a negative sum of it": {-9_000_000_000_000_000, 900_000, 0, true},
	} {
		got, err := paidIn(blockPaying(840_000, x.fees, x.bytes), 840_000, &chaincfg.MainNetParams)
		if errors.Is(err, errNoFees) != x.none || got < x.want-x.want/50 || got > x.want+x.want/50 {
			t.Errorf("%s: %v, %v, want %v", name, got, err, x.want)
		}
	}
	if _, err := paidIn(&wire.MsgBlock{}, 1, &chaincfg.MainNetParams); !errors.Is(err, errNoFees) {
		t.Errorf("a block without transactions: %v", err)
	}
}

func TestEstimate(t *testing.T) {
	paid := []wallet.FeeRate{9_000, 2_000, 5_000}
	for target, want := range map[int]wallet.FeeRate{1: 9_000, 2: 9_000, 3: 5_000, 6: 5_000, 7: 2_000, 144: 2_000} {
		if got := estimate(append([]wallet.FeeRate{}, paid...), target); got != want {
			t.Errorf("%d blocks: %v, want %v", target, got, want)
		}
	}
}
