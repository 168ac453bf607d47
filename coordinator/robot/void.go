package robot

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// A coin that is yet to be made can never exist once a rival of the transaction that makes
// it, or of one that that rests on, is buried. What lies on it ends then.

// maxAround is how many transactions are looked at below one that was buried. What lies on
// coins beyond goes on to count.
const maxAround = 1024

// around looks again at the coins that rest on rivals of a spend that is buried now, or is
// so no more.
func (l Ledger) around(s group.State, v ledger.View, id chainhash.Hash) Ledger {
	if _, buried := l.buried.Get(mapkey.Of(id)); !buried {
		return l.revive(s, v)
	}
	var rivals []chainhash.Hash
	for _, c := range coinsOf(s, v, id) {
		rivals = slices.AppendSeq(rivals, v.Rivals(c))
		s.VisitSpending(mapkey.Coin(c), mapkey.ByCoinTx(mapkey.Coin(c)), maxAround, func(tx chainhash.Hash) int {
			rivals = append(rivals, tx)
			return 1
		})
	}
	return l.below(s, v, slices.DeleteFunc(rivals, func(tx chainhash.Hash) bool { return tx == id })...)
}

// revive looks again at what was void, and may not be any more, however far below it is: there
// are few.
func (l Ledger) revive(s group.State, v ledger.View) Ledger {
	for k, void := range l.charged.All() {
		if void {
			l = l.weigh(s, v, mapkey.CoinOf(k))
		}
	}
	return l
}

// below looks again at the charged coins that transactions make, and those that rest on them.
func (l Ledger) below(s group.State, v ledger.View, of ...chainhash.Hash) Ledger {
	seen := map[chainhash.Hash]bool{}
	var next []chainhash.Hash
	note := func(tx chainhash.Hash) int {
		if !seen[tx] && len(seen) < maxAround {
			seen[tx], next = true, append(next, tx)
		}
		return 1
	}
	for _, tx := range of {
		note(tx)
	}
	for ; len(next) > 0; next = next[1:] {
		l = l.weighAll(s, v, next[0])
		for by := range v.SpendersOf(next[0]) {
			note(by)
		}
		coins := mapkey.Coins(next[0])
		s.VisitSpending(coins, mapkey.ByCoinTx(coins), maxAround, note)
	}
	return l
}

// weighAll weighs the charged coins that a transaction makes.
func (l Ledger) weighAll(s group.State, v ledger.View, tx chainhash.Hash) Ledger {
	for k := range pmap.Prefix(l.charged, mapkey.Coins(tx)) {
		l = l.weigh(s, v, mapkey.CoinOf(k))
	}
	return l
}

// weigh tells the book whether a charged coin can exist, where that is news.
func (l Ledger) weigh(s group.State, v ledger.View, o wire.OutPoint) Ledger {
	k := mapkey.Coin(o)
	was, charged := l.charged.Get(k)
	is := neverMade(s, v, o.Hash)
	if !charged || is == was {
		return l
	}
	l.charged = l.charged.Set(k, is)
	if is {
		l.book = l.book.Void(coinAs(o))
	} else {
		l.book = l.book.Revive(coinAs(o))
	}
	return l
}

// neverMade says whether a transaction can never be mined, since a buried one spends a coin
// of it, or of one that it rests on. What is in a block can.
func neverMade(s group.State, v ledger.View, id chainhash.Hash) bool {
	seen := map[chainhash.Hash]bool{id: true}
	for next := []chainhash.Hash{id}; len(next) > 0; next = next[1:] {
		if v.Confirmations(next[0]) > 0 {
			continue
		}
		if never(s, v, next[0]) {
			return true
		}
		for _, c := range coinsOf(s, v, next[0]) {
			if !seen[c.Hash] && len(seen) < maxAround {
				seen[c.Hash], next = true, append(next, c.Hash)
			}
		}
	}
	return false
}
