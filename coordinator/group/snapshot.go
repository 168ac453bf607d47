package group

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// SnapshotVersion changes with whatever a snapshot holds, or how it is derived
// from the entries.
const SnapshotVersion = 21

var ErrSnapshot = errors.New("snapshot is of no use")

// stateSnapshot is an active State, without what is derived from other parts: what
// each value keeps, in one map. Beside a value's fold, kept takes that out of it and
// into puts it back. Whatever is added or changed there changes SnapshotVersion.
type stateSnapshot struct {
	Version int `cbor:"1,keyasint"`
	entryKept
	memberKept
	setupKept
	epochKept
	proposalKept
	labelKept
	stopKept
}

// Snapshot encodes an active State.
func (s State) Snapshot() ([]byte, error) {
	chains, err := s.chains.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	snap := stateSnapshot{SnapshotVersion, s.entryFacts.kept(chains), s.memberFacts.kept(), s.setupFacts.kept(), s.epochFacts.kept(), s.proposalFacts.kept(), s.labelFacts.kept(), s.stopFacts.kept()}
	b, err := record.Encode(snap)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return b, nil
}

// WithSnapshot returns the state that a snapshot holds, on top of an empty one
// of the same group and pin; entries written since are folded by the caller.
func (s State) WithSnapshot(b []byte) (State, error) {
	var snap stateSnapshot
	if err := record.Decode(b, &snap); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if snap.Version != SnapshotVersion || snap.Group != s.group || snap.Pinned != s.pinned || s.pinned == [32]byte{} {
		return s, ErrSnapshot
	}
	var err error
	if s.chains, err = journal.UnmarshalChains(snap.Chains); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	snap.entryKept.into(&s.entryFacts)
	snap.memberKept.into(&s.memberFacts)
	snap.setupKept.into(&s.setupFacts)
	snap.epochKept.into(&s.epochFacts)
	snap.proposalKept.into(&s.proposalFacts)
	snap.labelKept.into(&s.labelFacts)
	snap.stopKept.into(&s.stopFacts)
	for k, i := range s.inert.All() {
		if i.Rule == ruleReader {
			s.bugs = s.bugs.Set(k, i.Ref)
		}
	}
	for _, p := range snap.Sealed {
		if len(p.K) != 64 {
			return s, ErrSnapshot
		}
		e, err := journal.DecodeStored(p.V, journal.EntryID(p.K[32:]))
		if err != nil {
			return s, fmt.Errorf("%w: %w", ErrSnapshot, err)
		}
		s.epochFacts = s.epochFacts.waits(e, true)
	}
	if s, err = s.withBooks(snap); err != nil {
		return s, err
	}
	r, ok := s.Roster()
	if !ok || r.Hash != s.pinned || len(r.Ratified) != len(r.Members) {
		return s, ErrSnapshot
	}
	s.active = &Active{Roster: *r}
	s.proposalFacts = s.proposalFacts.reindexed()
	for _, f := range s.successions.All() {
		s = s.newcomer(f.Body.New)
	}
	s.relineDue = true
	return s.Derived().Told(), nil
}

// withBooks fills what epochs, the facts of setup, named entries and faults are
// found by.
func (s State) withBooks(snap stateSnapshot) (State, error) {
	for _, e := range s.epochs.All() {
		if e.Number > 0 {
			s.epochFacts = s.epochFacts.learnt(e)
		}
	}
	for _, f := range s.rekeys.All() {
		s.epochFacts = s.epochFacts.rekeyed(f)
	}
	for _, u := range snap.Under {
		for ids := u.IDs; len(ids) > 0; ids = ids[32:] {
			if len(ids) < 32 {
				return s, ErrSnapshot
			}
			id := journal.EntryID(ids[:32])
			chain, _, held := s.chains.Locate(id)
			if !held {
				return s, ErrSnapshot
			}
			s.epochFacts, _ = s.epochFacts.lies(id, chain.Author, u.Epoch)
		}
	}
	for _, p := range snap.Failures {
		s.epochFacts = s.epochFacts.failed(p.V)
	}
	for _, f := range s.rosters.All() {
		s.setupFacts = s.setupFacts.indexRoster(f)
	}
	for _, r := range s.records.All() {
		s.setupFacts = s.setupFacts.indexRecord(r)
	}
	for _, f := range s.reveals.All() {
		s.setupFacts = s.setupFacts.indexReveal(f)
	}
	for _, f := range s.ratified.All() {
		s.setupFacts = s.setupFacts.indexRatified(f)
	}
	for _, f := range s.rosters.All() {
		s.setupFacts = s.setupFacts.awaitOpened(f) // what it may wait for is in
	}
	for k := range s.named.All() {
		s.epochFacts = s.epochFacts.want(k.First(), k.Second())
	}
	for _, c := range s.carriers.All() {
		s.epochFacts = s.epochFacts.want(c.Proposal, c.Ref.Chain.Author)
	}
	for _, i := range s.inert.All() {
		s.entryFacts = s.entryFacts.fault(i.Ref, i.Rule, 1)
	}
	for _, r := range s.unknown.All() {
		s.entryFacts = s.entryFacts.fault(r, faultNewer, 1)
	}
	return s, nil
}

// PartOf says whether a snapshot holds what the entries it covers say.
func (s State) PartOf(all State) bool {
	if s.chains.Len() == all.chains.Len() {
		a, errA := s.Snapshot()
		b, errB := all.Snapshot()
		return errA == nil && errB == nil && slices.Equal(a, b)
	}
	for c := range s.chains.Keys() {
		for id := range s.chains.LooseEntries(c) {
			if !all.chains.Has(id.ID) {
				return false
			}
		}
		if at, ok := s.chains.Frontier()[c]; ok && !all.chains.Has(at.ID) {
			return false
		}
	}
	return true
}
