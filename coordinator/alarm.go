package coordinator

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

const (
	// foreignGrace is how many ticks a spend waits for the signatures that it
	// takes before it is an alarm: 30 s. All members are asked for what they hold
	// when it is seen, and those who can be reached answer within seconds.
	foreignGrace = 15
	// maxForeign is how many foreign spends are listed as alarms. Fewer than k
	// members cannot make one.
	maxForeign = 256
)

// foreign says whether a transaction spends a coin of the wallet though the
// entries hold the signatures of fewer than k keys on it: who spends by the rules
// enters them. It is in a block, or in a mempool where it can still confirm. A
// proposal alone says nothing: anybody may enter one for what was spent behind
// everybody's back.
func (m *Machine) foreign(id chainhash.Hash) bool {
	v := m.View
	t, ok := v.Tx(id)
	if !ok || (t.Block.Height == 0 && !(t.Seen && v.Valid(id))) {
		return false
	}
	if m.existed() && t.Block.Height > 0 && t.Block.Time <= m.local.Created {
		return false // of before the group: no entry tells of it
	}
	for _, i := range t.Tx.TxIn {
		if _, ours := v.Out(i.PreviousOutPoint); ours {
			_, final := m.State.FullySigned(v, id)
			return !final
		}
	}
	return false
}

// tellForeign looks for foreign spends among what changed in this step: in the
// chain view, and of signatures (of these proposals). It gives their signatures
// time to arrive, and then tells of each, once.
func (s *step) tellForeign(touched []group.Touch) error {
	var look pmap.Map[mapkey.ByTx, bool]
	for id := range s.m.View.News() {
		s.m.payees = s.m.payees.Follow(s.m.View, wallet.Network(s.m.State.Genesis().Network), id)
		look = look.Set(mapkey.Of(id), true)
	}
	s.m.View = s.m.View.Told()
	if s.starting {
		for id := range s.m.View.Txs() {
			look = look.Set(mapkey.Of(id), true)
		}
	}
	for k := range look.All() {
		for _, id := range s.m.View.Related(chainhash.Hash([]byte(k))) {
			look = look.Set(mapkey.Of(id), true)
		}
	}
	for _, t := range touched {
		if p, ok := s.m.State.Proposal(t.Proposal); ok {
			look = look.Set(mapkey.Of(p.TxID), true)
		}
	}
	ask := false
	for k := range look.All() {
		was, now := s.m.strange.has(k), s.m.foreign(chainhash.Hash([]byte(k)))
		switch {
		case now && !was:
			s.m.strange = s.m.strange.add(k, s.m.ticks)
			ask = true
		case was && !now:
			s.m.strange = s.m.strange.remove(k)
			s.alarmOver(k)
		}
	}
	if ask {
		s.do(AskSync{})
	}
	if !s.m.View.CaughtUp() {
		s.m.caught = s.m.ticks // its signatures are as old, and may still be on their way
		return nil
	}
	if s.m.ticks-s.m.caught < foreignGrace {
		return nil
	}
	return s.tellDue()
}

// alarmOver tells that an alarm ended, where it was told.
func (s *step) alarmOver(k mapkey.ByTx) {
	if _, told := s.m.alarmed.Get(k); told {
		s.tellOver(chainhash.Hash([]byte(k)))
	}
}

// tellOver tells that an alarm of a transaction ended.
func (s *step) tellOver(id chainhash.Hash) {
	s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), TxID: id, Status: s.m.Phase(), Detail: "alarm over: transaction " + id.String()}})
}

// tellDue tells of the foreign spends whose time is over.
func (s *step) tellDue() error {
	for k, since := range s.m.strange.waiting() {
		if s.m.ticks-since < foreignGrace {
			break
		}
		s.m.strange = s.m.strange.waited(k, since)
		if _, told := s.m.alarmed.Get(k); told {
			continue
		}
		id, rec := chainhash.Hash([]byte(k)), alarmRecord{Told: s.now().Unix()}
		s.m.alarmed = s.m.alarmed.Set(k, rec)
		if err := s.put(recAlarm+id.String(), rec); err != nil {
			return err
		}
		s.tellAlarm(s.m.foreignAlarm(id, rec))
	}
	return nil
}

