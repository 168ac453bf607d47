package sim

import (
	"cmp"
	"maps"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/policy"
)

// meterOf is a meter by its name, and whose of it: of a meter for each initiator a key, of one
// for each recipient a name.
type meterOf struct {
	name string
	per  policy.Per
	key  int
	to   string
}

// finalDepth is how deep a block is that no reorg takes back, written down once more.
const finalDepth = 6

// leastWindow is the shortest that any meter has, written down once more.
const leastWindow = 6 * 3600

// checkLimits: whatever was signed and is held back, in no window does more confirm than the
// limit of a meter.
func (r *robotRun) checkLimits(n *node) {
	if r.w.stop() || len(r.order) == 0 {
		return
	}
	for _, of := range r.meters() {
		limit, window, bound := r.terms(of)
		if !bound {
			continue
		}
		tip := len(r.w.chain.blocks)
		most := max(r.worst(of, tip, window), r.worst(of, max(r.base, tip-finalDepth+1), window))
		r.most[of], r.over[of] = max(r.most[of], most), max(r.over[of], limit)
		if most > limit*r.lives {
			r.w.violation("%s: %d sat can leave in a window of %d s by the meter %v, of %d in %d lives", n.name, most, window, of, limit, r.lives)
			r.explain(of)
			return
		}
	}
}

// meters are those of the policies by which robots signed.
func (r *robotRun) meters() (out []meterOf) {
	for _, p := range r.policies {
		for _, m := range p.Meters {
			switch m.Per {
			case policy.PerGroup:
				out = append(out, meterOf{name: m.Name})
			case policy.PerInitiator:
				for k := range r.w.plan.N {
					out = append(out, meterOf{name: m.Name, per: m.Per, key: k})
				}
			case policy.PerRecipient:
				for _, to := range p.Recipients {
					out = append(out, meterOf{name: m.Name, per: m.Per, to: to.Name})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b meterOf) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.per, b.per), cmp.Compare(a.key, b.key), cmp.Compare(a.to, b.to))
	})
	return slices.Compact(out)
}

// terms are the largest limit and the shortest window that a meter had in the policies by
// which robots signed what it counts; bound is false where one of them had no such meter.
func (r *robotRun) terms(of meterOf) (limit, window int64, bound bool) {
	bound = true
	seen := map[event.PolicyVersion]bool{}
	for _, x := range r.order {
		if r.counts(of, x) == 0 {
			continue
		}
		for _, s := range x.by {
			if p := r.policies[s.policy]; p != nil && !seen[s.policy] {
				seen[s.policy] = true
				at := slices.IndexFunc(p.Meters, func(m policy.Meter) bool { return m.Name == of.name && m.Per == of.per })
				if at < 0 {
					bound = false
					continue
				}
				m := p.Meters[at]
				if limit = max(limit, m.Limit); window == 0 || m.Window < window {
					window = m.Window
				}
			}
		}
	}
	return limit, max(window, leastWindow), bound && window > 0
}

// counts is what a meter counts of a transaction: nothing where too few honest robots signed
// it for anybody to use it.
func (r *robotRun) counts(of meterOf, x *robotSigned) int64 {
	if !r.spendable(x) {
		return 0
	}
	switch of.per {
	case policy.PerRecipient:
		return x.to[of.to]
	case policy.PerInitiator:
		n := 0
		for _, s := range x.by {
			if s.initiator == of.key {
				n++
			}
		}
		if n < r.needs() {
			return 0
		}
	}
	return x.takes
}

// worst is the most that a meter counts in any window, in the chain as far as some of its
// blocks and in all that may come after them.
func (r *robotRun) worst(of meterOf, blocks int, window int64) int64 {
	at, spent := map[chainhash.Hash]int64{}, map[wire.OutPoint]chainhash.Hash{}
	var now int64
	for _, b := range r.w.chain.blocks[r.base:max(r.base, blocks)] {
		now = b.ref.MedianTime
		for _, tx := range b.txs {
			id := r.w.chain.id(tx)
			at[id] = b.ref.MedianTime
			for _, in := range tx.TxIn {
				spent[in.PreviousOutPoint] = id
			}
		}
	}
	var free []*robotSigned
	for _, x := range r.order {
		if _, is := at[x.id]; !is && r.counts(of, x) > 0 {
			free = append(free, x)
		}
	}
	next := r.greatest(free, spent, func(x *robotSigned) int64 { return r.counts(of, x) }, at)
	most := next
	ends := slices.Sorted(maps.Values(at))
	for _, end := range append(slices.Compact(ends), now) {
		sum := int64(0)
		for _, x := range r.order {
			if t, is := at[x.id]; is && t <= end && t >= end-window {
				sum += r.counts(of, x)
			}
		}
		if end == now {
			sum += next
		}
		most = max(most, sum)
	}
	return most
}

