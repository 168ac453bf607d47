package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// A restored node may have written and signed things after its backup was made,
// which only the others hold now. So it catches up first, then begins a new
// incarnation of its chain, and until it has heard all others it signs nothing
// that could be a rival of what it may have signed.

// How long a restored node waits before it begins its new incarnation, in ticks
// of 2 s: 30 s where all members that are connected have synced with it, and 2
// minutes where one of them claims entries and does not hand them over.
const (
	catchUpTicks = 15
	catchUpMost  = 60
)

// MarkRestored returns the batch that makes a restored group catch up with the
// others and begin a new incarnation before it writes.
func MarkRestored(group journal.GroupID, at time.Time) (port.Batch, error) {
	b, err := record.Encode(restoredRecord{At: at.Unix()})
	if err != nil {
		return port.Batch{}, fmt.Errorf("encode record: %w", err)
	}
	return port.Batch{Group: group, Puts: map[string][]byte{recRestored: b}}, nil
}

// Rebuilt says whether a record of a group can be made anew from its entries
// and from the chain, or is of the outbox: a backup leaves it out.
func Rebuilt(record string) bool {
	return OfOutbox(record) || record == ledger.RecView || record == recSnapshot || strings.HasPrefix(record, recSnapshotPart) || strings.HasPrefix(record, ledger.RecTx) || strings.HasPrefix(record, ledger.RecScripts)
}

func (m Machine) loadRestored(recs map[string][]byte) (Machine, error) {
	m, err := m.loadBound(recs)
	if err != nil {
		return m, err
	}
	if recs[recRestored] == nil {
		return m, nil
	}
	m.restored = &restoredRecord{}
	if err := record.Decode(recs[recRestored], m.restored); err != nil {
		return m, fmt.Errorf("read restore record: %w", err)
	}
	return m, nil
}

// judges says whether a restored node can tell that it holds all that a member
// claims to hold. One that takes a lost member's place cannot before the others
// let it in: until then it does not know who all the authors are.
func (m Machine) judges() bool {
	if !m.restored.Replacement {
		return true
	}
	if m.State.Active() == nil {
		return false
	}
	_, in := m.State.Active().Index(m.State.Me())
	return in
}

// claimed keeps the first claim of each member, besides the last one. A member
// counts as synced with once either is covered: otherwise one that writes all the
// time would never be.
func (s *step) claimed(from journal.Author, f journal.Frontier) {
	if s.m.restored == nil {
		return
	}
	if _, ok := s.m.owed.Get(mapkey.Of(from)); !ok {
		s.m.owed = s.m.owed.Set(mapkey.Of(from), f)
	}
}

// catchUp notes whom a restored node has synced with, begins its new
// incarnation when it is time, and ends the caution once all are heard.
func (s *step) catchUp() error {
	old := s.m.restored
	if old == nil {
		return nil
	}
	r := *old
	r.Synced = slices.Clone(old.Synced)
	for _, a := range s.m.unsynced() {
		if s.m.judges() && (s.m.State.Covers(s.m.owed, a) || s.m.State.Covers(s.m.claims, a)) {
			r.Synced = append(r.Synced, a)
		}
	}
	if len(r.Synced) != len(old.Synced) {
		s.m.restored = &r
		if err := s.put(recRestored, r); err != nil {
			return err
		}
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), Status: s.m.Phase(), Detail: "synced since the restore"}})
	}
	left := s.m.unsynced()
	if s.m.catchingUp() {
		waited := s.m.ticks >= catchUpTicks && !slices.ContainsFunc(left, s.isOnline) || s.m.ticks >= catchUpMost
		if len(left) > 0 && !(len(r.Synced) > 0 && waited) {
			return nil
		}
		if err := s.beginAgain(); err != nil {
			return err
		}
	}
	if err := s.waitForOthers(); err != nil {
		return err
	}
	if len(s.m.unsynced()) > 0 || s.m.catchingUp() || s.m.unread().N > 0 {
		return nil
	}
	if err := s.bind(); err != nil {
		return err
	}
	s.m.restored, s.m.owed = nil, pmap.Map[mapkey.ByAuthor, journal.Frontier]{}
	delete(s.batch.Puts, recRestored)
	s.batch.Deletes = append(s.batch.Deletes, recRestored)
	return nil
}

