package group

import (
	"errors"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

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
		return s.foldRekey(ref, h.Epoch, plain)
	}
	if s.self.Opened != nil {
		if plain, ok := s.self.Opened(e); ok {
			return s.foldEvent(ref, plain)
		}
		return s
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

func (s State) foldRekey(ref Ref, id journal.EpochID, plain []byte) State {
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
	f := rekeyFact{Ref: ref, Epoch: id, Number: b.Number, Parent: b.Parent}
	var mine []byte
	for _, st := range b.Stanzas {
		f.To = append(f.To, st.To)
		if st.To == s.Me() {
			mine = st.Sealed
		}
	}
	s.rekeys = s.rekeys.Set(mapkey.Of2(id, ref.ID), f)
	s.epochFacts = s.epochFacts.rekeyed(f)
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
	for _, e := range mapkey.Under(s.sealed, id) {
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
		s.admitted = lowest(s.admitted, mapkey.Of(b.Identity), ref, func(r Ref) Ref { return r })
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
		s.entryFacts = s.entryFacts.asInert(ref, ruleNotRekey)
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
		return s.foldSuccession(Succession{ref, b})
	case *event.ReplacementApproved:
		s.successionVotes = s.successionVotes.Set(successionVoteKey(ref, b.Replacement), successionVote{ref, b.Replacement})
		s.relineDue = true
		return s
	case *event.NodeFeatures:
		s.memberFacts = s.memberFacts.foldFeatures(ref, b)
		return s
	case *event.PingAsked:
		s.memberFacts = s.memberFacts.foldAsked(ref)
		return s
	case *event.PingAnswered:
		s.memberFacts = s.memberFacts.foldAnswer(ref, b)
		return s
	case *event.LabelSet:
		s.labelFacts = s.labelFacts.foldLabel(ref, b)
		return s
	case *event.CoinFrozen:
		s.labelFacts = s.labelFacts.foldFreeze(ref, b)
		return s
	case *event.GroupFrozen:
		s.stopFacts = s.stopFacts.foldStop(ref, b)
		return s
	case *event.FreezeLifted:
		s.stopFacts = s.stopFacts.foldLift(ref, b)
		return s
	case *event.AddressLeased:
		s.proposalFacts = s.proposalFacts.foldLease(ref, b.Index)
		return s
	default:
		var of bool
		if s.policies, of = s.policies.fold(s.group, ref, ev.Body); of {
			if said, ok := policySaid(s.group, ref.Chain.Author, ev.Body); ok {
				s.policiesSaid = s.policiesSaid.and(said)
			}
			return s
		}
		s.proposalFacts = s.proposalFacts.foldProposalEvent(ref, ev.Body)
		return s
	}
	return s.activate()
}

// Add takes an entry into the chains and folds it. What it says of other
// entries is worked out in derived, which the caller calls once a batch of
// entries is in.
func (s State) Add(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	s, out, err := s.link(e, wanted)
	if err == nil && out != journal.Duplicate {
		s = s.fold(e)
	}
	return s, out, err
}

// link takes an entry into the chains.
func (s State) link(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	before, forked := s.TaintedFrom(e.Chain()), s.chains.ForkedAt(e.Chain())
	chains, out, err := s.chains.Add(e, wanted)
	if err != nil || out == journal.Duplicate {
		return s, out, err
	}
	s.chains = chains
	if out == journal.Forked {
		s.memberFacts = s.memberFacts.retaint(e.Chain(), before)
		if from := s.TaintedFrom(e.Chain()); forked == 0 && from == before {
			// Tainted as it was, past a cut: but others may not be handed it any more,
			// and what it proves is to be carried.
			s.proposalFacts = s.proposalFacts.proposalsRetainted(retaint{e.Chain(), from, before})
		}
	}
	return s, out, nil
}

// AddUnread takes an entry into the chains and does not read it.
func (s State) AddUnread(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	s, out, err := s.link(e, wanted)
	if err == nil && out != journal.Duplicate {
		s.entryFacts = s.entryFacts.asFault(Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Header().Seq})
	}
	return s, out, err
}

