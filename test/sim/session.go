package sim

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// This file is /quorate/sync/1 without its frames: claims are exchanged, and
// one side pulls what it lacks, as p2p's puller does.

// maxPull is how many entries one request brings.
const maxPull = 64

// claim is what a node says to another that it holds.
func (n *node) claim(to *node) port.Claim {
	if n.liar != nil {
		return n.liar.claim(to)
	}
	return n.trueClaim()
}

func (n *node) trueClaim() port.Claim {
	c := n.m.State.Chains()
	return port.Claim{Frontier: c.Frontier(), Forks: c.Forks()}
}

func (n *node) serveRange(to *node, k journal.ChainKey, seq uint64, limit int) []*journal.Entry {
	if n.liar != nil {
		return n.liar.serveRange(to, k, seq, limit)
	}
	return rangeOf(n.disk.chains[k], seq, limit)
}

func (n *node) serveEntry(to *node, id journal.EntryID) *journal.Entry {
	if n.liar != nil {
		return n.liar.serveEntry(to, id)
	}
	return n.disk.entries[id]
}

func (n *node) holds(id journal.EntryID) bool { return n.m.State.Chains().Has(id) }

// lacks says whether a claim names anything that this node would pull.
func (n *node) lacks(c port.Claim) bool {
	p := newPull(n, nil, c)
	return len(p.missing()) > 0 || len(p.parted) > 0 || len(p.evidence()) > 0
}

// pull is one session of one node with another.
type pull struct {
	n, from *node
	theirs  port.Claim
	skip    map[journal.ChainKey]bool
	parted  map[journal.ChainKey]bool
	asked   map[journal.EntryID]bool
	needs   []journal.EntryID
	left    int // entries until the stream breaks
	gained  int
	lied    bool
}

func newPull(n, from *node, c port.Claim) *pull {
	return &pull{n: n, from: from, theirs: c, skip: map[journal.ChainKey]bool{}, parted: map[journal.ChainKey]bool{}, asked: map[journal.EntryID]bool{}, left: 1 << 30}
}

// session lets n pull from another member.
func (w *world) session(n, from *node) {
	if !w.connected(n, from) {
		return
	}
	w.count("syncs")
	c := from.claim(n)
	if _, err := n.do(coordinator.ClaimIn{From: from.id(), Claim: c}); err != nil || !w.connected(n, from) {
		return
	}
	if n.paused[from.i] > w.queue.now {
		return
	}
	p := newPull(n, from, c)
	if w.chance(w.plan.Network.Abort) && !w.calm.between(n, from) {
		w.count("syncs broken off")
		p.left = w.rng.IntN(6)
	}
	for before := -1; p.gained != before && p.on(); {
		before = p.gained
		clear(p.skip)
		p.chains()
		p.forks()
		p.byID()
	}
	if p.lied {
		w.count("false claims noticed")
		n.paused[from.i] = w.queue.now + time.Minute<<min(n.lied[from.i], 6)
		n.lied[from.i]++
	}
	if p.gained > 0 && n.up {
		n.announce()
	}
}

// on says whether the session goes on.
func (p *pull) on() bool { return p.left > 0 && p.n.w.connected(p.n, p.from) }

// missing compares the claim with what is held: the chains to pull, by name.
func (p *pull) missing() []journal.Pull {
	mine := p.n.trueClaim()
	forks := map[journal.ChainKey]bool{}
	for _, f := range mine.Forks {
		forks[f.Chain] = true
	}
	var out []journal.Pull
	for _, k := range slices.SortedFunc(maps.Keys(p.theirs.Frontier), journal.ChainKey.Compare) {
		t, m := p.theirs.Frontier[k], mine.Frontier[k]
		switch {
		case p.skip[k] || t.ID == m.ID || t.Seq < 1:
		case t.Seq <= m.Seq:
			if !p.n.holds(t.ID) {
				p.parted[k] = true
			}
		case !forks[k]:
			out = append(out, journal.Pull{Chain: k, From: m.Seq + 1, To: t.Seq})
		}
	}
	return out
}

