package group

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

func (s setupFacts) foldRoster(f rosterFact) setupFacts {
	s.rosters = s.rosters.Set(mapkey.Of(f.Ref.ID), f)
	return s.indexRoster(f).awaitOpened(f)
}

func (s setupFacts) indexRoster(f rosterFact) setupFacts {
	s.setup.closed = s.setup.closed.Set(placeOf(f.Ref), f.Ref.ID)
	for _, id := range f.Records {
		s.setup.rostered = s.setup.rostered.Set(mapkey.Of(id), struct{}{})
	}
	return s
}

func (s setupFacts) foldRecord(r Record) setupFacts {
	s.records = s.records.Set(mapkey.Of(r.Ref.ID), r)
	return s.indexRecord(r).cameIn(lacksRecord(r.Ref.ID))
}

func (s setupFacts) indexRecord(r Record) setupFacts {
	who, id := r.Ref.Chain.Author, r.Ref.ID
	if r.Body.Hosted {
		s.setup.hosted = s.setup.hosted.Set(mapkey.Of2(who, id), struct{}{})
		return s
	}
	s.setup.holders = s.setup.holders.Set(holderKey(event.AccountHash(s.group, r.Body.Key), r.Body.How)+byHolder(who[:]), struct{}{})
	if old, ok := s.setup.own.Get(mapkey.Of(who)); !ok || string(id[:]) < string(old[:]) {
		s.setup.own = s.setup.own.Set(mapkey.Of(who), id)
	}
	return s
}

func (s setupFacts) indexReveal(f revealFact) setupFacts {
	s.setup.revealed = s.setup.revealed.Set(placeKey(f.Ref), f.Roster)
	return s
}

func (s setupFacts) indexRatified(f ratifiedFact) setupFacts {
	if f.Record == nil {
		s.setup.hashes = s.setup.hashes.Set(mapkey.Of2(f.Ref.Chain.Author, f.Hash), struct{}{})
	}
	return s
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

// foldName takes in what the founder names the wallet: what counts is its first
// entry, in the order of its own chains, so that writing again changes nothing.
// The last is kept to be shown.
func (s setupFacts) foldName(ref Ref, name string) setupFacts {
	if s.name == "" || inOrderOf(ref, s.nameRef) < 0 {
		s.name, s.nameRef = name, ref
	}
	if s.renamed == "" || inOrderOf(ref, s.renamedRef) > 0 {
		s.renamed, s.renamedRef = name, ref
	}
	return s
}

// inOrderOf compares two entries of one author by its chains. Where it forked,
// the ids decide.
func inOrderOf(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Chain.Incarnation, b.Chain.Incarnation), cmp.Compare(a.Seq, b.Seq), cmp.Compare(string(a.ID[:]), string(b.ID[:])))
}

// CheckRecord verifies what can be verified of a record alone.
func (s setupFacts) CheckRecord(author journal.Author, b *event.MemberRecord) (wallet.Key, error) {
	key, err := wallet.ParseKey(b.Key, wallet.Network(s.genesis.Network))
	if err != nil {
		return key, fmt.Errorf("key of %q: %w", b.Name, err)
	}
	if key.String() != b.Key {
		return key, fmt.Errorf("key of %q: not in canonical form", b.Name)
	}
	if d := s.genesis.Descriptor; d != "" && !strings.Contains(d, b.Key+"/") {
		return key, fmt.Errorf("key of %q: none of the wallet's", b.Name)
	}
	if err := s.checkProof(key, author, b); err != nil {
		return key, fmt.Errorf("proof of possession of %q: %w", b.Name, err)
	}
	if b.Hosted {
		return key, nil
	}
	// A key that takes no secret would stop every rekey.
	if _, err := journal.SealSecret(journal.Epoch{Group: s.group}, author, author, b.SealingKey); err != nil {
		return key, fmt.Errorf("sealing key of %q: %w", b.Name, err)
	}
	return key, nil
}

// checkProof verifies a record's proof of possession.
func (s setupFacts) checkProof(key wallet.Key, author journal.Author, b *event.MemberRecord) error {
	hash, text := b.Claim(s.group, author)
	return proofOf{key, wallet.Network(s.genesis.Network), hash, text}.check(b.How, b.Proof)
}

// MaxRosters is how many closed rosters a node looks at, the founder's first
// ones. An honest founder closes one.
const MaxRosters = 16

// MaxReveals is how many reveals of one identity are looked at, its first ones. An
// honest one reveals once for itself, and for each of those that it hosts.
const MaxReveals = 1 + event.MaxCosigners

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
	record.Undump(&s.admitted, k.Admitted)
	record.Undump(&s.records, k.Records)
	record.Undump(&s.rosters, k.Rosters)
	record.Undump(&s.reveals, k.Reveals)
	record.Undump(&s.ratified, k.Ratified)
	record.Undump(&s.abandoned, k.Abandoned)
}
