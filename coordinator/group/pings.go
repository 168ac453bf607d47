package group

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// MaxAsked is how many of the rounds count that one chain asks for: its first. One a day is
// eleven years of them. It is of a chain, so that what is told late of an earlier one takes
// none away that was answered.
const MaxAsked = 4096

// foldAsked keeps the first rounds that a chain asks for.
func (s memberFacts) foldAsked(ref Ref) memberFacts {
	k := askedKey(ref)
	if _, held := s.pings.asked.Get(k); held {
		return s
	}
	s.pings.asked = s.pings.asked.Set(k, ref.Time)
	if n := s.Asked(ref.Chain); n < MaxAsked {
		s.pings.count = s.pings.count.Set(mapkey.Chain(ref.Chain), n+1)
		return s
	}
	for last := range pmap.Prefix(s.pings.asked, k[:askedOf]) {
		s.pings.asked = s.pings.asked.Delete(last)
		break
	}
	return s
}

// foldAnswer keeps an answer that the key gave, if it is the last of its author's for it.
func (s memberFacts) foldAnswer(ref Ref, b *event.PingAnswered) memberFacts {
	if s.active == nil {
		s.pings.early = s.pings.early.Set(mapkey.Place(ref.Chain, ref.Seq, ref.ID), answer{ref, b})
		return s
	}
	if err := s.CheckAnswer(ref.Chain.Author, b); err != nil {
		s.entryFacts = s.entryFacts.asInert(ref, ruleAnswer)
		return s
	}
	k := answersOf(int(b.Key)) + byAnswer(ref.Chain.Author[:])
	if old, ok := s.pings.answers.Get(k); !ok || placeOf(ref) > placeOf(old.Ref) {
		s.pings.answers = s.pings.answers.Set(k, answerFact{ref, b.Round})
	}
	return s
}

// judgeAnswers takes in what came before the keys were known.
func (s memberFacts) judgeAnswers() memberFacts {
	early := s.pings.early
	s.pings.early = pmap.Map[mapkey.ByPlace, answer]{}
	for _, a := range early.All() {
		s = s.foldAnswer(a.ref, a.body)
	}
	return s
}

// CheckAnswer says why an answer that an identity brings is none of the key's; nil where
// it is. Whether the round was asked for is another question (see Round).
func (s memberFacts) CheckAnswer(by journal.Author, b *event.PingAnswered) error {
	if s.active == nil || int(b.Key) >= len(s.active.Members) {
		return fmt.Errorf("%w: the wallet has no key %d", event.ErrEvent, b.Key)
	}
	key := s.active.Members[b.Key].Key
	claim := event.PingClaim(s.group, by, b.Round, key.String())
	return proofOf{key, wallet.Network(s.genesis.Network), claim.Hash(), claim.PingText()}.check(b.How, b.Proof)
}

// Asked returns how many of the rounds that a chain asked for count.
func (s memberFacts) Asked(c journal.ChainKey) int {
	n, _ := s.pings.count.Get(mapkey.Chain(c))
	return n
}

// AnyAsked says whether anybody asked for a round.
func (s memberFacts) AnyAsked() bool { return s.pings.asked.Len() > 0 }

// Round returns who asked for a round, and when as that one claims; false where nobody
// did, as far as is held.
func (s memberFacts) Round(id journal.EntryID) (Ref, bool) {
	chain, seq, held := s.chains.Locate(id)
	if !held {
		return Ref{}, false
	}
	ref := Ref{ID: id, Chain: chain, Seq: seq}
	time, ok := s.pings.asked.Get(askedKey(ref))
	ref.Time = time
	return ref, ok
}

// LastAsked returns the round that an identity asked for last, if it is not tainted.
func (s memberFacts) LastAsked(who journal.Author) (Ref, bool) {
	for k, time := range pmap.Prefix(s.pings.asked, byAsked(who[:])) {
		ref := k.ref(time)
		return ref, !s.tainted(ref)
	}
	return Ref{}, false
}

// LatestRound returns the round to be answered: of those that the members asked for last,
// and claim to have by then (Unix milliseconds), the latest.
func (s memberFacts) LatestRound(by int64) (latest Ref, ok bool) {
	if s.active == nil || s.pings.asked.Len() == 0 {
		return Ref{}, false
	}
	for _, m := range s.active.Members {
		if m.Identity == (journal.Author{}) {
			continue // hosted, or contested
		}
		if ref, asked := s.LastAsked(m.Identity); asked && ref.Time <= by && (!ok || laterRound(ref, latest)) {
			latest, ok = ref, true
		}
	}
	return latest, ok
}

func laterRound(a, b Ref) bool {
	return a.Time > b.Time || a.Time == b.Time && string(a.ID[:]) < string(b.ID[:])
}

// Answered returns the latest round that a key answered, of those that were asked for by
// then as their askers claim (Unix milliseconds).
func (s memberFacts) Answered(key int, by int64) (latest Ref, ok bool) {
	for _, f := range pmap.Prefix(s.pings.answers, answersOf(key)) {
		if round, asked := s.Round(f.Round); asked && round.Time <= by && (!ok || laterRound(round, latest)) {
			latest, ok = round, true
		}
	}
	return latest, ok
}

// LastAnswer returns what an identity entered last of a key: the entry, and the round,
// which is zero where nobody asked for it.
func (s memberFacts) LastAnswer(key int, who journal.Author) (entry, round Ref, ok bool) {
	f, ok := s.pings.answers.Get(answersOf(key) + byAnswer(who[:]))
	round, _ = s.Round(f.Round)
	return f.Ref, round, ok
}
