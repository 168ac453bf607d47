package api

import (
	"context"
	"time"
)

// FreezeBackend stops all spending from a wallet, and has it go on.
type FreezeBackend interface {
	// Freeze freezes all spending for all members, or finds this node's freeze that stands.
	Freeze(ctx context.Context, wallet string, r FreezeWallet) (WalletFreezes, error)
	// Unfreeze says that this member is for lifting freezes that stand.
	Unfreeze(ctx context.Context, wallet string, r UnfreezeWallet) (WalletFreezes, error)
}

// FreezeWallet freezes all spending from a wallet.
type FreezeWallet struct {
	Reason string   `json:"reason,omitempty" maxLength:"1024" doc:"Why, for the other cosigners."`
	Allow  []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name: members_outdated."`
}

// UnfreezeWallet says which freezes this member is for lifting.
type UnfreezeWallet struct {
	Freezes []string `json:"freezes" minItems:"1" maxItems:"64" nullable:"false" doc:"Their ids, as the wallet lists them."`
	Allow   []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name: members_outdated."`
}

// WalletFreezes is what stands of the freezes of a wallet.
type WalletFreezes struct {
	Wallet     string            `json:"wallet"`
	WalletName string            `json:"wallet_name"`
	Freezes    List[GroupFreeze] `json:"freezes" doc:"The freezes of all spending that stand."`
}

// GroupFreeze is a freeze of all spending from a wallet.
type GroupFreeze struct {
	Freeze string       `json:"freeze_id" doc:"Its id: 64 hex characters."`
	By     Person       `json:"by" doc:"The cosigner who froze it."`
	Reason Text         `json:"reason" doc:"The cosigner's words, unverified; null where there are none."`
	Time   time.Time    `json:"time" doc:"As the cosigner claims."`
	Lifts  List[Person] `json:"lifts" doc:"The cosigners who are for lifting it."`
	Needed int          `json:"lifts_needed" doc:"How many cosigners lift it."`
	Rests  *int32       `json:"rests_until" doc:"The height from which on it has effect, unless it is lifted before; null where it has: another freeze of that cosigner was lifted less than 144 blocks ago."`
}
