package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Looking back: addresses that came to be watched late, and that may have been
// paid before the blocks looked at for them, are looked for from the birthday
// on beside the stream. Nothing waits for it: what is known stays known, and
// only these addresses may lack payments until it is done.
const (
	// lookBackEach is the least time between the end of one and the next, for
	// each lookBackBlocks that it looked at: whoever pays or hands out addresses
	// to bring it about makes this node look at no more than 2,016 old blocks a
	// day, which are 48 MB of filters.
	lookBackEach   = 24 * time.Hour
	lookBackBlocks = 2016
	// lookBackRetry is the time to the next try of one that failed.
	lookBackRetry = 10 * time.Minute
)

// span is a range of address indexes of one branch: from, and one past the last.
type span struct {
	_     struct{} `cbor:",toarray"`
	From  uint32
	Until uint32
}

func (a span) empty() bool { return a.From >= a.Until }

// join returns the least span that holds both.
func (a span) join(b span) span {
	switch {
	case a.empty():
		return b
	case b.empty():
		return a
	}
	return span{From: min(a.From, b.From), Until: max(a.Until, b.Until)}
}

// AddressRange is a range of address indexes of one branch, both ends included.
type AddressRange struct{ Branch, First, Last uint32 }

// Incomplete returns the addresses of which old payments may not be known yet,
// at most one range of each branch. They are being looked for, or will be.
func (v View) Incomplete() []AddressRange {
	var out []AddressRange
	for branch := range v.late {
		if x := v.late[branch].join(v.looking[branch]); !x.empty() {
			out = append(out, AddressRange{uint32(branch), x.From, x.Until - 1})
		}
	}
	return out
}

// LookBack looks for scripts in the blocks above one height and up to another,
// beside the stream. Its result is LookedBack.
type LookBack struct {
	Scripts [][]byte
	From    int32
	Until   int32
}

func (LookBack) effect() {}

// LookedBack is the result of a LookBack effect: the blocks with transactions
// that pay the scripts, or spend what did, and the last block looked at.
type LookedBack struct {
	Blocks []LookedBlock
	End    port.BlockRef
	From   int32
	Err    error
}

// LookedBlock is a block with those of its transactions that are of interest.
type LookedBlock struct {
	Block port.BlockRef
	Txs   []*wire.MsgTx
}

// lookBack begins to look for what is due, once the chain is caught up with.
func (s *step) lookBack() {
	v := s.m.View
	if !s.m.follows || v.late == [2]span{} || v.looking != [2]span{} || !v.Synced() || s.now().Unix() < v.lookNext {
		return
	}
	v.late, v.looking = [2]span{}, v.late
	x := LookBack{From: v.birthday, Until: v.tip.Height}
	// All watched scripts are gone through, but once a day at most.
	for script, at := range v.scripts.All() {
		if l := v.looking[at.Branch]; at.Index >= l.From && at.Index < l.Until {
			x.Scripts = append(x.Scripts, []byte(script))
		}
	}
	s.m.View = v
	s.do(x)
}

// lookedBack takes what was found, all of it at once: a coin is not known
// before its spend.
func (s *step) lookedBack(x LookedBack) error {
	v := s.m.View
	if v.looking == [2]span{} {
		return nil
	}
	asked := v.looking
	v.looking = [2]span{}
	s.m.unsaved = saveEvery
	if x.Err != nil || !v.holds(x) {
		for branch := range v.late {
			v.late[branch] = v.late[branch].join(asked[branch])
		}
		v.lookNext = s.now().Add(lookBackRetry).Unix()
		s.m.View = v
		return nil
	}
	for _, b := range x.Blocks {
		v, _ = v.Rescan(b.Block, b.Txs)
	}
	blocks := max(lookBackBlocks, int64(x.End.Height)-int64(x.From))
	v.lookNext = s.now().Unix() + int64(lookBackEach.Seconds())*blocks/lookBackBlocks
	s.m.View = v
	s.lookAroundNews(true)
	return s.extend(port.BlockRef{}, true)
}

// holds says whether what was looked at is of the chain that this view follows:
// of blocks that are kept the hash must be the same; of those before, only a
// reorg that begins everything anew could change one.
func (v View) holds(x LookedBack) bool {
	known := map[int32]chainhash.Hash{}
	for _, b := range v.blocks {
		known[b.Height] = b.Hash
	}
	ok := func(b port.BlockRef) bool {
		hash, kept := known[b.Height]
		return len(v.blocks) > 0 && (kept && hash == b.Hash || b.Height < v.blocks[0].Height)
	}
	for _, b := range x.Blocks {
		if !ok(b.Block) {
			return false
		}
	}
	return ok(x.End)
}

