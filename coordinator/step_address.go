package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// pick returns a free index of [from, from+count), or false. Members who ask at
// the same moment must not get the same one: each index belongs to the member
// at that place of the roster, counted round. One who has used up its own takes
// those of the next member, and so on, from the far end, where that one comes last.
func pick(taken []bool, used, from, count uint32, me, members int) (uint32, bool) {
	for turn := range members {
		share := uint32((me + turn) % members)
		for i := range count {
			index := from + i
			if turn > 0 {
				index = from + count - 1 - i
			}
			if index%uint32(members) == share && !taken[index-used] {
				return index, true
			}
		}
	}
	return 0, false
}

// free returns the receive index to hand out next: within the gap while there
// is one, then beyond it. Where all that are watched are taken and the user
// insists, each member is left its share, so that none can keep the others
// from receiving.
func (m Machine) free(insist bool) (uint32, bool) {
	a, used := m.State.Active(), m.View.Used(wallet.BranchExternal)
	me, _ := a.Index(m.State.Me())
	look := func(most int) (uint32, bool) {
		taken := m.State.LeasedByOther(used, most)
		if i, ok := pick(taken, used, used, ledger.GapLimit, me, len(a.Members)); ok {
			return i, true
		}
		return pick(taken, used, used+ledger.GapLimit, ledger.BeyondGap, me, len(a.Members))
	}
	if i, ok := look(ledger.Watchable); ok || !insist {
		return i, ok
	}
	return look(ledger.Watchable/len(a.Members) - 1)
}

// lease hands out a receive address that nobody was given, near the last used
// one: a member who leases a far one keeps nobody from those before it.
func (s *step) lease(x LeaseAddress) error {
	a := s.m.State.Active()
	if a == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	if x.Peek {
		x.RequestID = "" // it gives nothing out
	}
	if index, again, err := s.smallAgain(x.RequestID, "address"); err != nil {
		return err
	} else if again {
		return s.leased(a, x, index)
	}
	used := s.m.View.Used(wallet.BranchExternal)
	next, ok := s.m.free(x.BeyondGap)
	if (!ok || next >= used+ledger.GapLimit) && !x.BeyondGap && !x.Peek {
		return refusal.New(refusal.Gap, "%d unused addresses are handed out already", ledger.GapLimit).
			WithHint("wallets elsewhere stop looking after %d unused ones; --beyond-gap hands out one more", ledger.GapLimit)
	}
	if !ok || next >= event.MaxIndex {
		return refusal.New(refusal.Gap, "%d unused addresses are handed out already, which is all that this node watches", ledger.Watchable)
	}
	if !x.Peek {
		if _, err := s.write(&event.AddressLeased{Index: next}); err != nil {
			return err
		}
		s.keepSmall(x.RequestID, next, "address")
	}
	return s.leased(a, x, next)
}

// leased answers with an address.
func (s *step) leased(a *group.Active, x LeaseAddress, index uint32) error {
	addr, err := a.Descriptor.Address(wallet.BranchExternal, index)
	if err != nil {
		return fmt.Errorf("derive address: %w", err)
	}
	answer(s, x, Lease{addr, index})
	return nil
}