func dueKey(k mapkey.ByTx, since uint64) byTick {
	return byTick(binary.BigEndian.AppendUint64(make([]byte, 0, 40), since)) + byTick(k)
}

func (x strangers) has(k mapkey.ByTx) bool {
	_, ok := x.since.Get(k)
	return ok
}

func (x strangers) add(k mapkey.ByTx, since uint64) strangers {
	return strangers{x.since.Set(k, since), x.due.Set(dueKey(k, since), true)}
}

func (x strangers) remove(k mapkey.ByTx) strangers {
	since, _ := x.since.Get(k)
	return strangers{x.since.Delete(k), x.due.Delete(dueKey(k, since))}
}

func (x strangers) waited(k mapkey.ByTx, since uint64) strangers {
	x.due = x.due.Delete(dueKey(k, since))
	return x
}

// waiting yields those whose grace is not over, and since when, the first first.
func (x strangers) waiting() func(yield func(mapkey.ByTx, uint64) bool) {
	return func(yield func(mapkey.ByTx, uint64) bool) {
		for k := range x.due.All() {
			if !yield(mapkey.ByTx(k[8:]), binary.BigEndian.Uint64([]byte(k[:8]))) {
				return
			}
		}
	}
}

func (s *step) tellAlarm(a Alarm) {
	s.do(Tell{port.Notice{Type: "alarm", Group: s.m.State.Group(), TxID: a.TxID, Status: a.Kind, Detail: a.Text}})
}

func (m *Machine) foreignAlarm(id chainhash.Hash, rec alarmRecord) Alarm {
	text := fmt.Sprintf("transaction %v spends coins of this wallet, and this node knows no proposal of it", id)
	if _, proposed := m.State.AnyOf(id); proposed {
		signed, _ := m.State.FullySigned(m.View, id)
		text = fmt.Sprintf("transaction %v spends coins of this wallet with the signatures of %d keys, and the entries that this node holds have those of %d: it was signed behind the others' backs, whoever proposed it",
			id, m.State.Genesis().Threshold, signed)
	}
	return Alarm{Kind: AlarmForeignSpend, TxID: id, Since: time.Unix(rec.Told, 0), Text: text}
}

func (m *Machine) tieAlarm(index uint32, others []journal.Author, when int64) Alarm {
	names := make([]string, len(others))
	for i, o := range others {
		names[i] = m.MemberName(o)
	}
	return Alarm{Kind: AlarmAddressTie, Since: time.UnixMilli(when),
		Text: fmt.Sprintf("receive address %d was handed out by this node and by %s: a payment to it may be of either's payer", index, strings.Join(names, ", "))}
}

func (m *Machine) contestedAlarm(k int) Alarm {
	a := m.State.Active()
	text := fmt.Sprintf("two devices claim to be %q: it is no member until %d others approve one (`wallet approve-replacement`):", a.Members[k].Called(), m.State.ApprovalsNeeded())
	since := int64(0)
	for n, f := range a.Contested(k) {
		since = max(since, f.Ref.Time)
		if n >= maxListed {
			continue
		}
		id := f.Body.ID(m.State.Group())
		text += fmt.Sprintf(" %s is %s;", hex.EncodeToString(id[:]), f.Body.New)
	}
	if more := len(a.Contested(k)) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more;", more)
	}
	return Alarm{Kind: AlarmContested, Since: time.UnixMilli(since), Text: text[:len(text)-1]}
}

func unprovenAlarm(r Succession) Alarm {
	return Alarm{Kind: AlarmUnproven, Since: r.At,
		Text: fmt.Sprintf("a device claims to be %q and proves nothing: %s; ask them, and only then approve it (`wallet approve-replacement %x`)", r.Member.Name, r.New, r.ID)}
}

func lastOf(line []journal.Author) journal.Author {
	if len(line) < 2 {
		return line[0]
	}
	return line[len(line)-2]
}

// maxListed is how many rivals an alarm lists: a key can name any number.
const maxListed = 8
