package group

import (
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// BudgetEntries counts what is said of leave, each question, grant and release of each author
// once.
func (s memberFacts) BudgetEntries() int {
	b := s.policies.budgets
	return b.reserved.Len() + b.granted.Len() + b.released.Len()
}

// Reservation returns a reservation by its entry.
func (s memberFacts) Reservation(id journal.EntryID) (Reservation, bool) {
	return s.policies.budgets.reserved.Get(mapkey.Of(id))
}

// ReservedBy yields what the identities of a key reserved and did not release, in order.
func (s memberFacts) ReservedBy(key int) func(yield func(Reservation) bool) {
	return func(yield func(Reservation) bool) {
		for r := range s.ReservedEver(key) {
			if !s.ReleasedBudget(r.Ref.ID, r.Ref.Chain.Author) && !yield(r) {
				return
			}
		}
	}
}

// ReservedEver yields what the identities of a key reserved, released or not, in order.
func (s memberFacts) ReservedEver(key int) func(yield func(Reservation) bool) {
	return func(yield func(Reservation) bool) {
		for _, who := range s.active.Identities(key) {
			for _, id := range pmap.Prefix(s.policies.budgets.reservers, byReserver(who[:])) {
				if r, ok := s.Reservation(id); ok && !yield(r) {
					return
				}
			}
		}
	}
}

// ReleasedBudget says whether a reservation was released by its own author.
func (s memberFacts) ReleasedBudget(id journal.EntryID, by journal.Author) bool {
	return mapkey.Has(s.policies.budgets.released, mapkey.Of2(id, by))
}

// GrantedBy returns the entry by which the member of a key granted a reservation; untainted
// where only such count.
func (s memberFacts) GrantedBy(key int, id journal.EntryID, untainted bool) (Ref, bool) {
	for _, who := range s.active.Identities(key) {
		if r, ok := s.policies.budgets.granted.Get(mapkey.Of2(id, who)); ok && !(untainted && s.tainted(r)) {
			return r, true
		}
	}
	return Ref{}, false
}

// GrantsOf yields what the identities of a key granted, tainted or not, in order, with the
// entries that say so.
func (s memberFacts) GrantsOf(key int) func(yield func(Ref, Reservation) bool) {
	return func(yield func(Ref, Reservation) bool) {
		for _, who := range s.active.Identities(key) {
			for _, id := range pmap.Prefix(s.policies.budgets.granters, byGranter(who[:])) {
				ref, _ := s.policies.budgets.granted.Get(mapkey.Of2(id, who))
				if r, ok := s.Reservation(id); ok && !yield(ref, r) {
					return
				}
			}
		}
	}
}
