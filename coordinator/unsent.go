package coordinator

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
)

// unseenAfter is how long nobody may show a transaction that was handed over before it
// is an alarm: peers that take it show it within seconds.
const unseenAfter = 2 * time.Minute

// maxReason bounds the words of a backend that are kept, in bytes.
const maxReason = 300

// notSent keeps why a transaction was not, and tells of it once: it is tried again
// every few seconds, and only another reason is news.
func (s *step) notSent(id chainhash.Hash, err error) {
	u := ledger.Unsent{Kind: AlarmUnsent, Reason: reasonOf(err), Since: s.now().Unix()}
	switch {
	case errors.Is(err, port.ErrTxRejected):
		u.Kind, u.Refused = AlarmRefused, true
	case errors.Is(err, port.ErrNotSeen):
		u.Kind = AlarmUnseen
	}
	was, known := s.m.View.Unsent(id)
	if known && was.Kind == u.Kind {
		// How a node cannot be reached changes from one try to the next, and is no news.
		u.Since, u.Told = was.Since, was.Told && (!u.Refused || was.Reason == u.Reason)
	}
	if due := u.Kind != AlarmUnseen || s.now().Sub(time.Unix(u.Since, 0)) >= unseenAfter; due && !u.Told {
		u.Told = true
		s.tellAlarm(s.m.unsentAlarm(id, u))
	}
	s.m.View = s.m.View.NotSent(id, u)
}

// sent forgets why a transaction was not, and tells that the alarm is over.
func (s *step) sent(id chainhash.Hash) {
	u, ok := s.m.View.Unsent(id)
	if !ok {
		return
	}
	s.m.View = s.m.View.Sent(id)
	if u.Told {
		s.tellOver(id)
	}
}

func reasonOf(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}

// Unsent says why the transaction of a final proposal is not in the network, where a
// person should know of it.
func (m *Machine) Unsent(p *group.Proposal) (Alarm, bool) {
	for id := range m.View.Above(p.TxID) {
		u, ok := m.View.Unsent(id)
		if !ok || !u.Told {
			continue
		}
		// Of a final one no time is asked.
		if m.State.Said(m.View, p, group.Derive(m.State, m.View, time.Unix(u.Since, 0), p)) != group.StatusFinal {
			break
		}
		if id == p.TxID {
			return m.unsentAlarm(id, u), true
		}
		return Alarm{Kind: AlarmUnsent, TxID: p.TxID, Since: time.Unix(u.Since, 0),
			Text: fmt.Sprintf("the final transaction %v waits for %v, whose change it spends and which is not in the network: %s", p.TxID, id, u.Reason)}, true
	}
	return Alarm{}, false
}

func (m *Machine) unsentAlarm(id chainhash.Hash, u ledger.Unsent) Alarm {
	var text string
	switch u.Kind {
	case AlarmRefused:
		text = fmt.Sprintf("the final transaction %v is not in the network: %s; it is tried again; propose a replacement with a higher fee, or see to your Bitcoin node", id, u.Reason)
	case AlarmUnseen:
		text = fmt.Sprintf("the final transaction %v was handed over, and no Bitcoin peer shows it: it may pay too little, or the peers may be cut off; it is tried again", id)
	default:
		text = fmt.Sprintf("the final transaction %v could not be handed to the Bitcoin node: %s; it is tried again", id, u.Reason)
	}
	return Alarm{Kind: u.Kind, TxID: id, Since: time.Unix(u.Since, 0), Text: text}
}

// unsentAlarms are those that stand.
func (m *Machine) unsentAlarms() (out []Alarm) {
	for id := range m.View.AllUnsent {
		if len(out) == maxForeign {
			break
		}
		p, ok := m.State.Lead(id)
		if !ok {
			continue
		}
		if a, stands := m.Unsent(p); stands {
			out = append(out, a)
		}
	}
	return out
}
