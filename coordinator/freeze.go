package coordinator

import "github.com/btcsuite/btcd/wire/v2"

// Freeze freezes a coin of the wallet for all members, or lifts that. Neither moves anything.
type Freeze struct {
	Coin  wire.OutPoint
	Undo  bool
	Note  string
	Allow []string
}
