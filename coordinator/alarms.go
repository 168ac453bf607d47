package coordinator

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Alarms returns what stands now: spends by fewer than k of those who entered
// their signatures, and addresses
// of this node that another handed out too, while they are unused or among the
// last that were used.
func (m *Machine) Alarms() []Alarm {
	if m.State.Active() == nil {
		return nil
	}
	var out []Alarm
	if m.State.Succeeded() {
		out = append(out, Alarm{Kind: AlarmReplaced, Since: time.Unix(m.local.Created, 0), Text: errReplaced.Error()})
	}
	if m.superseded() {
		out = append(out, Alarm{Kind: AlarmSuperseded, Text: errSuperseded.Error()})
	}
	if text, since, ok := frozen.Standing(m.State, m.View.Tip().Height); ok {
		out = append(out, Alarm{Kind: frozen.AlarmGroup, Since: since, Text: text})
	}
	out = append(out, m.faultAlarms()...)
	out = append(out, m.unsentAlarms()...)
	out = append(out, m.forkAlarms()...)
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

// tellTies tells, once for each address, that another member gave it to a
// payer as well: of those that were leased in this step, and were no tie before.
func (s *step) tellTies() {
	st, indexes := s.m.State.TakeLeased()
	s.m.State = st
	for _, index := range indexes {
		if others, _ := s.before.State.Tied(index); len(others) > 0 {
			continue
		}
		if others, when := s.m.State.Tied(index); len(others) > 0 {
			s.tellAlarm(s.m.tieAlarm(index, others, when))
		}
	}
}

// faultAlarms are those that stand, one for each author.
func (m *Machine) faultAlarms() []Alarm {
	by := m.State.FaultsBy()
	var out []Alarm
	for _, a := range slices.SortedFunc(maps.Keys(by), func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) }) {
		out = append(out, m.faultAlarm(a, by[a]))
	}
	return out
}

// forkAlarms are those that stand, one for each member whose chain is forked that it
// writes now: who was restored, or replaced, goes on beside it.
func (m *Machine) forkAlarms() []Alarm {
	forks := m.State.Chains().Forks()
	if len(forks) == 0 {
		return nil
	}
	var out []Alarm
	last := map[journal.Author]uint8{}
	for c := range m.State.Chains().Frontier() {
		last[c.Author] = max(last[c.Author], c.Incarnation)
	}
	last[m.State.Me()] = m.local.Incarnation
	members := m.State.Members()
	for _, f := range forks {
		if f.Chain.Incarnation == last[f.Chain.Author] && slices.Contains(members, f.Chain.Author) {
			out = append(out, m.forkAlarm(f.Chain.Author))
		}
	}
	slices.SortFunc(out, func(a, b Alarm) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text)) })
	return out
}

func (m *Machine) forkAlarm(who journal.Author) Alarm {
	if who == m.State.Me() {
		return Alarm{Kind: AlarmOwnFork, Text: "this node wrote two entries in one place of its history: two copies of it ran; stop the other one, and `backup` and `restore` this one"}
	}
	return Alarm{Kind: AlarmFork, Text: m.called(who) + " wrote two entries in one place of the history: two copies of that node run, or it deceives; ask whoever runs it"}
}

// unproven are the replacements that wait and prove nothing, maxListed at most.
func (m *Machine) unproven() []Succession {
	out := slices.DeleteFunc(m.Successions(), func(r Succession) bool { return r.Proven })
	return out[:min(len(out), maxListed)]
}
