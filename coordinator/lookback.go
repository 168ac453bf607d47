package coordinator

import (
	"context"
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// LookBack looks for scripts in the blocks above one height and up to another,
// beside the stream. Its result is LookedBack.
type LookBack ledger.Look

func (LookBack) effect() {}

// lookBack begins to look for what is due, once the chain is caught up with.
func (s *step) lookBack() {
	v, x, due := s.m.View.LookBack(s.now())
	if !s.m.follows || !due {
		return
	}
	s.m.View = v
	s.do(LookBack(x))
}

// lookedBack takes what was found, all of it at once: a coin is not known
// before its spend.
func (s *step) lookedBack(x ledger.LookedBack) error {
	v, asked, found := s.m.View.LookedBack(x, s.now())
	if !asked {
		return nil
	}
	s.m.unsaved = saveEvery
	s.m.View = v
	if !found {
		return nil
	}
	s.lookAroundNews(true)
	return s.extend(port.BlockRef{}, true)
}

// extend watches further addresses where some were used, or where the wallet
// came to be followed. They are looked for in the newest blocks, which nothing
// waits for; where they may have been paid before, they are looked for from the
// birthday beside the stream. block is the one that was taken, if any; again
// says that it was taken a second time.
func (s *step) extend(block port.BlockRef, again bool) error {
	a := s.m.State.Active()
	if a == nil {
		return nil
	}
	was := s.m.View.Watched()
	v, fresh, err := s.m.lookAhead().Watch(a.Descriptor)
	if err != nil {
		return err
	}
	s.m.View = v
	if len(fresh) == 0 || (!s.m.follows && !v.Begun()) {
		return nil // what begins from the birthday looks for all
	}
	from := max(v.Birthday(), v.Tip().Height-ledger.FreshMargin)
	switch {
	case s.m.importing(block):
		// One scan after the other, until the history is found to its end.
		from = v.Birthday()
	case again && !v.CaughtUp() && block.Height > 0:
		from = max(v.Birthday(), block.Height-ledger.FreshMargin)
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
	for branch, watched := range v.Watched() {
		fresh := ledger.Span{From: was[branch], Until: watched}
		if !again && !s.m.existed() && s.m.follows {
			if uint32(branch) != wallet.BranchExternal {
				continue
			}
			fresh = s.m.State.LeasedWithin(fresh)
		}
		v = v.Late(uint32(branch), fresh)
	}
	s.m.View = v
	s.m.unsaved = saveEvery
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

func (a *Actor) lookAt(x LookBack) (ledger.LookedBack, error) {
	var out ledger.LookedBack
	if x.Until <= x.From {
		out.End = a.Machine().View.Tip()
		return out, nil
	}
	f, err := a.ports.Chain.Follow(a.ctx, nil, x.From, x.Scripts)
	if err != nil {
		return out, fmt.Errorf("follow the chain: %w", err)
	}
	defer func() { _ = f.Close() }()
	m := ledger.NewPicker(x.Scripts)
	for n := range f.Notices() {
		switch n.Kind {
		case port.Connected:
			if txs := m.Pick(n.Txs); len(txs) > 0 {
				out.Blocks = append(out.Blocks, ledger.LookedBlock{Block: n.Block, Txs: txs})
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
