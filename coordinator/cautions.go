package coordinator

import (
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/known"
	"github.com/quorate/quorate/wallet"
)

// Cautions returns what is to be looked at before a proposal is agreed to, and refuses
// nothing; of one that nobody holds yet too.
func (m *Machine) Cautions(p *group.Proposal) []known.Caution {
	a := m.State.Active()
	if a == nil {
		return nil
	}
	spend, err := p.Spend(a)
	if err != nil {
		return nil // no rule lets it pass
	}
	return m.payees.Cautions(m.View, wallet.Network(m.State.Genesis().Network), spend.Tx())
}
