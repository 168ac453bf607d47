package coordinator

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/known"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/occasion"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Machine is everything one node knows of one wallet: what the entries say
// (State), what it sees of the chain (View), what it signed (Guard), and what
// only concerns itself. It is an immutable value.
type Machine struct {
	State group.State
	View  ledger.View
	Guard Guard

	local    Local
	invites  pmap.Map[string, inviteRecord]              // by invite id
	requests pmap.Map[string, journal.EntryID]           // by request id
	contents pmap.Map[string, [32]byte]                  // by request id: a hash of what was asked for
	given    pmap.Map[string, given]                     // by request id, of what is no proposal
	claims   pmap.Map[mapkey.ByAuthor, journal.Frontier] // by identity: what members say they hold
	// ownAtStart is how many entries of its own this node held when it started.
	ownAtStart uint64
	// schedules are payments that this node proposes by itself, by id.
	schedules pmap.Map[recurring.Key, recurring.Schedule]
	// unaskedAt is the latest time by which this node signed without being asked, Unix seconds.
	unaskedAt int64
	watch     watchlist
	payees    known.Index                                 // of View: who was paid
	strange   strangers                                   // spends with fewer signatures than they take
	caught    uint64                                      // tick at which the chain was last not caught up with
	alarmed   pmap.Map[mapkey.ByTx, alarmRecord]          // by txid: those that were told
	bound     *boundRecord                                // after a restore, for ever; never changed in place
	restored  *restoredRecord                             // since a restore, until all others were heard; never changed in place
	owed      pmap.Map[mapkey.ByAuthor, journal.Frontier] // by identity: the first claims since a restore
	repinned  int                                         // facts of setup when pinAgain looked last
	letIns    pmap.Map[mapkey.ByAuthor, handing]          // by new device that this node let in
	unfit     uint64                                      // ticks for which no epoch was sealed to exactly the members
	online    []journal.Author                            // as of the last tick
	linked    string                                      // what the transport was last told
	snaps     Snapshots                                   // as it was when the machine was loaded: see Snapshots
	follows   bool
	stream    uint64    // counts what starts the stream anew: see Streamed
	unsaved   int       // blocks since the view was last stored
	saved     [2]uint32 // scripts stored, by branch
	ticks     uint64
	outbox    outbox
	written   written // what others charge to its allowance: see unasked.go
	turns     turns   // of what it writes unasked
	// pings has, by key, the round that was last handed out to be signed by a device;
	// triedPing is when this node last tried to answer one by itself, in ticks.
	pings     pmap.Map[pmap.Number, journal.EntryID]
	triedPing uint64
	// desk is what this node has in work as a robot.
	desk robot.Desk
}

// Local is what a node keeps of a group for itself. It is a secret.
type Local struct {
	Genesis     []byte            `cbor:"1,keyasint"`
	Secret      [32]byte          `cbor:"2,keyasint"` // of epoch 0
	Salt        [32]byte          `cbor:"3,keyasint"` // opened by the reveal
	Script      wallet.ScriptType `cbor:"4,keyasint"`
	Account     uint32            `cbor:"5,keyasint"`
	Incarnation uint8             `cbor:"6,keyasint"`
	Created     int64             `cbor:"7,keyasint"`  // Unix seconds
	Birthday    int32             `cbor:"8,keyasint"`  // height
	Hints       []string          `cbor:"9,keyasint"`  // addresses of the founder
	Name        string            `cbor:"10,keyasint"` // what this node calls the wallet
	// External is this node's key where its private part lives elsewhere.
	External string `cbor:"11,keyasint,omitempty"`
	// Of a node that took a lost one's place: who let it in, whom it replaces,
	// and the key that both hold.
	Inviter  journal.Author `cbor:"12,keyasint,omitempty"`
	Replaces journal.Author `cbor:"13,keyasint,omitempty"`
	Key      string         `cbor:"14,keyasint,omitempty"`
	// Hosted are cosigners without a node, whom this one hosts.
	Hosted []HostedPlace `cbor:"15,keyasint,omitempty"`
	// Archived: the user put the wallet aside.
	Archived bool `cbor:"16,keyasint,omitempty"`
	// TakenUp is when the wallet was last taken up again, Unix seconds: what was due
	// meanwhile is not proposed before somebody has looked.
	TakenUp int64 `cbor:"18,keyasint,omitempty"`
	// Rescanned: the user said where the wallet begins, and no date decides that.
	Rescanned bool `cbor:"17,keyasint,omitempty"`
}

