package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// CountUnverified counts the entries whose signatures could not be verified yet and
// that state one by this node's key, or by one that it hosts, whoever wrote
// them: what a hosted cosigner signed is always carried, and by any member.
// What waits for its turn counts too, and more than can be looked at counts as
// the most.
func (s proposalFacts) CountUnverified(u *UnreadEntries) {
	if u.N = min(u.Most, u.N+s.backlog.turns.Len()); s.active == nil {
		return
	}
	me, ok := s.active.KeyOf(s.Me())
	for k, m := range s.active.Members {
		if (!ok || k != me) && !s.HostsMember(m) {
			continue
		}
		if !u.Mine {
			s.unverifiedOf(u, statedKey(uint32(k)))
			continue
		}
		for who := range s.selves {
			s.unverifiedOf(u, statedKey(uint32(k))+byStated(who[:]))
		}
	}
}

// UnheldApproval says whether an identity approved, by a key and at an untainted place before
// another one of its chains, a proposal that is not held or not understood yet: what that
// transaction takes is not known.
func (s proposalFacts) UnheldApproval(key int, who journal.Author, before Ref) bool {
	looked := 0
	for at := range pmap.Prefix(s.backlog.stating, statedKey(uint32(key))+byStated(who[:])) {
		if looked++; looked > MaxUnread {
			return true
		}
		p, held := s.Proposal(journal.EntryID([]byte(at[36:68])))
		if held && (p.Sound || mapkey.Has(s.inert, mapkey.Of(p.Ref.ID))) {
			continue
		}
		c, ok := s.carriers.Get(carries(at[36:68] + at[68:]))
		if ok && !c.Carried && placeOf(c.Ref) < placeOf(before) && !s.tainted(c.Ref) {
			return true
		}
	}
	return false
}

// unverifiedOf counts what waits under a prefix of backlog.stating.
func (s proposalFacts) unverifiedOf(u *UnreadEntries, prefix byStated) {
	looked := 0
	for at := range pmap.Prefix(s.backlog.stating, prefix) {
		if looked++; u.full() || looked > MaxUnread {
			u.N = u.Most
			return
		}
		p, held := s.Proposal(journal.EntryID([]byte(at[36:68])))
		if !held || !p.Sound && !mapkey.Has(s.inert, mapkey.Of(p.Ref.ID)) {
			u.add(journal.Author([]byte(at[4:36])))
		}
	}
}
