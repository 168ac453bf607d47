package coordinator

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
)

// checkFeeFloor refuses a proposal that pays less than this node's Bitcoin node takes:
// it would be signed, and never be in the network.
func (m *Machine) checkFeeFloor(x asked) error {
	if slices.Contains(x.allow, refusal.FeeTooLow) {
		return nil
	}
	spend, err := x.p.Spend(m.State.Active())
	if err != nil {
		return err
	}
	least := x.policy.OrDefault().MinFeeRate
	if x.p.Fee() >= least.Fee(spend.VSize()) {
		return nil
	}
	return refusal.New(refusal.FeeTooLow, "the fee of %s for %d vB is below the %v that this node's Bitcoin node takes: %s",
		display.Amount(x.p.Fee()), spend.VSize(), least, display.Amount(least.Fee(spend.VSize()))).
		WithHint("give a higher --fee-rate; if another cosigner's node takes it, repeat with --allow %s", refusal.FeeTooLow).MayOverride()
}

// checkChain refuses a proposal that rests on more unconfirmed transactions than this
// node's Bitcoin node takes of one chain.
func (m *Machine) checkChain(x asked) error {
	if slices.Contains(x.allow, refusal.ChainTooLong) {
		return nil
	}
	n, most := m.chainOf(x.p, x.policy.OrDefault())
	if n <= most {
		return nil
	}
	return refusal.New(refusal.ChainTooLong, "with it %d unconfirmed transactions are connected, and this node's Bitcoin node takes %d at most", n, most).
		WithHint("wait for a block, or choose confirmed coins with --coin; if another cosigner's node takes it, repeat with --allow %s", refusal.ChainTooLong).MayOverride()
}

// chainOf counts the unconfirmed transactions that a backend reckons together with a
// proposal, itself among them, and says how many it takes.
func (m *Machine) chainOf(p *group.Proposal, policy port.Policy) (n, most int) {
	if policy.Cluster > 0 {
		return 1 + m.View.Around(func(id chainhash.Hash) bool { return !counts(m.State, m.View, id) || m.spendsACoinOf(id, p) }, parentsOf(p)...), policy.Cluster
	}
	return 1 + m.restsOn(p), policy.Ancestors
}

// restsOn counts the unconfirmed transactions that a proposal cannot be mined without.
func (m *Machine) restsOn(p *group.Proposal) (n int) {
	for range m.View.Above(parentsOf(p)...) {
		n++
	}
	return n
}

func parentsOf(p *group.Proposal) (out []chainhash.Hash) {
	for _, in := range p.Body.Inputs {
		out = append(out, in.OutPoint().Hash)
	}
	return out
}

// spendsACoinOf says whether a transaction and a proposal cannot both be mined.
func (m *Machine) spendsACoinOf(id chainhash.Hash, p *group.Proposal) bool {
	for _, in := range p.Body.Inputs {
		for by := range m.View.Rivals(in.OutPoint()) {
			if by == id {
				return true
			}
		}
	}
	return false
}

// mayBuildOn says whether a further transaction may spend the outputs of an unconfirmed
// one, by how many a backend takes.
func (m *Machine) mayBuildOn(id chainhash.Hash, policy port.Policy) bool {
	if policy = policy.OrDefault(); policy.Cluster > 0 {
		return m.View.Around(func(id chainhash.Hash) bool { return !counts(m.State, m.View, id) }, id) < policy.Cluster
	}
	n := 0
	for range m.View.Above(id) {
		n++
	}
	return n < policy.Ancestors
}

// longChain warns of a transaction that rests on more than most Bitcoin nodes take.
func (m *Machine) longChain(p *group.Proposal) *refusal.Refusal {
	n := m.restsOn(p)
	if n < port.MaxAncestors {
		return nil
	}
	return refusal.New(refusal.ChainTooLong, "it rests on %d unconfirmed transactions: Bitcoin nodes before Bitcoin Core v31 take %d at most, and do not pass it on", n, port.MaxAncestors-1)
}
