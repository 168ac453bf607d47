package coordinator

import (
	"slices"

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

// handing is how far a new device was handed epochs.
type handing struct {
	seats [32]byte       // the members then: it begins anew with others
	at    string         // in book.wrote
	by    journal.Author // whose epochs it is at
	n     int            // how many of these it has seen
	done  bool
}

// letInReplaced makes a new epoch for the members as they are now, once this
// node's invite let a new device in, and hands that one the epochs that members
// wrote under: at once where the key proves it, else when enough of the others
// have approved. It takes as many steps as it needs; a restart goes through the
// list again and finds what is done.
func (s *step) letInReplaced() error {
	if s.m.State.active == nil {
		return nil
	}
	for _, rec := range s.m.invites.All() {
		at, member := s.m.State.active.index(rec.By)
		if rec.Replaces == (journal.Author{}) || !rec.Taken || !member || rec.By == s.m.State.Me() {
			continue
		}
		if err := s.letIn(s.m.State.active.Members[at]); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) letIn(m Member) error {
	h, _ := s.m.letIns.Get(key(m.Identity))
	if h.seats != s.m.State.book.seats {
		h = handing{seats: s.m.State.book.seats}
	}
	if h.done {
		return nil
	}
	if _, ok := s.m.State.fitting(); !ok && s.m.State.mayRotate(s.m.State.Me()) {
		if err := s.rotate(s.newEpoch(), s.m.State.active.Members); err != nil {
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
		k := ""
		for at := range st.book.wrote.From(h.at) {
			k = at
			break
		}
		if k == "" {
			break
		}
		looked++
		by := journal.Author([]byte(k[:32]))
		if at, ok := st.active.keyOf(by); !ok || !slices.Contains(st.active.identities(at), by) || h.by == by && h.n == handMost {
			h.at, more = after(k[:32])
			continue
		}
		if ep, held := st.epochs.Get(k[32:]); held && st.toHand(ep, m.Identity) {
			hand = append(hand, ep)
		}
		if h.by != by {
			h.by, h.n = by, 0
		}
		h.n, h.at = h.n+1, k+"\x00"
	}
	for _, ep := range hand {
		if !s.m.State.toHand(ep, m.Identity) {
			continue // twice in the list
		}
		if !s.spare() {
			return nil // it finds what is done in the list
		}
		if err := s.rotate(ep, []Member{m}); err != nil {
			return err
		}
	}
	if looked < 4*handEach && len(hand) < handEach {
		h.done = true
	}
	s.m.letIns = s.m.letIns.Set(key(m.Identity), h)
	return nil
}

// toHand says whether this node has not sealed an epoch to a member yet, in a
// rotation for all or for that one.
func (s State) toHand(ep journal.Epoch, who journal.Author) bool {
	_, given := s.book.given.Get(key3(ep.ID(), who, s.Me()))
	return !given
}
