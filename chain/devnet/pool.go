package devnet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Broadcast puts a transaction into the mempool under btcd's standardness
// rules. nil when it is or was there, or in a block; ErrTxRejected otherwise.
func (d *Devnet) Broadcast(ctx context.Context, tx *wire.MsgTx) (port.Reach, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(ctx); err != nil {
		return "", err
	}
	if d.has(tx.TxHash()) {
		return port.ReachNode, nil
	}
	// The mempool keeps what it gets: it gets its own copy.
	if _, err := d.pool.ProcessTransaction(btcutil.NewTx(tx.Copy()), false, false, 0); err != nil {
		return "", rejected(err)
	}
	d.poolChanged()
	return port.ReachNode, nil
}

// TestAccept says whether Broadcast would take the transaction.
func (d *Devnet) TestAccept(ctx context.Context, tx *wire.MsgTx) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return err
	}
	if d.has(tx.TxHash()) {
		return nil
	}
	r, err := d.pool.CheckMempoolAcceptance(btcutil.NewTx(tx.Copy()))
	if err != nil {
		return rejected(err)
	}
	if len(r.MissingParents) > 0 {
		return fmt.Errorf("%w: an input is unknown or spent", port.ErrTxRejected)
	}
	return nil
}

// Evict drops a transaction and what spends from it from the mempool, as a node
// does that runs out of room, or after two weeks.
func (d *Devnet) Evict(tx *wire.MsgTx) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(context.Background()); err != nil {
		return err
	}
	d.pool.RemoveTransaction(btcutil.NewTx(tx), true)
	d.poolChanged()
	return nil
}

func (d *Devnet) has(id chainhash.Hash) bool {
	_, mined := d.mined[id]
	return mined || d.pool.IsTransactionInPool(&id)
}

func rejected(err error) error {
	var rule mempool.RuleError
	if errors.As(err, &rule) {
		return fmt.Errorf("%w: %s", port.ErrTxRejected, rule.Error())
	}
	return fmt.Errorf("check transaction: %w", err)
}

// FeeRate estimates from what this network has seen so far, or returns ErrNoEstimate.
func (d *Devnet) FeeRate(ctx context.Context, target int) (wallet.FeeRate, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.ready(ctx); err != nil {
		return 0, err
	}
	if target < 1 || target > math.MaxInt16 {
		return 0, fmt.Errorf("%w: %d blocks is no target", port.ErrNoEstimate, target)
	}
	perKB, err := d.fees.EstimateFee(uint32(target))
	if err != nil || perKB <= 0 {
		return 0, port.ErrNoEstimate
	}
	return wallet.FeeRate(math.Round(float64(perKB) * btcutil.SatoshiPerBitcoin)), nil
}

// onChain is called by the consensus engine, with d.mu held by whoever changes the chain.
func (d *Devnet) onChain(n *blockchain.Notification) {
	block, ok := n.Data.(*btcutil.Block)
	if !ok {
		return
	}
	switch n.Type {
	case blockchain.NTBlockConnected:
		d.moved = append(d.moved, moved{block: block})
	case blockchain.NTBlockDisconnected:
		d.moved = append(d.moved, moved{block: block, gone: true})
	}
}

// chainChanged brings mempool, faucet and fee estimates up to date with the
// blocks that moved, and wakes the followers.
func (d *Devnet) chainChanged() {
	var orphaned [][]*btcutil.Tx
	for _, m := range d.moved {
		txs := m.block.Transactions()
		if m.gone {
			orphaned = append(orphaned, txs[1:])
			for _, tx := range txs {
				delete(d.mined, *tx.Hash())
			}
			continue
		}
		for i, tx := range txs {
			d.mined[*tx.Hash()] = m.block.Height()
			d.remember(tx.MsgTx())
			if i > 0 {
				d.pool.RemoveTransaction(tx, false)
				d.pool.RemoveDoubleSpends(tx)
			}
		}
		if err := d.fees.RegisterBlock(m.block); err != nil {
			d.log.Debug("fee estimator refused a block", "err", err)
		}
	}
	d.moved = nil
	if len(orphaned) > 0 {
		slices.Reverse(orphaned)
		d.refill(slices.Concat(orphaned...))
	}
	d.poolChanged()
}

// refill puts the transactions of disconnected blocks back and drops what a
// reorg made invalid, by letting everything into a new mempool.
func (d *Devnet) refill(returned []*btcutil.Tx) {
	waiting := returned
	for _, a := range d.arrivals {
		tx := btcutil.NewTx(a.tx)
		if d.pool.IsTransactionInPool(tx.Hash()) {
			waiting = append(waiting, tx)
		}
	}
	// The fee estimator starts anew too: it cannot take back more than two blocks.
	d.startPool()
	for _, tx := range waiting {
		if _, mined := d.mined[*tx.Hash()]; mined {
			continue
		}
		// Parents come first in both lists, so one pass is enough.
		if _, _, err := d.pool.MaybeAcceptTransaction(tx, false, false); err != nil {
			d.log.Debug("transaction left the mempool in a reorg", "txid", tx.Hash(), "err", err)
		}
	}
}

// poolChanged numbers new transactions, forgets those gone, and wakes the followers.
func (d *Devnet) poolChanged() {
	known := map[chainhash.Hash]struct{}{}
	d.arrivals = slices.DeleteFunc(d.arrivals, func(a arrival) bool {
		id := a.tx.TxHash()
		if !d.pool.IsTransactionInPool(&id) {
			return true
		}
		known[id] = struct{}{}
		return false
	})
	descs := d.pool.TxDescs()
	slices.SortStableFunc(descs, func(a, b *mempool.TxDesc) int { return a.Added.Compare(b.Added) })
	for _, desc := range descs {
		if _, ok := known[*desc.Tx.Hash()]; ok {
			continue
		}
		d.arrived++
		d.arrivals = append(d.arrivals, arrival{d.arrived, desc.Tx.MsgTx()})
		d.remember(desc.Tx.MsgTx())
	}
	close(d.changed)
	d.changed = make(chan struct{})
}
