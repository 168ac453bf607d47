package group

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// roster evaluates a closed roster from the facts held. ok is false while a
// record is missing or when the roster is invalid; it never becomes valid by
// the order in which things came.
func (s setupFacts) roster(f rosterFact) (*Roster, bool) {
	if f.Ref.Chain.Author != s.genesis.Founder || len(f.Records) != s.genesis.Cosigners {
		return nil, false
	}
	r := &Roster{ID: f.Ref.ID, Ratified: map[journal.EntryID]bool{}}
	ids, xpubs := map[journal.Author]bool{}, map[string]bool{}
	for _, id := range f.Records {
		rec, ok := s.records.Get(mapkey.Of(id))
		if !ok {
			return nil, false
		}
		who := rec.Ref.Chain.Author
		m := Member{Name: rec.Body.Name, Sealing: rec.Body.SealingKey, Key: rec.Key, Proof: rec.Body.How, Record: id}
		if xpubs[rec.Key.XPub] || !rec.Body.Hosted && ids[who] {
			return nil, false
		}
		xpubs[rec.Key.XPub] = true
		if rec.Body.Hosted {
			m.Host = who
		} else {
			m.Identity, ids[who] = who, true
		}
		r.Members = append(r.Members, m)
	}
	if !ids[s.genesis.Founder] {
		return nil, false
	}
	for i, m := range r.Members {
		if m.Hosted() && !ids[m.Host] {
			return nil, false // whoever hosts is a member
		}
		r.Members[i].Original, r.Members[i].FirstSealing = m.Identity, m.Sealing
	}
	d, ok := s.descriptor(r.Members)
	if !ok {
		return nil, false
	}
	MarkNames(r.Members)
	r.Descriptor = d
	s.reveal(r)
	return r, true
}

// descriptor puts the members into the order of their keys, and returns the
// descriptor that these make.
func (s setupFacts) descriptor(members []Member) (*wallet.Descriptor, bool) {
	if d, err := s.genesis.Existing(); err != nil || d != nil {
		return d, err == nil && inOrder(members, d)
	}
	// The order of keys must not depend on who listed them: sorted by text.
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	keys := make([]wallet.Key, len(members))
	for i := range members {
		members[i].Index = i
		keys[i] = members[i].Key
	}
	d, err := wallet.NewMultisig(wallet.Network(s.genesis.Network), wallet.ScriptType(s.genesis.Script), s.genesis.Threshold, keys)
	return d, err == nil
}

// reveal counts the openings of a roster and, when all are there, computes the hash.
func (s setupFacts) reveal(r *Roster) {
	type opened struct {
		record journal.EntryID
		salt   [32]byte
	}
	var all []opened
	for _, m := range r.Members {
		if f, ok := s.revealed(m, r.ID); ok {
			all = append(all, opened{m.Record, f.Salt})
		}
	}
	r.Revealed = len(all)
	if len(all) != len(r.Members) {
		return
	}
	slices.SortFunc(all, func(a, b opened) int { return bytes.Compare(a.record[:], b.record[:]) })
	parts := [][]byte{s.group[:], []byte(r.Descriptor.String())}
	for _, o := range all {
		parts = append(parts, o.record[:], o.salt[:])
	}
	r.Hash = journal.H("roster", parts...)
	for _, m := range r.Members {
		if _, ok := s.ratifiedBy(r.Hash, m); ok {
			r.Ratified[m.Record] = true
		}
	}
}

// firstRosters yields the rosters that this node looks at.
func (s setupFacts) firstRosters(yield func(rosterFact) bool) {
	n := 0
	for _, id := range s.setup.closed.All() {
		f, _ := s.rosters.Get(mapkey.Of(id))
		if n++; n > MaxRosters || !yield(f) {
			return
		}
	}
}

// myRosters yields those that this node revealed for: one, unless its own chain
// is forked. One that took a lost one's place never revealed: what its earlier
// identities revealed for stands in for that. A founder may close any number, and
// by a fork before the right one, so that this is not among its first; and so may a
// thief reveal. Once all revealed for it, it is found by its hash (see openedBook).
func (s setupFacts) myRosters(yield func(rosterFact) bool) {
	seen := map[journal.EntryID]bool{}
	for _, who := range append([]journal.Author{s.Me()}, s.formerSelves()...) {
		n := 0
		for _, id := range pmap.Prefix(s.setup.revealed, mapkey.Places(who)) {
			if n++; n > MaxReveals || len(seen) >= MaxRosters {
				break
			}
			f, ok := s.rosters.Get(mapkey.Of(id))
			if !ok || seen[id] {
				continue
			}
			seen[id] = true
			if !yield(f) {
				return
			}
		}
	}
}

// RosterOf returns the roster that an entry of a chain would close with these
// records; false where it cannot.
func (s setupFacts) RosterOf(chain journal.ChainKey, records []journal.EntryID) (*Roster, bool) {
	return s.roster(rosterFact{Ref: Ref{Chain: chain}, Records: records})
}
