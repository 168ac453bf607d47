package devnet

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

// Errors of the miner.
var (
	// ErrDepth is returned for a reorg deeper than the chain.
	ErrDepth = errors.New("chain is not that deep")
	// ErrBlock is returned when the consensus engine refuses a block.
	ErrBlock = errors.New("block refused")
)

// faucetRate is what the faucet pays, in satoshis per vbyte.
const faucetRate = 5

// Mine mines n blocks from the mempool, each paying its coinbase to payTo (to
// the faucet when nil), and returns their hashes, oldest first.
func (d *Devnet) Mine(n int, payTo []byte) ([]chainhash.Hash, error) {
	if payTo == nil {
		payTo = d.key.PkScript()
	}
	var hashes []chainhash.Hash
	for range n {
		hash, err := d.mineOne(payTo)
		if err != nil {
			return hashes, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func (d *Devnet) mineOne(payTo []byte) (chainhash.Hash, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return chainhash.Hash{}, follow.ErrClosed
	}
	t, err := d.template.NewBlockTemplate(nil)
	if err != nil {
		return chainhash.Hash{}, fmt.Errorf("make block template: %w", err)
	}
	d.nonce++
	t.Block.Transactions[0].TxOut[0].PkScript = payTo
	if err := d.template.UpdateExtraNonce(t.Block, t.Height, d.nonce); err != nil {
		return chainhash.Hash{}, fmt.Errorf("set extra nonce: %w", err)
	}
	if err := regtest.Solve(&t.Block.Header); err != nil {
		return chainhash.Hash{}, err
	}
	if err := d.submit(t.Block); err != nil {
		return chainhash.Hash{}, err
	}
	d.chainChanged()
	return t.Block.BlockHash(), nil
}

func (d *Devnet) submit(b *wire.MsgBlock) error {
	_, orphan, err := d.chain.ProcessBlock(btcutil.NewBlock(b), blockchain.BFNone)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBlock, err)
	}
	if orphan {
		return fmt.Errorf("%w: its parent is unknown", ErrBlock)
	}
	return nil
}

// Reorg replaces the last depth blocks by a branch that is one block longer.
// The branch holds only the given transactions, in its first block, in an order
// in which each comes after those it spends from; what the replaced blocks held
// goes back to the mempool where it is still valid. It returns the hashes of
// the branch, oldest first.
func (d *Devnet) Reorg(depth int, txs ...*wire.MsgTx) ([]chainhash.Hash, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, follow.ErrClosed
	}
	height := d.chain.BestSnapshot().Height - int32(depth)
	if depth < 1 || height < 0 {
		return nil, fmt.Errorf("%w: %d blocks", ErrDepth, depth)
	}
	prev, err := d.chain.BlockHashByHeight(height)
	if err != nil {
		return nil, fmt.Errorf("find block %d: %w", height, err)
	}
	var hashes []chainhash.Hash
	parent := *prev
	for range depth + 1 {
		height++
		median, err := d.medianTime(parent)
		if err != nil {
			return nil, err
		}
		d.nonce++
		b, err := regtest.Block(d.params, regtest.Template{
			Prev: parent, Height: height, PayTo: d.key.PkScript(), Txs: txs, ExtraNonce: d.nonce,
			Time: regtest.NextTime(time.Now(), time.Unix(median, 0)),
		})
		if err != nil {
			return nil, fmt.Errorf("build block %d: %w", height, err)
		}
		if err := d.submit(b); err != nil {
			d.chainChanged()
			return nil, err
		}
		txs = nil
		parent = b.BlockHash()
		hashes = append(hashes, parent)
	}
	d.chainChanged()
	return hashes, nil
}

// Fund pays amount satoshis to pkScript from the faucet, through the mempool;
// the next block confirms it. regtest.ErrDry when the faucet is empty: mining
// to it fills it, a hundred blocks later.
func (d *Devnet) Fund(pkScript []byte, amount int64) (*wire.MsgTx, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, follow.ErrClosed
	}
	coins, err := d.spendable()
	if err != nil {
		return nil, err
	}
	tx, err := d.key.Pay(coins, []*wire.TxOut{wire.NewTxOut(amount, pkScript)}, faucetRate)
	if err != nil {
		return nil, err
	}
	if _, err := d.pool.ProcessTransaction(btcutil.NewTx(tx), false, false, 0); err != nil {
		return nil, rejected(err)
	}
	d.poolChanged()
	return tx.Copy(), nil
}

// remember notes outputs that pay the faucet.
func (d *Devnet) remember(tx *wire.MsgTx) {
	for i, out := range tx.TxOut {
		op := wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}
		if bytes.Equal(out.PkScript, d.key.PkScript()) && !d.owned[op] {
			d.owned[op] = true
			d.coins = append(d.coins, op)
		}
	}
}

// spendable returns the faucet's mature and unspent coins, confirmed ones first.
func (d *Devnet) spendable() ([]regtest.Coin, error) {
	next := d.chain.BestSnapshot().Height + 1
	var confirmed, fresh []regtest.Coin
	for _, op := range d.coins {
		if d.pool.CheckSpend(op) != nil {
			continue
		}
		entry, err := d.chain.FetchUtxoEntry(op)
		if err != nil {
			return nil, fmt.Errorf("look up coin: %w", err)
		}
		if entry != nil && !entry.IsSpent() {
			if !entry.IsCoinBase() || next-entry.BlockHeight() >= regtest.Maturity {
				confirmed = append(confirmed, regtest.Coin{OutPoint: op, Amount: entry.Amount()})
			}
			continue
		}
		if tx, err := d.pool.FetchTransaction(&op.Hash); err == nil {
			fresh = append(fresh, regtest.Coin{OutPoint: op, Amount: tx.MsgTx().TxOut[op.Index].Value})
		}
	}
	return append(confirmed, fresh...), nil
}

// Block returns a block of the best chain by hash, for tests and demonstrations.
func (d *Devnet) Block(hash chainhash.Hash) (*wire.MsgBlock, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return nil, follow.ErrClosed
	}
	b, err := d.chain.BlockByHash(&hash)
	if err != nil {
		return nil, fmt.Errorf("read block: %w: %w", port.ErrNotFound, err)
	}
	return b.MsgBlock(), nil
}
