package group

import (
	"encoding/binary"
	"iter"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// proposalFacts is what is proposed, signed and voted for, and which addresses
// were handed out.
type proposalFacts struct {
	epochFacts

	leases      pmap.Map[string, leaseFact]   // by index | chain
	proposals   pmap.Map[string, *Proposal]   // by entry id
	carriers    pmap.Map[string, carrierFact] // by proposal | entry id: signatures as stated
	sigs        pmap.Map[string, []byte]      // by txid | input | key: the least that verified
	approvals   pmap.Map[string, Approval]    // by txid | key: who brought the first of them
	votes       pmap.Map[string, voteFact]    // by proposal | author | latest first (see voteKey)
	withdrawals pmap.Map[string, Ref]         // by proposal | chain: its first
	props       proposalIndex
	backlog     backlog

	// touched lists the proposals that changed since Step last looked. It is
	// bookkeeping of one step, and no part of what State says.
	touched []journal.EntryID
	// leased lists the indexes that were leased since then, likewise.
	leased pmap.Map[uint32, bool]
	// reweighedOf lists the chains of which other entries are tainted since then.
	reweighedOf []retaint
}

type carrierFact struct {
	Ref        Ref                      `cbor:"1,keyasint"`
	Proposal   journal.EntryID          `cbor:"2,keyasint"`
	Signatures []event.PartialSignature `cbor:"3,keyasint"`
	Carried    bool                     `cbor:"4,keyasint"`
	// Verified has a bit for each signature, set for those that verified; nil
	// while that is not known.
	Verified []byte `cbor:"5,keyasint,omitempty"`
}

type voteFact struct {
	Ref      Ref             `cbor:"1,keyasint"`
	Proposal journal.EntryID `cbor:"2,keyasint"`
	Against  bool            `cbor:"3,keyasint"`
	Reason   string          `cbor:"4,keyasint"`
}

// Approval says when a key's signature on a transaction was first claimed to
// be made: of all entries that carried one that verifies, the earliest claimed
// time, then the lowest id.
type Approval struct {
	Ref Ref `cbor:"1,keyasint"`
}

// leaseFact is the first entry of a chain that took a receive index: where the
// first is tainted, all of them are.
type leaseFact struct {
	Ref   Ref    `cbor:"1,keyasint"`
	Index uint32 `cbor:"2,keyasint"`
}

// proposalIndex is how proposals, and what was said of them, are found without
// a look at all of them. It is made of them as they are folded.
//
// Within one chain, entries are tainted from some seq on. So the first entry of
// each chain that states a fact tells whether an untainted one states it, and
// the others need not be kept. An author has 64 chains at most.
type proposalIndex struct {
	byTx     pmap.Map[string, struct{}] // by txid | proposal
	byTime   pmap.Map[string, struct{}] // by claimed time, the latest first | proposal
	firsts   pmap.Map[string, Ref]      // by txid | chain: its first proposal of the transaction
	stating  pmap.Map[string, Ref]      // by txid | spend id | chain: its first proposal that signs this
	byCoin   pmap.Map[string, struct{}] // by outpoint | chain | seq | proposal
	spending pmap.Map[string, struct{}] // by outpoint | txid
	byChange pmap.Map[string, struct{}] // by change index | chain | seq | proposal
	declared pmap.Map[string, Ref]      // by txid | replaced txid | chain: its first declaration
	replacer pmap.Map[string, Ref]      // by replaced txid | chain: its first proposal that declares it
	// rests has every entry that states a proposal, or something of one, by
	// chain | seq | entry id: what may count otherwise when the chain is tainted.
	rests pmap.Map[string, journal.EntryID]

	signed   pmap.Map[string, int]         // by txid | spend id | key: inputs signed
	bySigner pmap.Map[string, struct{}]    // by outpoint | key | txid
	final    pmap.Map[string, struct{}]    // by outpoint | txid: transactions with all signatures
	full     pmap.Map[string, struct{}]    // by txid | spend id: the same, as what they have them: one, unless k members lie
	brought  pmap.Map[string, uint64]      // by txid | spend id | input | key | chain: the seq that first brought it
	endorsed pmap.Map[string, endorsement] // by txid | key | chain: its first approval with a signature of the key
}

// endorsement is the proposal that an approval names.
type endorsement struct {
	Seq      uint64
	Proposal journal.EntryID
}

// backlog is what came before it could be judged: proposals of authors who were
// not known yet, and signatures on proposals that were not here. When they can
// be judged they are due, and worked off a bounded number at a time. What State
// says once nothing is due rests on the set of entries alone.
type backlog struct {
	proposals pmap.Map[string, struct{}] // by author | proposal: not derived yet
	sigs      pmap.Map[string, struct{}] // by proposal | author | carrier: not verified yet
	// stating is the same by each key that it states a signature of, MaxCosigners at
	// most: by key | author | proposal | carrier.
	stating pmap.Map[string, struct{}]

	turns  pmap.Map[uint64, string]   // what is due, in turns: an author of proposals, or proposal | author
	queued pmap.Map[string, struct{}] // what has a turn
	last   uint64
	// later: nothing is judged at once. So it is while the entries of a store are
	// read again.
	later bool
}

// sigKey is where the signature of a key on an input is found, of what a
// proposal signs.
func sigKey(signs string, input, key uint32) string {
	b := append(make([]byte, 0, 72), signs...)
	b = binary.BigEndian.AppendUint32(b, input)
	return string(binary.BigEndian.AppendUint32(b, key))
}

// approvalKey is the same for all signatures of a key; or, given a txid alone,
// for those on the transaction, whatever was stated.
func approvalKey(signs string, key uint32) string {
	return string(binary.BigEndian.AppendUint32(append(make([]byte, 0, 68), signs...), key))
}

// voteKey puts the votes of an author on a proposal in order, the latest first:
// by incarnation and seq, downwards.
func voteKey(proposal journal.EntryID, r Ref) string {
	return mapkey.Of2(proposal, r.Chain.Author) + string([]byte{^r.Chain.Incarnation}) +
		string(binary.BigEndian.AppendUint64(nil, ^r.Seq)) + string(r.ID[:])
}

func timeKey(r Ref) string {
	return string(binary.BigEndian.AppendUint64(make([]byte, 0, 40), ^uint64(r.Time))) + string(r.ID[:])
}

// placeKey puts entries in order of chain and seq.
func placeKey(r Ref) string {
	return mapkey.Chain(r.Chain) + string(binary.BigEndian.AppendUint64(nil, r.Seq)) + string(r.ID[:])
}

func statedKey(k uint32) string { return string(binary.BigEndian.AppendUint32(nil, k)) }

func leaseKey(index uint32, c journal.ChainKey) string {
	return leasesOf(index) + mapkey.Chain(c)
}

func leasesOf(index uint32) string {
	return string(binary.BigEndian.AppendUint32(make([]byte, 0, 4), index))
}

func signerKey(i event.ProposalInput, signer uint32) string {
	return mapkey.Coin(i.OutPoint()) + string(binary.BigEndian.AppendUint32(nil, signer))
}

func (s proposalFacts) touch(p journal.EntryID) proposalFacts {
	s.touched = append(s.touched[:len(s.touched):len(s.touched)], p)
	return s
}

// Touched lists the proposals that changed since the last call of TakeTouched.
func (s proposalFacts) Touched() []journal.EntryID { return s.touched }

// Proposal returns a proposal by id.
func (s proposalFacts) Proposal(id journal.EntryID) (*Proposal, bool) {
	return s.proposals.Get(mapkey.Of(id))
}

// AllProposals yields every proposal held, by entry id, whether it has effect or not.
func (s proposalFacts) AllProposals(yield func(*Proposal) bool) {
	for _, p := range s.proposals.All() {
		if !yield(p) {
			return
		}
	}
}

// ProposalsFrom yields the proposals whose id in bytes starts with a prefix, by id.
func (s proposalFacts) ProposalsFrom(prefix string) iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for _, p := range pmap.Prefix(s.proposals, prefix) {
			if !yield(p) {
				return
			}
		}
	}
}

// SignatureHeld says whether a signature on a proposal's input by a key is held.
func (s proposalFacts) SignatureHeld(p *Proposal, input, key uint32) bool {
	_, held := s.sigs.Get(sigKey(p.signs, input, key))
	return held
}

// FirstApproval returns who brought the first signature of a key on what a
// proposal signs.
func (s proposalFacts) FirstApproval(p *Proposal, key uint32) (Approval, bool) {
	return s.approvals.Get(approvalKey(p.signs, key))
}

// Idle says whether nothing waits for its turn to be judged.
func (s proposalFacts) Idle() bool { return s.backlog.turns.Len() == 0 }

// stated yields where a carrier waits in backlog.stating, for each key that it
// states a signature of.
func (c carrierFact) stated() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var seen uint32
		at := mapkey.Of3(c.Ref.Chain.Author, c.Proposal, c.Ref.ID)
		for _, x := range c.Signatures {
			if x.Key >= event.MaxCosigners || seen>>x.Key&1 == 1 {
				continue
			}
			seen |= 1 << x.Key
			if !yield(statedKey(x.Key) + at) {
				return
			}
		}
	}
}
