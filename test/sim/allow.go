package sim

import (
	"math"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	shell "github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// perSecond is how many entries time grants an author, written down once more.
const perSecond = 0.05

// together is how many entries are asked for before the first of them is charged.
const together = 9

// allow grants everybody an allowance, as each start of a node does.
func (n *node) allow() {
	n.allowances = nil
	if n.w.plan.Allowance > 0 && n.honest() {
		n.allowances = shell.NewQuota(n.w.plan.Allowance)
		n.took, n.since = map[journal.Author]int{}, n.w.queue.now
	}
}

func (w *world) lies(who journal.Author) bool {
	return slices.ContainsFunc(w.nodes, func(x *node) bool { return !x.honest() && x.id() == who })
}

// admits asks the allowance of a liar, where it is small. (Honest members never
// come near the real one.)
func (n *node) admits(e *journal.Entry) error {
	if n.allowances == nil || !n.w.lies(e.Header().Author) {
		return nil
	}
	err := n.allowances.Admits(&n.m, e, n.clock())
	if err != nil {
		n.w.count("entries beyond an allowance")
		n.w.deferred = true
	}
	return err
}

// charge counts what was stored. What is beyond the allowance of its author was
// stored by somebody else who is honest, within that one's: k-1 liars say what
// they like.
func (n *node) charge(e *journal.Entry) {
	w, who := n.w, e.Header().Author
	if n.allowances == nil || !w.lies(who) {
		return
	}
	n.allowances.Stored(&n.m, e, n.clock())
	n.took[who]++
	granted := float64(w.plan.Allowance) + perSecond*(w.queue.now-n.since).Seconds() + together
	if float64(n.took[who]) <= granted || len(w.plan.Byzantine) >= w.plan.K {
		return
	}
	w.count("entries that others vouched for")
	for _, x := range w.honest() {
		if x.restored || x.replaced {
			return // what it held is gone
		}
		if c := x.disk.chains[e.Chain()]; x != n && len(c) > 0 && c[len(c)-1].Position().Seq >= e.Position().Seq {
			return
		}
	}
	w.violation("%s stored %d entries of %s, beyond its allowance, and nobody honest vouches for them", n.name, n.took[who], w.name(who))
}

// beyondAllowance writes more than an allowance, while the other liars say that
// they hold all that anybody ever writes.
func (l *liar) beyondAllowance(r [4]uint32) {
	w := l.n.w
	everything := func(c *port.Claim) {
		c.Frontier[l.first()] = journal.Position{Seq: math.MaxInt64, ID: journal.EntryID{9}}
	}
	for _, x := range w.nodes {
		if x.honest() || x == l.n {
			continue
		}
		for _, to := range w.honest() {
			x.liar.claims[to.i] = everything
			w.request(to, x)
		}
	}
	for i := range 50 + r[0]%30 {
		l.write(0, &event.AddressLeased{Index: i % 20})
	}
}
