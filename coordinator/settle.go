package coordinator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/journal"
)

// Times of what a node does by itself.
const (
	epochAge        = 30 * 24 * time.Hour // an older epoch is rotated
	rebroadcastEach = 30                  // ticks between rebroadcasts of what is not mined
	retryEach       = 5                   // ticks between tries to broadcast
)

// settle does what follows by itself from what is now known: it closes and
// reveals a roster, starts the chain when the wallet is active, broadcasts what
// became final, and tells what changed. It comes to rest because each of its
// writes makes its own condition false.
func (s *step) settle() error {
	if probe := s.m.State.self.probe; probe != nil {
		probe(s.m.State, nil)
	}
	if err := s.pinAgain(); err != nil {
		return err
	}
	if err := s.catchUp(); err != nil {
		return err
	}
	for _, write := range []func() error{s.closeRoster, s.revealSalt, s.tellStanza, s.nameEvidence, s.letInReplaced} {
		// A node that must not write goes on reading.
		if err := s.try(write); err != nil && !mayNotWrite(err) {
			return err
		}
	}
	s.tellFaults()
	s.tellMembers()
	s.carrySignatures()
	if err := s.follow(); err != nil {
		return err
	}
	s.link()
	s.statuses()
	if s.m.State.active == nil {
		return nil
	}
	s.tellTies()
	if err := s.tellForeign(); err != nil {
		return err
	}
	return s.saveView()
}

// closeRoster is the founder's: once n records of admitted members are in.
func (s *step) closeRoster() error {
	st := s.m.State
	if st.Me() != st.genesis.Founder || st.active != nil || st.rosters.Len() > 0 || st.Abandoned() {
		return nil
	}
	ids, _ := st.places()
	if len(ids) != st.genesis.Cosigners {
		return nil
	}
	fact := rosterFact{Ref: Ref{Chain: s.chainOfMine()}, Records: ids}
	r, ok := st.roster(fact)
	if !ok {
		return nil // two cosigners with one key: nothing to close; `wallet show` says who
	}
	if _, err := s.write(&RosterClosed{Records: ids}); err != nil {
		return err
	}
	return s.rotate(s.newEpoch(), r.Members)
}

// revealSalt opens this node's commitment for the first roster that it has
// checked, once.
func (s *step) revealSalt() error {
	st := s.m.State
	if st.active != nil || st.Abandoned() {
		return nil
	}
	me := st.Me()
	for range scan(st.reveals, string(me[:])) {
		return nil
	}
	for _, f := range st.rosters.All() {
		r, ok := st.roster(f)
		if !ok {
			continue
		}
		if _, in := (&Active{Roster: *r}).index(me); !in {
			continue
		}
		if _, err := s.write(&RosterRevealed{Roster: r.ID, Salt: s.m.local.Salt}); err != nil {
			return err
		}
		return s.revealHosted(r)
	}
	return nil
}

