package group

import (
	"github.com/btcsuite/btcd/chainhash/v2"

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

// Keys of the maps below, where they are not of ids alone (see package mapkey).
type (
	// ownPlace is by incarnation | seq | entry id: what one author wrote, in order.
	ownPlace string

	byRule           string // author | rule
	bySuccessionVote string // author | succession | latest first: see successionVoteKey
	byRatifier       string // hash | author, and record of a hosted one
	byHolder         string // hash of a key | class of its proof | author: see holderKey
	byLack           string // what a roster lacks first | roster
	byRank           string // rank | hash

	byRecipients string // recipients | author | ownPlace
	byParent     string // parent | number | epoch
	byNode       string // epoch | number | parent
	byNumber     string // highest number first | epoch

	byLease      string // index | chain
	bySignature  string // txid | spend id | input | key
	byBringer    string // bySignature | chain
	byKey        string // txid | spend id | key
	byEndorser   string // txid | key | chain
	byVote       string // proposal | author | latest first: see voteKey
	byWithdrawal string // proposal | chain
	byTime       string // claimed time, the latest first | proposal
	byFirst      string // txid | chain
	bySigned     string // txid | spend id | chain
	byDeclared   string // txid | replaced txid | chain
	byReplaced   string // replaced txid | chain
	byCoinPlace  string // outpoint | mapkey.ByPlace
	byChange     string // change index | mapkey.ByPlace
	bySigner     string // outpoint | key | txid
	byStated     string // key | author | proposal | carrier
	byLabel      string // target | author | latest first | entry id
	byComment    string // proposal | mapkey.ByPlace

	carries = mapkey.By2[journal.EntryID, journal.EntryID]                 // proposal | entry id
	awaited = mapkey.By3[journal.EntryID, journal.Author, journal.EntryID] // proposal | author | carrier

	// due is what has a turn to be judged: an author, or proposal | author.
	due string
)

// Keys that callers go on from.
type (
	// ByAsk is by author | its place, or author | "named" | entry id.
	ByAsk string
	// ByWriter is by author | epoch.
	ByWriter = mapkey.By2[journal.Author, journal.EpochID]
	// ByTxProposal is by txid | proposal.
	ByTxProposal = mapkey.By2[chainhash.Hash, journal.EntryID]
	// Signs is txid | spend id: all that a signature commits to.
	Signs = mapkey.By2[chainhash.Hash, [32]byte]
)

// lowest keeps, of several entries that state one fact, that with the lowest
// id: the order in which they came must not show.
func lowest[K ~string, V any](m pmap.Map[K, V], k K, v V, ref func(V) Ref) pmap.Map[K, V] {
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
func placeOf(r Ref) ownPlace {
	return ownPlace([]byte{r.Chain.Incarnation}) + ownPlace(mapkey.Number(r.Seq)) + ownPlace(r.ID[:])
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
	cuts    pmap.Map[mapkey.ByChain, cutFact] // by chain
	inert   pmap.Map[mapkey.ByEntry, Inert]   // by entry id
	bugs    pmap.Map[mapkey.ByEntry, Ref]     // by entry id: those of inert that this program failed on
	unknown pmap.Map[mapkey.ByEntry, Ref]     // by entry id: needs a newer version
	// faults counts, by author | rule, the entries without effect and those that
	// need a newer version.
	faults pmap.Map[byRule, uint64]
}

// memberFacts is who writes for which key, and which entries are tainted.
type memberFacts struct {
	entryFacts

	active          *Active
	successions     pmap.Map[mapkey.ByPlace, Succession]       // by chain | seq | entry id
	newcomers       pmap.Map[mapkey.ByAuthor, struct{}]        // by identity: those that a valid replacement names, in effect or not
	successionVotes pmap.Map[bySuccessionVote, successionVote] // see voteKey
	features        pmap.Map[mapkey.ByAuthor, featureFact]     // by identity: what it says last of its node
	pings           pingBook
	policies        policyBook

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

	admitted  pmap.Map[mapkey.ByAuthor, Ref]                                              // by identity
	records   pmap.Map[mapkey.ByEntry, Record]                                            // by entry id
	rosters   pmap.Map[mapkey.ByEntry, rosterFact]                                        // by entry id
	reveals   pmap.Map[mapkey.By3[journal.Author, journal.EntryID, [32]byte], revealFact] // by author | roster | commitment that it opens
	ratified  pmap.Map[byRatifier, ratifiedFact]                                          // by hash | author, and record of a hosted one
	abandoned pmap.Map[mapkey.ByEntry, Ref]                                               // by entry id
	setup     setupBook
}

// epochFacts is under which secrets members write, and which of them are held.
type epochFacts struct {
	setupFacts

	epochs   pmap.Map[mapkey.ByEpoch, journal.Epoch]                                // by epoch id: secrets held
	rekeys   pmap.Map[mapkey.By2[journal.EpochID, journal.EntryID], rekeyFact]      // by epoch id | entry id
	sealed   pmap.Map[mapkey.By2[journal.EpochID, journal.EntryID], *journal.Entry] // by epoch id | entry id: not readable yet
	failures pmap.Map[mapkey.By2[journal.EpochID, journal.Author], failureFact]     // by epoch id | identity: stanzas that did not open
	zero     journal.EpochID                                                        // epoch 0
	book     epochBook

	named pmap.Map[mapkey.By2[journal.EntryID, journal.Author], Ref] // by named entry | author
	wants wants
}

// proposalFacts is what is proposed, signed and voted for, and which addresses
// were handed out.
type proposalFacts struct {
	epochFacts

	leases      pmap.Map[byLease, leaseFact]        // by index | chain
	proposals   pmap.Map[mapkey.ByEntry, *Proposal] // by entry id
	carriers    pmap.Map[carries, carrierFact]      // by proposal | entry id: signatures as stated
	sigs        pmap.Map[bySignature, []byte]       // by txid | input | key: the least that verified
	approvals   pmap.Map[byKey, Approval]           // by txid | key: who brought the first of them
	votes       pmap.Map[byVote, voteFact]          // by proposal | author | latest first (see voteKey)
	withdrawals pmap.Map[byWithdrawal, Ref]         // by proposal | chain: its first
	comments    pmap.Map[byComment, commentFact]    // by proposal | place
	props       proposalIndex
	backlog     backlog

	// touched lists the proposals that changed since Step last looked. It is
	// bookkeeping of one step, and no part of what State says.
	touched  *news[Touch]
	remarked *news[Comment] // the comments that came since then, likewise
	// policiesSaid lists what was said of policies since then, likewise.
	policiesSaid *news[PolicySaid]
	// leased lists the indexes that were leased since then, likewise.
	leased pmap.Map[pmap.Number, bool]
	// reweighedOf lists the chains of which other entries are tainted since then.
	reweighedOf []retaint
}

// labelFacts is what members call transactions, addresses and outputs, and which coins
// they froze.
type labelFacts struct {
	proposalFacts

	labels   said            // by target | author | latest first | entry id
	freezes  said            // likewise, of coins
	spokenOf *news[CoinSaid] // the coins of which somebody said so since Step last looked
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
	// UpTo is the bump that an approval agrees to before it is there.
	UpTo *event.BumpUpTo `cbor:"6,keyasint,omitempty"`
	// Through is the transaction whose approval let a node sign this one by itself.
	Through chainhash.Hash `cbor:"7,keyasint,omitempty"`
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

// setupBook is what the facts of a forming group are found by: any of its members
// may bring 32,768 of each (see quota) before the wallet is active.
type setupBook struct {
	closed   pmap.Map[ownPlace, journal.EntryID]                             // by place: rosters
	rostered pmap.Map[mapkey.ByEntry, struct{}]                              // by record: those that some roster lists
	own      pmap.Map[mapkey.ByAuthor, journal.EntryID]                      // by author: of its records of itself that with the lowest id
	hosted   pmap.Map[mapkey.By2[journal.Author, journal.EntryID], struct{}] // by author | record
	holders  pmap.Map[byHolder, struct{}]                                    // by hash of a key | class of its proof (see holderKey) | author of a record
	revealed pmap.Map[mapkey.ByPlace, journal.EntryID]                       // by author | place: the roster that a reveal names
	hashes   pmap.Map[mapkey.By2[journal.Author, [32]byte], struct{}]        // by author | hash that it ratified for itself
	openedBook
}

// openedBook is by what the right one of many rosters is found: its hash, which
// people compared, and not its place, which whoever forks a chain chooses. A
// founder may close 32,768 rosters (see quota): each is in each map once at most.
type openedBook struct {
	// waiting is by what a roster lacks first | roster. Each waits for one thing at
	// a time, so that it is looked at once for each of its records and reveals.
	waiting pmap.Map[byLack, journal.EntryID]
	opened  pmap.Map[mapkey.By[[32]byte], journal.EntryID] // by hash: of the rosters that all revealed for, the first by place
	ours    pmap.Map[byRank, [32]byte]                     // by rank | hash: those of opened with the key of a new device
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
	full   pmap.Map[byRecipients, epochNode]                                           // by recipients | author | place: rekeys
	fullOf pmap.Map[mapkey.By3[journal.EpochID, [32]byte, journal.Author], ownPlace]   // by epoch | recipients | author: the place of the first
	given  pmap.Map[mapkey.By3[journal.EpochID, journal.Author, journal.Author], bool] // by epoch | recipient | author: true where it was sealed to that one alone
	users  pmap.Map[mapkey.By2[journal.EpochID, journal.Author], bool]                 // by epoch | author: who wrote under it (true), or signed what is under it
	wrote  pmap.Map[ByWriter, struct{}]                                                // by author | epoch
	asked  pmap.Map[mapkey.By2[journal.Author, journal.Author], int]                   // by author | identity: how many epochs that the author uses the identity failed to open
	under  pmap.Map[mapkey.ByEntry, journal.EpochID]                                   // by entry: its epoch, unless that is the first
	// waiting has the sealed entries by chain | seq | id.
	waiting pmap.Map[mapkey.ByPlace, journal.EpochID]

	seated  *Active  // the members that what follows is for
	seats   [32]byte // hash of their identities
	counts  pmap.Map[mapkey.ByAuthor, *standing]
	nodes   pmap.Map[byParent, struct{}]        // by parent | number | epoch: counted and untainted
	follows pmap.Map[byNode, struct{}]          // by epoch | number | parent: nodes that descend from epoch 0 through nodes
	ranked  pmap.Map[byNumber, journal.EpochID] // those to write under, the first of them first
	byNo    pmap.Map[byNumber, journal.EpochID] // all secrets held, highest number first

	// stale lists the authors whose standing has to be worked out anew.
	stale []journal.Author
	// asks, strange and answers are what stanza.go has to look at, each by who
	// caused it, so that nobody's take the place of another's.
	asks    pmap.Map[ByAsk, askDue]
	strange pmap.Map[ByAsk, askDue]
	answers pmap.Map[mapkey.ByPlace, journal.EpochID]
}

// epochNode is an epoch as a rekey states it. Whoever holds its secret knows
// whether that is so: the id commits to it.
type epochNode struct {
	ID     journal.EpochID
	Number uint64
	Parent journal.EpochID
}

func (n epochNode) key() byNode {
	return byNode(n.ID[:]) + byNode(mapkey.Number(n.Number)) + byNode(n.Parent[:])
}

// child is the key of a node among those of its parent.
func (n epochNode) child() byParent {
	return byParent(n.Parent[:]) + byParent(mapkey.Number(n.Number)) + byParent(n.ID[:])
}

// rank is its key where the highest number, then the lowest id, comes first.
func (n epochNode) rank() byNumber { return byNumber(mapkey.Number(^n.Number)) + byNumber(n.ID[:]) }

// standing is what one member's rekeys to exactly the present members come to.
// It is immutable.
type standing struct {
	counted []epochNode // the first MaxStanzas, in the author's order
	last    ownPlace    // place of the last one, where there are that many
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
	by      pmap.Map[mapkey.By2[journal.EntryID, journal.Author], struct{}] // by entry | author
	missing pmap.Map[mapkey.By2[journal.Author, journal.EntryID], struct{}] // by author | entry
}

// proposalIndex is how proposals, and what was said of them, are found without
// a look at all of them. It is made of them as they are folded.
//
// Within one chain, entries are tainted from some seq on. So the first entry of
// each chain that states a fact tells whether an untainted one states it, and
// the others need not be kept. An author has 64 chains at most.
type proposalIndex struct {
	byTx     pmap.Map[ByTxProposal, struct{}]    // by txid | proposal
	byTime   pmap.Map[byTime, struct{}]          // by claimed time, the latest first | proposal
	firsts   pmap.Map[byFirst, Ref]              // by txid | chain: its first proposal of the transaction
	stating  pmap.Map[bySigned, Ref]             // by txid | spend id | chain: its first proposal that signs this
	byCoin   pmap.Map[byCoinPlace, struct{}]     // by outpoint | chain | seq | proposal
	spending pmap.Map[mapkey.ByCoinTx, struct{}] // by outpoint | txid
	byChange pmap.Map[byChange, struct{}]        // by change index | chain | seq | proposal
	declared pmap.Map[byDeclared, Ref]           // by txid | replaced txid | chain: its first declaration
	replacer pmap.Map[byReplaced, Ref]           // by replaced txid | chain: its first proposal that declares it
	// rests has every entry that states a proposal, or something of one, by
	// chain | seq | entry id: what may count otherwise when the chain is tainted.
	rests pmap.Map[mapkey.ByPlace, journal.EntryID]

	signed   pmap.Map[byKey, int]                // by txid | spend id | key: inputs signed
	bySigner pmap.Map[bySigner, struct{}]        // by outpoint | key | txid
	final    pmap.Map[mapkey.ByCoinTx, struct{}] // by outpoint | txid: transactions with all signatures
	full     pmap.Map[Signs, struct{}]           // by txid | spend id: the same, as what they have them: one, unless k members lie
	brought  pmap.Map[byBringer, uint64]         // by txid | spend id | input | key | chain: the seq that first brought it
	endorsed pmap.Map[byEndorser, endorsement]   // by txid | key | chain: its first approval with a signature of the key
	approved pmap.Map[byVote, Approved]          // by proposal | author | latest first: what approvals say beside their signatures
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
	proposals pmap.Map[mapkey.By2[journal.Author, journal.EntryID], struct{}] // by author | proposal: not derived yet
	sigs      pmap.Map[awaited, struct{}]                                     // by proposal | author | carrier: not verified yet
	// stating is the same by each key that it states a signature of, MaxCosigners at
	// most: by key | author | proposal | carrier.
	stating pmap.Map[byStated, struct{}]

	turns  pmap.Map[pmap.Number, due] // what is due, in turns: an author of proposals, or proposal | author
	queued pmap.Map[due, struct{}]    // what has a turn
	last   uint64
	// later: nothing is judged at once. So it is while the entries of a store are
	// read again.
	later bool
}