// chains pulls what follows the end of each chain.
func (p *pull) chains() {
	for p.on() {
		todo := p.missing()
		if len(todo) == 0 {
			return
		}
		for _, m := range todo {
			if !p.on() {
				return
			}
			got := p.from.serveRange(p.n, m.Chain, m.From, maxPull)
			if len(got) == 0 {
				if !slices.ContainsFunc(p.theirs.Forks, func(f journal.Fork) bool { return f.Chain == m.Chain && f.Seq <= m.From }) {
					p.lied = true
				}
				p.skip[m.Chain] = true
				continue
			}
			if !p.take(m.Chain, m.From, got) {
				p.skip[m.Chain] = true
			}
		}
	}
}

// take hands up what was served in order, some of it in one commit. It says
// whether all was taken.
func (p *pull) take(k journal.ChainKey, from uint64, got []*journal.Entry) bool {
	for len(got) > 0 {
		n := min(len(got), 1+p.n.w.rng.IntN(8), p.left)
		if n == 0 || !p.on() {
			return false
		}
		part := got[:n]
		for _, e := range part {
			if e.Chain() != k || e.Position().Seq < from {
				return false // not what was asked for
			}
		}
		p.left -= n
		got = got[n:]
		for _, err := range p.n.receive(p.from, part...) {
			if err == nil {
				p.gained++
				continue
			}
			p.need(k, err)
			return false
		}
	}
	return true
}

func (p *pull) need(k journal.ChainKey, err error) {
	var gap *port.GapError
	if errors.As(err, &gap) && gap.Need != (journal.EntryID{}) {
		p.parted[k] = true
		p.needs = append(p.needs, gap.Need)
	}
}

// forks finds, for chains that part from this node's, the lowest entry that differs.
func (p *pull) forks() {
	for _, k := range slices.SortedFunc(maps.Keys(p.parted), journal.ChainKey.Compare) {
		delete(p.parted, k)
		if !p.on() {
			return
		}
		hi := min(p.n.m.State.Chains().Frontier()[k].Seq, p.theirs.Frontier[k].Seq)
		if hi == 0 {
			continue
		}
		found := p.unheld(k, hi)
		for lo := uint64(1); found != nil && lo < hi; {
			mid := lo + (hi-lo)/2
			if e := p.unheld(k, mid); e != nil {
				found, hi = e, mid
			} else {
				lo = mid + 1
			}
		}
		if found == nil {
			continue
		}
		if err := p.n.receive(p.from, found)[0]; err != nil {
			p.need(k, err)
			continue
		}
		p.gained++
	}
}

func (p *pull) unheld(k journal.ChainKey, seq uint64) *journal.Entry {
	got := p.from.serveRange(p.n, k, seq, 2)
	if len(got) == 0 {
		p.lied = true
	}
	for _, e := range got {
		if e.Chain() == k && e.Position().Seq == seq && !p.n.holds(e.ID()) {
			return e
		}
	}
	return nil
}

// evidence returns what their forks prove beyond those known here.
func (p *pull) evidence() []journal.EntryID {
	mine := map[journal.ChainKey]uint64{}
	for _, f := range p.n.m.State.Chains().Forks() {
		mine[f.Chain] = f.Seq
	}
	var out []journal.EntryID
	for _, f := range p.theirs.Forks {
		if known := mine[f.Chain]; known != 0 && known <= f.Seq {
			continue
		}
		for _, id := range []journal.EntryID{f.A, f.B} {
			if !p.asked[id] && !p.n.holds(id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// byID fetches evidence, what a gap named, and what the machine wants.
func (p *pull) byID() {
	evidence := p.evidence()
	ids := slices.Concat(evidence, p.needs, p.n.m.Wanted())
	p.needs = nil
	for n, id := range ids {
		if p.asked[id] || p.n.holds(id) || !p.on() {
			continue
		}
		p.asked[id] = true
		e := p.from.serveEntry(p.n, id)
		if e == nil || e.ID() != id {
			p.lied = p.lied || n < len(evidence)
			continue
		}
		p.left--
		if err := p.n.receive(p.from, e)[0]; err != nil {
			p.need(e.Chain(), err)
			continue
		}
		p.gained++
	}
}
