package core

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// lookBack is how many of the last blocks are searched for a transaction that
// the node does not want because its inputs are spent: perhaps by itself.
const lookBack = 10

// anyFee turns the nodes' own fee cap off: ours has been checked, and a human
// may have overridden it by name.
const anyFee = 0

// Broadcast hands a transaction to the node. nil when the node has it, or a
// recent block does; ErrTxRejected with the node's reason when it refuses.
func (b *Backend) Broadcast(ctx context.Context, tx *wire.MsgTx) (port.Reach, error) {
	if err := b.send(ctx, tx); err != nil {
		return "", err
	}
	return port.ReachNode, nil
}

func (b *Backend) send(ctx context.Context, tx *wire.MsgTx) error {
	text, err := encodeTx(tx)
	if err != nil {
		return err
	}
	var id string
	err = b.rpc.call(ctx, &id, "sendrawtransaction", text, anyFee)
	switch {
	case err == nil:
		b.hurry()
		return nil
	case rpcCode(err) == 0:
		return fmt.Errorf("send transaction: %w", err)
	case rpcCode(err) == codeInChain, isKnown(err.Error()):
		return nil
	}
	return b.refused(ctx, tx, err.Error())
}

// TestAccept asks whether the node's mempool would take the transaction.
// ErrUnsupported when the node has no such call.
func (b *Backend) TestAccept(ctx context.Context, tx *wire.MsgTx) error {
	text, err := encodeTx(tx)
	if err != nil {
		return err
	}
	var results []struct {
		Allowed bool   `json:"allowed"`
		Reason  string `json:"reject-reason"`
	}
	err = b.rpc.call(ctx, &results, "testmempoolaccept", []string{text}, anyFee)
	switch {
	case rpcCode(err) == codeMethodNotFound:
		return port.ErrUnsupported
	case rpcCode(err) != 0:
		return fmt.Errorf("%w: %w", port.ErrTxRejected, err)
	case err != nil:
		return fmt.Errorf("test transaction: %w", err)
	case len(results) != 1:
		return fmt.Errorf("%w: no result for the transaction", ErrGarbage)
	case results[0].Allowed, isKnown(results[0].Reason):
		return nil
	}
	return b.refused(ctx, tx, results[0].Reason)
}

// refused returns ErrTxRejected, unless the transaction is refused because it
// is mined already.
func (b *Backend) refused(ctx context.Context, tx *wire.MsgTx, reason string) error {
	if isMissing(reason) {
		mined, err := b.minedLately(ctx, tx.TxHash())
		if err != nil {
			return fmt.Errorf("look for the transaction in recent blocks: %w", err)
		}
		if mined {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", port.ErrTxRejected, follow.OneLine(reason))
}

// isKnown recognizes "I have it already" in the words of both nodes.
func isKnown(reason string) bool {
	for _, s := range []string{
		"txn-already-in-mempool", "txn-already-known", "txn-same-nonwitness-data-in-mempool",
		"already in block chain", "already in utxo set", "already have transaction", "transaction already exists",
	} {
		if strings.Contains(reason, s) {
			return true
		}
	}
	return false
}

// isMissing recognizes "inputs unknown or spent" in the words of both nodes.
func isMissing(reason string) bool {
	for _, s := range []string{"missing-inputs", "missingorspent", "Missing inputs", "orphan transaction"} {
		if strings.Contains(reason, s) {
			return true
		}
	}
	return false
}

// minedLately looks for a transaction in the last blocks.
func (b *Backend) minedLately(ctx context.Context, id chainhash.Hash) (bool, error) {
	tip, err := b.Tip(ctx)
	if err != nil {
		return false, err
	}
	hash := tip.Hash
	for height := tip.Height; height > max(0, tip.Height-lookBack); height-- {
		block, err := source{b}.Block(ctx, hash, height)
		if errors.Is(err, ErrPruned) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, tx := range block.Txs {
			if tx.TxHash() == id {
				return true, nil
			}
		}
		hash = block.Prev
	}
	return false, nil
}

// FeeRate asks for an estimate in the way of Bitcoin Core, else of btcd.
// ErrNoEstimate when the node has none.
func (b *Backend) FeeRate(ctx context.Context, target int) (wallet.FeeRate, error) {
	if target < 1 || target > math.MaxInt16 {
		return 0, fmt.Errorf("%w: %d blocks is no target", port.ErrNoEstimate, target)
	}
	var smart struct {
		FeeRate float64 `json:"feerate"` // BTC per 1000 vbytes
	}
	err := b.rpc.call(ctx, &smart, "estimatesmartfee", min(target, 1008))
	if rpcCode(err) != 0 {
		// btcd knows the call's name but does not have it.
		err = b.rpc.call(ctx, &smart.FeeRate, "estimatefee", min(target, 25))
	}
	switch {
	case rpcCode(err) != 0:
		return 0, port.ErrNoEstimate
	case err != nil:
		return 0, fmt.Errorf("ask for a fee estimate: %w", err)
	}
	rate := math.Round(smart.FeeRate * btcutil.SatoshiPerBitcoin)
	if !(rate > 0 && rate <= btcutil.MaxSatoshi) {
		return 0, port.ErrNoEstimate
	}
	return wallet.FeeRate(rate), nil
}

func encodeTx(tx *wire.MsgTx) (string, error) {
	var buf bytes.Buffer
	if err := tx.Serialize(&buf); err != nil {
		return "", fmt.Errorf("encode transaction: %w", err)
	}
	return hex.EncodeToString(buf.Bytes()), nil
}
