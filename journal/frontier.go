package journal

import (
	"iter"
	"slices"
)

// Frontier is the last linked entry of every chain that has one. Of a forked
// chain it is the one before the lowest fork.
type Frontier map[ChainKey]Position

// Pull names entries to ask for: those of a chain from seq From to seq To, both
// included.
type Pull struct {
	Chain    ChainKey
	From, To uint64
}

// Frontier returns the last linked entry of every chain.
func (c Chains) Frontier() Frontier {
	f := make(Frontier, c.chains.Len())
	for _, ch := range c.chains.All() {
		if ch.tail.Seq != 0 {
			f[*ch.key] = ch.tail
		}
	}
	return f
}

// Missing returns what a member holds, going by its frontier, that is not held
// here, ordered by chain: entries after the last linked one, and single entries
// that differ from the one linked here, which prove a fork. What is past a fork
// known here is not in it. A frontier is only a claim.
func (c Chains) Missing(theirs Frontier) []Pull {
	var pulls []Pull
	for key, at := range theirs {
		if at.Seq < 1 || at.Seq > MaxSeq || key.Incarnation < 1 || key.Incarnation > MaxIncarnation || c.Has(at.ID) {
			continue
		}
		ch := c.chain(key)
		switch {
		case at.Seq <= ch.tail.Seq:
			pulls = append(pulls, Pull{Chain: key, From: at.Seq, To: at.Seq})
		case ch.fork == 0:
			pulls = append(pulls, Pull{Chain: key, From: ch.tail.Seq + 1, To: at.Seq})
		}
	}
	slices.SortFunc(pulls, func(a, b Pull) int { return a.Chain.Compare(b.Chain) })
	return pulls
}

// At returns the linked entry at a seq of a chain.
func (c Chains) At(key ChainKey, seq uint64) (EntryID, bool) {
	ch := c.chain(key)
	if seq < 1 || seq > ch.tail.Seq {
		return EntryID{}, false
	}
	return ch.linked.at(seq), true
}

// Keys yields the chains of which anything is held, in order.
func (c Chains) Keys() iter.Seq[ChainKey] {
	return func(yield func(ChainKey) bool) {
		for _, ch := range c.chains.All() {
			if !yield(*ch.key) {
				return
			}
		}
	}
}

// KeysOf yields the chains of one author that entries are held of, in order.
func (c Chains) KeysOf(author Author) iter.Seq[ChainKey] {
	return func(yield func(ChainKey) bool) {
		for _, ch := range c.chains.From(ChainKey{Author: author}.mapKey()) {
			if ch.key.Author != author || !yield(*ch.key) {
				return
			}
		}
	}
}

// LooseEntries yields the entries at and past the lowest fork of a chain, by
// seq and then by id.
func (c Chains) LooseEntries(key ChainKey) iter.Seq[Position] {
	ch := c.chain(key)
	return func(yield func(Position) bool) {
		for k := range ch.loose.All() {
			if !yield(loosePosition(k)) {
				return
			}
		}
	}
}
