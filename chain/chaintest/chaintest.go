// Package chaintest is the conformance suite of port.Chain. Every
// backend passes it against a real chain.
package chaintest

import (
	"context"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// Harness is a regtest chain that the suite can steer, and a backend that sees it.
type Harness interface {
	// Chain returns the backend under test.
	Chain() port.Chain
	// Mine mines n blocks from the mempool and returns their hashes, oldest first.
	Mine(n int) ([]chainhash.Hash, error)
	// Fund pays satoshis to a script through the mempool.
	Fund(pkScript []byte, amount int64) (*wire.MsgTx, error)
	// Reorg replaces the last blocks by a branch that is one longer and holds
	// only the given transactions; the others go back to the mempool.
	Reorg(depth int, txs ...*wire.MsgTx) ([]chainhash.Hash, error)
	// Block returns a block that was mined, past the backend under test.
	Block(hash chainhash.Hash) (*wire.MsgBlock, error)
}

// Restarter is a Harness whose Bitcoin node can be stopped and started.
type Restarter interface {
	Harness
	// Stop ends the node; the backend stays.
	Stop() error
	// Restart starts it again on the same chain.
	Restart(ctx context.Context) error
}

// Evicter is a Harness whose mempool can be made to drop a transaction.
type Evicter interface {
	Harness
	Evict(tx *wire.MsgTx) error
}

// Blind is a Harness whose backend sees no transaction before it is in a block.
type Blind interface {
	Harness
	Blind()
}

func blind(h Harness) bool {
	_, is := h.(Blind)
	return is
}

// Run runs the suite on one chain.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"Tip", testTip},
		{"Health", testHealth},
		{"FeeRate", testFeeRate},
		{"DepositSeenThenConfirmed", testDeposit},
		{"SpendIsSeen", testSpend},
		{"ReplacedByFee", testReplace},
		{"ReplacedIsUnseen", testUnseenReplaced},
		{"EvictedIsUnseen", testUnseenEvicted},
		{"EvictedWhileClosedIsUnseen", testUnseenClosed},
		{"BroadcastTwice", testBroadcastTwice},
		{"DoubleSpendRefused", testDoubleSpend},
		{"InvalidRefused", testInvalid},
		{"Reorg1", func(t *testing.T, h Harness) { testReorg(t, h, 1) }},
		{"Reorg6", func(t *testing.T, h Harness) { testReorg(t, h, 6) }},
		{"Reorg100", func(t *testing.T, h Harness) { testReorg(t, h, 100) }},
		{"ReorgToDoubleSpend", testReorgDoubleSpend},
		{"FollowFromKnown", testKnown},
		{"FollowFromKnownAfterReorg", testKnownReorged},
		{"FollowFromUnknown", testUnknown},
		{"FollowFromAboveTip", testAboveTip},
		{"WatchRescans", testWatch},
		{"WatchSeesMempool", testWatchMempool},
		{"WatchBelowStart", testWatchBelowStart},
		{"ManyFollowers", testMany},
		{"SlowFollowerBlocksNobody", testSlow},
		{"CloseEndsFollower", testClose},
		{"ContextEndsFollower", testContext},
		{"Storm", testStorm},
		{"RestartWithinDeposit", testRestartDeposit},
		{"RestartWithinSpend", testRestartSpend},
		{"RestartWithinReorg6", testRestartReorg},
		{"NodeHangs", func(t *testing.T, h Harness) { testFault(t, h, Hang) }},
		{"NodeDisappears", func(t *testing.T, h Harness) { testFault(t, h, Cut) }},
		{"NodeServesGarbage", func(t *testing.T, h Harness) { testFault(t, h, Garbage) }},
		{"NodeAltersBytes", func(t *testing.T, h Harness) { testFault(t, h, Alter) }},
		{"NodeRestarts", testRestart},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, h) })
	}
}
