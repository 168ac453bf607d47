package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Pin returns the state of a node whose user agreed to the roster of a hash.
func (s State) Pin(hash [32]byte) State { return s.WithPin(hash).Activated() }

// WithPin is Pin without the wallet becoming active yet.
func (s State) WithPin(hash [32]byte) State {
	s.pinned = hash
	return s
}

// Activated returns the state with the wallet active, where all has ratified the
// roster that is pinned.
func (s State) Activated() State { return s.activate().Derived() }

// InPlaceOf returns the state of a node that takes a lost member's place: who let
// it in, the identity that the member had then, and the key that both hold.
func (s State) InPlaceOf(inviter, lost journal.Author, key string) State {
	s.inviter, s.lost = inviter, lostPlace{lost, event.AccountHash(s.group, key)}
	return s
}

// Work works off what is due, in turns, until so many units are used up.
func (s State) Work(units int) State {
	for units > 0 {
		var at pmap.Number
		what, any := due(""), false
		for at, what = range s.backlog.turns.All() {
			any = true
			break
		}
		if !any {
			return s
		}
		s.backlog.turns, s.backlog.queued = s.backlog.turns.Delete(at), s.backlog.queued.Delete(what)
		used, more := 0, false
		if len(what) == 32 {
			s.proposalFacts, used, more = s.proposalFacts.workProposal(journal.Author([]byte(what)))
		} else {
			s.proposalFacts, used, more = s.proposalFacts.workCarrier(what)
		}
		units -= used
		if more {
			s.proposalFacts = s.proposalFacts.turn(what)
		}
	}
	return s
}

// JudgeLater has proposals and signatures wait for Work, or judged as they come.
func (s State) JudgeLater(later bool) State {
	s.backlog.later = later
	return s
}

// TakeTouched returns the state with nothing touched, the proposals that were, and
// from which seq on the entries of which chains are tainted, or not any more.
func (s State) TakeTouched() (State, []Touch, []Reweighed) {
	touched, chains := s.touched.all(), make([]Reweighed, 0, len(s.reweighedOf))
	for _, r := range s.reweighedOf {
		chains = append(chains, Reweighed{r.Chain, lowerSeq(r.From, r.Before)})
	}
	s.touched, s.remarked, s.spokenOf, s.reweighedOf, s.stopsNews, s.policiesSaid = nil, nil, nil, nil, false, nil
	return s, touched, chains
}

// TakeReweighed returns the state once it was noted that entries were tainted, or
// are not any more.
func (s State) TakeReweighed() State {
	s.reweighed = false
	return s
}

// TakeLeased returns the state with no index leased, and those that were since the
// last call.
func (s State) TakeLeased() (State, []uint32) {
	var out []uint32
	for index := range s.leased.All() {
		out = append(out, uint32(index.Uint64()))
	}
	s.leased = pmap.Map[pmap.Number, bool]{}
	return s, out
}

// TakeAsk takes an epoch out of what is to be asked for, and says whether it is to
// be asked for now. Where not even its rekey came, it is left for StrangeDue.
func (s State) TakeAsk(at ByAsk) (State, journal.EpochID, bool) {
	d, _ := s.book.asks.Get(at)
	s.book.asks = s.book.asks.Delete(at)
	now, later := s.asksFor(d)
	if later {
		s.book.strange = s.book.strange.Set(at, d)
	}
	return s, d.Epoch, now
}

// TakeStrange takes such an epoch out, and says whether it is still to be asked for.
func (s State) TakeStrange(at ByAsk) (State, journal.EpochID, bool) {
	d, _ := s.book.strange.Get(at)
	s.book.strange = s.book.strange.Delete(at)
	now, later := s.asksFor(d)
	return s, d.Epoch, now || later
}

// TakeAnswer takes an epoch out of what a member asked for, and says whether this
// node seals it to that one again.
func (s State) TakeAnswer(at mapkey.ByPlace, who journal.Author) (State, journal.Epoch, bool) {
	id, _ := s.book.answers.Get(at)
	s.book.answers = s.book.answers.Delete(at)
	ep, ok := s.answers(id, who)
	return s, ep, ok
}

// NeededByOthers says whether something that a member wrote names an entry: a
// signature, a vote, `entries.named`, or a roster.
func (s State) NeededByOthers(id journal.EntryID) bool {
	if mapkey.HasUnder(s.wants.by, id) || mapkey.HasPrefix(s.votes, byVote(id[:])) {
		return true
	}
	_, ok := s.setup.rostered.Get(mapkey.Of(id))
	return ok
}
