package coordinator

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
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

// maxUnread is how many entries are counted that may show a signature of this
// node's key: it waits for each of them, and more says no more.
const maxUnread = 250

// unreadEntries are held and may show a signature by a key of this
// node's, and do not yet.
type unreadEntries struct {
	n, most int
	by      []journal.Author // who wrote them, as far as that is known
	// mine: only what this node's own line wrote is looked for.
	mine bool
}

func (u *unreadEntries) full() bool { return u.n >= u.most }

func (u *unreadEntries) add(by journal.Author) {
	if u.n++; !slices.Contains(u.by, by) {
		u.by = append(u.by, by)
	}
}

// unread looks for what may show a signature by this node's key, or one that it
// hosts, and does not yet: the secret that opens it, or the proposal that it signs,
// is not here.
func (m Machine) unread() unreadEntries {
	u := unreadEntries{most: maxUnread, mine: m.restored != nil && m.restored.Waited}
	m.State.unreadSealed(&u)
	m.State.unverified(&u)
	return u
}

// unverified counts the entries whose signatures could not be verified yet and
// that state one by this node's key, or by one that it hosts, whoever wrote
// them: what a hosted cosigner signed is always carried, and by any member.
// What waits for its turn counts too, and more than can be looked at counts as
// the most.
func (s State) unverified(u *unreadEntries) {
	if u.n = min(u.most, u.n+s.backlog.turns.Len()); s.active == nil {
		return
	}
	me, ok := s.active.keyOf(s.Me())
	for k, m := range s.active.Members {
		if (!ok || k != me) && !s.hosts(m) {
			continue
		}
		if !u.mine {
			s.unverifiedOf(u, statedKey(uint32(k)))
			continue
		}
		for who := range s.selves {
			s.unverifiedOf(u, statedKey(uint32(k))+mapkey.Of(who))
		}
	}
}

// unverifiedOf counts what waits under a prefix of backlog.stating.
func (s State) unverifiedOf(u *unreadEntries, prefix string) {
	looked := 0
	for at := range pmap.Prefix(s.backlog.stating, prefix) {
		if looked++; u.full() || looked > maxUnread {
			u.n = u.most
			return
		}
		p, held := s.Proposal(journal.EntryID([]byte(at[36:68])))
		if !held || !p.Sound && !mapkey.Has(s.inert, mapkey.Of(p.Ref.ID)) {
			u.add(journal.Author([]byte(at[4:36])))
		}
	}
}

// selves yields the identities that write, or wrote, for this node's key.
func (s State) selves(yield func(journal.Author) bool) {
	me := s.Me()
	if !yield(me) || s.active == nil || s.active.lines == nil {
		return
	}
	at, ok := s.active.keyOf(me)
	for who, k := range s.active.lines.key {
		if ok && k == at && who != me && !yield(who) {
			return
		}
	}
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
	left := slices.DeleteFunc(s.m.unread().by, func(a journal.Author) bool { return s.m.State.sameMember(a, s.m.State.Me()) })
	s.m.restored = &r
	if r.Waited && len(left) > 0 {
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), Status: s.m.Phase(), Detail: fmt.Sprintf(
			"no longer waits for what only %s wrote and nobody made readable, since the restore", s.m.names(left))}})
	}
	return s.put(recRestored, r)
}
