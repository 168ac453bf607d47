package group

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// Freeze is why a coin is not spent for now: a member says so.
type Freeze struct {
	Note string // the member's words, which nothing verifies
	Ref  Ref
}

// SpokenOf lists the coins of which somebody said whether they are frozen since the last
// call of TakeTouched.
func (s labelFacts) SpokenOf() []CoinSaid { return s.spokenOf.all() }

// foldFreeze keeps everything that is said of a coin, as labels are kept.
func (s labelFacts) foldFreeze(ref Ref, b *event.CoinFrozen) labelFacts {
	s.spokenOf = s.spokenOf.and(CoinSaid{b.OutPoint(), ref.Chain.Author})
	s.freezes = s.freezes.Set(labelPlace(b.On(), ref), labelFact{Ref: ref, Text: b.Note, Supersedes: b.Supersedes, Frozen: b.Frozen})
	return s
}

// Frozen returns the freeze of a coin: of what the members say last of it and nothing
// supersedes, any that freezes it counts, and that with the lowest id is shown. So a
// freeze stands against whoever lifts another one at the same moment. It returns false
// where the coin is not frozen.
func (s labelFacts) Frozen(coin wire.OutPoint) (Freeze, bool) {
	if s.freezes.Len() == 0 {
		return Freeze{}, false
	}
	heads := s.headsOf(s.freezes, event.OutputTarget(coin))
	i := slices.IndexFunc(heads, func(f labelFact) bool { return f.Frozen })
	if i < 0 {
		return Freeze{}, false
	}
	return Freeze{heads[i].Text, heads[i].Ref}, true
}

// LastFreezes returns, ascending, what each member says last of a coin: what is said next
// stands in the place of all of it.
func (s labelFacts) LastFreezes(coin wire.OutPoint) []journal.EntryID {
	last, _ := s.lastOf(s.freezes, event.OutputTarget(coin))
	var out []journal.EntryID
	for _, f := range last {
		out = append(out, f.Ref.ID)
	}
	slices.SortFunc(out, compareEntryIDs)
	return out
}
