package coordinator

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
)

// Labels returns the labels that show of what is the wallet's, by target.
func (m *Machine) Labels() []group.Label { return m.State.LabelledTargets(m.Labelled) }

// Labelled says whether a target is this wallet's, as far as this node knows: a
// transaction that it sees or that is proposed, an output of one, an address
// that it watches.
func (m *Machine) Labelled(t event.LabelTarget) bool {
	if t.Kind == event.LabelAddress {
		return m.View.Owns(t.Script())
	}
	outputs := 0
	if tx, ok := m.View.Tx(t.TxID()); ok {
		outputs = len(tx.Tx.TxOut)
	} else if p, ok := m.State.Lead(t.TxID()); ok {
		outputs = len(p.Body.Outputs)
	}
	switch t.Kind {
	case event.LabelTx:
		return outputs > 0
	case event.LabelOutput:
		return int64(t.OutPoint().Index) < int64(outputs)
	}
	return false
}
