package group

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

// news lists what came since somebody last looked. A State is a value that others hold,
// too, so that a slice would be copied with each item: an epoch that is opened, or a
// store that is read, brings tens of thousands at once.
type news[T any] struct {
	item   T
	before *news[T]
}

// and returns the list with one more item.
func (n *news[T]) and(x T) *news[T] { return &news[T]{x, n} }

// all returns the items in the order in which they came.
func (n *news[T]) all() (out []T) {
	for ; n != nil; n = n.before {
		out = append(out, n.item)
	}
	slices.Reverse(out)
	return out
}

// CoinSaid is that somebody froze a coin, or lifted a freeze.
type CoinSaid struct {
	Coin wire.OutPoint
	By   journal.Author
}
