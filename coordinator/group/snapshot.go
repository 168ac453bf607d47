package group

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// SnapshotVersion changes with whatever a snapshot holds, or how it is derived
// from the entries.
const SnapshotVersion = 13

var ErrSnapshot = errors.New("snapshot is of no use")

// stateSnapshot is an active State, without what is derived from other parts.
type stateSnapshot struct {
	Version     int                          `cbor:"1,keyasint"`
	Group       journal.GroupID              `cbor:"2,keyasint"`
	Pinned      [32]byte                     `cbor:"3,keyasint"`
	Chains      []byte                       `cbor:"4,keyasint"`
	Name        string                       `cbor:"5,keyasint"`
	NameRef     Ref                          `cbor:"6,keyasint"`
	Cuts        []record.Pair[cutFact]       `cbor:"7,keyasint"`
	Epochs      []record.Pair[journal.Epoch] `cbor:"8,keyasint"`
	Rotations   []record.Pair[rotationFact]  `cbor:"9,keyasint"`
	Sealed      []record.Pair[[]byte]        `cbor:"10,keyasint"`
	Failures    []record.Pair[failureFact]   `cbor:"11,keyasint"`
	Inert       []record.Pair[Inert]         `cbor:"12,keyasint"`
	Unknown     []record.Pair[Ref]           `cbor:"13,keyasint"`
	Admitted    []record.Pair[Ref]           `cbor:"14,keyasint"`
	Records     []record.Pair[Record]        `cbor:"15,keyasint"`
	Rosters     []record.Pair[rosterFact]    `cbor:"16,keyasint"`
	Reveals     []record.Pair[revealFact]    `cbor:"17,keyasint"`
	Ratified    []record.Pair[ratifiedFact]  `cbor:"18,keyasint"`
	Abandoned   []record.Pair[Ref]           `cbor:"19,keyasint"`
	Leases      []record.Pair[leaseFact]     `cbor:"20,keyasint"`
	Proposals   []proposalSnapshot           `cbor:"21,keyasint"`
	Carriers    []record.Pair[carrierFact]   `cbor:"22,keyasint"`
	Sigs        []record.Pair[[]byte]        `cbor:"23,keyasint"`
	Approvals   []record.Pair[Approval]      `cbor:"24,keyasint"`
	Votes       []record.Pair[voteFact]      `cbor:"25,keyasint"`
	Withdrawals []record.Pair[Ref]           `cbor:"26,keyasint"`
	Named       []record.Pair[Ref]           `cbor:"27,keyasint"`
	Replaced    []record.Pair[ReplacedFact]  `cbor:"28,keyasint"`
	Replacing   []record.Pair[replaceVote]   `cbor:"29,keyasint"`
	Labels      []record.Pair[labelFact]     `cbor:"30,keyasint"`
	Under       []underSnapshot              `cbor:"31,keyasint"` // the entries of each epoch but the first
	Renamed     string                       `cbor:"32,keyasint"`
	RenamedRef  Ref                          `cbor:"33,keyasint"`
}

type proposalSnapshot struct {
	Ref   Ref                    `cbor:"1,keyasint"`
	Body  *event.ProposalCreated `cbor:"2,keyasint"`
	TxID  [32]byte               `cbor:"3,keyasint"`
	Sound bool                   `cbor:"4,keyasint"`
}

// underSnapshot lists the entries of an epoch. Each is 32 bytes of IDs.
type underSnapshot struct {
	Epoch journal.EpochID `cbor:"1,keyasint"`
	IDs   []byte          `cbor:"2,keyasint"`
}