// step is one run of Step: a private copy of the machine, and what is to be done.
type step struct {
	m       Machine
	before  Machine // as it was when the step began
	in      Input
	batch   port.Batch
	effects []Effect
	drawn   uint64
	held    bool // what is written unasked, for what is carried
	// starting: statuses are learnt anew, and are no news.
	starting bool
	forked   bool // some chain is
	// sighting: the message only tells what a mempool holds. It is stored with
	// whatever comes next, a tick at the latest: a crash forgets nothing that the
	// backend does not tell again.
	sighting bool
	// by are the authors whose entries cause what is told now, where it is known.
	by []journal.Author
	// from is the author of the entry that this step takes, or zero.
	from journal.Author
	// unkept is why a notice could not be written down.
	unkept error
}

// finish puts the batch first: only what is durable is shown or sent.
func (s *step) finish() ([]Effect, error) {
	if s.keepOutbox(); s.unkept != nil {
		return nil, s.unkept
	}
	if s.batch.Empty() {
		return s.effects, nil
	}
	return append([]Effect{Persist{s.batch}}, s.effects...), nil
}

func (s *step) do(e Effect) {
	if t, ok := e.(Tell); ok {
		e = Tell{s.noted(t.Notice)}
	}
	s.effects = append(s.effects, e)
}

// draw returns 32 bytes of this step's entropy, different ones each time.
func (s *step) draw() [32]byte {
	s.drawn++
	return journal.H("entropy", s.in.Entropy[:], binary.BigEndian.AppendUint64(nil, s.drawn))
}

func (s *step) nonce() [24]byte {
	r := s.draw()
	return [24]byte(r[:24])
}

func (s *step) put(name string, v any) error {
	b, err := record.Encode(v)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	s.batch.Puts[name] = b
	return nil
}

func (s *step) now() time.Time { return s.in.Now }

// inPlace is the state of a node that took a lost one's place, where this one did.
func (l Local) inPlace(st group.State) group.State {
	if l.Replaces == (journal.Author{}) {
		return st
	}
	return st.InPlaceOf(l.Inviter, l.Replaces, l.Key)
}

// HostedPlace is a cosigner that this node hosts, or is about to: its key waits
// for its proof.
type HostedPlace struct {
	Name string   `cbor:"1,keyasint"`
	Key  string   `cbor:"2,keyasint"`
	Salt [32]byte `cbor:"3,keyasint"`
}

type inviteRecord struct {
	Secret  [32]byte       `cbor:"1,keyasint"`
	Expires int64          `cbor:"2,keyasint"` // Unix seconds
	Taken   bool           `cbor:"3,keyasint"`
	By      journal.Author `cbor:"4,keyasint"`
	// Of one for a lost member's new device: whom it replaces, and where that
	// one's chains end, once it was asked for.
	Replaces journal.Author      `cbor:"5,keyasint,omitempty"`
	Fixed    bool                `cbor:"6,keyasint,omitempty"`
	Cuts     []event.ReplacedCut `cbor:"7,keyasint,omitempty"`
	// Claimed are those who claimed it and proved nothing: they have to be
	// approved before they get anything.
	Claimed []journal.Author `cbor:"8,keyasint,omitempty"`
}