// beginAgain begins the next incarnation of this node. Its first entry names the
// last entry held of the incarnation before (the cut): what that one wrote beyond
// it, in its lost life, is known as such. After the last incarnation there is, a
// node goes on reading and writes no more.
func (s *step) beginAgain() error {
	r := *s.m.restored
	if r.Replacement {
		if s.m.State.Active() == nil {
			return nil
		}
		if _, ok := s.m.State.Active().Index(s.m.State.Me()); !ok {
			return nil // not let in yet
		}
		r.Started = true
		s.m.restored = &r
		return s.put(recRestored, r)
	}
	me, last := s.m.State.Me(), s.m.local.Incarnation
	for k := range s.m.State.Chains().Keys() {
		if k.Author == me {
			last = max(last, k.Incarnation)
		}
	}
	if last >= journal.MaxIncarnation {
		return nil // it goes on reading
	}
	cut := s.m.State.Chains().Frontier()[journal.ChainKey{Author: me, Incarnation: last}]
	r.Started = true
	s.m.restored, s.m.local.Incarnation = &r, last+1
	s.m.ownAtStart = 0 // of the new chain nobody has to hold anything
	if err := errors.Join(s.put(recRestored, r), s.put(recLocal, s.m.local)); err != nil {
		return err
	}
	_, err := s.write(&event.IncarnationStarted{Seq: cut.Seq, Last: cut.ID})
	return err
}

// overrideRestored begins to write before all others were heard, where the user
// overrides that by name.
func (s *step) overrideRestored(allow []string) error {
	if s.m.catchingUp() && slices.Contains(allow, refusal.Restored) {
		return s.beginAgain()
	}
	return nil
}

// checkRestored stands before every signature of a restored node. After the backup
// was made it may have signed another transaction that spends the same coins, and
// only some other member may hold that.
func (m Machine) checkRestored(p *group.Proposal, allow []string) error {
	if m.restored == nil || slices.Contains(allow, refusal.Restored) {
		return m.checkMaybeSigned(p, allow)
	}
	left := m.unsynced()
	if len(left) == 0 {
		if u := m.unread(); u.N > 0 {
			by := ""
			if len(u.By) > 0 {
				by = ", of " + m.names(u.By) + ","
			}
			return refusal.New(refusal.Restored, "this node was restored, and %d entries%s that may hold a signature that it gave cannot be read yet: an epoch or a proposal is missing", u.N, by).
				WithHint("wait until more of the others are online, for a day at most for what this node did not write itself; if you know of no later signature on these coins, repeat with --allow %s", refusal.Restored).MayOverride()
		}
		return m.checkMaybeSigned(p, allow)
	}
	return refusal.New(refusal.Restored, "this node was restored, and has not synced since with %s, who may hold a signature that it gave after the backup was made", m.names(left)).
		WithHint("wait until they are online; if they are gone for good, and you know of no later signature on these coins, repeat with --allow %s", refusal.Restored).MayOverride()
}

// Restored is how far a node is that came from a backup, or that took the
// place of a lost one.
type Restored struct {
	At time.Time
	// Unsynced are the members it has not heard since; it signs when there are none.
	Unsynced []Cosigner
	// Unread are entries that may hold a signature of its own, and cannot be read yet.
	Unread int
	// UnreadBy are those who wrote them, as far as that is known.
	UnreadBy []Cosigner
	// Writes: it has begun its new incarnation.
	Writes bool
}

// Restored says how far a restored node is; nil where it was not restored, or
// has heard from everybody since.
func (m *Machine) Restored() *Restored {
	if m.restored == nil {
		return nil
	}
	u := m.unread()
	out := &Restored{At: time.Unix(m.restored.At, 0), Unread: u.N, Writes: m.restored.Started}
	out.Unsynced, out.UnreadBy = m.cosignersOf(m.unsynced()), m.cosignersOf(u.By)
	return out
}
