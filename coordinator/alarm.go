package coordinator

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/ledger"
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

// Kinds of alarms that stay.
const (
	AlarmForeignSpend = "foreign_spend"
	AlarmAddressTie   = "address_tie"
)

// Alarm is something that a person has to look at, for as long as it is so.
type Alarm struct {
	Kind string
	// TxID is there for a foreign spend.
	TxID chainhash.Hash
	// Since is when this node told of it; of a tie, when it handed the address out.
	Since time.Time
	Text  string
}

// alarmRecord says when an alarm was told. It outlives the alarm, so that no
// reorg or restart tells of one transaction twice.
type alarmRecord struct {
	Told int64 `cbor:"1,keyasint"` // Unix seconds
}

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
func (s *step) tellForeign(touched []journal.EntryID) error {
	var look pmap.Map[string, bool]
	for id := range s.m.View.News() {
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
	for _, p := range touched {
		if p, ok := s.m.State.Proposal(p); ok {
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
func (s *step) alarmOver(k string) {
	if _, told := s.m.alarmed.Get(k); told {
		id := chainhash.Hash([]byte(k))
		s.do(Tell{port.Notice{Type: "wallet", Group: s.m.State.Group(), TxID: id, Status: s.m.Phase(), Detail: "alarm over: transaction " + id.String()}})
	}
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

// strangers are the foreign spends seen, and those of them whose grace is not
// over yet. It takes the signatures of k keys to make one.
type strangers struct {
	since pmap.Map[string, uint64] // by txid: the tick from which it counts
	due   pmap.Map[string, bool]   // by that tick | txid
}

func dueKey(k string, since uint64) string {
	return string(binary.BigEndian.AppendUint64(make([]byte, 0, 40), since)) + k
}

func (x strangers) has(k string) bool {
	_, ok := x.since.Get(k)
	return ok
}

func (x strangers) add(k string, since uint64) strangers {
	return strangers{x.since.Set(k, since), x.due.Set(dueKey(k, since), true)}
}

func (x strangers) remove(k string) strangers {
	since, _ := x.since.Get(k)
	return strangers{x.since.Delete(k), x.due.Delete(dueKey(k, since))}
}

func (x strangers) waited(k string, since uint64) strangers {
	x.due = x.due.Delete(dueKey(k, since))
	return x
}

// waiting yields those whose grace is not over, and since when, the first first.
func (x strangers) waiting() func(yield func(string, uint64) bool) {
	return func(yield func(string, uint64) bool) {
		for k := range x.due.All() {
			if !yield(k[8:], binary.BigEndian.Uint64([]byte(k[:8]))) {
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

// Alarms returns what stands now: spends by fewer than k of those who entered
// their signatures, and addresses
// of this node that another handed out too, while they are unused or among the
// last that were used.
func (m *Machine) Alarms() []Alarm {
	if m.State.Active() == nil {
		return nil
	}
	var out []Alarm
	if m.State.WasReplaced() {
		out = append(out, Alarm{Kind: AlarmReplaced, Since: time.Unix(m.local.Created, 0), Text: errReplaced.Error()})
	}
	out = append(out, m.faultAlarms()...)
	for k := range m.State.Active().Members {
		if len(m.State.Active().Contested(k)) > 0 {
			out = append(out, m.contestedAlarm(k))
		}
	}
	for _, r := range m.unproven() {
		out = append(out, unprovenAlarm(r))
	}
	listed := 0
	for k := range m.strange.since.All() {
		if rec, told := m.alarmed.Get(k); told && listed < maxForeign {
			listed++
			out = append(out, m.foreignAlarm(chainhash.Hash([]byte(k)), rec))
		}
	}
	used := m.View.Used(wallet.BranchExternal)
	for index := used - min(used, ledger.GapLimit); index < used+ledger.Watchable; index++ {
		if others, when := m.State.Tied(index); len(others) > 0 {
			out = append(out, m.tieAlarm(index, others, when))
		}
	}
	return out
}
