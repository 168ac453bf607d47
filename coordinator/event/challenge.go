package event

import (
	"fmt"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Challenge is what a node has to prove that takes a lost member's place.
type Challenge struct {
	Key      uint32            `cbor:"1,keyasint"`
	Old      journal.Author    `cbor:"2,keyasint"`
	Account  [32]byte          `cbor:"3,keyasint"` // hash of the ratified key: who holds the seed finds it
	Script   wallet.ScriptType `cbor:"4,keyasint"`
	Cuts     []ReplacedCut     `cbor:"5,keyasint"`
	Birthday int32             `cbor:"6,keyasint"`
}

// SuccessionClaim answers a challenge.
type SuccessionClaim struct {
	Sealing [32]byte `cbor:"1,keyasint"`
	Proof   []byte   `cbor:"2,keyasint"`
	Consent []byte   `cbor:"3,keyasint"`
}

// Claim makes the claim of a new identity: prove signs with the account key; nil
// for an external key, whose succession the other members approve.
func (c Challenge) Claim(self *journal.Identity, sealing [32]byte, group journal.GroupID, prove func(KeyClaim) ([]byte, error)) (*SuccessionClaim, error) {
	b := c.Event(self.Author(), &SuccessionClaim{Sealing: sealing})
	id := b.ID(group)
	out := &SuccessionClaim{Sealing: b.Sealing, Consent: self.Sign(ConsentTag, id[:])}
	if prove == nil {
		return out, nil
	}
	var err error
	claim := KeyClaim{
		Group: group, Identity: b.New, Sealing: b.Sealing,
		Replaces: &Replaced{Account: c.Account, Position: b.Key, Old: b.Old, Cuts: b.Cuts},
	}
	if out.Proof, err = prove(claim); err != nil {
		return nil, fmt.Errorf("prove the replaced key: %w", err)
	}
	return out, nil
}

// Event is what a claim of a joiner comes to.
func (c Challenge) Event(joiner journal.Author, x *SuccessionClaim) *MemberReplaced {
	return &MemberReplaced{Key: c.Key, Old: c.Old, New: joiner, Sealing: x.Sealing, Cuts: c.Cuts, Proof: x.Proof, Consent: x.Consent}
}
