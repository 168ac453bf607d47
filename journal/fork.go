package journal

// Fork is proof that an author wrote two entries for one place of a chain.
type Fork struct {
	Chain ChainKey
	Seq   uint64
	A, B  EntryID // A < B
}

// forkAt records an entry at a seq where another one is linked: from there on
// nothing counts as linked. Entries become loose once and never linked again,
// so the work is bounded by the number of entries.
func (ch *chain) forkAt(at Position) {
	for seq := at.Seq; seq <= ch.tail.Seq; seq++ {
		ch.loose = ch.loose.Set(looseKey(Position{seq, ch.linked.at(seq)}), struct{}{})
	}
	ch.linked = ch.linked.until(at.Seq - 1)
	ch.loose = ch.loose.Set(looseKey(at), struct{}{})
	ch.fork = at.Seq
	ch.tail = ch.linked.last()
}

// ForkedAt returns the lowest seq of a chain at which two entries are held, or
// 0 if there is none. A lower one may be found later, never a higher one.
func (c Chains) ForkedAt(key ChainKey) uint64 { return c.chain(key).fork }

// Forks returns the lowest fork of every forked chain, ordered by chain, each
// with the two lowest ids held there.
func (c Chains) Forks() []Fork {
	var forks []Fork
	for _, ch := range c.chains.All() {
		if ch.fork == 0 {
			continue
		}
		at := ch.atFork()
		forks = append(forks, Fork{Chain: *ch.key, Seq: ch.fork, A: at[0], B: at[1]})
	}
	return forks
}

// Extra returns the ids of a third and every further entry held at the lowest
// fork of a chain, ascending: those that Forks does not show. They are there
// because they were wanted, or because they were linked or kept before the
// lower ids came.
func (c Chains) Extra(key ChainKey) []EntryID {
	ch := c.chain(key)
	if ch.fork == 0 {
		return nil
	}
	return ch.atFork()[2:]
}

// atFork returns the ids held at the fork, ascending: two of them at least.
func (ch *chain) atFork() []EntryID {
	var ids []EntryID
	for k := range ch.loose.All() {
		p := loosePosition(k)
		if p.Seq != ch.fork {
			break
		}
		ids = append(ids, p.ID)
	}
	return ids
}

// Tainted says whether what the entry at a seq of a chain says may not count:
// it is at or past the chain's lowest fork, or past its cut. The cut of an
// incarnation is the seq that entry 1 of the next one names; cuts returns it
// where there is one. The entry itself need not be held.
func (c Chains) Tainted(key ChainKey, seq uint64, cuts func(ChainKey) (uint64, bool)) bool {
	if fork := c.ForkedAt(key); fork != 0 && seq >= fork {
		return true
	}
	cut, ok := cuts(key)
	return ok && seq > cut
}
