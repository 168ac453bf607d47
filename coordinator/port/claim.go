package port

import (
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// What a Signer and a Doorman are asked for, and answer, is of package event: the
// rooms above know it by these names.
type (
	KeyClaim        = event.KeyClaim
	Replaced        = event.Replaced
	ReplacedCut     = event.ReplacedCut
	Challenge       = event.Challenge
	SuccessionClaim = event.SuccessionClaim
)

// AccountHash is how a replacement names a ratified key without telling it, by
// the key as in the member's record: see Replaced.
func AccountHash(group journal.GroupID, key string) [32]byte { return event.AccountHash(group, key) }
