package regtest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// ErrUnsolved is returned when no nonce meets the target: it is not that of regtest.
var ErrUnsolved = errors.New("no nonce solves the block")

// Template is what a block is made from.
type Template struct {
	Prev   chainhash.Hash
	Height int32
	// Time must be after the median time of the previous eleven blocks.
	Time time.Time
	// PayTo gets subsidy and fees.
	PayTo []byte
	Fees  int64
	// Txs are in an order in which each comes after those it spends from.
	Txs []*wire.MsgTx
	// ExtraNonce makes a block differ from another of the same template.
	ExtraNonce uint64
}

// Block builds and solves the block of a template under regtest's target.
func Block(params *chaincfg.Params, t Template) (*wire.MsgBlock, error) {
	script, err := txscript.NewScriptBuilder().AddInt64(int64(t.Height)).AddInt64(int64(t.ExtraNonce & math.MaxInt64)).Script()
	if err != nil {
		return nil, fmt.Errorf("build coinbase script: %w", err)
	}
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Index: math.MaxUint32},
		SignatureScript:  script,
		Sequence:         wire.MaxTxInSequenceNum,
	})
	coinbase.AddTxOut(wire.NewTxOut(blockchain.CalcBlockSubsidy(t.Height, params)+t.Fees, t.PayTo))

	txs := []*btcutil.Tx{btcutil.NewTx(coinbase)}
	witness := false
	for _, tx := range t.Txs {
		txs = append(txs, btcutil.NewTx(tx))
		witness = witness || tx.HasWitness()
	}
	if witness {
		mining.AddWitnessCommitment(txs[0], txs)
		// The commitment is an output: the coinbase has another hash now.
		txs[0] = btcutil.NewTx(coinbase)
	}
	b := &wire.MsgBlock{Header: wire.BlockHeader{
		Version:    0x20000000,
		PrevBlock:  t.Prev,
		MerkleRoot: blockchain.CalcMerkleRoot(txs, false),
		Timestamp:  time.Unix(t.Time.Unix(), 0),
		Bits:       params.PowLimitBits,
	}}
	for _, tx := range txs {
		b.Transactions = append(b.Transactions, tx.MsgTx())
	}
	return b, Solve(&b.Header)
}

// Solve finds a nonce with which the header meets its own target. It is meant
// for regtest, where every second nonce does.
func Solve(h *wire.BlockHeader) error {
	target := blockchain.CompactToBig(h.Bits)
	for nonce := range uint32(1 << 12) {
		h.Nonce = nonce
		hash := h.BlockHash()
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return nil
		}
	}
	return ErrUnsolved
}

// NextTime returns a time for the next block: now, or a second after the
// median time past where that is later.
func NextTime(now, medianTime time.Time) time.Time {
	if earliest := medianTime.Add(time.Second); now.Before(earliest) {
		return earliest
	}
	return now
}
