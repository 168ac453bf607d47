package group

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Ref places a fact: the entry that states it, and when its author claims to
// have written it (Unix milliseconds).
type Ref struct {
	ID    journal.EntryID  `cbor:"1,keyasint"`
	Chain journal.ChainKey `cbor:"2,keyasint"`
	Seq   uint64           `cbor:"3,keyasint"`
	Time  int64            `cbor:"4,keyasint"`
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

// lowerSeq returns the lower of two seqs, where 0 is none.
func lowerSeq(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// placeOf orders what one author wrote.
func placeOf(r Ref) string {
	return string([]byte{r.Chain.Incarnation}) + mapkey.Number(r.Seq) + mapkey.Of(r.ID)
}

// retaint says that other entries of a chain are tainted than before: those
// from From on, where it were those from Before on. Zero is none.
type retaint struct {
	Chain        journal.ChainKey
	From, Before uint64
}

// Reweighed is a chain whose entries are tainted, or not any more, from a seq on.
type Reweighed struct {
	Chain journal.ChainKey
	From  uint64
}

// before says whether an entry of a chain comes before another one of it.
func before(a, b Ref) bool {
	if a.Seq != b.Seq {
		return a.Seq < b.Seq
	}
	return string(a.ID[:]) < string(b.ID[:]) // two sides of a fork
}

func Later(a, b Ref) bool {
	if a.Chain.Incarnation != b.Chain.Incarnation {
		return a.Chain.Incarnation > b.Chain.Incarnation
	}
	return a.Seq > b.Seq
}

// entryFacts is which entries are held, and which of them are without effect. It
// is what everything rests on.
type entryFacts struct {
	self    *Self
	group   journal.GroupID
	genesis event.Genesis

	chains  journal.Chains
	cuts    pmap.Map[string, cutFact] // by chain
	inert   pmap.Map[string, Inert]   // by entry id
	bugs    pmap.Map[string, Ref]     // by entry id: those of inert that this program failed on
	unknown pmap.Map[string, Ref]     // by entry id: needs a newer version
	// faults counts, by author | rule, the entries without effect and those that
	// need a newer version.
	faults pmap.Map[string, uint64]
}

// memberFacts is who writes for which key, and which entries are tainted.
type memberFacts struct {
	entryFacts

	active          *Active
	successions     pmap.Map[string, Succession]     // by chain | seq | entry id
	newcomers       pmap.Map[string, struct{}]       // by identity: those that a valid replacement names, in effect or not
	successionVotes pmap.Map[string, successionVote] // see voteKey

	// relineDue: who the members are has to be worked out anew; retainted lists
	// the chains that are tainted from elsewhere on since derived last looked.
	relineDue bool
	retainted []retaint
}

// setupFacts is how the group came about: names, records, rosters and what was
// agreed to.
type setupFacts struct {
	memberFacts

	name    string
	nameRef Ref
	renamed string // what the founder calls it by now
	// renamedRef is the last entry that says so.
	renamedRef Ref
	pinned     [32]byte
	// inviter is who let this node in, where it took a lost one's place.
	inviter journal.Author
	// lost is whose place that is.
	lost lostPlace

	admitted  pmap.Map[string, Ref]          // by identity
	records   pmap.Map[string, Record]       // by entry id
	rosters   pmap.Map[string, rosterFact]   // by entry id
	reveals   pmap.Map[string, revealFact]   // by author | roster | commitment that it opens
	ratified  pmap.Map[string, ratifiedFact] // by hash | author, and record of a hosted one
	abandoned pmap.Map[string, Ref]          // by entry id
	setup     setupBook
}

// epochFacts is under which secrets members write, and which of them are held.
type epochFacts struct {
	setupFacts

	epochs   pmap.Map[string, journal.Epoch]  // by epoch id: secrets held
	rekeys   pmap.Map[string, rekeyFact]      // by epoch id | entry id
	sealed   pmap.Map[string, *journal.Entry] // by epoch id | entry id: not readable yet
	failures pmap.Map[string, failureFact]    // by epoch id | identity: stanzas that did not open
	zero     journal.EpochID                  // epoch 0
	book     epochBook

	named pmap.Map[string, Ref] // by named entry | author
	wants wants
}

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

// labelFacts is what members call transactions, addresses and outputs.
type labelFacts struct {
	proposalFacts

	labels pmap.Map[string, labelFact] // by target | entry id
}

type cutFact struct {
	Seq uint64 `cbor:"1,keyasint"`
	Ref Ref    `cbor:"2,keyasint"`
}

// Inert is an entry without effect, and the rule it breaks. It counts against its author.
type Inert struct {
	Ref  Ref    `cbor:"1,keyasint"`
	Rule string `cbor:"2,keyasint"`
}

type successionVote struct {
	Ref         Ref      `cbor:"1,keyasint"`
	Replacement [32]byte `cbor:"2,keyasint"`
}

// Record is a cosigner's own description, checked by itself.
type Record struct {
	Ref  Ref                 `cbor:"1,keyasint"`
	Body *event.MemberRecord `cbor:"2,keyasint"`
	Key  wallet.Key          `cbor:"3,keyasint"`
}

type rosterFact struct {
	Ref     Ref               `cbor:"1,keyasint"`
	Records []journal.EntryID `cbor:"2,keyasint"`
}

type revealFact struct {
	Ref    Ref             `cbor:"1,keyasint"`
	Roster journal.EntryID `cbor:"2,keyasint"`
	Salt   [32]byte        `cbor:"3,keyasint"`
}

type ratifiedFact struct {
	Ref    Ref              `cbor:"1,keyasint"`
	Hash   [32]byte         `cbor:"2,keyasint"`
	Record *journal.EntryID `cbor:"3,keyasint,omitempty"` // of a hosted cosigner
}

// lostPlace is whose place a node took: its identity then, and the key that both
// hold, by AccountHash.
type lostPlace struct {
	who     journal.Author
	account [32]byte
}

type rekeyFact struct {
	Ref    Ref              `cbor:"1,keyasint"`
	Epoch  journal.EpochID  `cbor:"2,keyasint"`
	Number uint64           `cbor:"3,keyasint"`
	Parent journal.EpochID  `cbor:"4,keyasint"`
	To     []journal.Author `cbor:"5,keyasint"`
}

type failureFact struct {
	Ref   Ref             `cbor:"1,keyasint"`
	Epoch journal.EpochID `cbor:"2,keyasint"`
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

// labelFact is what somebody called something. Its target is in its key.
type labelFact struct {
	Ref        Ref               `cbor:"1,keyasint"`
	Text       string            `cbor:"2,keyasint"`
	Supersedes []journal.EntryID `cbor:"3,keyasint,omitempty"`
}

// setupBook is what the facts of a forming group are found by: any of its members
// may bring 32,768 of each (see quota) before the wallet is active.
type setupBook struct {
	closed   pmap.Map[string, journal.EntryID] // by place: rosters
	rostered pmap.Map[string, struct{}]        // by record: those that some roster lists
	own      pmap.Map[string, journal.EntryID] // by author: of its records of itself that with the lowest id
	hosted   pmap.Map[string, struct{}]        // by author | record
	holders  pmap.Map[string, struct{}]        // by hash of a key | class of its proof (see holderKey) | author of a record
	revealed pmap.Map[string, journal.EntryID] // by author | place: the roster that a reveal names
	hashes   pmap.Map[string, struct{}]        // by author | hash that it ratified for itself
	openedBook
}

// openedBook is by what the right one of many rosters is found: its hash, which
// people compared, and not its place, which whoever forks a chain chooses. A
// founder may close 32,768 rosters (see quota): each is in each map once at most.
type openedBook struct {
	// waiting is by what a roster lacks first | roster. Each waits for one thing at
	// a time, so that it is looked at once for each of its records and reveals.
	waiting pmap.Map[string, journal.EntryID]
	opened  pmap.Map[string, journal.EntryID] // by hash: of the rosters that all revealed for, the first by place
	ours    pmap.Map[string, [32]byte]        // by rank | hash: those of opened with the key of a new device
}

// epochBook is what the epochs of a State are found by. It is derived from
// rekeys, failures, the epochs of entries, and the secrets held, and kept up
// to date as these come in, so that a step never walks over all of them.
//
// Bounds: a member brings at most 32,768 entries at once (see quota). full,
// fullOf and by have one item for each rekey at most; given one for each
// stanza (64 an entry, which then has 16 KiB: 131,072 items in 32 MiB); users, waiting
// and the queues one or two for each entry.
type epochBook struct {
	full   pmap.Map[string, epochNode]       // by recipients | author | place: rekeys
	fullOf pmap.Map[string, string]          // by epoch | recipients | author: the place of the first
	given  pmap.Map[string, bool]            // by epoch | recipient | author: true where it was sealed to that one alone
	users  pmap.Map[string, bool]            // by epoch | author: who wrote under it (true), or signed what is under it
	wrote  pmap.Map[string, struct{}]        // by author | epoch
	asked  pmap.Map[string, int]             // by author | identity: how many epochs that the author uses the identity failed to open
	under  pmap.Map[string, journal.EpochID] // by entry: its epoch, unless that is the first
	// waiting has the sealed entries by chain | seq | id.
	waiting pmap.Map[string, journal.EpochID]

	seated  *Active  // the members that what follows is for
	seats   [32]byte // hash of their identities
	counts  pmap.Map[string, *standing]
	nodes   pmap.Map[string, struct{}]        // by parent | number | epoch: counted and untainted
	follows pmap.Map[string, struct{}]        // by epoch | number | parent: nodes that descend from epoch 0 through nodes
	ranked  pmap.Map[string, journal.EpochID] // those to write under, the first of them first
	byNo    pmap.Map[string, journal.EpochID] // all secrets held, highest number first

	// stale lists the authors whose standing has to be worked out anew.
	stale []journal.Author
	// asks, strange and answers are what stanza.go has to look at, each by who
	// caused it, so that nobody's take the place of another's.
	asks    pmap.Map[string, askDue]
	strange pmap.Map[string, askDue]
	answers pmap.Map[string, journal.EpochID]
}

// epochNode is an epoch as a rekey states it. Whoever holds its secret knows
// whether that is so: the id commits to it.
type epochNode struct {
	ID     journal.EpochID
	Number uint64
	Parent journal.EpochID
}

func (n epochNode) key() string {
	return mapkey.Of(n.ID) + mapkey.Number(n.Number) + mapkey.Of(n.Parent)
}

// child is the key of a node among those of its parent.
func (n epochNode) child() string {
	return mapkey.Of(n.Parent) + mapkey.Number(n.Number) + mapkey.Of(n.ID)
}

// rank is its key where the highest number, then the lowest id, comes first.
func (n epochNode) rank() string { return mapkey.Number(^n.Number) + mapkey.Of(n.ID) }

// standing is what one member's rekeys to exactly the present members come to.
// It is immutable.
type standing struct {
	counted []epochNode // the first MaxStanzas, in the author's order
	last    string      // place of the last one, where there are that many
	obeyed  map[epochNode]bool
	spoiled int
	nodes   []epochNode // those of counted that are not tainted
}

// askDue is an epoch that this node may have to ask for.
type askDue struct {
	Epoch journal.EpochID
	Node  epochNode // where the reason is that it is one to write under
	Named bool      // somebody signed what is sealed under it
}

// wants is which entries somebody named, by `entries.named` or by a signature, and
// which of them are not held. A member brings 468,000 of them at once at most:
// 60 in an entry of 4 KiB (see quota).
type wants struct {
	by      pmap.Map[string, struct{}] // by entry | author
	missing pmap.Map[string, struct{}] // by author | entry
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
