package coordinator

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

const (
	// waitForOthers is for how long a node that has synced with all others waits for
	// what another member wrote and nobody makes readable. It cannot be an approval by
	// this node's key, and that it brings a signature by it is its author's word
	// alone, which costs nothing. What this node's own line wrote is waited for
	// without end.
	waitForOthers = 24 * time.Hour
	// waitForOthersTicks is for how many ticks it has to be up at a stretch besides, an
	// hour: one that was off could be told nothing.
	waitForOthersTicks = 1800
)

// unread looks for what may show a signature by this node's key, or one that it
// hosts, and does not yet: the secret that opens it, or the proposal that it signs,
// is not here.
func (m Machine) unread() group.UnreadEntries {
	u := group.UnreadEntries{Most: group.MaxUnread, Mine: m.restored != nil && m.restored.Waited}
	m.State.CountUnreadSealed(&u)
	m.State.CountUnverified(&u)
	return u
}

// waitForOthers notes since when all others are synced with, and when the time is
// over for which that is not enough.
func (s *step) waitForOthers() error {
	r, now := *s.m.restored, s.in.Now.Unix()
	switch {
	case len(s.m.unsynced()) > 0 || s.m.catchingUp():
		r.Heard, r.Waited = 0, false
	case r.Heard == 0:
		r.Heard = now
	case !r.Waited:
		r.Waited = s.m.ticks >= waitForOthersTicks && now-r.Heard >= int64(waitForOthers/time.Second)
	}
	if r.Heard == s.m.restored.Heard && r.Waited == s.m.restored.Waited {
		return nil
	}
	left := slices.DeleteFunc(s.m.unread().By, func(a journal.Author) bool { return s.m.State.SameMember(a, s.m.State.Me()) })
	s.m.restored = &r
	if r.Waited && len(left) > 0 {
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), Status: s.m.Phase(), Detail: fmt.Sprintf(
			"no longer waits for what only %s wrote and nobody made readable, since the restore", s.m.names(left))}})
	}
	return s.put(recRestored, r)
}
