package group

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

type (
	byVersion  string // version | entry id
	byFollow   string // what is followed, or zero | author | ownPlace | version
	byVersions string // version | author | latest first | entry id
	byFollowed string // author | latest first | entry id
	byJudged   string // proposal | author
)

// policyBook is what is said of policies, and by robots of transactions. Whether an entry
// is tainted is asked when it is used, as everywhere.
//
// Bounds: a line for each entry, of which an author writes as many as its allowance lets it;
// the policies themselves are of its bytes. Of verdicts the last of each author on each
// transaction is kept, without its facts.
type policyBook struct {
	proposed pmap.Map[byVersion, policyFact]
	texts    pmap.Map[mapkey.By[event.PolicyVersion], []byte] // canonical forms
	follow   pmap.Map[byFollow, event.PolicyVersion]
	// proposers are the versions by author, the latest first.
	proposers pmap.Map[byFollowed, event.PolicyVersion]
	votes     pmap.Map[byVersions, policyVote]
	everFor   pmap.Map[byVersions, struct{}] // version | author: who ever was for it
	anchors   pmap.Map[byVersions, anchorFact]
	adopted   pmap.Map[byFollowed, adoptedFact]
	verdicts  pmap.Map[byJudged, verdictFact]
	budgets   budgetBook
}

type policyFact struct {
	Ref     Ref                   `cbor:"1,keyasint"`
	Parents []event.PolicyVersion `cbor:"2,keyasint"`
}

type policyVote struct {
	Ref     Ref                 `cbor:"1,keyasint"`
	Version event.PolicyVersion `cbor:"2,keyasint"`
	Against bool                `cbor:"3,keyasint"`
}

type anchorFact struct {
	Ref     Ref                 `cbor:"1,keyasint"`
	Version event.PolicyVersion `cbor:"2,keyasint"`
	Height  int64               `cbor:"3,keyasint"`
	Time    int64               `cbor:"4,keyasint"` // Unix seconds
	Votes   []journal.EntryID   `cbor:"5,keyasint"` // ascending
}

type adoptedFact struct {
	Ref     Ref                 `cbor:"1,keyasint"`
	Version event.PolicyVersion `cbor:"2,keyasint"`
	Median  int64               `cbor:"3,keyasint,omitempty"` // Unix seconds
}

type verdictFact struct {
	Ref     Ref     `cbor:"1,keyasint"`
	Verdict Verdict `cbor:"2,keyasint"`
	// Count is how many this author wrote on the transaction.
	Count uint64 `cbor:"3,keyasint"`
	// Signs: one of them says that it signs, and is of one that does.
	Signs bool `cbor:"4,keyasint,omitempty"`
}

// fold keeps what is said in a group of policies and by robots; false where it is of neither.
func (b policyBook) fold(group journal.GroupID, ref Ref, body event.Body) (policyBook, bool) {
	switch x := body.(type) {
	case *event.PolicyProposed:
		v := x.Version(group)
		b.proposed = b.proposed.Set(byVersion(v[:])+byVersion(ref.ID[:]), policyFact{ref, x.Parents})
		b.texts = b.texts.Set(mapkey.Of(v), x.Bytes)
		b = b.followed(policyFact{ref, x.Parents}, v)
	case *event.PolicyApproved:
		b = b.voted(versionKey(x.Version, ref), policyVote{ref, x.Version, false})
	case *event.PolicyObjected:
		b = b.voted(versionKey(x.Version, ref), policyVote{ref, x.Version, true})
	case *event.PolicyAnchored:
		b.anchors = b.anchors.Set(versionKey(x.Version, ref), anchorFact{ref, x.Version, x.Height, x.Time, x.Votes})
	case *event.PolicyAdopted:
		b.adopted = b.adopted.Set(followedKey(ref), adoptedFact{ref, x.Version, x.Median})
	case *event.RobotVerdict:
		k := byJudged(x.Proposal[:]) + byJudged(ref.Chain.Author[:])
		f := verdictFact{Ref: ref, Verdict: VerdictOf(ref, x), Count: 1, Signs: x.Outcome == outcomeSign && !x.Shadow}
		if old, ok := b.verdicts.Get(k); ok {
			if placeOf(old.Ref) > placeOf(ref) {
				f.Ref, f.Verdict = old.Ref, old.Verdict
			}
			f.Count, f.Signs = old.Count+1, f.Signs || old.Signs
		}
		b.verdicts = b.verdicts.Set(k, f)
	default:
		var of bool
		b.budgets, of = b.budgets.fold(ref, body)
		return b, of
	}
	return b, true
}

