package group

import (
	"errors"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

const ruleMalformed = "malformed_event"

const ruleSealed = "does_not_open"

const ruleNotFounder = "not_the_founder"

const ruleRecord = "bad_record"

const ruleProposal = "bad_proposal"

const ruleSignature = "bad_bitcoin_signature"

const ruleForeignKey = "signature_of_another"

const rulePlain = "plain_event"

const ruleNotRotation = "sealed_rotation"

const ruleGenesis = "other_genesis"

const ruleIncarnation = "misplaced_incarnation"

const ruleReplacement = "bad_replacement"

const ruleReader = AlarmReader // of this node alone: the program failed on it

// read opens an entry, if it can, and adds the facts it states. Entries of an
// epoch whose secret is not held yet wait.
func (s State) read(e *journal.Entry) State {
	if s.self.Probe != nil {
		s.self.Probe(s, e)
	}
	h := e.Header()
	ref := Ref{ID: e.ID(), Chain: e.Chain(), Seq: h.Seq}
	s.epochFacts = s.epochFacts.arrived(ref.ID)
	if h.Suite == 0 {
		plain, err := journal.OpenPlain(e)
		if err != nil {
			s.entryFacts = s.entryFacts.asInert(ref, ruleMalformed)
return s
		}
		return s.foldRotation(ref, h.Epoch, plain)
	}
	var first bool
	s.epochFacts, first = s.lies(ref.ID, h.Author, h.Epoch)
	epoch, ok := s.epochs.Get(mapkey.Of(h.Epoch))
	if !ok {
		s.epochFacts = s.epochFacts.waits(e, first)
return s
	}
	plain, err := journal.Open(epoch, e)
	if err != nil {
		s.entryFacts = s.entryFacts.asInert(ref, ruleSealed)
return s
	}
	return s.foldEvent(ref, plain)
}

func (s State) foldRotation(ref Ref, id journal.EpochID, plain []byte) State {
	ev, err := event.Decode(plain)
	if errors.Is(err, event.ErrNewer) {
		s.entryFacts = s.entryFacts.asUnknown(ref)
return s
	}
	if err != nil {
		s.entryFacts = s.entryFacts.asInert(ref, ruleMalformed)
return s
	}
	b, ok := ev.Body.(*event.EpochRotated)
	if !ok {
		s.entryFacts = s.entryFacts.asInert(ref, rulePlain)
return s
	}
	ref.Time = ev.Time
	f := rotationFact{Ref: ref, Epoch: id, Number: b.Number, Parent: b.Parent}
	var mine []byte
	for _, st := range b.Stanzas {
		f.To = append(f.To, st.To)
		if st.To == s.Me() {
			mine = st.Sealed
		}
	}
	s.rotations = s.rotations.Set(mapkey.Of2(id, ref.ID), f)
	s.epochFacts = s.epochFacts.rotated(f)
	if _, held := s.epochs.Get(mapkey.Of(id)); mine == nil || held {
		return s
	}
	ep, err := journal.OpenSecret(s.self.Sealing, s.group, id, b.Number, b.Parent, ref.Chain.Author, s.Me(), mine)
	if err != nil {
		return s // this node says so (see StanzaFailed); any holder seals it again
	}
	return s.addEpoch(ep)
}

// addEpoch learns a secret and folds what waited for it.
func (s State) addEpoch(ep journal.Epoch) State {
	id := ep.ID()
	if _, ok := s.epochs.Get(mapkey.Of(id)); ok {
		return s
	}
	s.epochs = s.epochs.Set(mapkey.Of(id), ep)
	s.epochFacts = s.epochFacts.learnt(ep)
	var waiting []*journal.Entry
	for _, e := range pmap.Prefix(s.sealed, mapkey.Of(id)) {
		waiting = append(waiting, e)
	}
	for _, e := range waiting {
		s.sealed = s.sealed.Delete(mapkey.Of2(id, e.ID()))
		s.book.waiting = s.book.waiting.Delete(waitingKey(e))
		s = s.fold(e)
	}
	return s
}

func (s State) foldEvent(ref Ref, plain []byte) State {
	ev, err := event.Decode(plain)
	if errors.Is(err, event.ErrNewer) {
		s.entryFacts = s.entryFacts.asUnknown(ref)
return s
	}
	if err != nil {
		s.entryFacts = s.entryFacts.asInert(ref, ruleMalformed)
return s
	}
	ref.Time = ev.Time
	switch b := ev.Body.(type) {
	case *event.GroupCreated:
		s.setupFacts = s.setupFacts.foldCreated(ref, b)
return s
	case *event.MemberAdmitted:
		if ref.Chain.Author != s.genesis.Founder {
			s.entryFacts = s.entryFacts.asInert(ref, ruleNotFounder)
return s
		}
		s.admitted = lowest(s.admitted, string(b.Identity[:]), ref, func(r Ref) Ref { return r })
	case *event.MemberRecord:
		k, err := s.CheckRecord(ref.Chain.Author, b)
		if err != nil {
			s.entryFacts = s.entryFacts.asInert(ref, ruleRecord)
return s
		}
		s.setupFacts = s.setupFacts.foldRecord(Record{ref, b, k})
	case *event.RosterClosed:
		if ref.Chain.Author != s.genesis.Founder {
			s.entryFacts = s.entryFacts.asInert(ref, ruleNotFounder)
return s
		}
		s.setupFacts = s.setupFacts.foldRoster(rosterFact{ref, b.Records})
	case *event.RosterRevealed:
		f := revealFact{ref, b.Roster, b.Salt}
		s.reveals = lowest(s.reveals, mapkey.Of3(ref.Chain.Author, b.Roster, Commitment(b.Salt)), f, func(f revealFact) Ref { return f.Ref })
		s.setupFacts = s.indexReveal(f).cameIn(lacksReveal(ref.Chain.Author, b.Roster, Commitment(b.Salt)))
	case *event.RosterRatified:
		f := ratifiedFact{ref, b.Hash, b.Record}
		s.ratified = lowest(s.ratified, ratifiedKey(b.Hash, ref.Chain.Author, b.Record), f, func(f ratifiedFact) Ref { return f.Ref })
		s.setupFacts = s.indexRatified(f).ratifiedOne(f.Hash)
	case *event.GroupAbandoned:
		s.abandoned = s.abandoned.Set(mapkey.Of(ref.ID), ref)
		return s
	case *event.EpochRotated:
		s.entryFacts = s.entryFacts.asInert(ref, ruleNotRotation)
return s
	case *event.StanzaFailed:
		s.epochFacts = s.epochFacts.failed(failureFact{ref, b.Epoch})
return s
	case *event.IncarnationStarted:
		s.memberFacts = s.memberFacts.foldIncarnation(ref, b)
return s
	case *event.EntriesNamed:
		for _, id := range b.Entries {
			s.named = lowest(s.named, mapkey.Of2(id, ref.Chain.Author), ref, func(r Ref) Ref { return r })
			s.epochFacts = s.epochFacts.want(id, ref.Chain.Author)
		}
		return s
	case *event.MemberReplaced:
		return s.foldReplaced(ReplacedFact{ref, b})
	case *event.ReplacementApproved:
		s.replaceVotes = s.replaceVotes.Set(replaceVoteKey(ref, b.Replacement), replaceVote{ref, b.Replacement})
		s.relineDue = true
		return s
	case *event.LabelSet:
		s.labelFacts = s.labelFacts.foldLabel(ref, b)
return s
	case *event.AddressLeased:
		s.proposalFacts = s.proposalFacts.foldLease(ref, b.Index)
return s
	default:
		s.proposalFacts = s.proposalFacts.foldProposalEvent(ref, ev.Body)
return s
	}
	return s.activate()
}

// lowest keeps, of several entries that state one fact, that with the lowest
// id: the order in which they came must not show.
func lowest[V any](m pmap.Map[string, V], k string, v V, ref func(V) Ref) pmap.Map[string, V] {
	if old, ok := m.Get(k); ok {
		a, b := ref(old).ID, ref(v).ID
		if string(a[:]) <= string(b[:]) {
			return m
		}
	}
	return m.Set(k, v)
}

func (s setupFacts) foldCreated(ref Ref, b *event.GroupCreated) setupFacts {
	if ref.Chain.Author != s.genesis.Founder {
		s.entryFacts = s.entryFacts.asInert(ref, ruleNotFounder)
return s
	}
	if event.GroupID(b.Genesis) != s.group {
		s.entryFacts = s.entryFacts.asInert(ref, ruleGenesis)
return s
	}
	return s.foldName(ref, b.Name)
}

func (s memberFacts) foldIncarnation(ref Ref, b *event.IncarnationStarted) memberFacts {
	if ref.Seq != 1 || ref.Chain.Incarnation < 2 {
		s.entryFacts = s.entryFacts.asInert(ref, ruleIncarnation)
return s
	}
	before := journal.ChainKey{Author: ref.Chain.Author, Incarnation: ref.Chain.Incarnation - 1}
	old, ok := s.cuts.Get(mapkey.Chain(before))
	if !ok || b.Seq < old.Seq || (b.Seq == old.Seq && string(ref.ID[:]) < string(old.Ref.ID[:])) {
		was := s.TaintedFrom(before)
		s.cuts = s.cuts.Set(mapkey.Chain(before), cutFact{b.Seq, ref})
		s = s.retaint(before, was)
	}
	return s
}
