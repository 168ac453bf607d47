package group

import (
	"github.com/quorate/quorate/coordinator/ledger"
)

// buriedBy says whether a proposal can never be mined, by a rival so deep that
// no reorg is expected to revive it.
func BuriedBy(v ledger.View, q *Proposal) bool {
	for _, in := range q.Body.Inputs {
		for by := range v.Rivals(in.OutPoint()) {
			if by != q.TxID && v.Confirmations(by) >= ledger.BuriedDepth {
				return true
			}
		}
	}
	return false
}
