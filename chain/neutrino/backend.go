package neutrino

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/banman"
	"golang.org/x/sync/singleflight"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Backend is a light client. It implements port.Chain and is safe for
// concurrent use.
type Backend struct {
	cfg    Config
	params *chaincfg.Params
	dial   *dialer
	set    follow.Set
	asking singleflight.Group
	faults follow.Faults
	floors floors
	ctx    context.Context
	stop   context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	client   *client       // nil while it is being started again
	closing  chan struct{} // closed when the last one has ended
	changed  chan struct{}
	now      state
	drop     string // the peer that was dropped last, and why
	dropAt   time.Time
	refused  time.Time // when a peer was dropped for its filter headers last
	forgot   time.Time // when the headers were thrown away last
	began    attempt
	unserved map[chainhash.Hash]missing // filters that nobody serves
	again    remedy                     // belongs to supervise
	paidLast []wallet.FeeRate           // what was paid in the last blocks, as of paidAt
	paidAt   chainhash.Hash
}

var _ port.Dated = (*Backend)(nil)

// dropShown is how long Health names a dropped peer.
const dropShown = time.Hour

// New opens the headers that are there and begins to connect. It fails for
// settings that cannot work and for a directory that cannot be used; a network
// that is not there shows in Health.
func New(cfg Config) (*Backend, error) {
	cfg, err := cfg.normal()
	if err != nil {
		return nil, err
	}
	b := &Backend{
		cfg: cfg, params: cfg.Network.Params(),
		done: make(chan struct{}), changed: make(chan struct{}),
		unserved: map[chainhash.Hash]missing{},
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	b.dial = newDialer(b.ctx, b.params.Net)
	logger.use(b)
	if b.client, err = b.open(); err != nil {
		logger.drop(b)
		b.stop()
		return nil, err
	}
	b.faults.Note("not connected to the Bitcoin network yet")
	go b.supervise()
	return b, nil
}

// Close ends every follower and the light client, and waits for them.
func (b *Backend) Close() error {
	b.stop()
	b.set.Close()
	select {
	case <-b.done:
	case <-time.After(closeTime + time.Second): // it waits for a lock of files
	}
	logger.drop(b)
	return nil
}

// service returns the running light client.
func (b *Backend) service() (*neutrino.ChainService, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		return nil, errors.New("the light client is being started again")
	}
	return b.client.cs, nil
}

// Follow streams the chain; see port.Chain. It does not need the network
// to be there.
func (b *Backend) Follow(ctx context.Context, known []port.BlockRef, from int32, scripts [][]byte) (port.Follower, error) {
	f, err := b.set.Start(ctx, source{b}, follow.Options{
		Known: known, From: from, Scripts: scripts, Report: b.faults.Report(nil),
	})
	if err != nil {
		return nil, fmt.Errorf("follow the chain: %w", err)
	}
	return f, nil
}

// Tip returns the best block of which the filter is known too.
func (b *Backend) Tip(ctx context.Context) (port.BlockRef, error) {
	if err := ctx.Err(); err != nil {
		return port.BlockRef{}, err
	}
	tip, _, err := b.tip()
	return tip, err
}

// HeightAt implements port.Dated.
func (b *Backend) HeightAt(ctx context.Context, t time.Time) (int32, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	cs, err := b.service()
	if err != nil {
		return 0, err
	}
	best, err := cs.BestBlock()
	if err != nil {
		return 0, fmt.Errorf("read the best header: %w", err)
	}
	if best.Timestamp.Before(t) {
		if b.current() {
			return best.Height, nil
		}
		return 0, port.ErrNotSynced
	}
	var failed error
	// Times of blocks may go back by up to two hours, which moves the place by a
	// few blocks.
	height := sort.Search(int(best.Height), func(h int) bool {
		hash, err := cs.GetBlockHash(int64(h + 1))
		if err != nil {
			failed = err
			return true
		}
		header, err := cs.GetBlockHeader(hash)
		if err != nil {
			failed = err
			return true
		}
		return !header.Timestamp.Before(t)
	})
	if failed != nil {
		return 0, fmt.Errorf("read headers: %w", failed)
	}
	return int32(height), nil
}

// TestAccept is not supported: a light client does not know the coins.
func (b *Backend) TestAccept(context.Context, *wire.MsgTx) error { return port.ErrUnsupported }

// Health says how far the headers are, how many peers there are, and what is wrong.
func (b *Backend) Health() port.ChainHealth {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := port.ChainHealth{
		Backend: "neutrino", Height: b.now.height, Target: b.now.target, Peers: b.now.peers, Blind: true, Policy: b.floors.policy(),
	}
	h.Problem, h.Since = b.faults.Problem()
	if b.drop != "" && time.Since(b.dropAt) < dropShown {
		h.Note = "dropped a Bitcoin peer: " + b.drop
	}
	h.Synced = h.Problem == "" && b.now.current
	if !h.Synced && b.now.target > 0 {
		h.Stage, h.StageHeight, h.Rate, h.Left = b.now.progress()
	}
	return h
}

// dropped notes a peer that was dropped for what it served.
func (b *Backend) dropped(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop, b.dropAt = what, time.Now()
	if strings.Contains(what, banman.InvalidFilterHeader.String()) {
		b.refused = b.dropAt
	}
}

// current says whether the headers are where the peers are.
func (b *Backend) current() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now.current
}

func (b *Backend) connected() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now.peers
}

func (b *Backend) noPeers() error {
	if why := b.dial.problem(); why != "" {
		return fmt.Errorf("no Bitcoin peer is connected: %s", why)
	}
	if b.cfg.Network == wallet.Regtest && len(b.cfg.Peers) == 0 {
		return errors.New("no Bitcoin peer is connected: on regtest none can be found, name one in chain.neutrino.peers")
	}
	return errors.New("no Bitcoin peer is connected")
}