// extend watches further addresses where some were used, or where the wallet
// came to be followed. They are looked for in the newest blocks, which nothing
// waits for; where they may have been paid before, they are looked for from the
// birthday beside the stream. block is the one that was taken, if any; again
// says that it was taken a second time.
func (s *step) extend(block port.BlockRef, again bool) error {
	a := s.m.State.active
	if a == nil {
		return nil
	}
	was := s.m.View.watched
	v, fresh, err := s.m.lookAhead().Watch(a.Descriptor)
	if err != nil {
		return err
	}
	s.m.View = v
	if len(fresh) == 0 || (!s.m.follows && len(v.blocks) == 0) {
		return nil // what begins from the birthday looks for all
	}
	from := max(v.birthday, v.tip.Height-freshMargin)
	switch {
	case s.m.importing(block):
		// One scan after the other, until the history is found to its end.
		from = v.birthday
	case again && !v.caughtUp && block.Height > 0:
		from = max(v.birthday, block.Height-freshMargin)
	default:
		s.lateAddresses(was, again)
	}
	if s.m.follows {
		s.watchFrom(fresh, from)
	}
	return nil
}

// lateAddresses notes which of the addresses that came to be watched must be
// looked for in old blocks, too: all of an existing wallet, and where a payment
// was found late; else those that a member handed out already.
func (s *step) lateAddresses(was [2]uint32, again bool) {
	v := s.m.View
	for branch := range v.watched {
		fresh := span{From: was[branch], Until: v.watched[branch]}
		if !again && !s.m.existed() && s.m.follows {
			if uint32(branch) != wallet.BranchExternal {
				continue
			}
			fresh = s.m.State.leasedWithin(fresh)
		}
		v.late[branch] = v.late[branch].join(fresh)
	}
	s.m.View = v
	s.m.unsaved = saveEvery
}

// leasedWithin returns the part of a span from the first to the last index that
// an untainted entry took.
func (s State) leasedWithin(x span) span {
	var out span
	for i := x.From; i < x.Until; i++ {
		if s.leasedAny(i) {
			out = out.join(span{From: i, Until: i + 1})
		}
	}
	return out
}

// errMovedChain means that the chain ended before the blocks that were to be
// looked at.
var errMovedChain = errors.New("the stream ended before the last block")

// lookBack executes a LookBack over a stream of its own.
func (a *Actor) lookBack(x LookBack) {
	out, err := a.lookAt(x)
	if err != nil {
		if a.ctx.Err() != nil {
			return
		}
		a.ports.Log.Warn("look for addresses in old blocks; it is tried again", "wallet", a.group.String()[:8], "error", err)
	}
	out.From, out.Err = x.From, err
	a.tell(out)
}

func (a *Actor) lookAt(x LookBack) (LookedBack, error) {
	var out LookedBack
	if x.Until <= x.From {
		out.End = a.Machine().View.tip
		return out, nil
	}
	f, err := a.ports.Chain.Follow(a.ctx, nil, x.From, x.Scripts)
	if err != nil {
		return out, fmt.Errorf("follow the chain: %w", err)
	}
	defer func() { _ = f.Close() }()
	m := newPicker(x.Scripts)
	for n := range f.Notices() {
		switch n.Kind {
		case port.Connected:
			if txs := m.pick(n.Txs); len(txs) > 0 {
				out.Blocks = append(out.Blocks, LookedBlock{n.Block, txs})
			}
			if n.Block.Height >= x.Until {
				out.End = n.Block
				return out, nil
			}
		case port.Disconnected:
			if k := len(out.Blocks); k > 0 && out.Blocks[k-1].Block == n.Block {
				out.Blocks = out.Blocks[:k-1]
			}
		default: // what is in no block, or near the tip, is the stream's
		}
	}
	if err := context.Cause(a.ctx); err != nil {
		return out, fmt.Errorf("follow the chain: %w", err)
	}
	return out, errMovedChain
}

// picker finds what pays scripts, and what spends what did.
type picker struct {
	scripts map[string]bool
	outs    map[wire.OutPoint]bool
}

func newPicker(scripts [][]byte) *picker {
	p := &picker{map[string]bool{}, map[wire.OutPoint]bool{}}
	for _, s := range scripts {
		p.scripts[string(s)] = true
	}
	return p
}

func (p *picker) pick(txs []*wire.MsgTx) []*wire.MsgTx {
	var out []*wire.MsgTx
	for _, tx := range txs {
		hit := false
		for _, i := range tx.TxIn {
			hit = hit || p.outs[i.PreviousOutPoint]
		}
		for n, o := range tx.TxOut {
			if p.scripts[string(o.PkScript)] {
				hit = true
				p.outs[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(n)}] = true
			}
		}
		if hit {
			out = append(out, tx)
		}
	}
	return out
}
