package coordinator

import (
	"slices"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

const (
	// handEach is how many epochs a step seals to a new device, of four times as
	// many that it looks at.
	handEach = 16
	// handMost is how many of the epochs that one identity wrote under a new device
	// is handed unasked.
	handMost = 1024
)

// letInSuccessors makes a new epoch for the members as they are now, once this
// node's invite let a new device in, and hands that one the epochs that members
// wrote under: at once where the key proves it, else when enough of the others
// have approved. It takes as many steps as it needs; a restart goes through the
// list again and finds what is done.
func (s *step) letInSuccessors() error {
	if s.m.State.Active() == nil {
		return nil
	}
	for _, rec := range s.m.invites.All() {
		at, member := s.m.State.Active().Index(rec.By)
		if rec.Replaces == (journal.Author{}) || !rec.Taken || !member || rec.By == s.m.State.Me() {
			continue
		}
		if err := s.letIn(s.m.State.Active().Members[at]); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) letIn(m group.Member) error {
	h, _ := s.m.letIns.Get(mapkey.Of(m.Identity))
	if seats := s.m.State.Seats(); h.seats != seats {
		h = handing{seats: seats}
	}
	if h.done {
		return nil
	}
	if _, ok := s.m.State.Fitting(); !ok && s.m.State.MayRekey(s.m.State.Me()) {
		if err := s.writeEpoch(s.newEpoch(), s.m.State.Active().Members); err != nil {
			return err
		}
	}
	if !s.spare() {
		return nil
	}
	st := s.m.State
	var hand []journal.Epoch
	looked := 0
	for more := true; more && looked < 4*handEach && len(hand) < handEach; {
		by, id, k := st.WroteUnder(h.at)
		if k == "" {
			break
		}
		looked++
		if at, ok := st.Active().KeyOf(by); !ok || !slices.Contains(st.Active().Identities(at), by) || h.by == by && h.n == handMost {
			h.at, more = mapkey.Next(k[:32])
			continue
		}
		if ep, held := st.EpochHeld(id); held && st.ToHand(ep, m.Identity) {
			hand = append(hand, ep)
		}
		if h.by != by {
			h.by, h.n = by, 0
		}
		h.n, h.at = h.n+1, k+"\x00"
	}
	for _, ep := range hand {
		if !s.m.State.ToHand(ep, m.Identity) {
			continue // twice in the list
		}
		if !s.spare() {
			return nil // it finds what is done in the list
		}
		if err := s.writeEpoch(ep, []group.Member{m}); err != nil {
			return err
		}
	}
	if looked < 4*handEach && len(hand) < handEach {
		h.done = true
	}
	s.m.letIns = s.m.letIns.Set(mapkey.Of(m.Identity), h)
	return nil
}
