package explore

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// check holds every rule about a node. What it says depends on that node alone,
// and is asked once for each.
func (s *setting) check(n *node) error {
	for _, rule := range []func(*node) error{s.guarded, s.recorded, s.single, s.quorums} {
		if err := rule(n); err != nil {
			return err
		}
	}
	return nil
}

// guarded: of two transactions on one coin that a node signed, one replaces the
// other.
func (s *setting) guarded(n *node) error {
	by := map[wire.OutPoint][]chainhash.Hash{}
	for _, g := range n.disk.guard.All() {
		for _, other := range by[g.OutPoint] {
			if !n.replaces(g.TxID, other) && !n.replaces(other, g.TxID) {
				return violation("%s signed %v and %v, and neither replaces the other", s.Members[n.member].Name, other, g.TxID)
			}
		}
		by[g.OutPoint] = append(by[g.OutPoint], g.TxID)
	}
	return nil
}

func (n *node) replaces(a, b chainhash.Hash) bool {
	return slices.ContainsFunc(n.proposals, func(p proposal) bool { return p.TxID == a && slices.Contains(p.Body.Replaces, b) })
}

// recorded: the guard on the disk holds whatever the entries say that this node
// signed.
func (s *setting) recorded(n *node) error {
	for _, p := range n.proposals {
		if p.own && !slices.Contains(n.signed, p.TxID) {
			return violation("%s signed %v, and its guard does not know", s.Members[n.member].Name, p.TxID)
		}
	}
	return nil
}

// single: no place of an honest member's chain holds two entries anywhere.
func (s *setting) single(n *node) error {
	for j, m := range s.Members {
		if s.honest(j) && n.m.State.Chains().ForkedAt(s.self(j)) != 0 {
			return violation("%s, who is honest, wrote two entries at one place, as %s sees", m.Name, s.Members[n.member].Name)
		}
	}
	return nil
}

// quorums: what is final has as many keys as it takes, and is a transaction that
// passes the script engine and pays what was proposed.
func (s *setting) quorums(n *node) error {
	name := s.Members[n.member].Name
	for _, p := range n.proposals {
		if p.final != (p.keys >= s.Threshold) {
			return violation("%s: a proposal with %d of %d signatures is final: %v", name, p.keys, s.Threshold, p.final)
		}
		if !p.final {
			continue
		}
		tx, err := n.m.Tx(p.Proposal)
		if err != nil {
			return violation("%s: a proposal with all its signatures is no transaction: %v", name, err)
		}
		if tx.TxHash() != p.TxID {
			return violation("%s makes another transaction than was proposed", name)
		}
		if _, ok := s.txOf[tx.WitnessHash()]; ok {
			continue
		}
		if _, err := s.pays(n, p.Proposal, tx); err != nil {
			return violation("%s: a proposal with all its signatures: %v", name, err)
		}
	}
	return nil
}

// reloaded: what is on the disk of a node that runs makes the same of what it holds.
func (s *setting) reloaded(n *node) error {
	x, err := s.load(n)
	if err != nil {
		return err
	}
	name := s.Members[n.member].Name
	if x.says != n.says || len(x.proposals) != len(n.proposals) || !slices.Equal(x.held, n.held) || !slices.Equal(x.signed, n.signed) {
		return violation("%s: a restart now would make another state of the same entries", name)
	}
	for k, p := range n.proposals {
		if q := x.proposals[k]; q.entry != p.entry || q.final != p.final || q.keys != p.keys {
			return violation("%s: a restart now would make something else of %s", name, s.called(p.entry))
		}
	}
	return nil
}
