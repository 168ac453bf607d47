package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

func newWorld(p *Pool, plan Plan) *world {
	w := &world{
		pool: p, plan: plan, start: birthTime(), faulty: true, queue: &queue{},
		rng:  rand.New(rand.NewPCG(plan.Seed, 0x6e6574)),
		cuts: map[pair]int{}, counts: map[string]int{}, authored: map[place]journal.EntryID{}, broadcasts: map[[32]byte]bool{},
		chain: newChain(plan.Seed),
	}
	for i := range plan.N {
		n := &node{person: p.member(i), w: w, i: i, up: true, disk: newDisk(), paused: map[int]time.Duration{}, lied: map[int]int{}, agreedTo: map[[32]byte]agreedTo{}}
		if slices.Contains(plan.Byzantine, i) {
			n.liar = newLiar(n)
		}
		w.nodes = append(w.nodes, n)
	}
	return w
}

// group returns an active group of a shape, founding it the first time.
func (p *Pool) group(k, n int, hosted bool) (*funded, error) {
	at := shape{k, n, hosted}
	if g := p.groups[at]; g != nil {
		return g, nil
	}
	p.Reseed(uint64(1000*k + n))
	w := newWorld(p, Plan{Seed: uint64(100*k + n), K: k, N: n, Found: true, Hosted: hosted})
	w.faulty = false
	w.begin()
	w.queue.run(3*time.Minute, w.stop)
	g := &funded{id: w.group, chain: w.chain}
	for _, x := range w.nodes {
		if x.m.State.Active() == nil {
			return nil, fmt.Errorf("a group without faults is not active: %s (%v)", x.m.Missing(), w.violations)
		}
		g.machines, g.disks, g.links = append(g.machines, x.m), append(g.disks, x.disk), append(g.links, x.link)
	}
	// It is old: what looks at all of the chain is no glance at the newest blocks.
	for range 300 {
		w.chain.mine(w.start.Add(w.queue.now).Unix(), func() bool { return true })
	}
	w.pollAll()
	w.queue.run(4*time.Minute, w.stop)
	for i, x := range w.nodes {
		g.machines[i], g.disks[i], g.links[i] = x.m, x.disk, x.link
	}
	if len(w.violations) > 0 {
		return nil, fmt.Errorf("a group without faults: %v", w.violations)
	}
	p.groups[at] = g
	return g, nil
}

// funds is what a group begins with, in satoshis.
func funds() []int64 { return []int64{1_000_000, 600_000, 300_000, 90_000} }

// fund pays the first addresses.
func (w *world) fund(a *group.Active) {
	var outs []*wire.TxOut
	for i, amount := range funds() {
		s, err := a.Descriptor.Script(wallet.BranchExternal, uint32(i))
		if err != nil {
			w.violation("derive address %d: %v", i, err)
			return
		}
		outs = append(outs, wire.NewTxOut(amount, s.PkScript))
	}
	w.chain.deposit(outs...)
	w.funded = true
	w.mine()
}

// begin puts the nodes in place: in an active group, or before it is founded.
func (w *world) begin() {
	if !w.plan.Found {
		for i, n := range w.nodes {
			n.m, n.disk, n.link = n.asRobot(w.base.machines[i]), w.base.disks[i].clone(), w.base.links[i]
		}
		w.funded = true
		for _, n := range w.nodes {
			for id, e := range n.disk.entries {
				w.authored[place{e.Chain(), e.Position().Seq}] = id
			}
		}
		for _, n := range w.nodes {
			n.begin()
			n.follow(coordinator.Follow(n.m.View.Follow()))
		}
		w.queue.after(10*time.Second, func() { w.mineEach(40 * time.Second) })
		return
	}
	w.chain.mine(w.start.Unix(), func() bool { return true })
	w.found(w.nodes[0])
	for _, n := range w.nodes[1:] {
		w.queue.after(w.delay(), func() { w.join(n) })
	}
	w.queue.after(5*time.Second, w.compare)
	w.queue.after(5*time.Second, w.enterHosted)
	w.queue.after(10*time.Second, func() { w.mineEach(40 * time.Second) })
}

