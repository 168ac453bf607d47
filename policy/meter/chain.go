package meter

import "github.com/quorate/quorate/journal/pmap"

// coin is what is known of a coin.
type coin struct {
	charges []Take // what lies on it: by subject, one for each
	spends  int    // of it that are buried: one, but between two steps of a reorg
	void    bool
}

// alive says whether what lies on the coin counts: while something may yet spend it.
func (c coin) alive() bool { return c.spends == 0 && !c.void }

func (c coin) empty() bool { return len(c.charges) == 0 && c.alive() }

// burial is a spend that is buried.
type burial struct {
	coins []Coin // each once
	at    int64
}

// Bury says that a spend of coins, by whoever, is so deep that it is final: what lay on them
// lies no more, and what the spend took, where it was signed here, counts by its time, the
// median time past of its block. To say it again with another time is to correct it.
func (b Book) Bury(spend TxID, coins []Coin, at int64) Book {
	b = b.Unbury(spend)
	x := burial{distinct(coins), max(0, at)}
	for _, c := range x.coins {
		b = b.change(c, func(c *coin) { c.spends++ })
	}
	b.buried = b.buried.Set(byTx(spend[:]), x)
	b.since = b.since.Set(timeTx(x.at, spend), byTx(spend[:]))
	return b.took(spend, x.at, 1)
}

// Unbury says that a buried spend is so no more, after a reorg: what lay on its coins lies
// again. One that is not buried, or was pruned, changes nothing.
func (b Book) Unbury(spend TxID) Book {
	x, ok := b.buried.Get(byTx(spend[:]))
	if !ok {
		return b
	}
	b.buried = b.buried.Delete(byTx(spend[:]))
	b.since = b.since.Delete(timeTx(x.at, spend))
	for _, c := range x.coins {
		b = b.change(c, func(c *coin) { c.spends = max(0, c.spends-1) })
	}
	return b.took(spend, x.at, -1)
}

// Void says that a coin can never exist, since another spend of what it was to be made of is
// buried: what lies on it counts no more.
func (b Book) Void(c Coin) Book { return b.change(c, func(c *coin) { c.void = true }) }

// Revive says that a coin may exist again.
func (b Book) Revive(c Coin) Book { return b.change(c, func(c *coin) { c.void = false }) }

func (b Book) alive(c Coin) bool {
	x, _ := b.coins.Get(byCoin(c[:]))
	return x.alive()
}

// change changes what is known of a coin, and with it whether what lies on it counts.
func (b Book) change(c Coin, by func(*coin)) Book {
	x, _ := b.coins.Get(byCoin(c[:]))
	was := x.alive()
	by(&x)
	b = b.keep(c, x)
	is := x.alive()
	if was == is {
		return b
	}
	for _, t := range x.charges {
		if is {
			b = b.lies(t, 1)
		} else {
			b = b.lies(t, -1)
		}
	}
	for k := range pmap.Prefix(b.first, byBoth(c[:])) {
		if s, ok := b.signed.Get(byTx(k[len(c):])); ok && s.charged {
			b = b.list(TxID([]byte(k[len(c):])), s, is)
		}
	}
	return b
}

// keep keeps what is known of a coin, where it is anything.
func (b Book) keep(c Coin, x coin) Book {
	if x.empty() {
		b.coins = b.coins.Delete(byCoin(c[:]))
	} else {
		b.coins = b.coins.Set(byCoin(c[:]), x)
	}
	return b
}

// took counts what a buried spend took, where it was signed, or takes that back.
func (b Book) took(tx TxID, at, sign int64) Book {
	s, _ := b.signed.Get(byTx(tx[:]))
	for _, t := range s.takes {
		b = b.left(at, t, sign)
	}
	return b
}

// Prune forgets spends that were buried so long ago that no window has them, with what was
// signed for their coins and can never confirm. What it forgot must not be told again: a
// Book that is made anew is told everything before it is pruned. A tip that goes back by less
// than Margin finds all it needs. Void coins are kept, and what is signed whose first coin
// is alive.
func (b Book) Prune(now int64) Book {
	for at, key := range b.since.All() {
		if at.seconds() >= now-Longest-Margin {
			break
		}
		b = b.forget(TxID([]byte(key)))
	}
	return b
}

// forget forgets a buried spend, and its coins.
func (b Book) forget(spend TxID) Book {
	key := byTx(spend[:])
	x, _ := b.buried.Get(key)
	b = b.took(spend, x.at, -1)
	b.buried, b.since = b.buried.Delete(key), b.since.Delete(timeTx(x.at, spend))
	for _, c := range x.coins {
		b.coins = b.coins.Delete(byCoin(c[:]))
		for k := range pmap.Prefix(b.first, byBoth(c[:])) {
			b.first, b.signed = b.first.Delete(k), b.signed.Delete(byTx(k[len(c):]))
		}
	}
	return b
}
