package coordinator

import (
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// rekeyRank is how much later each of those online rekeys than the one before
// it in order of identity: one who should and does not hinders the others for that long.
const rekeyRank = time.Hour

// Rekey makes a new epoch now: entries are sealed under a secret of their own
// from then on, which those who are members now hold.
type Rekey struct{}

func (s *step) rekey(x Rekey) error {
	st := s.m.State
	if st.Active() == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	if _, ok := st.Active().Index(st.Me()); !ok {
		return s.m.noSeat()
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	if made, spoiled, ok := st.EpochsOf(st.Me()); ok && !st.MayRekey(st.Me()) {
		return refusal.New(refusal.Rekey, "this node's epochs do not count any more: it made %d for these members, and %d of them had to be sealed again by others", made, spoiled).
			WithHint("let another cosigner make it; a new device of any cosigner begins the count anew")
	}
	if err := s.writeEpoch(s.newEpoch(), st.Active().Members); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

// rekeyByAge makes a new epoch when there is none that fits the members, or
// when it is old: the lowest identity online whose epochs count does it, so that
// not all do, and the next one where that one does not.
func (s *step) rekeyByAge(online []journal.Author) error {
	st := s.m.State
	if st.Active() == nil || !st.MayRekey(st.Me()) {
		return nil
	}
	cur, fits := st.Fitting()
	if fits {
		s.m.unfit = 0
	} else {
		s.m.unfit++
	}
	me := st.Me()
	rank := 0
	for _, a := range online {
		if slices.Compare(a[:], me[:]) < 0 && st.MayRekey(a) {
			rank++
		}
	}
	if fits {
		// A time claimed to lie ahead counts as now: it cannot stop a rekey
		// for longer than one that is true, since it is asked again.
		age := s.now().UnixMilli() - st.RekeyedAt(cur.ID(), s.now().UnixMilli())
		if age < (epochAge + time.Duration(rank)*rekeyRank).Milliseconds() {
			return nil
		}
	} else if s.m.unfit < rebroadcastEach*uint64(rank+1) {
		return nil // give another's rekey time to arrive
	}
	// Rekey is no reason to stop time: what hinders it now hinders it
	// again at the next tick, and is not worth more.
	_ = s.try(func() error { return s.writeEpoch(s.newEpoch(), s.m.State.Active().Members) })
	return nil
}

// Times of what a node does by itself.
const (
	epochAge        = 30 * 24 * time.Hour // an older epoch is rekeyed
	rebroadcastEach = 30                  // ticks between rebroadcasts of what is not mined
	retryEach       = 5                   // ticks between tries to broadcast
)
