package coordinator

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/known"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
)

// maxMixed bounds how many labels of coins are told apart.
const maxMixed = 8

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
	out := m.payees.Cautions(m.View, wallet.Network(m.State.Genesis().Network), spend.Tx())
	return append(out, m.mixes(p)...)
}

// mixes cautions of a payment from coins with several labels.
func (m *Machine) mixes(p *group.Proposal) []known.Caution {
	if !m.State.Labelled() {
		return nil
	}
	labels := m.State.LabelReader()
	var texts []string
	for _, in := range p.Body.Inputs {
		o, ok := m.View.Out(in.OutPoint())
		if !ok {
			continue
		}
		if text := labels.OfCoin(m.View, o); text != "" && !slices.Contains(texts, text) && len(texts) < maxMixed {
			texts = append(texts, text)
		}
	}
	if len(texts) < 2 {
		return nil
	}
	slices.Sort(texts)
	more := ""
	if len(texts) > 2 {
		more = " and others"
	}
	return []known.Caution{{Code: known.Mixes, Text: fmt.Sprintf(
		"its coins have different labels, %q, %q%s: whoever sees the payment learns that they are one wallet's", display.Line(texts[0]), display.Line(texts[1]), more)}}
}
