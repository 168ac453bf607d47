package btcd

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/regtest"
)

// ErrStopped is returned by calls to a node that does not run.
var ErrStopped = errors.New("btcd is stopped")

// mineStep is how many blocks one call generates: rpcclient gives up on slow ones.
const mineStep = 50

// faucetRate is what the faucet pays, in satoshis per vbyte.
const faucetRate = 5

// coin is an output of the faucet; height is 0 for one that needs not mature.
type coin struct {
	regtest.Coin
	height int64
}

// Mine mines n blocks from the mempool to the faucet and returns their hashes,
// oldest first.
func (n *Node) Mine(count int) ([]chainhash.Hash, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return nil, ErrStopped
	}
	var hashes []chainhash.Hash
	for count > 0 {
		step := min(count, mineStep)
		got, err := n.rpc.Generate(uint32(step))
		if err != nil {
			return hashes, fmt.Errorf("generate %d blocks: %w", step, err)
		}
		for _, h := range got {
			hashes = append(hashes, *h)
			if err := n.remember(h); err != nil {
				return hashes, err
			}
		}
		count -= step
	}
	return hashes, nil
}

// remember notes the coinbase of a block of our own.
func (n *Node) remember(hash *chainhash.Hash) error {
	b, err := n.rpc.GetBlock(hash)
	if err != nil {
		return fmt.Errorf("get block: %w", err)
	}
	coinbase := b.Transactions[0]
	height, err := n.rpc.GetBlockVerbose(hash)
	if err != nil {
		return fmt.Errorf("get height of block: %w", err)
	}
	n.coins = append(n.coins, coin{regtest.Coin{
		OutPoint: wire.OutPoint{Hash: coinbase.TxHash()}, Amount: coinbase.TxOut[0].Value,
	}, height.Height})
	return nil
}

// Fund pays amount satoshis to pkScript from the faucet, through the mempool;
// the next block confirms it. regtest.ErrDry when the faucet is empty.
func (n *Node) Fund(pkScript []byte, amount int64) (*wire.MsgTx, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return nil, ErrStopped
	}
	tip, err := n.rpc.GetBlockCount()
	if err != nil {
		return nil, fmt.Errorf("get height: %w", err)
	}
	var coins []regtest.Coin
	have := int64(0)
	// What a reorg took away is not in the set of unspent outputs any more.
	n.coins = slices.DeleteFunc(n.coins, func(c coin) bool {
		if err != nil || have > 2*amount || (c.height > 0 && tip+1-c.height < regtest.Maturity) {
			return false
		}
		out, lookErr := n.rpc.GetTxOut(&c.OutPoint.Hash, c.OutPoint.Index, true)
		if lookErr != nil {
			err = fmt.Errorf("look up coin: %w", lookErr)
			return false
		}
		if out == nil {
			return true
		}
		coins = append(coins, c.Coin)
		have += c.Amount
		return false
	})
	if err != nil {
		return nil, err
	}
	tx, err := n.key.Pay(coins, []*wire.TxOut{wire.NewTxOut(amount, pkScript)}, faucetRate)
	if err != nil {
		return nil, err
	}
	if _, err := n.rpc.SendRawTransaction(tx, true); err != nil {
		return nil, fmt.Errorf("send payment of the faucet: %w", err)
	}
	n.spent(tx)
	return tx, nil
}

// spent takes the inputs of a payment out of the faucet and puts its change in.
func (n *Node) spent(tx *wire.MsgTx) {
	n.coins = slices.DeleteFunc(n.coins, func(c coin) bool {
		return slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool { return in.PreviousOutPoint == c.OutPoint })
	})
	for i, out := range tx.TxOut {
		if i > 0 && bytes.Equal(out.PkScript, n.key.PkScript()) {
			n.coins = append(n.coins, coin{regtest.Coin{
				OutPoint: wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}, Amount: out.Value,
			}, 0})
		}
	}
}