// outcomeSign is what package policy has for a verdict that signs.
const outcomeSign = 1

func (b policyBook) voted(at byVersions, v policyVote) policyBook {
	b.votes = b.votes.Set(at, v)
	if !v.Against {
		b.everFor = b.everFor.Set(versionsOf(v.Version, v.Ref.Chain.Author), struct{}{})
	}
	return b
}

// followed notes a version under each that it follows, and under its author.
func (b policyBook) followed(f policyFact, v event.PolicyVersion) policyBook {
	b.proposers = b.proposers.Set(followedKey(f.Ref), v)
	of := f.Parents
	if len(of) == 0 {
		of = []event.PolicyVersion{{}}
	}
	for _, p := range of {
		b.follow = b.follow.Set(byFollow(p[:])+byFollow(f.Ref.Chain.Author[:])+byFollow(placeOf(f.Ref)), v)
	}
	return b
}

func followedKey(r Ref) byFollowed {
	return byFollowed(r.Chain.Author[:]) + byFollowed(mapkey.NewestFirst(r.Chain.Incarnation, r.Seq)) + byFollowed(r.ID[:])
}

func versionKey(v event.PolicyVersion, r Ref) byVersions {
	return versionsOf(v, r.Chain.Author) + byVersions(mapkey.NewestFirst(r.Chain.Incarnation, r.Seq)) + byVersions(r.ID[:])
}

func versionsOf(v event.PolicyVersion, who journal.Author) byVersions {
	return byVersions(v[:]) + byVersions(who[:])
}

// Verdict is what a robot said of a transaction: see event.RobotVerdict.
type Verdict struct {
	Proposal  journal.EntryID     `cbor:"1,keyasint"`
	Policy    event.PolicyVersion `cbor:"2,keyasint"`
	Outcome   uint64              `cbor:"3,keyasint"`
	Rule      uint64              `cbor:"4,keyasint,omitempty"`
	Reasons   []string            `cbor:"5,keyasint,omitempty"`
	Step      uint64              `cbor:"6,keyasint,omitempty"`
	Until     int64               `cbor:"7,keyasint,omitempty"` // Unix seconds
	Fulfilled int64               `cbor:"8,keyasint,omitempty"` // Unix seconds
	Now       int64               `cbor:"9,keyasint"`           // Unix seconds
	Shadow    bool                `cbor:"10,keyasint,omitempty"`
	Entry     journal.EntryID     `cbor:"11,keyasint"`
	Time      int64               `cbor:"12,keyasint"` // as claimed, Unix milliseconds
}

// VerdictOf is what an entry says as a robot.
func VerdictOf(ref Ref, b *event.RobotVerdict) Verdict {
	return Verdict{b.Proposal, b.Policy, b.Outcome, b.Rule, b.Reasons, b.Step, b.Until, b.Fulfilled, b.Now, b.Shadow, ref.ID, ref.Time}
}

type policyKept struct {
	Proposed []record.Pair[policyFact]  `cbor:"70,keyasint"`
	Texts    []record.Pair[[]byte]      `cbor:"71,keyasint"`
	Votes    []record.Pair[policyVote]  `cbor:"72,keyasint"`
	Anchors  []record.Pair[anchorFact]  `cbor:"73,keyasint"`
	Adopted  []record.Pair[adoptedFact] `cbor:"74,keyasint"`
	Verdicts []record.Pair[verdictFact] `cbor:"75,keyasint"`
	budgetKept
}

func (b policyBook) kept() policyKept {
	return policyKept{record.Dump(b.proposed), record.Dump(b.texts), record.Dump(b.votes), record.Dump(b.anchors), record.Dump(b.adopted), record.Dump(b.verdicts), b.budgets.kept()}
}

