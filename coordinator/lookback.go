package coordinator

import (
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// LookBack looks for scripts in the blocks above one height and up to another,
// beside the stream. Its result is LookedBackIn.
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
