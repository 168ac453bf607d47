package coordinator

import (
	"math/bits"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
)

const (
	// maxWeighed is how many final transactions are weighed against each other; of more the sum
	// counts. maxChildren is how many of their children are.
	maxWeighed  = 16
	maxChildren = 64
)

// replacedFees is the most that a mempool can hold in fees of what p declares to replace
// and what spends it, in satoshis: what a replacement pays more than (BIP125). Of
// transactions that spend a coin in common, as a payment and its bumps, it holds one.
func (m *Machine) replacedFees(p *group.Proposal) int64 {
	var final []*group.Proposal
	var fees []int64
	for _, q := range m.State.Finals(p) {
		if p.Replaces(q) {
			seen := map[chainhash.Hash]bool{q.TxID: true, p.TxID: true}
			final, fees = append(final, q), append(fees, group.FeeOf(m.View, q)+m.childrenFees(q, seen))
		}
	}
	return heaviest(final, fees)
}

// heaviest is the most that transactions weigh of which no two spend a coin in common.
func heaviest(of []*group.Proposal, weights []int64) int64 {
	if len(of) > maxWeighed {
		var sum int64
		for _, f := range weights {
			sum += f
		}
		return sum
	}
	rivals := make([]uint32, len(of))
	for i, x := range of {
		spends := map[wire.OutPoint]bool{}
		for _, in := range x.Body.Inputs {
			spends[in.OutPoint()] = true
		}
		for j, y := range of {
			if i != j && slices.ContainsFunc(y.Body.Inputs, func(in event.ProposalInput) bool { return spends[in.OutPoint()] }) {
				rivals[i] |= 1 << j
			}
		}
	}
	var most func(left uint32) int64
	most = func(left uint32) int64 {
		if left == 0 {
			return 0
		}
		i := bits.TrailingZeros32(left)
		left &^= 1 << i
		with := weights[i] + most(left&^rivals[i])
		if rivals[i]&left == 0 {
			return with
		}
		return max(most(left), with)
	}
	return most(1<<len(of) - 1)
}

// childrenFees is the most that final proposals can pay together that spend what q makes.
func (m *Machine) childrenFees(q *group.Proposal, seen map[chainhash.Hash]bool) int64 {
	var children []*group.Proposal
	var fees []int64
	for i := range q.Body.Outputs {
		for by := range m.View.Rivals(wire.OutPoint{Hash: q.TxID, Index: uint32(i)}) {
			child, ok := m.State.Lead(by)
			if !ok || seen[by] || len(seen) > maxChildren || !m.State.Final(child) {
				continue
			}
			seen[by] = true
			children = append(children, child)
		}
	}
	for _, child := range children {
		fees = append(fees, group.FeeOf(m.View, child)+m.childrenFees(child, seen))
	}
	return heaviest(children, fees)
}