func (k policyKept) into(b *policyBook) {
	record.Undump(&b.proposed, k.Proposed)
	record.Undump(&b.texts, k.Texts)
	var votes pmap.Map[byVersions, policyVote]
	record.Undump(&votes, k.Votes)
	for at, v := range votes.All() {
		*b = b.voted(at, v)
	}
	record.Undump(&b.anchors, k.Anchors)
	record.Undump(&b.adopted, k.Adopted)
	record.Undump(&b.verdicts, k.Verdicts)
	k.budgetKept.into(&b.budgets)
	for at, f := range b.proposed.All() {
		*b = b.followed(f, event.PolicyVersion([]byte(at[:32])))
	}
}

type (
	byReserver    string                                        // author | ownPlace
	byReservation = mapkey.By2[journal.EntryID, journal.Author] // reservation | author
	byGranter     string                                        // author | ownPlace
)

// budgetBook is what robots ask each other's leave for, and give it. A line for each entry.
type budgetBook struct {
	reserved  pmap.Map[mapkey.ByEntry, Reservation] // by entry id
	reservers pmap.Map[byReserver, journal.EntryID]
	granted   pmap.Map[byReservation, Ref]         // the first of each author
	granters  pmap.Map[byGranter, journal.EntryID] // which reservation
	released  pmap.Map[byReservation, Ref]         // likewise
}

// Reservation is a robot's question for leave to sign beyond its share: see
// event.BudgetReserved.
type Reservation struct {
	Ref      Ref                 `cbor:"1,keyasint"`
	Proposal journal.EntryID     `cbor:"2,keyasint"`
	TxID     chainhash.Hash      `cbor:"3,keyasint"`
	Policy   event.PolicyVersion `cbor:"4,keyasint"`
	Meters   []uint64            `cbor:"5,keyasint"`
}

func (b budgetBook) fold(ref Ref, body event.Body) (budgetBook, bool) {
	switch x := body.(type) {
	case *event.BudgetReserved:
		return b.reserve(Reservation{ref, x.Proposal, x.TxID, x.Policy, x.Meters}), true
	case *event.BudgetGranted:
		k := mapkey.Of2(x.Reservation, ref.Chain.Author)
		if old, ok := b.granted.Get(k); ok {
			b.granters = b.granters.Delete(byGranter(ref.Chain.Author[:]) + byGranter(placeOf(old)))
			if placeOf(old) < placeOf(ref) {
				ref = old
			}
		}
		b.granted = b.granted.Set(k, ref)
		b.granters = b.granters.Set(byGranter(ref.Chain.Author[:])+byGranter(placeOf(ref)), x.Reservation)
		return b, true
	case *event.BudgetReleased:
		k := mapkey.Of2(x.Reservation, ref.Chain.Author)
		if old, ok := b.released.Get(k); !ok || placeOf(ref) < placeOf(old) {
			b.released = b.released.Set(k, ref)
		}
		return b, true
	}
	return b, false
}

func (b budgetBook) reserve(r Reservation) budgetBook {
	b.reserved = b.reserved.Set(mapkey.Of(r.Ref.ID), r)
	b.reservers = b.reservers.Set(byReserver(r.Ref.Chain.Author[:])+byReserver(placeOf(r.Ref)), r.Ref.ID)
	return b
}

type budgetKept struct {
	Reserved []record.Pair[Reservation] `cbor:"76,keyasint"`
	Granted  []record.Pair[Ref]         `cbor:"77,keyasint"`
	Released []record.Pair[Ref]         `cbor:"78,keyasint"`
}

func (b budgetBook) kept() budgetKept {
	return budgetKept{record.Dump(b.reserved), record.Dump(b.granted), record.Dump(b.released)}
}

func (k budgetKept) into(b *budgetBook) {
	record.Undump(&b.granted, k.Granted)
	record.Undump(&b.released, k.Released)
	var reserved pmap.Map[mapkey.ByEntry, Reservation]
	record.Undump(&reserved, k.Reserved)
	for _, r := range reserved.All() {
		*b = b.reserve(r)
	}
	for at, ref := range b.granted.All() {
		b.granters = b.granters.Set(byGranter(ref.Chain.Author[:])+byGranter(placeOf(ref)), at.First())
	}
}
