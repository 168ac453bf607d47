package coordinator

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// FollowUp is what a transaction is proposed for that pays nobody it is told of: one of the
// four, or none.
type FollowUp struct {
	// Bump pays the same once more with a higher fee, Cancel takes all of its coins back.
	Bump, Cancel journal.EntryID
	// Child spends what a transaction that is in no block pays the wallet, so that both
	// together pay the fee rate. ParentFee is what that one pays, in satoshis, where no
	// proposal says so.
	Child     chainhash.Hash
	ParentFee int64
	// Below spends the wallet's smallest coins to itself, where the fee rate is below this.
	Below wallet.FeeRate
}

func (f FollowUp) kinds() (n int) {
	for _, is := range []bool{f.Bump != journal.EntryID{}, f.Cancel != journal.EntryID{}, f.Child != chainhash.Hash{}, f.Below > 0} {
		if is {
			n++
		}
	}
	return n
}
