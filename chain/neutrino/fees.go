package neutrino

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Bounds of what is estimated from blocks.
const (
	// feeBlocks is how many blocks are looked at, the last ones: up to 12 MB of traffic.
	feeBlocks = 3
	// leastPaid is taken where blocks have room: whatever nodes relay gets in. mostPaid is
	// more than was ever paid for long.
	leastPaid = wallet.FeeRate(1_000)
	mostPaid  = wallet.FeeRate(500_000)
	// fullAt is from which share of its greatest weight on a block is taken for full: half.
	fullAt = blockchain.MaxBlockWeight / 2
)

// errNoFees is returned for a block of which nobody can say what was paid in it.
var errNoFees = errors.New("the block does not say what was paid in it")

// paidIn returns what the transactions of a block paid on average: its first one is paid the
// subsidy and all fees.
func paidIn(b *wire.MsgBlock, height int32, params *chaincfg.Params) (wallet.FeeRate, error) {
	if len(b.Transactions) == 0 {
		return 0, errNoFees
	}
	block := btcutil.NewBlock(b)
	weight := blockchain.GetBlockWeight(block)
	if weight < fullAt || len(b.Transactions) == 1 {
		return leastPaid, nil
	}
	fees := -blockchain.CalcBlockSubsidy(height, params)
	for _, o := range b.Transactions[0].TxOut {
		if o.Value < 0 || o.Value > btcutil.MaxSatoshi {
			return 0, errNoFees
		}
		fees += o.Value
	}
	size := (weight - blockchain.GetTransactionWeight(btcutil.NewTx(b.Transactions[0])) + 3) / 4
	if fees < 0 || fees > btcutil.MaxSatoshi || size <= 0 {
		return 0, errNoFees // its miner took less than it might
	}
	return min(max(wallet.FeeRate(fees*1000/size), leastPaid), mostPaid), nil
}

// estimate is what a transaction should pay to be in one of the next blocks, of what was
// paid in the last ones: the most for the next two, the least for more than six.
func estimate(paid []wallet.FeeRate, target int) wallet.FeeRate {
	slices.Sort(paid)
	switch {
	case target <= 2:
		return paid[len(paid)-1]
	case target <= 6:
		return paid[len(paid)/2]
	}
	return paid[0]
}

// FeeRate estimates from what was paid in the last blocks, since a light client does not see
// what waits. It says nothing where it is behind, or no peer serves a block.
func (b *Backend) FeeRate(ctx context.Context, target int) (wallet.FeeRate, error) {
	if target < 1 || !b.current() {
		return 0, port.ErrNoEstimate
	}
	tip, _, err := b.tip()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", port.ErrNoEstimate, err)
	}
	paid, err := b.paid(ctx, tip)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", port.ErrNoEstimate, err)
	}
	return estimate(slices.Clone(paid), target), nil
}

// paid is what was paid in the last blocks. It is asked for once for each tip.
func (b *Backend) paid(ctx context.Context, tip port.BlockRef) ([]wallet.FeeRate, error) {
	b.mu.Lock()
	known, of := b.paidLast, b.paidAt
	b.mu.Unlock()
	if of == tip.Hash && len(known) > 0 {
		return known, nil
	}
	s := source{b}
	var out []wallet.FeeRate
	for h := tip.Height; h > 0 && h > tip.Height-feeBlocks; h-- {
		hash, err := s.HashAt(ctx, h)
		if err != nil {
			return nil, err
		}
		block, err := s.Block(ctx, hash, h)
		if err != nil {
			return nil, err
		}
		rate, err := paidIn(&wire.MsgBlock{Transactions: block.Txs}, h, b.params)
		if errors.Is(err, errNoFees) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, rate)
	}
	if len(out) == 0 {
		return nil, follow.ErrNoBlock
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paidLast, b.paidAt = out, tip.Hash
	return out, nil
}
