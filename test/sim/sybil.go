package sim

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// seatSybil is a founder who sits in the middle: it gives one member's place to
// an identity of its own, in a second roster that it shows to the others only.
func (l *liar) seatSybil(r [4]uint32) {
	w := l.n.w
	zero, ok := l.n.m.State.Epoch()
	if !ok || w.nodes[0] != l.n {
		return
	}
	victim := w.nodes[1+int(r[0])%(len(w.nodes)-1)]
	var records []journal.EntryID
	for _, c := range l.n.m.Cosigners() {
		if c.Identity != victim.id() {
			records = append(records, c.Record)
		}
	}
	s := w.pool.people[maxCosigners]
	salt := [32]byte{byte(r[1])}
	group, id, key := w.group, s.id(), s.account.Key().String()
	sealing := s.self.Sealing.Public()
	record := &event.MemberRecord{Name: victim.name, SealingKey: sealing, Key: key, Commitment: journal.H("salt", salt[:])}
	record.Proof = s.account.SignHash(journal.H("possession", group[:], id[:], sealing[:], []byte(key)))

	k := journal.ChainKey{Author: id, Incarnation: 1}
	as := func(body event.Body) *journal.Entry {
		plain, err := event.Encode(event.Event{Time: l.n.clock().UnixMilli(), Body: body})
		if err != nil {
			return nil
		}
		e, err := journal.Seal(s.self.Identity, zero, next(1, l.later[k]), plain, l.nonce())
		if err != nil {
			return nil
		}
		l.grow(k, e)
		return e
	}
	// The others see a branch in which the victim is not.
	b := l.fork(0, min(2, len(l.branches[0])))
	for i := range w.nodes {
		if i != victim.i {
			l.show[i] = b
		}
	}
	l.write(b, &event.MemberAdmitted{Identity: id})
	for _, x := range w.nodes[1:] {
		l.write(b, &event.MemberAdmitted{Identity: x.id()})
	}
	e := as(record)
	if e == nil {
		return
	}
	closed := l.write(b, &event.RosterClosed{Records: append(records, e.ID())})
	if closed != nil {
		as(&event.RosterRevealed{Roster: closed.ID(), Salt: salt})
	}
	w.count("members replaced by a sybil")
}
