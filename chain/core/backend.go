package core

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
)

// Backend is a Bitcoin node seen over JSON-RPC. It implements
// port.Chain and is safe for concurrent use.
type Backend struct {
	cfg    Config
	params *chaincfg.Params
	rpc    *client
	set    follow.Set
	faults follow.Faults
	stop   context.CancelFunc
	done   chan struct{}
	wake   chan struct{}
	// longDone is closed when longPoll has ended.
	longDone chan struct{}

	mu       sync.Mutex
	checked  bool     // the node is of our network
	name     string   // what it calls that
	asked    uint64   // questions for the tip so far
	settled  question // the one whose answer tip is
	tip      port.BlockRef
	hasTip   bool
	anchor   anchor // see checkHeight
	target   int32
	syncing  bool
	behind   bool // by so much that Health names it
	behindAt time.Time
	highest  int32     // of the tips seen
	lostAt   time.Time // since when it is far below; zero where it is not
	changed  chan struct{}
	headers  cache[*wire.BlockHeader]
	blocks   cache[*follow.Block]
	pool     pool
	// What the node offers, until it fails: asked again then.
	filters     filterCall
	filterHeads cache[chainhash.Hash]
	noWait      bool
	policy      port.Policy
	policyAt    time.Time          // when it was asked for last
	crowdedTill time.Time          // the long poll leaves its thread to others until then
	endWait     context.CancelFunc // of a running long poll, or nil
}

var _ port.Chain = (*Backend)(nil)

// New starts to poll a node. It fails only for settings that cannot work: a
// node that is down or wrong shows in Health, and is tried again.
func New(cfg Config) (*Backend, error) {
	cfg, err := cfg.normal()
	if err != nil {
		return nil, err
	}
	rpc, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Backend{
		cfg: cfg, params: cfg.Network.Params(), rpc: rpc,
		stop: stop, done: make(chan struct{}), wake: make(chan struct{}, 1), longDone: make(chan struct{}),
		changed: make(chan struct{}),
		headers: newCache[*wire.BlockHeader](maxHeaders), blocks: newCache[*follow.Block](blockBytes),
		filterHeads: newCache[chainhash.Hash](maxFilters), pool: newPool(),
	}
	b.faults.Note("it was not asked before, and has not answered yet")
	go b.poll(ctx)
	go b.longPoll(ctx)
	return b, nil
}

// Close ends every follower and the polling, and waits for them.
func (b *Backend) Close() error {
	b.stop()
	b.set.Close()
	<-b.done
	<-b.longDone
	b.rpc.http.CloseIdleConnections()
	return nil
}

// Follow streams the chain; see port.Chain. It does not need the node to
// be up.
func (b *Backend) Follow(ctx context.Context, known []port.BlockRef, from int32, scripts [][]byte) (port.Follower, error) {
	f, err := b.set.Start(ctx, source{b}, follow.Options{
		Known: known, From: from, Scripts: scripts,
		Retry: b.cfg.Poll, RetryMax: maxBackoff, Answer: max(answerTime, 3*b.cfg.Timeout), Grace: b.cfg.Grace,
		Report: b.faults.Report(func(err error) { b.cfg.Log.Warn("chain follower waits", "err", err) }),
	})
	if err != nil {
		return nil, fmt.Errorf("follow the chain: %w", err)
	}
	return f, nil
}

// Tip asks the node for its best block.
func (b *Backend) Tip(ctx context.Context) (port.BlockRef, error) {
	asked := b.ask()
	info, tip, err := b.best(ctx)
	if err != nil {
		return port.BlockRef{}, err
	}
	if b.settle(asked, info, tip) {
		b.hurry() // the mempool moved too
	}
	return tip, nil
}

// Health says how the node is reached and what is wrong.
func (b *Backend) Health() port.ChainHealth {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := port.ChainHealth{Backend: "core", Height: b.tip.Height, Target: b.target, Policy: b.policy}
	if h.Problem, h.Since = b.faults.Problem(); h.Problem == "" && b.behind {
		h.Problem, h.Since = b.catchingUp(), b.behindAt
	} else if h.Problem == "" && !b.lostAt.IsZero() {
		h.Problem, h.Since = fmt.Sprintf("the Bitcoin node has %d blocks, and had %d before: it lost its chain, or is another one; what those blocks confirmed does not show",
			b.tip.Height, b.highest), b.lostAt
	}
	h.Synced = h.Problem == "" && b.hasTip && !b.syncing
	return h
}

// catchingUp says how far a node is that does not have all blocks yet.
func (b *Backend) catchingUp() string {
	if b.target > b.tip.Height {
		return fmt.Sprintf("the Bitcoin node is still syncing: it has %d of %d blocks, and coins in later ones do not show yet", b.tip.Height, b.target)
	}
	return fmt.Sprintf("the Bitcoin node is still syncing, or cut off from the network: its last block, %d, is of %s",
		b.tip.Height, time.Unix(b.tip.Time, 0).UTC().Format(time.DateOnly))
}

// trouble notes the outcome of a poll, and returns whether it is news.
func (b *Backend) trouble(err error) bool {
	if err != nil {
		return b.faults.Note(err.Error())
	}
	return b.faults.Note("")
}
