package event

import (
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

// KindCoinFrozen is what is said of whether a coin may be spent.
const KindCoinFrozen Kind = 49

// CoinFrozen says that a coin is not to be spent for now, or may be again, in the place
// of what it names.
type CoinFrozen struct {
	Coin       []byte            `cbor:"2,keyasint"` // as LabelSet has an output
	Frozen     bool              `cbor:"3,keyasint"`
	Note       string            `cbor:"4,keyasint"`
	Supersedes []journal.EntryID `cbor:"5,keyasint,omitempty"` // ascending
}

// Kind returns KindCoinFrozen.
func (*CoinFrozen) Kind() Kind { return KindCoinFrozen }

// OutPoint returns the coin.
func (b *CoinFrozen) OutPoint() wire.OutPoint { return b.On().OutPoint() }

// On returns the coin as what labels are of.
func (b *CoinFrozen) On() LabelTarget { return LabelTarget{LabelOutput, string(b.Coin)} }

func (b *CoinFrozen) Check() error {
	if len(b.Coin) != outPointBytes {
		return badEvent("coin of %d bytes", len(b.Coin))
	}
	if err := checkSupersedes(b.Supersedes); err != nil {
		return err
	}
	return CheckText("note", b.Note, MaxLabelBytes, true)
}