// Reorg replaces the last depth blocks by a branch that is one block longer
// and holds only the given transactions, in its first block. It returns the
// hashes of the branch, oldest first.
func (n *Node) Reorg(depth int, txs ...*wire.MsgTx) ([]chainhash.Hash, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return nil, ErrStopped
	}
	tip, err := n.rpc.GetBlockCount()
	if err != nil {
		return nil, fmt.Errorf("get height: %w", err)
	}
	height := int32(tip) - int32(depth)
	prev, err := n.rpc.GetBlockHash(int64(height))
	if err != nil {
		return nil, fmt.Errorf("find block %d: %w", height, err)
	}
	times, err := n.times(prev)
	if err != nil {
		return nil, err
	}
	parent := *prev
	var hashes []chainhash.Hash
	for range depth + 1 {
		height++
		n.nonce++
		b, err := regtest.Block(regtest.Params(), regtest.Template{
			Prev: parent, Height: height, PayTo: n.key.PkScript(), Txs: txs, ExtraNonce: n.nonce,
			Time: regtest.NextTime(time.Now(), time.Unix(median(times), 0)),
		})
		if err != nil {
			return nil, fmt.Errorf("build block %d: %w", height, err)
		}
		if err := n.rpc.SubmitBlock(btcutil.NewBlock(b), nil); err != nil {
			return nil, fmt.Errorf("submit block %d: %w", height, err)
		}
		txs = nil
		parent = b.BlockHash()
		hashes = append(hashes, parent)
		times = append(times, b.Header.Timestamp.Unix())
		n.coins = append(n.coins, coin{regtest.Coin{
			OutPoint: wire.OutPoint{Hash: b.Transactions[0].TxHash()}, Amount: b.Transactions[0].TxOut[0].Value,
		}, int64(height)})
	}
	return hashes, nil
}

// times returns those of the last eleven blocks up to a hash, oldest first.
func (n *Node) times(hash *chainhash.Hash) ([]int64, error) {
	var times []int64
	for len(times) < 11 && *hash != (chainhash.Hash{}) {
		h, err := n.rpc.GetBlockHeader(hash)
		if err != nil {
			return nil, fmt.Errorf("get header: %w", err)
		}
		times = append(times, h.Timestamp.Unix())
		hash = &h.PrevBlock
	}
	slices.Reverse(times)
	return times, nil
}

// median is that of the last eleven times.
func median(times []int64) int64 {
	last := slices.Clone(times[max(0, len(times)-11):])
	slices.Sort(last)
	return last[len(last)/2]
}

// Send hands a transaction to the node; nil when it has it already.
func (n *Node) Send(tx *wire.MsgTx) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return ErrStopped
	}
	if _, err := n.rpc.SendRawTransaction(tx, true); err != nil && !strings.Contains(err.Error(), "already have transaction") {
		return fmt.Errorf("send transaction: %w", err)
	}
	return nil
}

// Block returns a block, of the best chain or not.
func (n *Node) Block(hash chainhash.Hash) (*wire.MsgBlock, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return nil, ErrStopped
	}
	b, err := n.rpc.GetBlock(&hash)
	if err != nil {
		return nil, fmt.Errorf("get block: %w", err)
	}
	return b, nil
}

// Height returns that of the tip.
func (n *Node) Height() (int32, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return 0, ErrStopped
	}
	h, err := n.rpc.GetBlockCount()
	if err != nil {
		return 0, fmt.Errorf("get height: %w", err)
	}
	return int32(h), nil
}

// FaucetScript returns the script of the faucet.
func (n *Node) FaucetScript() []byte { return n.key.PkScript() }

// Mempool returns the ids of what is in it.
func (n *Node) Mempool() ([]chainhash.Hash, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rpc == nil {
		return nil, ErrStopped
	}
	ids, err := n.rpc.GetRawMempool()
	if err != nil {
		return nil, fmt.Errorf("list the mempool: %w", err)
	}
	out := make([]chainhash.Hash, len(ids))
	for i, id := range ids {
		out[i] = *id
	}
	return out, nil
}