// alarmRecord says when an alarm was told. It outlives the alarm, so that no
// reorg or restart tells of one transaction twice.
type alarmRecord struct {
	Told int64 `cbor:"1,keyasint"` // Unix seconds
}

// unaskedRecord is the latest time by which a node signed without being asked, so that a
// clock that is turned back brings nothing back.
type unaskedRecord struct {
	At int64 `cbor:"1,keyasint"` // Unix seconds
}

// restoredRecord says that a store came from a backup, or that its node took
// the place of a lost one: what it signed since may be held by others only.
type restoredRecord struct {
	At      int64            `cbor:"1,keyasint"` // Unix seconds
	Synced  []journal.Author `cbor:"2,keyasint"` // members that it has synced with since
	Started bool             `cbor:"3,keyasint"` // it writes again
	// Replacement: it is a new identity, which has no earlier incarnation.
	Replacement bool `cbor:"4,keyasint"`
	// Heard is since when it has synced with all others, Unix seconds; 0 where it
	// has not.
	Heard int64 `cbor:"5,keyasint,omitempty"`
	// Waited: what only others wrote is waited for no longer.
	Waited bool `cbor:"6,keyasint,omitempty"`
}

// boundRecord says what a restored node had seen when its caution ended. What
// others claim to hold proves nothing: a member may hold back a signature of
// this node's earlier self and say that it holds none.
type boundRecord struct {
	At   int64       `cbor:"1,keyasint"` // of the restore, Unix seconds
	Seen []boundSeen `cbor:"2,keyasint"` // by chain
}

type boundSeen struct {
	Chain journal.ChainKey `cbor:"1,keyasint"`
	Seq   uint64           `cbor:"2,keyasint"`
}

// handing is how far a new device was handed epochs.
type handing struct {
	seats [32]byte       // the members then: it begins anew with others
	at    group.ByWriter // in book.wrote
	by    journal.Author // whose epochs it is at
	n     int            // how many of these it has seen
	done  bool
}

// Keys of the maps of a machine, where they are not of ids alone (see package mapkey).
type (
	byPayment = mapkey.By2[[32]byte, chainhash.Hash] // hash of the script | txid

	byExpiry string // expiry | proposal
	byClaim  string // claimed time, the latest first | proposal
	byHeight string // height | txid
	byTick   string // tick | txid
	byTxCoin string // txid | outpoint

	lookKey   string // kind of what is to be looked at | its key
	lookPlace string // a key of the index that is gone through for it
)

// watchlist is what a machine knows of the proposals besides the entries: the
// statuses that were told, and what is to be looked at again. It is made anew
// when a node starts.
type watchlist struct {
	told     pmap.Map[mapkey.ByEntry, toldStatus] // by proposal: what was told last
	counts   [len(statusOrder)]int                // proposals by status as it was said, in statusOrder
	pending  pmap.Map[byClaim, struct{}]          // by claimed time | proposal: those that were told to be pending
	expiring pmap.Map[byExpiry, struct{}]         // by expiry | proposal: those that are pending or replaced
	sending  pmap.Map[mapkey.ByTx, sending]       // by txid: final or broadcast, and not mined
	waiting  pmap.Map[mapkey.ByTx, struct{}]      // by txid: to be handed to the backend
	handed   pmap.Map[mapkey.ByTx, struct{}]      // by txid: what the backend has and did not answer for
	reach    pmap.Map[mapkey.ByTx, port.Reach]    // by txid: how it is known that the network has one that was handed over
	unbuilt  pmap.Map[group.Signs, struct{}]      // by txid | spend id: told to be final and not to pass the script engine
	looks    rounds[lookKey, lookPlace]           // what is to be looked at
	// payments finds those who were paid: by hash of the script | txid; paying has
	// the transactions it holds, aging when the chain's height alone drops one: by
	// height | txid.
	payments  pmap.Map[byPayment, struct{}]
	paying    pmap.Map[mapkey.ByTx, struct{}]
	aging     pmap.Map[byHeight, struct{}]
	occasions occasion.Index                          // what proposals are made for
	carry     rounds[mapkey.ByTx, group.ByTxProposal] // by txid: what may have signatures that others lack
	carried   pmap.Map[pmap.Number, carried]          // what was carried of what a key's owners brought
	signed    pmap.Map[pmap.Number, int64]            // by key: when it signed a proposal last, as claimed (Unix milliseconds)
	carryOwed int                                     // what one of carry cost beyond what a step has, in statuses
	counted   bool                                    // carried has what is in the entries
	agreed    pmap.Map[mapkey.ByTx, journal.EntryID]  // by txid: proposals of which this node's user agreed to bumps beforehand
	bumps     pmap.Map[mapkey.ByEntry, struct{}]      // by proposal: bumps of those that are pending
	nextBump  mapkey.ByEntry                          // whose turn it is to be looked at
}

