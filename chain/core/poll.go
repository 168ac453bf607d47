package core

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// ErrNetwork is shown when the node is of another network.
var ErrNetwork = errors.New("the Bitcoin node is on another network (chain.core.url or network is set wrong)")

// staleTip is how old the median time of the tip may be before the node is
// taken to be still syncing, as Bitcoin Core does; btcd does not tell.
const staleTip = 24 * time.Hour

// lag is how many blocks a node may miss of those whose headers it has without
// being called behind: with each new block it misses one for a moment.
const lag = 3

// lostBlocks is how many blocks fewer than before are no reorg any more: what is mined is
// spent after as many.
const lostBlocks = 100

// chainInfo is what both nodes say in getblockchaininfo.
type chainInfo struct {
	Chain   string `json:"chain"`
	Blocks  int32  `json:"blocks"`
	Headers int32  `json:"headers"`
	Best    string `json:"bestblockhash"`
	IBD     bool   `json:"initialblockdownload"`
}

// poll looks at the node until ctx ends, less often while it fails.
func (b *Backend) poll(ctx context.Context) {
	defer close(b.done)
	wait := b.cfg.Poll
	for ctx.Err() == nil {
		err := b.pollOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if b.trouble(err) {
			if err != nil {
				b.cfg.Log.Warn("bitcoin node", "problem", err)
			} else {
				b.cfg.Log.Info("bitcoin node answers", "height", b.Health().Height)
				b.notify()
			}
		}
		if err != nil {
			// Whatever answers next may be another node.
			b.mu.Lock()
			b.checked, b.filters, b.noWait = false, filtersUnknown, false
			b.pool.whole = time.Time{}
			b.mu.Unlock()
			wait = min(2*wait, max(maxBackoff, b.cfg.Poll))
		} else {
			wait = b.cfg.Poll
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-b.wake:
		}
		timer.Stop()
	}
}

func (b *Backend) pollOnce(ctx context.Context) error {
	asked := b.ask()
	start := time.Now()
	// A node that stands still says nothing for long; until then all would seem well.
	silent := time.AfterFunc(silentFor, func() {
		b.faults.Note(fmt.Sprintf("the Bitcoin node was asked %v ago, and has not answered yet", silentFor))
	})
	info, tip, err := b.best(ctx)
	silent.Stop()
	b.looked(time.Since(start), err)
	if err != nil {
		return err
	}
	moved := b.settle(asked, info, tip)
	b.lookPolicy(ctx)
	return b.pollPool(ctx, moved)
}

// silentFor is how long a node may take for its tip before that is a problem.
const silentFor = 5 * time.Second

// question is one for the tip.
type question struct {
	number uint64
	at     time.Time
}

// ask numbers a question for the tip.
func (b *Backend) ask() question {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return question{b.asked, time.Now()}
}

// settle makes an answer the tip that followers see, and says whether it moved.
// An answer to an older question than the last one settled is out of date. All
// answers go here, so that a follower never sees a chain shorter than the one
// its owner was told of.
func (b *Backend) settle(asked question, info chainInfo, tip port.BlockRef) bool {
	syncing := info.Headers > info.Blocks
	behind := info.Headers > info.Blocks+lag
	if b.cfg.Network != wallet.Regtest {
		// A regtest node with old blocks always says that it is syncing.
		old := info.IBD || time.Since(time.Unix(tip.MedianTime, 0)) > staleTip
		syncing, behind = syncing || old, behind || old
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if asked.number < b.settled.number {
		return false
	}
	b.settled = asked
	moved := !b.hasTip || b.tip.Hash != tip.Hash
	b.tip, b.hasTip, b.syncing = tip, true, syncing
	if behind && !b.behind {
		b.behindAt = time.Now()
	}
	b.behind = behind
	b.highest = max(b.highest, tip.Height)
	if lost := tip.Height < b.highest-lostBlocks; !lost {
		b.lostAt = time.Time{}
	} else if b.lostAt.IsZero() {
		b.lostAt = time.Now()
	}
	b.target = max(info.Headers, info.Blocks)
	if moved {
		b.wakeLocked()
	}
	return moved
}

// info asks for the state of the chain, and checks that it is our network's:
// the first block once, and then that the node's name for it stays the same.
func (b *Backend) info(ctx context.Context) (chainInfo, error) {
	var info chainInfo
	if err := b.rpc.call(ctx, &info, "getblockchaininfo"); err != nil {
		return info, fmt.Errorf("ask for the state of the chain: %w", err)
	}
	b.mu.Lock()
	same := b.checked && b.name == info.Chain
	b.mu.Unlock()
	if same {
		return info, nil
	}
	var text string
	if err := b.rpc.call(ctx, &text, "getblockhash", 0); err != nil {
		return info, fmt.Errorf("ask for the first block: %w", err)
	}
	hash, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return info, fmt.Errorf("%w: first block", ErrGarbage)
	}
	if *hash != *b.params.GenesisHash {
		return info, fmt.Errorf("%w: %s is set here, and its network (%q) begins with block %s", ErrNetwork, b.cfg.Network, follow.OneLine(info.Chain), hash)
	}
	b.mu.Lock()
	b.checked, b.name = true, info.Chain
	b.mu.Unlock()
	return info, nil
}