// nameEvidence names the entries past a fork that the active wallet rests on:
// a member who forked when it ratified would otherwise leave those who saw its
// other branch outside for good.
func (s *step) nameEvidence() error {
	st := s.m.State
	if st.active == nil || len(st.chains.Forks()) == 0 {
		return nil
	}
	var ids []journal.EntryID
	for _, r := range st.evidence() {
		if f := st.chains.ForkedAt(r.Chain); f == 0 || r.Seq < f {
			continue
		}
		told := false
		for range scan(st.named, key(r.ID)) {
			told = true
			break
		}
		if !told {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	// Its own chain may be the forked one; then others say it.
	_ = s.try(func() error { _, err := s.write(&EntriesNamed{Entries: ids}); return err })
	return nil
}

// carrySignatures carries signatures that this node counts and found only past
// a fork: the others may never be handed those entries.
func (s *step) carrySignatures() {
	if s.m.State.active == nil || len(s.m.State.chains.Forks()) == 0 {
		return
	}
	for id := range s.m.open.All() {
		p, ok := s.m.State.Proposal(journal.EntryID([]byte(id)))
		if !ok || !p.Sound {
			continue
		}
		if sigs := s.m.State.onlyTainted(p); len(sigs) > 0 {
			// Where this node's own chain is forked, others do it.
			_ = s.try(func() error {
				_, err := s.write(&SignatureCarried{Proposal: p.Ref.ID, Signatures: sigs})
				return err
			})
		}
	}
}

// onlyTainted returns the verified signatures of a proposal by keys of which
// no untainted entry brings any.
func (s State) onlyTainted(p *Proposal) []PartialSignature {
	clean := map[uint32]bool{}
	for _, q := range scan(s.byTx, key(p.TxID)) {
		for _, c := range scan(s.carriers, key(q.ID)) {
			for _, x := range c.Signatures {
				clean[x.Key] = clean[x.Key] || !s.tainted(c.Ref)
			}
		}
	}
	var out []PartialSignature
	for _, x := range s.Signatures(p.TxID) {
		if !clean[x.Key] {
			out = append(out, PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
		}
	}
	return out
}

// evidence lists the records, reveals and ratifications of the active roster.
func (s State) evidence() []Ref {
	var out []Ref
	for _, m := range s.active.Members {
		rec, ok := s.records.Get(key(m.Record))
		if !ok {
			continue
		}
		out = append(out, rec.Ref)
		for _, f := range scan(s.reveals, key2(m.author(), s.active.ID)) {
			if commitment(f.Salt) == rec.Body.Commitment {
				out = append(out, f.Ref)
				break
			}
		}
		if f, ok := s.ratifiedBy(s.active.Hash, m); ok {
			out = append(out, f.Ref)
		}
	}
	return out
}

// follow starts the chain follower once the wallet is active, from the blocks
// known, or from the wallet's birthday.
func (s *step) follow() error {
	a := s.m.State.active
	if a == nil {
		return nil
	}
	// Addresses beyond the gap are watched when they were handed out, but not
	// just any index that a member may name.
	s.m.View = s.m.lookAhead()
	handed := s.m.View.handed
	for _, l := range s.m.State.leases.From(indexKey(s.m.View.handed[0], journal.EntryID{})) {
		if l.Index >= s.m.View.used[0]+gapLimit+beyondGap {
			break
		}
		if !s.m.State.tainted(l.Ref) {
			s.m.View = s.m.View.Hand(0, l.Index)
		}
	}
	v, fresh, err := s.m.View.Watch(a.Descriptor)
	if err != nil {
		return err
	}
	s.m.View = v
	if s.m.follows {
		switch {
		case len(fresh) == 0:
		case s.m.View.handed != handed:
			// Another node handed it out at a time that only it knows.
			s.watchFrom(fresh, v.birthday)
		default:
			s.watchFrom(fresh, s.m.scanFrom(v.tip.Height))
		}
		return nil
	}
	s.m.follows = true
	s.m.unsaved = saveEvery
	s.do(v.Follow())
	return nil
}

// link tells the transport about members and topics when they changed.
func (s *step) link() {
	st := s.m.State
	l := GroupLink{Group: st.group, Topics: st.topics(), Members: st.Members()}
	if in := s.m.local.Inviter; in != (journal.Author{}) {
		// It is not let in yet, or does not know; who invited it is heard first.
		for _, a := range []journal.Author{in, st.Me()} {
			if !slices.Contains(l.Members, a) && s.m.catchingUp() {
				l.Members = append(l.Members, a)
			}
		}
		l.Hints = map[journal.Author][]string{in: s.m.local.Hints}
	} else if st.active == nil && len(s.m.local.Hints) > 0 {
		l.Hints = map[journal.Author][]string{st.genesis.Founder: s.m.local.Hints}
	}
	var b strings.Builder
	if st.Abandoned() {
		// Its members stay linked: the news has to reach those who are away.
		b.WriteString("abandoned")
	}
	for _, t := range l.Topics {
		b.WriteString(t)
	}
	members := slices.Clone(l.Members)
	slices.SortFunc(members, func(a, b journal.Author) int { return slices.Compare(a[:], b[:]) })
	for _, m := range members {
		b.Write(m[:])
	}
	if b.String() == s.m.linked {
		return
	}
	first := s.m.linked == ""
	s.m.linked = b.String()
	// Before what is published: a new topic must exist, a new member be let in.
	s.effects = append([]Effect{Link{l}}, s.effects...)
	s.do(Tell{Notice{Type: "wallet", Group: st.group, Status: s.m.Phase()}})
	if !first {
		s.do(AskSync{})
	}
}

// Phase is the state of a wallet as people see it.
func (m Machine) Phase() string {
	switch {
	case m.local.Archived:
		return "archived"
	case m.State.active != nil:
		return "active"
	case m.State.Abandoned():
		return "abandoned"
	}
	if r, ok := m.State.Roster(); ok && r.Complete() {
		return "verifying"
	}
	return "forming"
}

// statuses derives what changed, broadcasts what became final, and tells.
func (s *step) statuses() {
	told := s.m.State.touched // by an entry: worth telling, whatever its status
	all := slices.Concat(told, s.look)
	s.m.State.touched, s.look = nil, nil
	done := map[journal.EntryID]bool{}
	for n, id := range all {
		p, ok := s.m.State.Proposal(id)
		if !ok || done[id] || !p.Sound {
			continue
		}
		done[id] = true
		was, known := s.m.open.Get(key(id))
		now := Derive(s.m.State, s.m.View, s.now(), p)
		if now == StatusFinal && was != StatusFinal {
			s.broadcast(p)
		}
		if (was != now || n < len(told)) && (known || !s.starting) {
			s.do(Tell{Notice{Type: "proposal", Group: s.m.State.group, Proposal: id, TxID: p.TxID, Status: string(now)}})
		}
		if now == StatusConfirmed || now == StatusDead {
			s.m.open = s.m.open.Delete(key(id)) // a reorg looks at all again
		} else {
			s.m.open = s.m.open.Set(key(id), now)
		}
	}
}

// broadcast sends a final transaction, where it is the one of its rivals.
func (s *step) broadcast(p *Proposal) {
	if !s.m.State.broadcastable(s.m.View, p) {
		return
	}
	tx, err := theTx(s.m.State, s.m.View, p)
	if err != nil {
		s.do(Tell{Notice{Type: "alarm", Group: s.m.State.group, Proposal: p.Ref.ID, TxID: p.TxID,
			Detail: fmt.Sprintf("the final transaction does not pass the script engine: %v", err)}})
		return
	}
	// Its change is ours at once, whatever mempool has seen it.
	s.m.View, _ = s.m.View.See(tx, false)
	s.do(Broadcast{tx})
}

// sendFinal broadcasts what is final and what the backend did not take yet.
func (s *step) sendFinal() {
	for id, was := range s.m.open.All() {
		if p, ok := s.m.State.Proposal(journal.EntryID([]byte(id))); ok && was == StatusFinal {
			s.broadcast(p)
		}
	}
}

// tick lets time pass: expiries, rebroadcasts, the age of the epoch.
func (s *step) tick(t Tick) error {
	s.m.ticks++
	s.m.online = t.Online
	for id, was := range s.m.open.All() {
		if was == StatusPending { // time alone ends nothing else
			s.look = append(s.look, journal.EntryID([]byte(id)))
		}
	}
	for id, was := range s.m.open.All() {
		// What the backend did not take yet is tried again soon; what it took,
		// until it is mined.
		again := was == StatusFinal && s.m.ticks%retryEach == 0 || was == StatusBroadcast && s.m.ticks%rebroadcastEach == 0
		if p, ok := s.m.State.Proposal(journal.EntryID([]byte(id))); ok && again {
			s.broadcast(p)
		}
	}
	// Where its own chain is forked it cannot ask.
	_ = s.try(func() error { return s.askPastForks(s.m.ticks%askStrange == 0) })
	return s.rotateByAge(t.Online)
}

// rotateByAge makes a new epoch when there is none that fits the members, or
// when it is old: the lowest identity online does it, so that not all do.
func (s *step) rotateByAge(online []journal.Author) error {
	st := s.m.State
	if st.active == nil {
		return nil
	}
	me := st.Me()
	for _, a := range online {
		if slices.Compare(a[:], me[:]) < 0 {
			return nil
		}
	}
	cur, _ := st.Epoch()
	if cur.Number > 0 {
		oldest := s.now().UnixMilli()
		for _, r := range scan(st.rotations, key(cur.ID())) {
			oldest = min(oldest, r.Ref.Time)
		}
		// A time claimed to lie ahead counts as now: it cannot stop rotation
		// for longer than one that is true, since it is asked again.
		if s.now().UnixMilli()-oldest < epochAge.Milliseconds() {
			return nil
		}
	} else if s.m.ticks < rebroadcastEach {
		return nil // give the founder's rotation time to arrive
	}
	// Rotation is no reason to stop time: what hinders it now hinders it
	// again at the next tick, and is not worth more.
	_ = s.try(func() error { return s.rotate(s.newEpoch(), s.m.State.active.Members) })
	return nil
}

// try undoes everything of f when it fails.
func (s *step) try(f func() error) error {
	before, entries, effects := s.m, len(s.batch.Entries), len(s.effects)
	err := f()
	if err != nil {
		s.m, s.batch.Entries, s.effects = before, s.batch.Entries[:entries], s.effects[:effects]
	}
	return err
}

// started goes on where the machine stopped: it links, follows the chain, and
// broadcasts again what is final and not mined.
func (s *step) started() error {
	s.starting = true
	s.reopen()
	return nil
}