// Snapshot encodes an active State.
func (s State) Snapshot() ([]byte, error) {
	chains, err := s.chains.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	snap := stateSnapshot{
		Version: SnapshotVersion, Group: s.group, Pinned: s.pinned, Chains: chains, Name: s.name, NameRef: s.nameRef,
		Renamed: s.renamed, RenamedRef: s.renamedRef,
		Cuts: record.Dump(s.cuts), Epochs: record.Dump(s.epochs), Rotations: record.Dump(s.rotations), Failures: record.Dump(s.failures),
		Inert: record.Dump(s.inert), Unknown: record.Dump(s.unknown), Admitted: record.Dump(s.admitted), Records: record.Dump(s.records),
		Rosters: record.Dump(s.rosters), Reveals: record.Dump(s.reveals), Ratified: record.Dump(s.ratified), Abandoned: record.Dump(s.abandoned),
		Leases: record.Dump(s.leases), Carriers: record.Dump(s.carriers), Sigs: record.Dump(s.sigs), Approvals: record.Dump(s.approvals),
		Votes: record.Dump(s.votes), Withdrawals: record.Dump(s.withdrawals), Named: record.Dump(s.named), Replaced: record.Dump(s.replaced), Replacing: record.Dump(s.replaceVotes), Labels: record.Dump(s.labels),
	}
	for k, e := range s.sealed.All() {
		snap.Sealed = append(snap.Sealed, record.Pair[[]byte]{K: []byte(k), V: e.Bytes()})
	}
	for _, p := range s.proposals.All() {
		snap.Proposals = append(snap.Proposals, proposalSnapshot{p.Ref, p.Body, p.TxID, p.Sound})
	}
	at := map[journal.EpochID]int{}
	for id, epoch := range s.book.under.All() {
		n, ok := at[epoch]
		if !ok {
			n, at[epoch] = len(snap.Under), len(snap.Under)
			snap.Under = append(snap.Under, underSnapshot{Epoch: epoch})
		}
		snap.Under[n].IDs = append(snap.Under[n].IDs, id...)
	}
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
	s.name, s.nameRef, s.renamed, s.renamedRef = snap.Name, snap.NameRef, snap.Renamed, snap.RenamedRef
	s.cuts, s.epochs, s.rotations = record.Undump(snap.Cuts), record.Undump(snap.Epochs), record.Undump(snap.Rotations)
	s.inert, s.unknown, s.admitted, s.records = record.Undump(snap.Inert), record.Undump(snap.Unknown), record.Undump(snap.Admitted), record.Undump(snap.Records)
	s.rosters, s.reveals, s.ratified, s.abandoned = record.Undump(snap.Rosters), record.Undump(snap.Reveals), record.Undump(snap.Ratified), record.Undump(snap.Abandoned)
	s.leases, s.carriers, s.sigs, s.approvals = record.Undump(snap.Leases), record.Undump(snap.Carriers), record.Undump(snap.Sigs), record.Undump(snap.Approvals)
	s.replaced, s.replaceVotes, s.labels = record.Undump(snap.Replaced), record.Undump(snap.Replacing), record.Undump(snap.Labels)
	s.votes, s.withdrawals, s.named = record.Undump(snap.Votes), record.Undump(snap.Withdrawals), record.Undump(snap.Named)
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
	var ps []record.Pair[*Proposal]
	for _, x := range snap.Proposals {
		p := &Proposal{Ref: x.Ref, Body: x.Body, spend: &LazySpend{}}
		if x.Sound {
			p.describes(x.TxID)
		}
		ps = append(ps, record.Pair[*Proposal]{K: x.Ref.ID[:], V: p})
	}
	s.proposals = record.Undump(ps)
	if s, err = s.withBooks(snap); err != nil {
		return s, err
	}
	r, ok := s.Roster()
	if !ok || r.Hash != s.pinned || len(r.Ratified) != len(r.Members) {
		return s, ErrSnapshot
	}
	s.active = &Active{Roster: *r}
	s.proposalFacts = s.proposalFacts.reindexed()
	for _, f := range s.replaced.All() {
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
	for _, f := range s.rotations.All() {
		s.epochFacts = s.epochFacts.rotated(f)
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
		s.epochFacts = s.epochFacts.want(journal.EntryID([]byte(k[:32])), journal.Author([]byte(k[32:])))
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