func claimKey(time int64, id journal.EntryID) byClaim {
	return byClaim(mapkey.Number(^uint64(time))) + byClaim(id[:])
}

// toldStatus is the status of a proposal, and as which it was told; both "" of one without effect.
type toldStatus struct{ status, said group.Status }

// sending is how a transaction is being sent, and as which of what its proposals sign.
type sending struct {
	status group.Status
	signs  group.Signs
}

// statusOrder lists the statuses, in the order in which the first that holds is taken.
var statusOrder = [...]group.Status{group.StatusConfirmed, group.StatusDead, group.StatusBroadcast, group.StatusFinal, group.StatusWithdrawn,
	group.StatusRejected, group.StatusExpired, group.StatusReplaced, group.StatusPending}

// strangers are the foreign spends seen, and those of them whose grace is not
// over yet. It takes the signatures of k keys to make one.
type strangers struct {
	since pmap.Map[mapkey.ByTx, uint64] // by txid: the tick from which it counts
	due   pmap.Map[byTick, bool]        // by that tick | txid
}

// written is what this node wrote, less what came back since.
type written struct {
	entries, bytes float64
	at             time.Time
}

func (w written) asOf(now time.Time) written {
	if passed := now.Sub(w.at).Seconds(); passed > 0 {
		w.entries = max(0, w.entries-passed*QuotaEntriesPerSec/2)
		w.bytes = max(0, w.bytes-passed*QuotaBytesPerSec/2)
	}
	w.at = now // a clock that goes back gives nothing and takes nothing
	return w
}

func (w written) with(bytes int, now time.Time) written {
	w = w.asOf(now)
	w.entries++
	w.bytes += float64(bytes)
	return w
}

// spare says whether what nobody asked for may be written.
func (w written) spare() bool { return w.entries < unaskedEntries && w.bytes < unaskedBytes }

// turns are whose turn it is to have something written unasked. While little of
// the allowance comes back only one of many that wait is written, and what is
// written first would else keep all others waiting.
type turns struct {
	kind     int             // of what is written
	asked    mapkey.ByAuthor // the author on whose account an epoch was asked for last
	answered int             // the member who is answered first
	strange  bool            // epochs are due that nobody named
}

// Kinds of what is written unasked, in the order of their turns.
const (
	writesAsks = iota
	writesAnswers
	writesEvidence
	writesHanded
	writesStrange
	writesCarried // comes last in a step: what is to be carried follows from what is looked at
	writesKinds
)

// carried is what this node carried on one account.
type carried struct{ entries, signatures int }

// bringer is the account of a key for what its owners bring past a fork: for
// what they signed or, twice the index and one more, for what others did.
type bringer uint32

func (c carried) room(by bringer, signatures int) bool {
	most := maxCarriedOwn
	if by%2 == 1 {
		most = maxCarriedOthers
	}
	return c.entries < maxCarries && c.signatures+signatures <= most
}

func bringerOf(by, signer uint32) bringer {
	if by == signer {
		return bringer(2 * by)
	}
	return bringer(2*by + 1)
}

