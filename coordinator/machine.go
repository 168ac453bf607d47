package coordinator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
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
	invites  pmap.Map[string, inviteRecord]     // by invite id
	requests pmap.Map[string, journal.EntryID]  // by request id
	claims   pmap.Map[string, journal.Frontier] // by identity: what members say they hold
	watch    watchlist
	strange  strangers                          // spends with fewer signatures than they take
	caught   uint64                             // tick at which the chain was last not caught up with
	alarmed  pmap.Map[string, alarmRecord]      // by txid: those that were told
	refused  pmap.Map[string, string]           // by txid: why it could not be broadcast, as told
	bound    *boundRecord                       // after a restore, for ever; never changed in place
	restored *restoredRecord                    // since a restore, until all others were heard; never changed in place
	owed     pmap.Map[string, journal.Frontier] // by identity: the first claims since a restore
	repinned int                                // facts of setup when pinAgain looked last
	letIns   pmap.Map[string, handing]          // by new device that this node let in
	unfit    uint64                             // ticks for which no epoch was sealed to exactly the members
	online   []journal.Author                   // as of the last tick
	linked   string                             // what the transport was last told
	snaps    snapshotPlace                      // as it was when the machine was loaded: see Actor.snapshot
	follows  bool
	stream   uint64    // counts what starts the stream anew: see streamed
	unsaved  int       // blocks since the view was last stored
	saved    [2]uint32 // scripts stored, by branch
	ticks    uint64
	written  written // what others charge to its allowance: see unasked.go
	turns    turns   // of what it writes unasked
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
	// Rescanned: the user said where the wallet begins, and no date decides that.
	Rescanned bool `cbor:"17,keyasint,omitempty"`
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

// Names of local records.
const (
	recLocal   = "local"
	recPin     = "pin"
	recInvite  = "invite/"
	recRequest = "request/"
	recAlarm   = "alarm/"
)

// Step takes one input: it returns the machine as it is afterwards, and the
// effects to execute, or an error that changes nothing. It is synchronous and
// pure: the same machine and input give the same result, and the machine
// passed in stays as it was.
func Step(m Machine, in Input) (Machine, []Effect, error) {
	if x, ok := in.Msg.(Guarded); ok {
		return m.guarded(x), nil, nil
	}
	s := &step{m: m, before: m, in: in, batch: port.Batch{Group: m.State.Group(), Puts: map[string][]byte{}}}
	if err := s.take(in.Msg); err != nil {
		return m, nil, err
	}
	if err := s.settle(); err != nil {
		return m, nil, err
	}
	return s.m, s.finish(), nil
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
}

func (s *step) take(msg any) error {
	switch x := msg.(type) {
	case EntryIn:
		return s.entry(x.Entry, group.State.Add)
	case unread:
		return errors.Join(s.entry(x.entry, group.State.AddUnread), s.keepUnread(x.entry))
	case ClaimIn:
		s.m.claims = s.m.claims.Set(string(x.From[:]), maps.Clone(x.Claim.Frontier))
		s.claimed(x.From, maps.Clone(x.Claim.Frontier))
		return nil
	case ChainIn:
		return s.chain(x.Notice)
	case streamed:
		return s.streamed(x)
	case RescanFrom:
		return s.rescanFrom(x)
	case Born:
		if !s.m.View.Begun() && x.Height > s.m.View.Birthday() && !s.m.local.Rescanned {
			s.m.View = s.m.View.BornAt(x.Height)
			s.m.unsaved = saveEvery
		}
		s.do(Reply{})
		return nil
	case Watched:
		s.m.View = s.m.View.Asked(x.Call)
		return nil
	case ledger.LookedBack:
		return s.lookedBack(x)
	case Broadcasted:
		return s.broadcasted(x)
	case Tick:
		return s.tick(x)
	case Started:
		return s.started()
	case Admit:
		return s.admit(x)
	case NewInvite:
		return s.newInvite(x)
	case Ratify:
		return s.ratify(x)
	case Abandon:
		return s.abandon(x)
	case Rekey:
		return s.rekey()
	case Named:
		return s.named(x)
	case Archive:
		return s.archive(x)
	case Prove:
		return s.prove(x)
	case Host:
		return s.host(x)
	case ChangeKey:
		return s.changeKey(x)
	case LeaseAddress:
		return s.lease(x)
	case SetLabels:
		return s.setLabels(x)
	case Propose:
		return s.propose(x)
	case Approve:
		return s.approve(x)
	case ApproveReplacement:
		return s.approveReplacement(x)
	case Reject:
		return s.reject(x)
	case Withdraw:
		return s.withdraw(x)
	case Export:
		return s.export(x)
	case Import:
		return s.importSignatures(x)
	case Signed:
		return s.signed(x)
	}
	return fmt.Errorf("%w: %T", ErrBadRequest, msg)
}

