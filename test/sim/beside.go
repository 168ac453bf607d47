package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// This file is the other wallet of the same nodes: another group of the same
// people, with a journal, a chain and liars of its own. The nodes share what one
// process has: it runs or not, it has one clock, one disk that is full or not, one
// backup, one sign guard, and one link to each of the others.

// LieAcross says in one wallet what was said in the other.
const LieAcross Kind = "across"

// beside is set in the seed of the other wallet, so that it draws other numbers.
const beside = 1 << 40

// besides plans the other wallet: what its users do, and how its members lie.
// Machines fail as the plan of the first says.
func besides(r *rand.Rand, p *Plan) {
	p.Beside = true
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool { return a.Kind == Lose }) // in one wallet only, it would be two people
	users := []Kind{UserPropose, UserPropose, UserReplace, UserApprove, UserApprove, UserApprove, UserReject, UserWithdraw, UserLease, UserAgain, UserLabel, Deposit, Reorg, Block, Snapshot}
	more := slices.Concat(lies(), capLies())
	draw := func(k Kind, who int, until time.Duration, where bool) {
		p.Actions = append(p.Actions, Action{time.Duration(r.Int64N(int64(until))), k, who, [4]uint32{r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()}, where})
	}
	for range 10 + r.IntN(20) {
		draw(users[r.IntN(len(users))], r.IntN(p.N), quiet, true)
	}
	if n := len(p.Byzantine); n > 0 {
		for range 2 + r.IntN(10) {
			draw(more[r.IntN(len(more))].kind, p.Byzantine[r.IntN(n)], quiet+5*time.Minute, true)
		}
		for i := range 2 + r.IntN(4) {
			draw(LieAcross, p.Byzantine[r.IntN(n)], quiet+5*time.Minute, i%2 == 0)
		}
	}
	slices.SortStableFunc(p.Actions, func(a, b Action) int { return int(a.At - b.At) })
}

// addBeside gives the nodes of a world another wallet.
func (w *world) addBeside() error {
	plan := w.plan
	plan.Seed += beside
	plan.K, plan.Calm, plan.Allowance, plan.Actions = w.plan.K%w.plan.N+1, 0, 0, nil // another threshold: other addresses
	base, err := w.pool.group(plan.K, plan.N, false)
	if err != nil {
		return err
	}
	o := newWorld(w.pool, plan)
	o.base, o.group, o.chain = base, base.id, base.chain.clone(plan.Seed)
	o.queue, o.cuts = w.queue, w.cuts
	o.beside, w.beside = w, o
	for i, n := range w.nodes {
		n.twin, o.nodes[i].twin = o.nodes[i], n
	}
	return nil
}

// shareDisk puts both wallets of each node on one disk.
func (w *world) shareDisk() {
	for _, n := range w.nodes {
		if n.twin != nil && n.twin.disk.guard != n.disk.guard {
			*n.twin.disk.guard = append(*n.twin.disk.guard, *n.disk.guard...)
			n.disk.guard = n.twin.disk.guard
		}
	}
}

// wallets are those of a node, the one it is named by first.
func (n *node) wallets() []*node {
	if n.twin == nil {
		return []*node{n}
	}
	return []*node{n, n.twin}
}

// fail lets the next commits of a node fail, whatever wallet they are of.
func (n *node) fail(err error, times int) {
	for _, x := range n.wallets() {
		x.disk.fails, x.disk.times = err, times
	}
}

// mergeBeside adds to what came of a run what came of the other wallet.
func (w *world) mergeBeside() {
	o := w.beside
	if o == nil {
		return
	}
	w.count("runs with two wallets")
	for what, n := range o.counts {
		w.counts[what] += n
	}
	for _, v := range o.violations {
		w.violations = append(w.violations, "in the other wallet: "+v)
	}
	for _, l := range o.log {
		w.log = append(w.log, l+" (in the other wallet)")
	}
	w.steps += o.steps
	w.trace = journal.H("trace", w.trace[:], o.trace[:])
}

// across brings what members wrote in the other wallet into this one: as it is,
// under this wallet's name, and as words of the liar's own.
func (l *liar) across(r [4]uint32) {
	n := l.n
	if n.twin == nil || !n.twin.in {
		return
	}
	other := n.w.nodes[int(r[0])%len(n.w.nodes)].twin
	c := n.twin.disk.chains[journal.ChainKey{Author: other.id(), Incarnation: 1}]
	if len(c) == 0 {
		return
	}
	everybody := func(int) bool { return true }
	for i := range 3 + int(r[1]%8) {
		e := c[(int(r[2])+i)%len(c)]
		l.tell(e, everybody)
		l.tell(renamed(e, n.w.group), everybody)
		if body, ok := n.w.beside.read(e, n.twin.m); ok {
			l.say(body)
		} else if plain, err := journal.OpenPlain(e); err == nil {
			if ev, err := event.Decode(plain); err == nil {
				l.say(ev.Body)
			}
		}
	}
}

// renamed writes another group over an entry, whose signature stays.
func renamed(e *journal.Entry, g journal.GroupID) *journal.Entry {
	raw := slices.Clone(e.Bytes())
	copy(raw[offGroup:], g[:])
	d, err := journal.Decode(raw)
	if err != nil {
		return nil
	}
	return d
}
