package group

import (
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// firstsByAuthor returns the keys of the first items of each author that a map
// begins its keys with.
func firstsByAuthor[V any](m pmap.Map[string, V], most int) []string {
	var out []string
	from, more := "", true
	for more {
		who := ""
		for k := range m.From(from) {
			who = k[:32]
			break
		}
		if who == "" {
			return out
		}
		n := 0
		for k := range pmap.Prefix(m, who) {
			if n++; n > most {
				break
			}
			out = append(out, k)
		}
		from, more = mapkey.Next(who)
	}
	return out
}

// waitingKey is the place of a sealed entry among those of its chain.
func waitingKey(e *journal.Entry) string {
	return mapkey.Chain(e.Chain()) + mapkey.Number(e.Header().Seq) + mapkey.Of(e.ID())
}

// waits keeps an entry of an epoch whose secret is not held; first says that its
// author has written none under it before.
func (s epochFacts) waits(e *journal.Entry, first bool) epochFacts {
	h := e.Header()
	s.sealed = s.sealed.Set(mapkey.Of2(h.Epoch, e.ID()), e)
	s.book.waiting = s.book.waiting.Set(waitingKey(e), h.Epoch)
	if first {
		s = s.mayAsk(h.Author, placeOf(Ref{ID: e.ID(), Chain: e.Chain(), Seq: h.Seq}), askDue{Epoch: h.Epoch})
	}
	return s
}

// lies notes the epoch of an entry, unless that is the first, and says whether
// its author has written none under it before.
func (s epochFacts) lies(id journal.EntryID, by journal.Author, epoch journal.EpochID) (epochFacts, bool) {
	if epoch == s.zero {
		return s, false
	}
	wrote, _ := s.book.users.Get(mapkey.Of2(epoch, by))
	s = s.uses(epoch, by, true)
	s.book.under = s.book.under.Set(mapkey.Of(id), epoch)
	for k := range pmap.Prefix(s.wants.by, mapkey.Of(id)) {
		s = s.signedUnder(id, epoch, journal.Author([]byte(k[32:])))
	}
	return s, !wrote
}

// affords says whether an epoch is sealed again to a member though it is none
// to write under: one of those who have to do with it has caused that member
// fewer such cases than limit. One who spoils epochs without end uses up its own
// account only, not that of an honest member who wrote under one of them.
func (s epochFacts) affords(epoch journal.EpochID, who journal.Author, limit int) bool {
	for u := range pmap.Prefix(s.book.users, mapkey.Of(epoch)) {
		by := journal.Author([]byte(u[32:]))
		k, ok := s.active.KeyOf(by)
		if !ok {
			continue
		}
		line := s.active.Identities(k)
		if !slices.Contains(line, by) {
			continue
		}
		n := 0
		for _, id := range line {
			c, _ := s.book.asked.Get(mapkey.Of2(id, who))
			n += c
		}
		if n < limit {
			return true
		}
	}
	return false
}

// asksFor says whether this node asks for an epoch now, or later, where nothing is
// known yet of its rotation.
func (s epochFacts) asksFor(d askDue) (now, later bool) {
	if _, held := s.epochs.Get(mapkey.Of(d.Epoch)); held {
		return false, false
	}
	if _, asked := s.failures.Get(mapkey.Of2(d.Epoch, s.Me())); asked {
		return false, false
	}
	if d.Node != (epochNode{}) && s.obeyed(d.Node) {
		return true, false
	}
	if !s.lacks(d.Epoch) || !s.counted(d.Epoch) && !s.affords(d.Epoch, s.Me(), MaxStanzas) {
		return false, false
	}
	if d.Named {
		return true, false
	}
	for range pmap.Prefix(s.rotations, mapkey.Of(d.Epoch)) {
		return true, false
	}
	return false, true
}

// answers says whether this node seals an epoch again to a member who asked for
// it. An epoch that counts is always answered. Of all others a member asks on
// the account of each author for MaxStanzas; who answers may see it on the account of
// some more, which is why it goes on for longer.
func (s epochFacts) answers(id journal.EpochID, who journal.Author) (journal.Epoch, bool) {
	ep, held := s.epochs.Get(mapkey.Of(id))
	if done, _ := s.book.given.Get(mapkey.Of3(id, who, s.Me())); done || !held || ep.Number == 0 {
		return ep, false
	}
	return ep, s.counted(id) || s.affords(id, who, 2*MaxStanzas+1)
}

// Unread lists the entries of an author that are held and cannot be read,
// because the secret of their epoch is not held.
func (s epochFacts) Unread(by journal.Author) []journal.EntryID {
	var out []journal.EntryID
	for k := range pmap.Prefix(s.book.waiting, mapkey.Of(by)) {
		out = append(out, mapkey.Entry(k))
	}
	return out
}

// CountUnreadSealed counts the entries held that cannot be read and may show a
// signature of this node's key: those that are not tainted, and this member's own.
func (s epochFacts) CountUnreadSealed(u *UnreadEntries) {
	for from, more := "", true; more && !u.full(); {
		prefix := ""
		for k := range s.book.waiting.From(from) {
			prefix = k[:33]
			break
		}
		if prefix == "" {
			break
		}
		chain := journal.ChainKey{Author: journal.Author([]byte(prefix[:32])), Incarnation: prefix[32]}
		from, more = mapkey.Next(prefix)
		end := s.TaintedFrom(chain)
		if s.SameMember(chain.Author, s.Me()) {
			end = 0
		} else if u.Mine {
			continue
		}
		for k := range pmap.Prefix(s.book.waiting, prefix) {
			if u.full() || end != 0 && k[33:41] >= mapkey.Number(end) {
				break
			}
			u.add(chain.Author)
		}
	}
}

// UnreadCount returns how many entries are held and cannot be read.
func (s epochFacts) UnreadCount() int { return s.sealed.Len() }

// AsksDue returns the places of epochs to be asked for, n of each author.
func (s epochFacts) AsksDue(n int) []string { return firstsByAuthor(s.book.asks, n) }

// StrangeDue returns the places of epochs whose rotation did not come, n of each author.
func (s epochFacts) StrangeDue(n int) []string { return firstsByAuthor(s.book.strange, n) }

// AnswersDue returns the places of epochs that a member asked for, n at most.
func (s epochFacts) AnswersDue(who journal.Author, n int) []string {
	var out []string
	for k := range pmap.Prefix(s.book.answers, mapkey.Of(who)) {
		if out = append(out, k); len(out) == n {
			break
		}
	}
	return out
}