// finish puts the batch first: only what is durable is shown or sent.
func (s *step) finish() []Effect {
	if len(s.batch.Entries)+len(s.batch.Puts)+len(s.batch.Deletes)+len(s.batch.Guard) == 0 {
		return s.effects
	}
	return append([]Effect{Persist{s.batch}}, s.effects...)
}

func (s *step) do(e Effect) { s.effects = append(s.effects, e) }

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

func (s *step) chainOfMine() journal.ChainKey {
	return journal.ChainKey{Author: s.m.State.Me(), Incarnation: s.m.local.Incarnation}
}

// write authors an event of this node: seals it under the current epoch,
// chains and signs it, and folds it exactly as the others will.
//
// What says that an epoch does not open, and what makes a new device a member, is
// sealed under the first one, which all hold: of two members who each lack the
// other's epoch neither could read it, and no more could that device.
func (s *step) write(body event.Body) (*journal.Entry, error) {
	ep, ok := s.m.State.FirstEpoch()
	switch body.(type) {
	case *event.StanzaFailed, *event.MemberReplaced, *event.ReplacementApproved:
	default:
		s.fit(body)
		ep, ok = s.m.State.Epoch()
	}
	if !ok {
		return nil, fmt.Errorf("seal entry: %w", journal.ErrWrongEpoch)
	}
	plain, err := event.Encode(event.Event{Time: s.in.Now.UnixMilli(), Body: body})
	if err == nil {
		err = checkWritten(body)
	}
	if err != nil {
		return nil, err
	}
	next, err := s.next()
	if err != nil {
		return nil, err
	}
	e, err := journal.Seal(s.m.State.Self().Identity, ep, next, plain, s.nonce())
	if err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	return e, s.append(e)
}

// fit makes a new epoch first where none is sealed to exactly the members: what
// is written now is not for a device that was replaced.
func (s *step) fit(body event.Body) {
	st := s.m.State
	_, first := body.(*event.IncarnationStarted) // of its chain
	if _, ok := st.Fitting(); ok || first || st.Active() == nil || !st.MayRotate(st.Me()) {
		return
	}
	// What hinders it now hinders the entry itself, or leaves the first epoch.
	_ = s.try(func() error { return s.rotate(s.newEpoch(), st.Active().Members) })
}

// next is the place of this node's next entry.
func (s *step) next() (journal.Next, error) {
	n := s.m.State.Chains().Next(s.chainOfMine())
	if s.m.catchingUp() {
		return n, errCatchingUp
	}
	if n.Seq == 0 {
		return n, errOwnChain
	}
	if s.m.superseded() {
		return n, errSuperseded
	}
	if s.m.State.WasReplaced() {
		return n, errReplaced
	}
	return n, nil
}

// superseded says whether this node's identity goes on as a later incarnation
// somewhere else: what this one writes has no effect any more.
func (m Machine) superseded() bool {
	if m.catchingUp() {
		return false // it will go on after whatever it finds
	}
	return m.State.Superseded(journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation})
}

// append adds an entry of this node's own to its chain, to the batch and to
// what is published.
func (s *step) append(e *journal.Entry) error {
	next, out, err := s.m.State.Add(e, false)
	if err != nil {
		return fmt.Errorf("append own entry: %w", err)
	}
	if out != journal.Appended {
		return fmt.Errorf("append own entry: %w", errOwnChain)
	}
	s.m.State = next.Derived()
	s.m.written = s.m.written.with(len(e.Bytes()), s.now())
	s.batch.Entries = append(s.batch.Entries, e)
	s.do(Publish{e})
	return nil
}

// errOwnChain means that this node's own chain is not where it thinks; it can
// only come from a fork of its own, and then it must not write.
var errOwnChain = refuse(RuleOwnChain, "this node's own chain is forked: restore it as a new incarnation")

// errSuperseded means that this is an old copy of a node that was restored.
var errSuperseded = refuse(RuleSuperseded, "this node's identity was restored elsewhere and goes on there: this copy must not be used")

func (s *step) now() time.Time { return s.in.Now }