// best asks for the tip. Its height is checked as well: a number has no hash that
// shows it when it was damaged.
func (b *Backend) best(ctx context.Context) (chainInfo, port.BlockRef, error) {
	for range 3 { // the chain may move in between
		info, err := b.info(ctx)
		if err != nil {
			return info, port.BlockRef{}, err
		}
		hash, err := chainhash.NewHashFromStr(info.Best)
		if err != nil || len(info.Best) != chainhash.MaxHashStringSize || info.Blocks < 0 {
			return info, port.BlockRef{}, fmt.Errorf("%w: no tip", ErrGarbage)
		}
		b.mu.Lock()
		tip := b.tip
		same := b.hasTip && tip.Hash == *hash && tip.Height == info.Blocks
		b.mu.Unlock()
		if same {
			return info, tip, nil
		}
		at, err := source{b}.HashAt(ctx, info.Blocks)
		if errors.Is(err, follow.ErrNoBlock) || (err == nil && at != *hash) {
			continue
		}
		if err != nil {
			return info, tip, fmt.Errorf("ask for the block of the tip: %w", err)
		}
		header, median, err := b.header(ctx, *hash)
		if err != nil {
			return info, tip, fmt.Errorf("get header of the tip: %w", err)
		}
		err = b.checkHeight(ctx, *hash, info.Blocks)
		if errors.Is(err, follow.ErrNoBlock) {
			continue
		}
		if err != nil {
			return info, tip, fmt.Errorf("check the height of the tip: %w", err)
		}
		return info, port.BlockRef{
			Height: info.Blocks, Hash: *hash, Time: header.Timestamp.Unix(), MedianTime: median,
		}, nil
	}
	return chainInfo{}, port.BlockRef{}, fmt.Errorf("%w: its tip is not at the height it says", ErrGarbage)
}

// anchor is a block of which the height is known, and not only told.
type anchor struct {
	hash   chainhash.Hash
	height int32
}

// checkHeight checks that the tip has the height that the node says: no header
// holds it. It is that of a block a little before, counted on, or else that in
// its own coinbase (BIP34), for which the block is fetched. Whatever a wallet
// remembers of heights begins here.
func (b *Backend) checkHeight(ctx context.Context, hash chainhash.Hash, height int32) error {
	b.mu.Lock()
	from := b.anchor
	b.mu.Unlock()
	at := anchor{hash, height}
	for range medianBlocks { // their headers are there already
		if at == from || at.height <= from.height || at.height <= 0 {
			break
		}
		header, err := b.oneHeader(ctx, at.hash)
		if err != nil {
			return err
		}
		at = anchor{header.PrevBlock, at.height - 1}
	}
	if at != from || from == (anchor{}) {
		if _, err := (source{b}).Block(ctx, hash, height); err != nil {
			return err
		}
	}
	b.mu.Lock()
	b.anchor = anchor{hash, height}
	b.mu.Unlock()
	return nil
}

// notify wakes the followers.
func (b *Backend) notify() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wakeLocked()
}

func (b *Backend) wakeLocked() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// hurry makes the next look at the node come at once.
func (b *Backend) hurry() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// source is what followers see of a Backend.
type source struct{ *Backend }

// Tip is that of the last poll, so that many followers do not ask more often.
func (s source) Tip(context.Context) (port.BlockRef, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hasTip {
		return port.BlockRef{}, false, fmt.Errorf("%w: %s", errWaiting, s.faults.Noted())
	}
	return s.tip, s.syncing, nil
}

// errWaiting is what followers get before the first successful poll.
var errWaiting = errors.New("waiting for the Bitcoin node")

// HashAt asks which block is at a height.
func (s source) HashAt(ctx context.Context, height int32) (chainhash.Hash, error) {
	var text string
	err := s.rpc.call(ctx, &text, "getblockhash", height)
	if code := rpcCode(err); code == codeOutOfRange || code == codeMisc {
		return chainhash.Hash{}, follow.ErrNoBlock
	}
	if err != nil {
		return chainhash.Hash{}, err
	}
	hash, err := chainhash.NewHashFromStr(text)
	if err != nil || len(text) != chainhash.MaxHashStringSize {
		return chainhash.Hash{}, fmt.Errorf("%w: block hash", ErrGarbage)
	}
	return *hash, nil
}

// Unconfirmed returns what the last polls found in the mempool.
func (s source) Unconfirmed(mark uint64) (txs []*wire.MsgTx, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pool.after(mark)
}

var _ follow.Pooled = source{}

// Missing looks into the mempool as the last poll saw it.
func (s source) Missing(ids []chainhash.Hash) ([]chainhash.Hash, follow.Sight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []chainhash.Hash
	for _, id := range ids {
		if _, there := s.pool.known[id]; !there {
			missing = append(missing, id)
		}
	}
	return missing, follow.Sight{Whole: s.pool.whole, Tip: s.settled.at}
}

// Changed is closed at the next change that a poll finds.
func (s source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