// found lets the first member found the group. A disk that fails makes it try
// again: nothing was acknowledged.
func (w *world) found(f *node) {
	g := event.Genesis{Threshold: w.plan.K, Cosigners: w.plan.cosigners(), Script: "wsh", Network: "regtest"}
	m, invites, effects, err := coordinator.Found(f.self, f.input(nil), g, "treasury", f.name, f.key(), 0, nil, f.clock().Add(coordinator.InviteLife))
	if err != nil {
		w.violation("found: %v", err)
		return
	}
	w.group, w.invites = m.State.Group(), invites
	f.enter(m, effects)
}

// enter makes a first step durable and lets the machine run.
func (n *node) enter(m coordinator.Machine, effects []coordinator.Effect) bool {
	for _, e := range effects {
		if p, ok := e.(coordinator.Persist); ok {
			if n.commit(m, p.Batch, effects) != nil {
				return false
			}
		}
	}
	// What was not linked or published in this step is by the next start.
	n.up = false
	n.restart()
	return true
}

// join presents an invite until the answer comes.
func (w *world) join(n *node) {
	again := func() { w.queue.after(5*time.Second, func() { w.join(n) }) }
	f := w.nodes[0]
	if n.in || !n.up || !f.up || w.cuts[pairOf(n, f)] > 0 || w.chance(w.plan.Network.Loss) {
		if !n.in {
			again()
		}
		return
	}
	inv := w.invites[n.i-1]
	nonce := n.input(nil).Entropy
	v, err := f.do(coordinator.Admit{Joiner: n.id(), Nonce: nonce, Proof: inv.Proof(n.id(), nonce)})
	if errors.Is(err, port.ErrInviteExpired) {
		// By the founder's clock. It issues another, where nobody took the place.
		if v, err := f.do(coordinator.NewInvite{Expires: f.clock().Add(coordinator.InviteLife)}); err == nil {
			w.invites[n.i-1], _ = v.(port.Invite)
			w.count("invites issued again")
		}
	}
	grant, ok := v.(port.Grant)
	if err != nil || !ok || w.chance(w.plan.Network.Loss) {
		again() // no answer, or one that got lost
		return
	}
	m, effects, err := coordinator.Enter(n.self, n.input(nil), inv, grant, wallet.Regtest, n.name, n.key(), 0)
	if err != nil {
		w.violation("%s: enter: %v", n.name, err)
		return
	}
	if !n.enter(m, effects) {
		again()
	}
}

// compare is people who read six words to each other: one ratifies when all
// others who are honest see the same.
func (w *world) compare() {
	if w.funded && !slices.ContainsFunc(w.nodes, func(n *node) bool { return n.m.State.Active() == nil }) {
		return
	}
	w.queue.after(15*time.Second, w.compare)
	var words string
	for _, n := range w.honest() {
		if !n.in || !n.up {
			return
		}
		r, ok := n.m.State.Roster()
		if !ok || !r.Complete() || (words != "" && words != r.Words()) {
			return
		}
		words = r.Words()
	}
	for _, n := range w.nodes {
		if r, ok := n.m.State.Roster(); n.in && n.up && n.m.State.Active() == nil && ok && r.Complete() {
			if !ratified(r, n.id()) {
				_, _ = n.do(coordinator.Ratify{Words: words, AcceptHosted: true, AcceptUnproven: true})
			}
			if w.plan.Hosted && n == w.host() { // again, where it died between the two
				_, _ = n.do(coordinator.Ratify{Words: words, For: hosted})
			}
		}
		if a := n.m.State.Active(); a != nil && !w.funded {
			w.fund(a)
		}
	}
}

func ratified(r *group.Roster, who journal.Author) bool {
	return slices.ContainsFunc(r.Members, func(m group.Member) bool { return m.Identity == who && r.Ratified[m.Record] })
}
