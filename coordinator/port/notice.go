package port

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
)

// Notice is one change, for the event stream. Only ids: no amounts, no addresses.
type Notice struct {
	Type     string // wallet, proposal, entry, chain, peer, alarm
	Group    journal.GroupID
	Proposal journal.EntryID
	TxID     chainhash.Hash
	Status   string // of a proposal or a wallet; of an alarm that stays, its kind
	Height   int32
	Detail   string
}