// fold takes an entry that the chains have accepted. It never fails: what is
// wrong is inert, and so is what this program itself fails on.
func (s State) fold(e *journal.Entry) State {
	next := s
	err := Contained(func() error { next = s.read(e); return nil })
	if err == nil {
		return next
	}
	if s.self.Fault != nil {
		s.self.Fault(err)
	}
	s.entryFacts = s.entryFacts.asFault(Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Header().Seq})
	return s
}

// newcomer takes in an identity that a valid replacement names: what it wrote is
// looked at, and is tainted until it is a member.
func (s State) newcomer(who journal.Author) State {
	if s.IsNewcomer(who) {
		return s
	}
	before := s
	s.newcomers = s.newcomers.Set(mapkey.Of(who), struct{}{})
	for c := range s.chains.KeysOf(who) {
		s.memberFacts = s.memberFacts.retaint(c, before.TaintedFrom(c))
	}
	s.proposalFacts = s.proposalFacts.authorKnown(who)
	return s
}

// foldSuccession keeps a replacement, and what it changes once the wallet is active.
func (s State) foldSuccession(f Succession) State {
	if s.active != nil && !s.CheckSuccession(f.Body) {
		s.entryFacts = s.entryFacts.asInert(f.Ref, ruleReplacement)
		return s
	}
	s.successions = s.successions.Set(successionKey(f.Ref), f)
	if s.active == nil {
		return s
	}
	s.relineDue = s.relineDue || s.mayCount(f)
	return s.newcomer(f.Body.New)
}

// activate looks whether the pinned roster is ratified by all.
func (s State) activate() State {
	if s.active != nil {
		return s
	}
	if s.pinned == ([32]byte{}) || !s.ratifiedByAll() {
		return s
	}
	r, ok := s.Roster()
	if !ok || !r.Complete() || r.Hash != s.pinned || len(r.Ratified) != len(r.Members) {
		return s
	}
	s.active = &Active{Roster: *r}
	s.memberFacts = s.memberFacts.judgeAnswers()
	for k, f := range s.successions.All() {
		if !s.CheckSuccession(f.Body) {
			s.successions = s.successions.Delete(k)
			s.entryFacts = s.entryFacts.asInert(f.Ref, ruleReplacement)
			continue
		}
		s = s.newcomer(f.Body.New)
	}
	s.relineDue = true
	for _, m := range s.active.Members {
		s.proposalFacts = s.proposalFacts.authorKnown(m.Original)
	}
	return s
}

// Derived works out, once, what the entries folded since the last time have
// changed elsewhere: who the members are, and then what rests on entries that
// are tainted now, or not any more. Everybody who folds calls it before
// anything is read, so that a State between two steps is always whole, and the
// same whatever the order of entries was.
//
// A hook is called once for each such chain. It may not rely on what was folded
// meanwhile having been judged by Before: it works out anew what rests on the
// entries between From and Before.
func (s State) Derived() State {
	s.memberFacts = s.memberFacts.relined()
	if len(s.retainted) == 0 {
		s.epochFacts = s.epochFacts.epochsDerived()
		return s
	}
	due := s.retainted
	s.retainted, s.reweighed = nil, true
	at, all := map[journal.ChainKey]int{}, []retaint(nil)
	for _, r := range due {
		if n, ok := at[r.Chain]; ok {
			all[n].From = r.From
			continue
		}
		at[r.Chain] = len(all)
		all = append(all, r)
	}
	for _, r := range all {
		if r.From == r.Before {
			continue
		}
		s.epochFacts = s.epochFacts.epochsRetainted(r)
		s.proposalFacts = s.proposalFacts.proposalsRetainted(r)
		s.labelFacts = s.labelFacts.viewsRetainted(r)
	}
	s.epochFacts = s.epochFacts.epochsDerived()
	return s
}

// Told returns the state without the bookkeeping of what is news.
func (s State) Told() State {
	s.touched, s.remarked, s.spokenOf, s.leased, s.reweighed, s.reweighedOf = nil, nil, nil, pmap.Map[pmap.Number, bool]{}, false, nil
	s.stopsNews, s.policiesSaid = false, nil
	return s
}
