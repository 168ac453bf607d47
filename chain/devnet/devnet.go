// Package devnet is a regtest Bitcoin network inside this process: btcd's own
// consensus engine, mempool and block templates, with a miner and a faucet. Any
// number of nodes of one process can share it.
package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/chain/regtest"
	"github.com/quorate/quorate/coordinator/port"
)

// Premined is how many blocks New mines to the faucet, so that twenty
// coinbases of 50 BTC are mature from the start.
const Premined = regtest.Maturity + 20

// Devnet is a chain of its own. It implements port.Chain and is safe
// for concurrent use.
type Devnet struct {
	log    *slog.Logger
	dir    string
	params *chaincfg.Params
	db     database.DB
	key    *regtest.Key
	set    follow.Set

	clock  blockchain.MedianTimeSource
	sigs   *txscript.SigCache
	hashes *txscript.HashCache

	// mu serializes what changes chain and mempool, so that readers never see
	// the middle of a reorg.
	mu       sync.RWMutex
	closed   bool
	chain    *blockchain.BlockChain
	pool     *mempool.TxPool
	fees     *mempool.FeeEstimator
	template *mining.BlkTmplGenerator
	moved    []moved
	mined    map[chainhash.Hash]int32 // txid to height, best chain only
	coins    []wire.OutPoint          // outputs that ever paid the faucet, each once
	owned    map[wire.OutPoint]bool   // the same, to look up
	arrivals []arrival
	arrived  uint64
	nonce    uint64
	begun    time.Time
	changed  chan struct{}
}

var _ port.Chain = (*Devnet)(nil)

// moved is a block that entered or left the best chain.
type moved struct {
	block *btcutil.Block
	gone  bool
}

// New starts a network whose faucet owns mature coins. Its blocks are in a
// temporary folder that Close removes.
func New(log *slog.Logger) (*Devnet, error) {
	dir, err := os.MkdirTemp("", "quorate-devnet-")
	if err != nil {
		return nil, fmt.Errorf("create folder for blocks: %w", err)
	}
	d := &Devnet{
		log: log, dir: dir, params: regtest.Params(),
		mined: map[chainhash.Hash]int32{}, owned: map[wire.OutPoint]bool{}, changed: make(chan struct{}),
		begun: time.Now(),
	}
	if err := d.open(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if _, err := d.Mine(Premined, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("mine the faucet's coins: %w", err), d.Close())
	}
	return d, nil
}

func (d *Devnet) open() (err error) {
	if d.key, err = regtest.NewKey("faucet"); err != nil {
		return fmt.Errorf("make the faucet's key: %w", err)
	}
	if d.db, err = database.Create("ffldb", d.dir+"/blocks", d.params.Net); err != nil {
		return fmt.Errorf("create block database: %w", err)
	}
	sigs, hashes := txscript.NewSigCache(50_000), txscript.NewHashCache(10_000)
	clock := blockchain.NewMedianTime()
	d.chain, err = blockchain.New(&blockchain.Config{
		DB: d.db, ChainParams: d.params, TimeSource: clock, SigCache: sigs, HashCache: hashes,
		UtxoCacheMaxSize: 32 << 20,
	})
	if err != nil {
		return fmt.Errorf("start consensus engine: %w", err)
	}
	d.chain.Subscribe(d.onChain)
	d.clock, d.sigs, d.hashes = clock, sigs, hashes
	d.startPool()
	return nil
}

// startPool starts an empty mempool, with what hangs on it.
func (d *Devnet) startPool() {
	d.fees = mempool.NewFeeEstimator(mempool.DefaultEstimateFeeMaxRollback, mempool.DefaultEstimateFeeMinRegisteredBlocks)
	d.pool = mempool.New(&mempool.Config{
		Policy: mempool.Policy{
			MaxTxVersion: 2, DisableRelayPriority: true,
			MaxOrphanTxs: 100, MaxOrphanTxSize: 100_000,
			MaxSigOpCostPerTx: blockchain.MaxBlockSigOpsCost / 4,
			MinRelayTxFee:     mempool.DefaultMinRelayTxFee,
		},
		ChainParams:    d.params,
		FetchUtxoView:  d.chain.FetchUtxoView,
		BestHeight:     func() int32 { return d.chain.BestSnapshot().Height },
		MedianTimePast: func() time.Time { return d.chain.BestSnapshot().MedianTime },
		CalcSequenceLock: func(tx *btcutil.Tx, view *blockchain.UtxoViewpoint) (*blockchain.SequenceLock, error) {
			return d.chain.CalcSequenceLock(tx, view, true)
		},
		IsDeploymentActive: d.chain.IsDeploymentActive,
		SigCache:           d.sigs, HashCache: d.hashes, FeeEstimator: d.fees,
	})
	d.template = mining.NewBlkTmplGenerator(&mining.Policy{
		BlockMaxWeight: blockchain.MaxBlockWeight - 4_000,
		BlockMaxSize:   blockchain.MaxBlockBaseSize - 1_000,
		TxMinFreeFee:   mempool.DefaultMinRelayTxFee,
	}, d.params, d.pool, d.chain, d.clock, d.sigs, d.hashes)
}

// Close ends every follower, stops the network and removes its blocks.
func (d *Devnet) Close() error {
	d.set.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var err error
	if d.db != nil {
		err = d.db.Close()
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// Follow streams the chain; see port.Chain.
func (d *Devnet) Follow(ctx context.Context, known []port.BlockRef, from int32, scripts [][]byte) (port.Follower, error) {
	return d.set.Start(ctx, source{d}, follow.Options{
		Known: known, From: from, Scripts: scripts,
		Retry: 20 * time.Millisecond, RetryMax: time.Second,
		// What leaves this mempool is not about to come back.
		Grace: 50 * time.Millisecond,
		Report: func(err error) {
			if err != nil {
				d.log.Debug("devnet follower waits", "err", err)
			}
		},
	})
}

// FaucetScript returns the script of the faucet; what is paid to it can be
// given out again.
func (d *Devnet) FaucetScript() []byte { return d.key.PkScript() }
