package p2p

import (
	"context"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// maxSearches bounds how many parted chains one session looks into.
const maxSearches = 64

// findForks finds, for chains that part from this node's, the lowest entry that
// differs: with this node's own it proves the fork. It halves the range, so a
// fork deep in a long chain takes few requests.
func (p *puller) findForks(ctx context.Context) error {
	searches := 0
	for k := range p.diverged {
		delete(p.diverged, k)
		if searches++; searches > maxSearches {
			continue
		}
		mine := p.g.inbox.Claim().Frontier[k]
		hi := min(mine.Seq, p.theirs.Frontier[k].Seq)
		if hi == 0 {
			continue
		}
		found, err := p.unheldAt(ctx, k, hi)
		if err != nil {
			return err
		}
		for lo := uint64(1); found != nil && lo < hi; {
			mid := lo + (hi-lo)/2
			e, err := p.unheldAt(ctx, k, mid)
			if err != nil {
				return err
			}
			if e != nil {
				found, hi = e, mid
			} else {
				lo = mid + 1
			}
		}
		// Nothing more in order from this peer: what follows is not linked here.
		p.skip[k], p.known[k] = true, true
		if found == nil {
			continue
		}
		if err := deliver(ctx, p.g, p.peer, found); err != nil {
			p.refused(k, err)
			continue
		}
		p.gained++
		p.s.changed(p.g.id)
	}
	return nil
}

// unheldAt asks for the entries of a chain at one seq and returns one that is
// not held here, or nil.
func (p *puller) unheldAt(ctx context.Context, k journal.ChainKey, seq uint64) (*journal.Entry, error) {
	const both = 2 // an honest peer holds at most a pair of a fork that matters
	answer, err := p.ask(&frame{Kind: kindPull, Asks: []wireAsk{{
		Author: k.Author[:], Incarnation: uint64(k.Incarnation), Seq: seq, Limit: both,
	}}})
	if err != nil {
		return nil, err
	}
	entries, err := checkAll(p.g.id, answer.Entries)
	if err != nil {
		return nil, err
	}
	if len(entries) > both {
		return nil, port.RejectUnasked
	}
	if len(entries) == 0 {
		p.lied = true
	}
	for _, e := range entries {
		if e.Chain() != k || e.Position().Seq < seq {
			return nil, port.RejectUnasked
		}
		if e.Position().Seq == seq && !p.held(ctx, e.ID()) {
			return e, nil
		}
	}
	return nil, nil
}

// evidence returns the ids of their fork evidence that this node lacks, where
// it proves more than what is known here.
func (p *puller) evidence(ctx context.Context) []journal.EntryID {
	mine := p.g.inbox.Claim()
	forks := forkOf(mine)
	var out []journal.EntryID
	for _, f := range p.theirs.Forks {
		if known := forks[f.Chain]; known != 0 && known <= f.Seq {
			continue
		}
		for _, id := range []journal.EntryID{f.A, f.B} {
			if !p.asked[id] && !p.held(ctx, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// fetchIDs fetches fork evidence, entries that a gap named, and entries that
// somebody above wants.
func (p *puller) fetchIDs(ctx context.Context) error {
	claimed := map[journal.EntryID]bool{}
	var ids []journal.EntryID
	for _, id := range p.evidence(ctx) {
		claimed[id] = true
		ids = append(ids, id)
	}
	for _, id := range append(p.needs, p.g.inbox.Wanted()...) {
		if !claimed[id] && !p.asked[id] && !p.held(ctx, id) {
			ids = append(ids, id)
		}
	}
	p.needs = nil
	for len(ids) > 0 && len(p.asked) < maxNeeds && ctx.Err() == nil {
		n := min(len(ids), maxFetch)
		rest, err := p.fetchBatch(ctx, ids[:n], claimed)
		if err != nil {
			return err
		}
		ids = append(rest, ids[n:]...)
	}
	return ctx.Err()
}

// fetchBatch fetches some ids and returns those for which the answer had no room.
func (p *puller) fetchBatch(ctx context.Context, ids []journal.EntryID, claimed map[journal.EntryID]bool) ([]journal.EntryID, error) {
	f := &frame{Kind: kindFetch}
	want := map[journal.EntryID]bool{}
	for _, id := range ids {
		f.IDs = append(f.IDs, id[:])
		want[id] = true
	}
	answer, err := p.ask(f)
	if err != nil {
		return nil, err
	}
	entries, err := checkAll(p.g.id, answer.Entries)
	if err != nil {
		return nil, err
	}
	grown := false
	for _, e := range entries {
		id := e.ID()
		if !want[id] {
			return nil, port.RejectUnasked
		}
		delete(want, id)
		p.asked[id] = true
		if err := deliver(ctx, p.g, p.peer, e); err != nil {
			p.refused(e.Chain(), err)
			continue
		}
		grown = true
	}
	if grown {
		p.gained++
		p.s.changed(p.g.id)
	}
	if answer.Short {
		if len(entries) == 0 {
			return nil, errShort
		}
		var rest []journal.EntryID
		for _, id := range ids {
			if want[id] {
				rest = append(rest, id)
			}
		}
		return rest, nil
	}
	for id := range want {
		p.asked[id] = true
		if claimed[id] {
			p.lied = true
		}
	}
	return nil, nil
}