// greatest is the most that some transactions take of which no two, nor two of those that they
// rest on, spend a coin of another.
func (r *robotRun) greatest(free []*robotSigned, spent map[wire.OutPoint]chainhash.Hash, worth func(*robotSigned) int64, at map[chainhash.Hash]int64) int64 {
	type candidate struct {
		worth int64
		needs map[wire.OutPoint]chainhash.Hash
	}
	var all []candidate
	for _, x := range free {
		c := candidate{worth(x), map[wire.OutPoint]chainhash.Hash{}}
		if r.rests(x.id, c.needs, spent, at) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.worth, a.worth) })
	left := make([]int64, len(all)+1)
	for n := len(all) - 1; n >= 0; n-- {
		left[n] = left[n+1] + all[n].worth
	}
	var best int64
	taken := map[wire.OutPoint]chainhash.Hash{}
	var try func(n int, sum int64)
	try = func(n int, sum int64) {
		best = max(best, sum)
		if n == len(all) || sum+left[n] <= best {
			return
		}
		var mine []wire.OutPoint
		fits := true
		for o, by := range all[n].needs {
			if was, is := taken[o]; is && was != by {
				fits = false
			} else if !is {
				mine = append(mine, o)
			}
		}
		if fits {
			for _, o := range mine {
				taken[o] = all[n].needs[o]
			}
			try(n+1, sum+all[n].worth)
			for _, o := range mine {
				delete(taken, o)
			}
		}
		try(n+1, sum)
	}
	try(0, 0)
	return best
}

// rests collects the coins that a transaction spends, and those that it rests on where these
// are in no block. It says whether it can be mined.
func (r *robotRun) rests(id chainhash.Hash, needs map[wire.OutPoint]chainhash.Hash, spent map[wire.OutPoint]chainhash.Hash, at map[chainhash.Hash]int64) bool {
	var coins []wire.OutPoint
	if x := r.signed[id]; x != nil {
		coins = x.coins
	} else if tx := r.w.chain.known[id]; tx != nil && !external(tx) {
		for _, in := range tx.TxIn {
			coins = append(coins, in.PreviousOutPoint)
		}
	}
	for _, o := range coins {
		if by, gone := spent[o]; gone && by != id {
			return false
		}
		if was, is := needs[o]; is && was != id {
			return false
		}
		needs[o] = id
		if _, mined := at[o.Hash]; !mined && !r.w.chain.old(o.Hash, r.base) && !r.rests(o.Hash, needs, spent, at) {
			return false
		}
	}
	return true
}

// old says whether a transaction is in one of the first blocks.
func (c *chain) old(id chainhash.Hash, blocks int) bool {
	for _, b := range c.blocks[:min(blocks, len(c.blocks))] {
		for _, tx := range b.txs {
			if c.id(tx) == id {
				return true
			}
		}
	}
	return false
}

// explain notes what was signed that a meter counts.
func (r *robotRun) explain(of meterOf) {
	for v, p := range r.policies {
		r.w.note("policy %v: robots %b, %d tolerated, meters %+v", v, p.Robots, p.Tolerate, p.Meters)
	}
	for _, b := range r.w.chain.blocks[r.base:] {
		r.w.note("block %d at %d, %d transactions", b.ref.Height, b.ref.MedianTime, len(b.txs))
	}
	for _, x := range r.order {
		for _, n := range slices.Sorted(maps.Keys(x.by)) {
			s := x.by[n]
			r.w.note("%s signed %v, an entry of %c, by policy %v: %d sat over %v, mined at %d; it replaces %v", r.w.nodes[n].name, x.id.String()[:8], 'A'+rune(s.initiator), s.policy, r.counts(of, x), x.coins, r.w.chain.confirmed(x.id), x.p.Body.Replaces)
		}
	}
}