// What this node carries of what the owners of one key bring past their forks,
// in its own entries. They are charged to its own allowance (see node.Quota),
// which a forker could else use up. All of a key's signatures on a transaction are
// carried at once, so that nobody makes more entries of them by strewing them.
// What a key's owners signed and what they bring of others are two accounts: who
// forks by mistake may have carried all that is carried for one who did not.
// 19 of 20 keys make 9,728 entries, of the 32,768 that the others grant; and
// 77,824 signatures of 82 bytes, which padding makes four times as long at most:
// 31 MB with the headers, of 33. Who forked by mistake writes a few entries
// until it learns of it. A restart counts what is in the entries.
const (
	maxCarries       = 256 // of each account
	maxCarriedOwn    = 3072
	maxCarriedOthers = 1024 // a transaction has up to 1,000 inputs
)

// Snapshots are where the next snapshot of a wallet goes, and what of earlier ones
// is stored: how many parts of each generation. It is an immutable value.
type Snapshots struct {
	next  int
	parts [2]int
}

// recSnapshot says where a snapshot of State is. It can be rebuilt from the
// entries at any time: one that is of another version, or damaged, is left aside.
const recSnapshot = "snapshot"

// Names of local records.
const (
	recLocal   = "local"
	recPin     = "pin"
	recInvite  = "invite/"
	recRequest = "request/"
	recContent = "request-content/"
	recGiven   = "given/"
	recUnasked = "unasked"
	recAlarm   = "alarm/"
	recPaused  = "robot-paused" // there while the operator has stopped the robot
	recPing    = "ping/"        // by key: the round that was last handed out to be signed by a device
	recOutbox  = "outbox"
	recTold    = "told/" // by author: see account
)

// What one author may have this node store on its own word: a full allowance at
// the start, and then so much a second. An entry is kept for ever, on the disk
// and as a line of State, so this bounds both. It is far above what a cosigner
// writes: a day of it is 4,320 entries.
const (
	QuotaEntries       = 1 << 15  // a small proposal takes 2.4 KiB of State: 77 MiB
	QuotaBytes         = 32 << 20 // a large one takes 1.6 times its size: 51 MiB
	QuotaEntriesPerSec = 0.05
	QuotaBytesPerSec   = 1 << 8 // 21 MiB a day
)

// What a node writes by itself because of what others wrote (signatures it
// carries, epochs it asks for, seals again, or hands to a new device, evidence
// it names) is charged to its own allowance with the others, as is what its user
// has it write. It writes so only while half of that allowance is left and as
// if half as much came back with time, so that no number of members can use it
// up, whatever they write and however each of these things is bounded by itself. What
// has to wait is written later. As an allowance is, this is not kept: a node that
// starts again begins anew.
const (
	unaskedEntries = QuotaEntries / 2
	unaskedBytes   = QuotaBytes / 2
)

// recRestored is there from a restore until this node has synced with every
// other member.
const recRestored = "restored"

// recBound is there for ever once a node was restored, or took a lost one's
// place: which proposals its key may have signed without its guard knowing.
const recBound = "bound"

// recFailed holds, by id, the entries that this node stored and does not read,
// because reading them failed: a restart must not fail on them again.
const recFailed = "failed/"

// What a step does at most of what others brought about: the rest is done by
// the steps that follow, a tick at the latest.
const (
	looksEach = 512 // statuses that are derived anew (see inquiry)
	carryEach = 16  // signatures carried, in entries
)

// inTurn returns keys in order, those beyond all of one author first.
func inTurn(keys []group.ByAsk, last mapkey.ByAuthor) []group.ByAsk {
	for n, k := range keys {
		if mapkey.ByAuthor(k[:32]) > last {
			return append(slices.Clone(keys[n:]), keys[:n]...)
		}
	}
	return keys
}

// lookShare is how much of a step one thing may take before the next one has
// its turn.
const lookShare = 64
