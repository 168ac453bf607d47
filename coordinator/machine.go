package coordinator

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Machine is everything one node knows of one wallet: what the entries say
// (State), what it sees of the chain (View), what it signed (Guard), and what
// only concerns itself. It is an immutable value.
type Machine struct {
	State State
	View  View
	Guard Guard

	local    Local
	invites  pmap.Map[string, inviteRecord]     // by invite id
	requests pmap.Map[string, journal.EntryID]  // by request id
	claims   pmap.Map[string, journal.Frontier] // by identity: what members say they hold
	open     pmap.Map[string, Status]           // by proposal: last status told, of those that may change
	strange  pmap.Map[string, uint64]           // by txid: spends that nobody proposed, and the tick from which they count
	alarmed  pmap.Map[string, alarmRecord]      // by txid: those that were told
	ties     pmap.Map[uint32, bool]             // by index: addresses of ours that another leased too, and that were told
	refused  pmap.Map[string, string]           // by txid: why it could not be broadcast, as told
	bound    *boundRecord                       // after a restore, for ever; never changed in place
	restored *restoredRecord                    // since a restore, until all others were heard; never changed in place
	owed     pmap.Map[string, journal.Frontier] // by identity: the first claims since a restore
	online   []journal.Author                   // as of the last tick
	linked   string                             // what the transport was last told
	follows  bool
	unsaved  int       // blocks since the view was last stored
	saved    [2]uint32 // scripts stored, by branch
	ticks    uint64
}

// Local is what a node keeps of a group for itself. It is a secret.
type Local struct {
	Genesis     []byte            `cbor:"1,keyasint"`
	Secret      [32]byte          `cbor:"2,keyasint"` // of epoch 0
	Salt        [32]byte          `cbor:"3,keyasint"` // opened by the reveal
	Script      wallet.ScriptType `cbor:"4,keyasint"`
	Account     uint32            `cbor:"5,keyasint"`
	Incarnation uint8             `cbor:"6,keyasint"`
	Created     int64             `cbor:"7,keyasint"` // Unix seconds
	Birthday    int32             `cbor:"8,keyasint"` // height
	Hints       []string          `cbor:"9,keyasint"` // addresses of the founder
	Name        string            `cbor:"10,keyasint"`
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
}

type inviteRecord struct {
	Secret  [32]byte       `cbor:"1,keyasint"`
	Expires int64          `cbor:"2,keyasint"` // Unix seconds
	Taken   bool           `cbor:"3,keyasint"`
	By      journal.Author `cbor:"4,keyasint"`
	// Of one for a lost member's new device: whom it replaces, and where that
	// one's chains end, once it was asked for.
	Replaces journal.Author `cbor:"5,keyasint,omitempty"`
	Fixed    bool           `cbor:"6,keyasint,omitempty"`
	Cuts     []ReplacedCut  `cbor:"7,keyasint,omitempty"`
	// Claimed are those who claimed it and proved nothing: they have to be
	// approved before they get anything.
	Claimed []journal.Author `cbor:"8,keyasint,omitempty"`
}

// Names of local records.
const (
	recLocal   = "local"
	recPin     = "pin"
	recView    = "view"
	recInvite  = "invite/"
	recRequest = "request/"
	recTx      = "tx/"
	recScripts = "scripts/"
	recAlarm   = "alarm/"
)

// Step takes one input: it returns the machine as it is afterwards, and the
// effects to execute, or an error that changes nothing. It is synchronous and
// pure: the same machine and input give the same result, and the machine
// passed in stays as it was.
func Step(m Machine, in Input) (Machine, []Effect, error) {
	s := &step{m: m, before: m, in: in, batch: Batch{Group: m.State.group, Puts: map[string][]byte{}}}
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
	batch   Batch
	effects []Effect
	drawn   uint64
	look    []journal.EntryID // proposals whose status may have changed
	// starting: statuses are learnt anew, and are no news.
	starting bool
	// sighting: the message only tells what a mempool holds. It is stored with
	// whatever comes next, a tick at the latest: a crash forgets nothing that the
	// backend does not tell again.
	sighting bool
}

