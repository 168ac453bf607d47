package coordinator

import (
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// foreignGrace is how many ticks a spend that nobody proposed waits for its
// proposal before it is an alarm: 30 s. All members are asked for what they
// hold when it is seen, and those who can be reached answer within seconds.
const foreignGrace = 15

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

// foreign says whether a transaction spends a coin of the wallet though no
// proposal states it: it is in a block, or in a mempool where it can still
// confirm. A tainted proposal is one as well: somebody did propose it.
func foreign(s State, v View, id chainhash.Hash) bool {
	t, ok := v.Tx(id)
	if !ok || (t.Block.Height == 0 && !(t.Seen && v.valid(id))) {
		return false
	}
	for range scan(s.byTx, key(id)) {
		return false
	}
	for _, i := range t.Tx.TxIn {
		if _, ours := v.outs.Get(coinKey(i.PreviousOutPoint)); ours {
			return true
		}
	}
	return false
}

// related lists transactions of which a change of one may decide: itself, its
// rivals, and what spends it.
func (v View) related(id chainhash.Hash) []chainhash.Hash {
	t, ok := v.Tx(id)
	if !ok {
		return nil
	}
	out := []chainhash.Hash{id}
	for _, i := range t.Tx.TxIn {
		out = append(out, v.rivals(i.PreviousOutPoint)...)
	}
	for _, o := range v.outputs(t.Tx, id) {
		out = append(out, v.rivals(o.OutPoint)...)
	}
	return out
}

// tellForeign finds the spends that nobody proposed among what changed, gives
// their proposals time to arrive, and then tells of each, once.
func (s *step) tellForeign() error {
	var ids []chainhash.Hash
	ask := false
	if s.starting {
		for _, t := range s.m.View.txs.All() {
			ids = append(ids, t.Tx.TxHash())
		}
	}
	for _, id := range s.m.View.changed {
		ids = append(ids, s.m.View.related(id)...)
	}
	for _, id := range ids {
		if _, known := s.m.strange.Get(key(id)); !known && foreign(s.m.State, s.m.View, id) {
			s.m.strange = s.m.strange.Set(key(id), s.m.ticks)
			ask = true
		}
	}
	if ask {
		s.do(AskSync{})
	}
	for k, since := range s.m.strange.All() {
		id := chainhash.Hash([]byte(k))
		rec, told := s.m.alarmed.Get(k)
		switch {
		case !foreign(s.m.State, s.m.View, id):
			s.m.strange = s.m.strange.Delete(k)
			if told {
				s.do(Tell{Notice{Type: "wallet", Group: s.m.State.group, TxID: id, Status: s.m.Phase(), Detail: "alarm over: transaction " + id.String()}})
			}
		case told:
		case !s.m.View.caughtUp:
			s.m.strange = s.m.strange.Set(k, s.m.ticks) // its proposal is as old, and may still be on its way
		case s.m.ticks-since >= foreignGrace:
			rec.Told = s.now().Unix()
			s.m.alarmed = s.m.alarmed.Set(k, rec)
			if err := s.put(recAlarm+id.String(), rec); err != nil {
				return err
			}
			s.tellAlarm(foreignAlarm(id, rec))
		}
	}
	return nil
}

func (s *step) tellAlarm(a Alarm) {
	s.do(Tell{Notice{Type: "alarm", Group: s.m.State.group, TxID: a.TxID, Status: a.Kind, Detail: a.Text}})
}

func foreignAlarm(id chainhash.Hash, rec alarmRecord) Alarm {
	return Alarm{Kind: AlarmForeignSpend, TxID: id, Since: time.Unix(rec.Told, 0),
		Text: fmt.Sprintf("transaction %v spends coins of this wallet, and this node knows no proposal of it", id)}
}

func (m *Machine) tieAlarm(index uint32, others []journal.Author, when int64) Alarm {
	names := make([]string, len(others))
	for i, o := range others {
		names[i] = m.MemberName(o)
	}
	return Alarm{Kind: AlarmAddressTie, Since: time.UnixMilli(when),
		Text: fmt.Sprintf("receive address %d was handed out by this node and by %s: a payment to it may be of either's payer", index, strings.Join(names, ", "))}
}

// Alarms returns what stands now: spends that nobody proposed, and addresses
// of this node that another handed out too, while they are unused or among the
// last that were used.
func (m *Machine) Alarms() []Alarm {
	if m.State.active == nil {
		return nil
	}
	var out []Alarm
	if m.State.wasReplaced() {
		out = append(out, Alarm{Kind: AlarmReplaced, Since: time.Unix(m.local.Created, 0), Text: errReplaced.Error()})
	}
	out = append(out, m.faultAlarms()...)
	if l := m.State.active.lines; l != nil {
		for k := range m.State.active.Members {
			if len(l.contested[k]) > 0 {
				out = append(out, m.contestedAlarm(k))
			}
		}
	}
	for _, r := range m.unproven() {
		out = append(out, unprovenAlarm(r))
	}
	for k := range m.strange.All() {
		if rec, told := m.alarmed.Get(k); told {
			out = append(out, foreignAlarm(chainhash.Hash([]byte(k)), rec))
		}
	}
	used := m.View.used[wallet.BranchExternal]
	for index := used - min(used, gapLimit); index < used+watchable; index++ {
		if others, when := m.State.tied(index); len(others) > 0 {
			out = append(out, m.tieAlarm(index, others, when))
		}
	}
	return out
}
