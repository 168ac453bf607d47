package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// What a snapshot keeps of each value: kept takes it out, into puts it back. What is
// derived is not kept. Whatever is added or changed here changes SnapshotVersion.

type entryKept struct {
	Group   journal.GroupID        `cbor:"2,keyasint"`
	Chains  []byte                 `cbor:"4,keyasint"`
	Cuts    []record.Pair[cutFact] `cbor:"7,keyasint"`
	Inert   []record.Pair[Inert]   `cbor:"12,keyasint"`
	Unknown []record.Pair[Ref]     `cbor:"13,keyasint"`
}

func (s entryFacts) kept(chains []byte) entryKept {
	return entryKept{s.group, chains, record.Dump(s.cuts), record.Dump(s.inert), record.Dump(s.unknown)}
}

func (k entryKept) into(s *entryFacts) {
	s.cuts, s.inert, s.unknown = record.Undump(k.Cuts), record.Undump(k.Inert), record.Undump(k.Unknown)
}

type memberKept struct {
	Replaced  []record.Pair[ReplacedFact] `cbor:"28,keyasint"`
	Replacing []record.Pair[replaceVote]  `cbor:"29,keyasint"`
}

func (s memberFacts) kept() memberKept {
	return memberKept{record.Dump(s.replaced), record.Dump(s.replaceVotes)}
}

func (k memberKept) into(s *memberFacts) {
	s.replaced, s.replaceVotes = record.Undump(k.Replaced), record.Undump(k.Replacing)
}

type setupKept struct {
	Pinned     [32]byte                    `cbor:"3,keyasint"`
	Name       string                      `cbor:"5,keyasint"`
	NameRef    Ref                         `cbor:"6,keyasint"`
	Renamed    string                      `cbor:"32,keyasint"`
	RenamedRef Ref                         `cbor:"33,keyasint"`
	Admitted   []record.Pair[Ref]          `cbor:"14,keyasint"`
	Records    []record.Pair[Record]       `cbor:"15,keyasint"`
	Rosters    []record.Pair[rosterFact]   `cbor:"16,keyasint"`
	Reveals    []record.Pair[revealFact]   `cbor:"17,keyasint"`
	Ratified   []record.Pair[ratifiedFact] `cbor:"18,keyasint"`
	Abandoned  []record.Pair[Ref]          `cbor:"19,keyasint"`
}

func (s setupFacts) kept() setupKept {
	return setupKept{
		s.pinned, s.name, s.nameRef, s.renamed, s.renamedRef, record.Dump(s.admitted), record.Dump(s.records),
		record.Dump(s.rosters), record.Dump(s.reveals), record.Dump(s.ratified), record.Dump(s.abandoned),
	}
}

// into leaves the pin as it is: a snapshot of another one is of no use.
func (k setupKept) into(s *setupFacts) {
	s.name, s.nameRef, s.renamed, s.renamedRef = k.Name, k.NameRef, k.Renamed, k.RenamedRef
	s.admitted, s.records, s.rosters = record.Undump(k.Admitted), record.Undump(k.Records), record.Undump(k.Rosters)
	s.reveals, s.ratified, s.abandoned = record.Undump(k.Reveals), record.Undump(k.Ratified), record.Undump(k.Abandoned)
}

type epochKept struct {
	Epochs    []record.Pair[journal.Epoch] `cbor:"8,keyasint"`
	Rotations []record.Pair[rotationFact]  `cbor:"9,keyasint"`
	Sealed    []record.Pair[[]byte]        `cbor:"10,keyasint"`
	Failures  []record.Pair[failureFact]   `cbor:"11,keyasint"`
	Named     []record.Pair[Ref]           `cbor:"27,keyasint"`
	Under     []underKept                  `cbor:"31,keyasint"` // the entries of each epoch but the first
}

// underKept lists the entries of an epoch. Each is 32 bytes of IDs.
type underKept struct {
	Epoch journal.EpochID `cbor:"1,keyasint"`
	IDs   []byte          `cbor:"2,keyasint"`
}

func (s epochFacts) kept() epochKept {
	k := epochKept{Epochs: record.Dump(s.epochs), Rotations: record.Dump(s.rotations), Failures: record.Dump(s.failures), Named: record.Dump(s.named)}
	for at, e := range s.sealed.All() {
		k.Sealed = append(k.Sealed, record.Pair[[]byte]{K: []byte(at), V: e.Bytes()})
	}
	at := map[journal.EpochID]int{}
	for id, epoch := range s.book.under.All() {
		n, ok := at[epoch]
		if !ok {
			n, at[epoch] = len(k.Under), len(k.Under)
			k.Under = append(k.Under, underKept{Epoch: epoch})
		}
		k.Under[n].IDs = append(k.Under[n].IDs, id...)
	}
	return k
}

// into leaves out what is sealed, failed or written under an epoch: what these are
// found by is made of them one by one (see State.withBooks).
func (k epochKept) into(s *epochFacts) {
	s.epochs, s.rotations, s.named = record.Undump(k.Epochs), record.Undump(k.Rotations), record.Undump(k.Named)
}

type proposalKept struct {
	Leases      []record.Pair[leaseFact]   `cbor:"20,keyasint"`
	Proposals   []proposedKept             `cbor:"21,keyasint"`
	Carriers    []record.Pair[carrierFact] `cbor:"22,keyasint"`
	Sigs        []record.Pair[[]byte]      `cbor:"23,keyasint"`
	Approvals   []record.Pair[Approval]    `cbor:"24,keyasint"`
	Votes       []record.Pair[voteFact]    `cbor:"25,keyasint"`
	Withdrawals []record.Pair[Ref]         `cbor:"26,keyasint"`
}

type proposedKept struct {
	Ref   Ref                    `cbor:"1,keyasint"`
	Body  *event.ProposalCreated `cbor:"2,keyasint"`
	TxID  [32]byte               `cbor:"3,keyasint"`
	Sound bool                   `cbor:"4,keyasint"`
}

func (s proposalFacts) kept() proposalKept {
	k := proposalKept{
		Leases: record.Dump(s.leases), Carriers: record.Dump(s.carriers), Sigs: record.Dump(s.sigs),
		Approvals: record.Dump(s.approvals), Votes: record.Dump(s.votes), Withdrawals: record.Dump(s.withdrawals),
	}
	for _, p := range s.proposals.All() {
		k.Proposals = append(k.Proposals, proposedKept{p.Ref, p.Body, p.TxID, p.Sound})
	}
	return k
}

func (k proposalKept) into(s *proposalFacts) {
	s.leases, s.carriers, s.sigs = record.Undump(k.Leases), record.Undump(k.Carriers), record.Undump(k.Sigs)
	s.approvals, s.votes, s.withdrawals = record.Undump(k.Approvals), record.Undump(k.Votes), record.Undump(k.Withdrawals)
	var ps []record.Pair[*Proposal]
	for _, x := range k.Proposals {
		p := &Proposal{Ref: x.Ref, Body: x.Body, spend: &LazySpend{}}
		if x.Sound {
			p.describes(x.TxID)
		}
		ps = append(ps, record.Pair[*Proposal]{K: x.Ref.ID[:], V: p})
	}
	s.proposals = record.Undump(ps)
}

type labelKept struct {
	Labels []record.Pair[labelFact] `cbor:"30,keyasint"`
}

func (s labelFacts) kept() labelKept { return labelKept{record.Dump(s.labels)} }

func (k labelKept) into(s *labelFacts) { s.labels = record.Undump(k.Labels) }