func (s *step) take(msg any) error {
	switch x := msg.(type) {
	case EntryIn:
		return s.entry(x.Entry, State.add)
	case unread:
		return errors.Join(s.entry(x.entry, State.addUnread), s.keepUnread(x.entry))
	case ClaimIn:
		s.m.claims = s.m.claims.Set(string(x.From[:]), maps.Clone(x.Claim.Frontier))
		s.claimed(x.From, maps.Clone(x.Claim.Frontier))
		return nil
	case ChainIn:
		return s.chain(x.Notice)
	case Born:
		if len(s.m.View.blocks) == 0 && x.Height > s.m.View.birthday {
			s.m.View.birthday = x.Height
			s.m.unsaved = saveEvery
		}
		s.do(Reply{})
		return nil
	case Watched:
		s.m.View.asked, s.m.View.call = s.m.View.rescan != 0, x.Call
		return nil
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
	b, err := theCodec.enc.Marshal(v)
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
func (s *step) write(body Body) (*journal.Entry, error) {
	ep, err := s.epoch()
	if err != nil {
		return nil, err
	}
	plain, err := EncodeEvent(Event{Time: s.in.Now.UnixMilli(), Body: body})
	if err != nil {
		return nil, err
	}
	next, err := s.next()
	if err != nil {
		return nil, err
	}
	e, err := journal.Seal(s.m.State.self.Identity, ep, next, plain, s.nonce())
	if err != nil {
		return nil, fmt.Errorf("seal entry: %w", err)
	}
	return e, s.append(e)
}

// next is the place of this node's next entry.
func (s *step) next() (journal.Next, error) {
	n := s.m.State.chains.Next(s.chainOfMine())
	if s.m.catchingUp() {
		return n, errCatchingUp
	}
	if n.Seq == 0 {
		return n, errOwnChain
	}
	if s.m.superseded() {
		return n, errSuperseded
	}
	if s.m.State.wasReplaced() {
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
	_, cut := m.State.cuts.Get(chainKey(journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}))
	return cut
}

// append adds an entry of this node's own to its chain, to the batch and to
// what is published.
func (s *step) append(e *journal.Entry) error {
	next, out, err := s.m.State.add(e, false)
	if err != nil {
		return fmt.Errorf("append own entry: %w", err)
	}
	if out != journal.Appended {
		return fmt.Errorf("append own entry: %w", errOwnChain)
	}
	s.m.State = next.derived()
	s.batch.Entries = append(s.batch.Entries, e)
	s.do(Publish{e})
	return nil
}

// errOwnChain means that this node's own chain is not where it thinks; it can
// only come from a fork of its own, and then it must not write.
var errOwnChain = refuse(RuleOwnChain, "this node's own chain is forked: restore it as a new incarnation")

// errSuperseded means that this is an old copy of a node that was restored.
var errSuperseded = refuse(RuleSuperseded, "this node's identity was restored elsewhere and goes on there: this copy must not be used")

// epoch returns the epoch to write under: before the roster is pinned that of
// the genesis, then the highest-numbered, then lowest-id, untainted one that is
// sealed to exactly the current members.
func (s *step) epoch() (journal.Epoch, error) {
	ep, ok := s.m.State.Epoch()
	if !ok {
		return ep, fmt.Errorf("seal entry: %w", journal.ErrWrongEpoch)
	}
	return ep, nil
}

// Epoch returns the epoch that this node writes under.
func (s State) Epoch() (journal.Epoch, bool) {
	zero, best, found := journal.Epoch{}, journal.Epoch{}, false
	for _, e := range s.epochs.All() {
		if e.Number == 0 {
			zero = e
		}
	}
	if s.active == nil {
		return zero, true
	}
	for id, e := range s.epochs.All() {
		if e.Number == 0 || !s.sealedToMembers(id, e) {
			continue
		}
		if !found || e.Number > best.Number { // All is in order of id: the lowest comes first
			best, found = e, true
		}
	}
	if !found {
		return zero, true
	}
	return best, true
}

// sealedToMembers says whether the untainted entries that carry an epoch seal
// it to exactly the current members, and whether its number follows from its parent.
func (s State) sealedToMembers(id string, e journal.Epoch) bool {
	if !s.follows(e) {
		return false
	}
	to := map[journal.Author]bool{}
	for _, r := range scan(s.rotations, id) {
		if s.tainted(r.Ref) {
			continue
		}
		for _, a := range r.To {
			to[a] = true
		}
	}
	members := s.Members()
	if len(to) != len(members) {
		return false
	}
	for _, m := range members {
		if !to[m] {
			return false
		}
	}
	return true
}

// maxTopics is how many topics of one group a node listens on. Those of other
// epochs are not needed: what is published there travels by sync as well.
const maxTopics = 16

// topics are those of the epoch written under, of the first epoch, and of the
// newest others that follow from it.
func (s State) topics() []string {
	cur, _ := s.Epoch()
	var all []journal.Epoch
	for _, e := range s.epochs.All() {
		if s.follows(e) {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b journal.Epoch) int {
		if (a.Number == 0) != (b.Number == 0) {
			return cmp.Compare(a.Number, b.Number)
		}
		return cmp.Compare(b.Number, a.Number)
	})
	out := []string{cur.Topic()}
	for _, e := range all {
		if t := e.Topic(); t != out[0] && len(out) < maxTopics {
			out = append(out, t)
		}
	}
	slices.Sort(out[1:])
	return out
}

// follows says whether an epoch descends from the first one by steps of one:
// a member may seal any number, and one that follows from nothing must not be
// written under, nor make the next number impossible.
func (s State) follows(e journal.Epoch) bool {
	for e.Number > 0 {
		parent, ok := s.epochs.Get(key(e.Parent))
		if !ok || parent.Number+1 != e.Number {
			return false
		}
		e = parent
	}
	return true
}

func (s *step) now() time.Time { return s.in.Now }
