package event

import (
	"bytes"

	"github.com/quorate/quorate/journal"
)

// The kinds of what stops all spending of a group, and has it go on.
const (
	KindGroupFrozen  Kind = 60
	KindFreezeLifted Kind = 61
)

func stopBody(k Kind) Body {
	switch k {
	case KindGroupFrozen:
		return &GroupFrozen{}
	case KindFreezeLifted:
		return &FreezeLifted{}
	}
	return nil
}

// Limits of what is said of freezes.
const (
	// MaxLifted is how many freezes one entry lifts at most.
	MaxLifted = 64
	maxHeight = 1<<31 - 1
)

// GroupFrozen says that nobody is to sign what spends coins of the wallet, until enough
// members say otherwise. It says nothing of when: an entry may be held back, so that
// nothing rests on what its author claims.
type GroupFrozen struct {
	Reason string `cbor:"2,keyasint"`
}

// FreezeLifted says that its author is for lifting some freezes, from a height of the
// chain on: that of its tip when it was written.
type FreezeLifted struct {
	Freezes []journal.EntryID `cbor:"2,keyasint"` // ascending
	Height  uint32            `cbor:"3,keyasint"`
}

// Kind returns KindGroupFrozen.
func (*GroupFrozen) Kind() Kind { return KindGroupFrozen }

// Kind returns KindFreezeLifted.
func (*FreezeLifted) Kind() Kind { return KindFreezeLifted }

func (b *GroupFrozen) Check() error { return CheckText("reason", b.Reason, MaxTextBytes, true) }

func (b *FreezeLifted) Check() error {
	if len(b.Freezes) == 0 || len(b.Freezes) > MaxLifted || b.Height > maxHeight {
		return badEvent("it lifts %d freezes at height %d", len(b.Freezes), b.Height)
	}
	for i := 1; i < len(b.Freezes); i++ {
		if bytes.Compare(b.Freezes[i-1][:], b.Freezes[i][:]) >= 0 {
			return badEvent("the freezes that it lifts are out of order")
		}
	}
	return nil
}
