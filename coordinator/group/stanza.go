package group

import (
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// A stanza is the secret of one epoch, sealed to one member. Whoever begins an
// epoch writes one for each member (see event.Stanza). This file is about those
// that did not come, or could not be opened: the entries that wait for a secret,
// whether this node asks the others for it (event.StanzaFailed), and whether it
// answers when another one asks.
//
// An epoch that somebody begins and nobody obeys is worth asking for only where
// an entry that matters was written under it. As a member could begin such epochs
// without end, each author has an account of them with each member (affords).

// firstsByAuthor returns the keys of the first items of each author that a map
// begins its keys with.
func firstsByAuthor[K ~string, V any](m pmap.Map[K, V], most int) []K {
	var out []K
	from, more := K(""), true
	for more {
		who := K("")
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
func waitingKey(e *journal.Entry) mapkey.ByPlace {
	return mapkey.Place(e.Chain(), e.Header().Seq, e.ID())
}

// waits puts an entry aside whose epoch's secret is not held: it is read once the
// secret comes. Where it is the first that its author wrote under this epoch
// (first), the epoch goes on the list of those to be asked for.
func (s epochFacts) waits(e *journal.Entry, first bool) epochFacts {
	h := e.Header()
	s.sealed = s.sealed.Set(mapkey.Of2(h.Epoch, e.ID()), e)
	s.book.waiting = s.book.waiting.Set(waitingKey(e), h.Epoch)
	if first {
		s = s.mayAsk(h.Author, placeOf(Ref{ID: e.ID(), Chain: e.Chain(), Seq: h.Seq}), askDue{Epoch: h.Epoch})
	}
	return s
}

// lies notes under which epoch an entry lies, and who wrote under that epoch. It
// says whether this is the first entry of its author there. The first epoch of
// all is not noted: every member has its secret from the start.
func (s epochFacts) lies(id journal.EntryID, by journal.Author, epoch journal.EpochID) (epochFacts, bool) {
	if epoch == s.zero {
		return s, false
	}
	wrote, _ := s.book.users.Get(mapkey.Of2(epoch, by))
	s = s.uses(epoch, by, true)
	s.book.under = s.book.under.Set(mapkey.Of(id), epoch)
	for k := range mapkey.Under(s.wants.by, id) {
		s = s.signedUnder(id, epoch, k.Second())
	}
	return s, !wrote
}

// affords says whether a member may ask once more for an epoch that does not
// count. Each case is put on the account of every author who wrote under that
// epoch, and it is enough that one of these accounts is below limit. So who
// begins such epochs without end uses up its own account, and the entries of an
// honest member who once wrote under one of them are still asked for.
func (s epochFacts) affords(epoch journal.EpochID, who journal.Author, limit int) bool {
	for u := range mapkey.Under(s.book.users, epoch) {
		by := u.Second()
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

// asksFor says whether this node asks the others for the secret of an epoch: now;
// or later, because the entry that began the epoch is not held yet, and may bring
// the secret itself; or neither, because the secret is held, was asked for
// already, or is not worth asking for.
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
	for range mapkey.Under(s.rekeys, d.Epoch) {
		return true, false
	}
	return false, true
}

// answers says whether this node seals the secret of an epoch to a member who
// asked for it. Where the epoch counts it always does. For others a member asks
// at most MaxStanzas times on the account of each author (asksFor); as the one
// who answers may hold other entries, and so count more on that account, it goes
// on to twice as many.
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
	for k := range pmap.Prefix(s.book.waiting, mapkey.Places(by)) {
		out = append(out, mapkey.Entry(k))
	}
	return out
}

// CountUnreadSealed counts the entries that are held, cannot be read, and may hold
// a signature by this node's key: of other members those that are not tainted, of
// this member all of them.
func (s epochFacts) CountUnreadSealed(u *UnreadEntries) {
	for from, more := mapkey.ByPlace(""), true; more && !u.full(); {
		prefix := mapkey.ByPlace("")
		for k := range s.book.waiting.From(from) {
			prefix = k[:33]
			break
		}
		if prefix == "" {
			break
		}
		chain := mapkey.ChainOf(prefix)
		from, more = mapkey.Next(prefix)
		end := s.TaintedFrom(chain)
		if s.SameMember(chain.Author, s.Me()) {
			end = 0
		} else if u.Mine {
			continue
		}
		for k := range pmap.Prefix(s.book.waiting, prefix) {
			if u.full() || end != 0 && string(k[33:41]) >= mapkey.Number(end) {
				break
			}
			if u.add(chain.Author); u.Authors {
				break
			}
		}
	}
}

// UnreadBy lists the members who wrote what is held, cannot be read, and may be a vote:
// entries that are not tainted; and this node's own line, where there are any of it.
func (s epochFacts) UnreadBy() []journal.Author {
	u := UnreadEntries{Most: s.book.waiting.Len() + 1, Authors: true}
	s.CountUnreadSealed(&u)
	return u.By
}

// UnreadCount returns how many entries are held and cannot be read.
func (s epochFacts) UnreadCount() int { return s.sealed.Len() }

// AsksDue returns the places of epochs to be asked for, n of each author.
func (s epochFacts) AsksDue(n int) []ByAsk { return firstsByAuthor(s.book.asks, n) }

// StrangeDue returns the places of epochs whose rekey did not come, n of each author.
func (s epochFacts) StrangeDue(n int) []ByAsk { return firstsByAuthor(s.book.strange, n) }

// AnswersDue returns the places of epochs that a member asked for, n at most.
func (s epochFacts) AnswersDue(who journal.Author, n int) []mapkey.ByPlace {
	var out []mapkey.ByPlace
	for k := range pmap.Prefix(s.book.answers, mapkey.Places(who)) {
		if out = append(out, k); len(out) == n {
			break
		}
	}
	return out
}
