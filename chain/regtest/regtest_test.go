package regtest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
)

// TestPay runs payments through the script engine and holds their fee against
// the rate.
func TestPay(t *testing.T) {
	k, err := regtest.NewKey("a")
	if err != nil {
		t.Fatal(err)
	}
	coins := []regtest.Coin{{OutPoint: wire.OutPoint{Index: 1}, Amount: 50_000}, {OutPoint: wire.OutPoint{Index: 2}, Amount: 70_000}, {OutPoint: wire.OutPoint{Index: 3}, Amount: 1}}
	fetch := txscript.NewMultiPrevOutFetcher(nil)
	for _, c := range coins {
		fetch.AddPrevOut(c.OutPoint, wire.NewTxOut(c.Amount, k.PkScript()))
	}
	for _, amount := range []int64{10_000, 48_000, 49_500, 60_000, 115_000} {
		tx, err := k.Pay(coins, []*wire.TxOut{wire.NewTxOut(amount, []byte{0x51})}, 5)
		if err != nil {
			t.Fatalf("pay %d: %v", amount, err)
		}
		in, out := int64(0), int64(0)
		hashes := txscript.NewTxSigHashes(tx, fetch)
		for i, txIn := range tx.TxIn {
			prev := fetch.FetchPrevOutput(txIn.PreviousOutPoint)
			in += prev.Value
			vm, err := txscript.NewEngine(prev.PkScript, tx, i, txscript.StandardVerifyFlags, nil, hashes, prev.Value, fetch)
			if err != nil {
				t.Fatal(err)
			}
			if err := vm.Execute(); err != nil {
				t.Errorf("pay %d: input %d: %v", amount, i, err)
			}
		}
		for _, o := range tx.TxOut {
			out += o.Value
		}
		vsize := (blockchain.GetTransactionWeight(btcutil.NewTx(tx)) + 3) / 4
		if fee := in - out; fee < 5*vsize || fee > 5*vsize+600 {
			t.Errorf("pay %d: fee is %d for %d vbytes", amount, fee, vsize)
		}
	}
	if _, err := k.Pay(coins, []*wire.TxOut{wire.NewTxOut(120_000, []byte{0x51})}, 5); !errors.Is(err, regtest.ErrDry) {
		t.Errorf("got %v, want ErrDry", err)
	}
	if _, err := k.Pay(nil, nil, 0); !errors.Is(err, regtest.ErrDry) {
		t.Errorf("pay from nothing: got %v, want ErrDry", err)
	}
}

func TestKeysDiffer(t *testing.T) {
	a, errA := regtest.NewKey("a")
	b, errB := regtest.NewKey("b")
	again, errAgain := regtest.NewKey("a")
	if err := errors.Join(errA, errB, errAgain); err != nil {
		t.Fatal(err)
	}
	if a.Address() == b.Address() || a.Address() != again.Address() {
		t.Errorf("addresses %s, %s and %s", a.Address(), b.Address(), again.Address())
	}
}

// TestBlock holds a block with a witness against the consensus rules that need
// no chain.
func TestBlock(t *testing.T) {
	k, err := regtest.NewKey("a")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := k.Pay([]regtest.Coin{{Amount: 50_000, OutPoint: wire.OutPoint{Hash: [32]byte{1}}}}, []*wire.TxOut{wire.NewTxOut(10_000, []byte{0x51})}, 5)
	if err != nil {
		t.Fatal(err)
	}
	params := regtest.Params()
	for _, txs := range [][]*wire.MsgTx{nil, {tx}} {
		seen := map[[32]byte]bool{}
		for nonce := range uint64(3) {
			b, err := regtest.Block(params, regtest.Template{Height: 7, Time: time.Now(), PayTo: k.PkScript(), Txs: txs, ExtraNonce: nonce, Fees: 3})
			if err != nil {
				t.Fatal(err)
			}
			block := btcutil.NewBlock(b)
			if err := blockchain.CheckBlockSanity(block, params.PowLimit, blockchain.NewMedianTime()); err != nil {
				t.Error(err)
			}
			if err := blockchain.ValidateWitnessCommitment(block); err != nil {
				t.Error(err)
			}
			if got := b.Transactions[0].TxOut[0].Value; got != 50*1e8+3 {
				t.Errorf("coinbase pays %d", got)
			}
			seen[b.BlockHash()] = true
		}
		if len(seen) != 3 {
			t.Errorf("%d different blocks of 3 extra nonces", len(seen))
		}
	}
	hard := &wire.BlockHeader{Bits: 0x03000001}
	if err := regtest.Solve(hard); !errors.Is(err, regtest.ErrUnsolved) {
		t.Errorf("got %v, want ErrUnsolved", err)
	}
}

func TestNextTime(t *testing.T) {
	now := time.Unix(1_000, 0)
	if got := regtest.NextTime(now, time.Unix(900, 0)); !got.Equal(now) {
		t.Errorf("got %v, want now", got)
	}
	if got := regtest.NextTime(now, time.Unix(1_000, 0)); got.Unix() != 1_001 {
		t.Errorf("got %v, want a second after the median", got)
	}
}

// TestParamsAreCopies: the engine writes into the deployments.
func TestParamsAreCopies(t *testing.T) {
	a, b := regtest.Params(), regtest.Params()
	for i := range a.Deployments {
		if a.Deployments[i].DeploymentStarter == b.Deployments[i].DeploymentStarter {
			t.Errorf("deployment %d is shared", i)
		}
	}
}
