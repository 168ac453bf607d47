package coordinator

import (
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
)

// theTx returns a proposal's transaction as it stands: the mined one once it
// is mined (its witness is then the transaction), else the one built from the
// signatures held.
func theTx(s group.State, v ledger.View, p *group.Proposal) (*wire.MsgTx, error) {
	if t, ok := v.Tx(p.TxID); ok && t.Block.Height > 0 {
		return t.Tx, nil
	}
	return s.FinalTx(p)
}
