package coordinator

import (
	"errors"
	"fmt"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// recSnapshot says where a snapshot of State is. It can be rebuilt from the
// entries at any time: one that is of another version, or damaged, is left aside.
const recSnapshot = "snapshot"

// snapshotVersion changes with whatever a snapshot holds, or how it is derived
// from the entries.
const snapshotVersion = 13

var errSnapshot = errors.New("snapshot is of no use")

type pair[V any] struct {
	_ struct{} `cbor:",toarray"`
	K []byte
	V V
}

func dump[V any](m pmap.Map[string, V]) []pair[V] {
	out := make([]pair[V], 0, m.Len())
	for k, v := range m.All() {
		out = append(out, pair[V]{K: []byte(k), V: v})
	}
	return out
}

func undump[V any](ps []pair[V]) pmap.Map[string, V] {
	return pmap.Collect(func(yield func(string, V) bool) {
		for _, p := range ps {
			if !yield(string(p.K), p.V) {
				return
			}
		}
	})
}

// stateSnapshot is an active State, without what is derived from other parts.
type stateSnapshot struct {
	Version     int                   `cbor:"1,keyasint"`
	Group       journal.GroupID       `cbor:"2,keyasint"`
	Pinned      [32]byte              `cbor:"3,keyasint"`
	Chains      []byte                `cbor:"4,keyasint"`
	Name        string                `cbor:"5,keyasint"`
	NameRef     Ref                   `cbor:"6,keyasint"`
	Cuts        []pair[cutFact]       `cbor:"7,keyasint"`
	Epochs      []pair[journal.Epoch] `cbor:"8,keyasint"`
	Rotations   []pair[rotationFact]  `cbor:"9,keyasint"`
	Sealed      []pair[[]byte]        `cbor:"10,keyasint"`
	Failures    []pair[failureFact]   `cbor:"11,keyasint"`
	Inert       []pair[Inert]         `cbor:"12,keyasint"`
	Unknown     []pair[Ref]           `cbor:"13,keyasint"`
	Admitted    []pair[Ref]           `cbor:"14,keyasint"`
	Records     []pair[Record]        `cbor:"15,keyasint"`
	Rosters     []pair[rosterFact]    `cbor:"16,keyasint"`
	Reveals     []pair[revealFact]    `cbor:"17,keyasint"`
	Ratified    []pair[ratifiedFact]  `cbor:"18,keyasint"`
	Abandoned   []pair[Ref]           `cbor:"19,keyasint"`
	Leases      []pair[leaseFact]     `cbor:"20,keyasint"`
	Proposals   []proposalSnapshot    `cbor:"21,keyasint"`
	Carriers    []pair[carrierFact]   `cbor:"22,keyasint"`
	Sigs        []pair[[]byte]        `cbor:"23,keyasint"`
	Approvals   []pair[Approval]      `cbor:"24,keyasint"`
	Votes       []pair[voteFact]      `cbor:"25,keyasint"`
	Withdrawals []pair[Ref]           `cbor:"26,keyasint"`
	Named       []pair[Ref]           `cbor:"27,keyasint"`
	Replaced    []pair[replacedFact]  `cbor:"28,keyasint"`
	Replacing   []pair[replaceVote]   `cbor:"29,keyasint"`
	Labels      []pair[labelFact]     `cbor:"30,keyasint"`
	Under       []underSnapshot       `cbor:"31,keyasint"` // the entries of each epoch but the first
	Renamed     string                `cbor:"32,keyasint"`
	RenamedRef  Ref                   `cbor:"33,keyasint"`
}

type proposalSnapshot struct {
	Ref   Ref              `cbor:"1,keyasint"`
	Body  *ProposalCreated `cbor:"2,keyasint"`
	TxID  [32]byte         `cbor:"3,keyasint"`
	Sound bool             `cbor:"4,keyasint"`
}

// underSnapshot lists the entries of an epoch. Each is 32 bytes of IDs.
type underSnapshot struct {
	Epoch journal.EpochID `cbor:"1,keyasint"`
	IDs   []byte          `cbor:"2,keyasint"`
}

// snapshot encodes an active State.
func (s State) snapshot() ([]byte, error) {
	chains, err := s.chains.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	snap := stateSnapshot{
		Version: snapshotVersion, Group: s.group, Pinned: s.pinned, Chains: chains, Name: s.name, NameRef: s.nameRef,
		Renamed: s.renamed, RenamedRef: s.renamedRef,
		Cuts: dump(s.cuts), Epochs: dump(s.epochs), Rotations: dump(s.rotations), Failures: dump(s.failures),
		Inert: dump(s.inert), Unknown: dump(s.unknown), Admitted: dump(s.admitted), Records: dump(s.records),
		Rosters: dump(s.rosters), Reveals: dump(s.reveals), Ratified: dump(s.ratified), Abandoned: dump(s.abandoned),
		Leases: dump(s.leases), Carriers: dump(s.carriers), Sigs: dump(s.sigs), Approvals: dump(s.approvals),
		Votes: dump(s.votes), Withdrawals: dump(s.withdrawals), Named: dump(s.named), Replaced: dump(s.replaced), Replacing: dump(s.replaceVotes), Labels: dump(s.labels),
	}
	for k, e := range s.sealed.All() {
		snap.Sealed = append(snap.Sealed, pair[[]byte]{K: []byte(k), V: e.Bytes()})
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
	b, err := theCodec.enc.Marshal(snap)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return b, nil
}

// withSnapshot returns the state that a snapshot holds, on top of an empty one
// of the same group and pin; entries written since are folded by the caller.
func (s State) withSnapshot(b []byte) (State, error) {
	var snap stateSnapshot
	if err := localDecode(b, &snap); err != nil {
		return s, fmt.Errorf("%w: %w", errSnapshot, err)
	}
	if snap.Version != snapshotVersion || snap.Group != s.group || snap.Pinned != s.pinned || s.pinned == [32]byte{} {
		return s, errSnapshot
	}
	var err error
	if s.chains, err = journal.UnmarshalChains(snap.Chains); err != nil {
		return s, fmt.Errorf("%w: %w", errSnapshot, err)
	}
	s.name, s.nameRef, s.renamed, s.renamedRef = snap.Name, snap.NameRef, snap.Renamed, snap.RenamedRef
	s.cuts, s.epochs, s.rotations = undump(snap.Cuts), undump(snap.Epochs), undump(snap.Rotations)
	s.inert, s.unknown, s.admitted, s.records = undump(snap.Inert), undump(snap.Unknown), undump(snap.Admitted), undump(snap.Records)
	s.rosters, s.reveals, s.ratified, s.abandoned = undump(snap.Rosters), undump(snap.Reveals), undump(snap.Ratified), undump(snap.Abandoned)
	s.leases, s.carriers, s.sigs, s.approvals = undump(snap.Leases), undump(snap.Carriers), undump(snap.Sigs), undump(snap.Approvals)
	s.replaced, s.replaceVotes, s.labels = undump(snap.Replaced), undump(snap.Replacing), undump(snap.Labels)
	s.votes, s.withdrawals, s.named = undump(snap.Votes), undump(snap.Withdrawals), undump(snap.Named)
	for k, i := range s.inert.All() {
		if i.Rule == ruleReader {
			s.bugs = s.bugs.Set(k, i.Ref)
		}
	}
	for _, p := range snap.Sealed {
		if len(p.K) != 64 {
			return s, errSnapshot
		}
		e, err := journal.DecodeStored(p.V, journal.EntryID(p.K[32:]))
		if err != nil {
			return s, fmt.Errorf("%w: %w", errSnapshot, err)
		}
		s = s.waits(e, true)
	}
	var ps []pair[*Proposal]
	for _, x := range snap.Proposals {
		p := &Proposal{Ref: x.Ref, Body: x.Body, spend: &lazySpend{}}
		if x.Sound {
			p.describes(x.TxID)
		}
		ps = append(ps, pair[*Proposal]{K: x.Ref.ID[:], V: p})
	}
	s.proposals = undump(ps)
	if s, err = s.withBooks(snap); err != nil {
		return s, err
	}
	r, ok := s.Roster()
	if !ok || r.Hash != s.pinned || len(r.Ratified) != len(r.Members) {
		return s, errSnapshot
	}
	s.active = &Active{Roster: *r}
	s = s.reindexed()
	for _, f := range s.replaced.All() {
		s = s.newcomer(f.Body.New)
	}
	s.relineDue = true
	return s.derived().told(), nil
}

// withBooks fills what epochs, the facts of setup, named entries and faults are
// found by.
func (s State) withBooks(snap stateSnapshot) (State, error) {
	for _, e := range s.epochs.All() {
		if e.Number > 0 {
			s = s.learnt(e)
		}
	}
	for _, f := range s.rotations.All() {
		s = s.rotated(f)
	}
	for _, u := range snap.Under {
		for ids := u.IDs; len(ids) > 0; ids = ids[32:] {
			if len(ids) < 32 {
				return s, errSnapshot
			}
			id := journal.EntryID(ids[:32])
			chain, _, held := s.chains.Locate(id)
			if !held {
				return s, errSnapshot
			}
			s, _ = s.lies(id, chain.Author, u.Epoch)
		}
	}
	for _, p := range snap.Failures {
		s = s.failed(p.V)
	}
	for _, f := range s.rosters.All() {
		s = s.indexRoster(f)
	}
	for _, r := range s.records.All() {
		s = s.indexRecord(r)
	}
	for _, f := range s.reveals.All() {
		s = s.indexReveal(f)
	}
	for _, f := range s.ratified.All() {
		s = s.indexRatified(f)
	}
	for _, f := range s.rosters.All() {
		s = s.awaitOpened(f) // what it may wait for is in
	}
	for k := range s.named.All() {
		s = s.want(journal.EntryID([]byte(k[:32])), journal.Author([]byte(k[32:])))
	}
	for _, c := range s.carriers.All() {
		s = s.want(c.Proposal, c.Ref.Chain.Author)
	}
	for _, i := range s.inert.All() {
		s = s.fault(i.Ref, i.Rule, 1)
	}
	for _, r := range s.unknown.All() {
		s = s.fault(r, faultNewer, 1)
	}
	return s, nil
}
