package coordinator

import (
	"fmt"
	"time"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Handed is a receive address that a member handed out, or that was paid.
type Handed struct {
	Index             uint32
	Address           string
	Script            []byte
	By                journal.Author // who handed it out; zero where nobody did
	Payments          int            // outputs that pay it
	Received, Unspent int64          // satoshis: of all of them, and of those that are not spent
}

// Handed returns the receive addresses that were handed out or paid, the highest index
// first.
func (m *Machine) Handed(now time.Time) ([]Handed, error) {
	a := m.State.Active()
	if a == nil {
		return nil, nil
	}
	paid := map[uint32]Handed{}
	for id, t := range m.View.Txs() {
		if !counts(m.State, m.View, id) {
			continue
		}
		for _, o := range m.View.Outputs(t.Tx, id) {
			if o.Branch == wallet.BranchExternal {
				h := paid[o.Index]
				h.Payments, h.Received = h.Payments+1, h.Received+o.Amount
				paid[o.Index] = h
			}
		}
	}
	for _, c := range Coins(m.State, m.View, now) {
		if c.Branch == wallet.BranchExternal {
			h := paid[c.Index]
			h.Unspent += c.Amount
			paid[c.Index] = h
		}
	}
	var out []Handed
	for i := m.View.Watched()[wallet.BranchExternal]; i > 0; {
		i--
		h := paid[i]
		for by := range m.State.LeasedBy(i) {
			h.By = by
			break
		}
		if h.Payments == 0 && h.By == (journal.Author{}) {
			continue
		}
		script, err := a.Descriptor.Script(wallet.BranchExternal, i)
		if err == nil {
			h.Address, err = a.Descriptor.Address(wallet.BranchExternal, i)
		}
		if err != nil {
			return nil, fmt.Errorf("derive address %d: %w", i, err)
		}
		h.Index, h.Script = i, script.PkScript
		out = append(out, h)
	}
	return out, nil
}
