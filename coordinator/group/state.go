package group

import (
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/event"
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

// State is what the entries of one group say. It is a function of the set of
// entries, the pinned roster hash and the epoch secrets, whatever the order
// they came in, and it only grows. It is an immutable value: every change
// returns a new one, and old ones stay valid and may be read concurrently.
//
// It is six values, each upon the one before: a value asks those below it, and
// knows none above. What an entry says of several is taken apart here alone.
//
// Facts are kept as stated. Whether an entry is tainted is asked when a fact
// is used (see tainted), because a fork found later taints entries folded earlier.
type State struct {
	labelFacts

	// reweighed: entries were tainted, or are not any more, since Step last looked.
	// It is bookkeeping of one step, and no part of what State says.
	reweighed bool
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

	active       *Active
	replaced     pmap.Map[string, ReplacedFact] // by chain | seq | entry id
	newcomers    pmap.Map[string, struct{}]     // by identity: those that a valid replacement names, in effect or not
	replaceVotes pmap.Map[string, replaceVote]  // see voteKey

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

	epochs    pmap.Map[string, journal.Epoch]  // by epoch id: secrets held
	rotations pmap.Map[string, rotationFact]   // by epoch id | entry id
	sealed    pmap.Map[string, *journal.Entry] // by epoch id | entry id: not readable yet
	failures  pmap.Map[string, failureFact]    // by epoch id | identity: stanzas that did not open
	zero      journal.EpochID                  // epoch 0
	book      epochBook

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

// Self is what a node knows of itself in one group. It never changes.
type Self struct {
	Identity *journal.Identity
	Sealing  *journal.SealingKey
	Verified *wallet.SigCache

	// Fault hears of faults of this program; it may be nil.
	Fault func(error)
	// Probe is of tests: it is called before an entry is read, and with nil before
	// a step settles. It may be nil.
	Probe func(Probed, *journal.Entry)
}

// Probed is what a probe sees of a State.
type Probed interface {
	// Group is the group's id.
	Group() journal.GroupID
	// Active is the wallet, once it is.
	Active() *Active
	// EpochHeld is an epoch whose secret is held.
	EpochHeld(id journal.EpochID) (journal.Epoch, bool)
}

type cutFact struct {
	Seq uint64 `cbor:"1,keyasint"`
	Ref Ref    `cbor:"2,keyasint"`
}

type rotationFact struct {
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

// Inert is an entry without effect, and the rule it breaks. It counts against its author.
type Inert struct {
	Ref  Ref    `cbor:"1,keyasint"`
	Rule string `cbor:"2,keyasint"`
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

// NewState returns the state of a group of which nothing is known but its
// genesis and the secret of epoch 0. It returns ErrEvent for a malformed genesis.
func NewState(self *Self, genesis []byte, secret [32]byte, pinned [32]byte) (State, error) {
	g, err := event.DecodeGenesis(genesis)
	if err != nil {
		return State{}, err
	}
	var s State
	s.self, s.group, s.genesis, s.pinned = self, event.GroupID(genesis), g, pinned
	zero := journal.Epoch{Group: s.group, Secret: secret}
	s.zero = zero.ID()
	s.epochs = s.epochs.Set(mapkey.Of(s.zero), zero)
	return s, nil
}

// Group returns the group's id.
func (s entryFacts) Group() journal.GroupID { return s.group }

// Genesis returns the group's genesis.
func (s entryFacts) Genesis() event.Genesis { return s.genesis }

// Name returns the wallet's name as its founder gave it first, or "".
func (s setupFacts) Name() string { return s.name }

// Chains returns the entries held, as positions.
func (s entryFacts) Chains() journal.Chains { return s.chains }

// Active returns the wallet once its roster is ratified by all, or nil.
func (s memberFacts) Active() *Active { return s.active }

// Self returns what this node knows of itself.
func (s entryFacts) Self() *Self { return s.self }

// Pinned returns the hash of the roster that this node's user agreed to, or
// zero before that.
func (s setupFacts) Pinned() [32]byte { return s.pinned }

// Me returns this node's identity.
func (s entryFacts) Me() journal.Author { return s.self.Identity.Author() }

// knows says whether entries of an author are taken: the founder, whoever the
// founder admitted, and this node; once the wallet is active, its members. Whoever
// let this node in is heard from the start: that it is a member may be written
// under an epoch that it alone hands on. What it writes counts as it would anyway.
func (s setupFacts) Knows(a journal.Author) bool {
	if a == s.inviter && a != (journal.Author{}) {
		return true
	}
	if s.active != nil {
		_, ok := s.active.KeyOf(a)
		return ok
	}
	if a == s.genesis.Founder || a == s.Me() {
		return true
	}
	_, ok := s.admitted.Get(string(a[:]))
	return ok
}

// Members returns the identities that may connect: those that were admitted
// (maxAdmissions at most) before the wallet is active, then exactly its members.
func (s setupFacts) Members() []journal.Author {
	if s.active != nil {
		out := make([]journal.Author, 0, len(s.active.Members))
		for _, m := range s.active.Members {
			if m.Identity != (journal.Author{}) { // contested
				out = append(out, m.Identity)
			}
		}
		return out
	}
	seen := map[journal.Author]bool{s.genesis.Founder: true, s.Me(): true}
	out := []journal.Author{s.genesis.Founder}
	if s.Me() != s.genesis.Founder {
		out = append(out, s.Me())
	}
	for k := range s.admitted.All() {
		a := journal.Author([]byte(k))
		if len(out) >= event.MaxAdmissions {
			break
		}
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// Inert returns the entries without effect, by the rule they break.
func (s entryFacts) Inert() []Inert {
	var out []Inert
	for _, i := range s.inert.All() {
		out = append(out, i)
	}
	return out
}

// Entries returns how many entries the frontier covers.
func (s entryFacts) Entries() int {
	n := 0
	for _, head := range s.chains.Frontier() {
		n += int(head.Seq)
	}
	return n
}

// Unknown returns how many entries need a newer version.
func (s entryFacts) Unknown() int { return s.unknown.Len() }

func (s entryFacts) asInert(r Ref, rule string) entryFacts {
	if old, ok := s.inert.Get(mapkey.Of(r.ID)); ok {
		s = s.fault(r, old.Rule, -1)
	}
	s.inert = s.inert.Set(mapkey.Of(r.ID), Inert{r, rule})
	return s.fault(r, rule, 1)
}

func (s entryFacts) asUnknown(r Ref) entryFacts {
	if _, ok := s.unknown.Get(mapkey.Of(r.ID)); ok {
		return s
	}
	s.unknown = s.unknown.Set(mapkey.Of(r.ID), r)
	return s.fault(r, faultNewer, 1)
}

// faultNewer is what entries of a kind that this version does not know count as.
const faultNewer = "needs_newer_version"

// fault counts what has no effect, by author and rule: what shows them need not
// go through all.
func (s entryFacts) fault(r Ref, rule string, by int) entryFacts {
	k := mapkey.Of(r.Chain.Author) + rule
	n, _ := s.faults.Get(k)
	s.faults = s.faults.Set(k, n+uint64(by))
	return s
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

func (s proposalFacts) touch(p journal.EntryID) proposalFacts {
	s.touched = append(s.touched[:len(s.touched):len(s.touched)], p)
	return s
}

// Named says whether a member named an entry, as one that others need to hold.
func (s epochFacts) Named(id journal.EntryID) bool { return mapkey.HasPrefix(s.named, mapkey.Of(id)) }

// FaultCount returns how many entries this program failed on.
func (s entryFacts) FaultCount() int { return s.bugs.Len() }

// EpochHeld returns an epoch whose secret is held.
func (s epochFacts) EpochHeld(id journal.EpochID) (journal.Epoch, bool) {
	return s.epochs.Get(mapkey.Of(id))
}

// FirstEpoch returns the epoch that all hold who ever entered.
func (s epochFacts) FirstEpoch() (journal.Epoch, bool) { return s.EpochHeld(s.zero) }

// Superseded says whether a chain was cut by a later incarnation of its author.
func (s entryFacts) Superseded(c journal.ChainKey) bool {
	_, cut := s.cuts.Get(mapkey.Chain(c))
	return cut
}

// FaultsOf yields how many entries of an author have no effect, by the rule.
func (s entryFacts) FaultsOf(yield func(by FaultOf, n uint64) bool) {
	for k, n := range s.faults.All() {
		if n > 0 && !yield(FaultOf{journal.Author([]byte(k[:32])), k[32:]}, n) {
			return
		}
	}
}

// FaultOf is an author, and a rule that entries of it break.
type FaultOf struct {
	Author journal.Author
	Rule   string
}

// Touched lists the proposals that changed since the last call of TakeTouched.
func (s proposalFacts) Touched() []journal.EntryID { return s.touched }

// TakeTouched returns the state with nothing touched, the proposals that were, and
// from which seq on the entries of which chains are tainted, or not any more.
func (s State) TakeTouched() (State, []journal.EntryID, []Reweighed) {
	touched, chains := s.touched, make([]Reweighed, 0, len(s.reweighedOf))
	for _, r := range s.reweighedOf {
		chains = append(chains, Reweighed{r.Chain, lowerSeq(r.From, r.Before)})
	}
	s.touched, s.reweighedOf = nil, nil
	return s, touched, chains
}

// Reweighed is a chain whose entries are tainted, or not any more, from a seq on.
type Reweighed struct {
	Chain journal.ChainKey
	From  uint64
}

// TakeReweighed returns the state once it was noted that entries were tainted, or
// are not any more.
func (s State) TakeReweighed() State {
	s.reweighed = false
	return s
}

// TakeLeased returns the state with no index leased, and those that were since the
// last call.
func (s State) TakeLeased() (State, []uint32) {
	var out []uint32
	for index := range s.leased.All() {
		out = append(out, index)
	}
	s.leased = pmap.Map[uint32, bool]{}
	return s, out
}
