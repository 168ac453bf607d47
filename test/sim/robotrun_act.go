package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// act performs an action of a run of robots; false where it is one of any run.
func (r *robotRun) act(a Action) bool {
	w, n := r.w, r.w.nodes[a.Who]
	if n.m.State.Active() == nil {
		return true
	}
	switch a.Kind {
	case RobotSplit, RobotIsolate:
		r.cuts(a)
	case RobotHours:
		r.hours(a.R)
	case RobotRelease:
		r.release(a.R)
	case RobotReorg:
		r.reorg(a.R)
	case RobotSkew:
		n.skew = []time.Duration{7 * time.Hour, 25 * time.Hour, 72 * time.Hour, 30 * 24 * time.Hour, -2 * time.Hour, -240 * time.Hour}[a.R[0]%6]
		w.count("clocks moved")
	case RobotDeposit:
		r.deposit(n)
	case RobotSteal:
		r.steal(n, a.R)
	case Restore:
		r.restore(n, a.R)
	default:
		return r.says(n, a)
	}
	w.note("%s %s", n.name, a.Kind)
	return true
}

// says has somebody say something, if his node runs.
func (r *robotRun) says(n *node, a Action) bool {
	var do func(*node, Action)
	switch a.Kind {
	case RobotPay:
		do = r.pay
	case RobotChain:
		do = r.chain
	case RobotAgain:
		do = r.again
	case RobotApprove:
		do = r.approve
	case RobotWithdraw:
		do = r.withdraw
	case RobotReject:
		do = r.reject
	case RobotBad:
		do = r.bad
	case RobotPolicy:
		do = r.propose
	case RobotVote:
		do = r.vote
	case RobotFreeze:
		do = func(n *node, a Action) { _, _ = n.command(a, coordinator.Stop{Reason: fmt.Sprint("wait ", a.R[0]%3)}) }
	case RobotLift:
		do = r.lift
	default:
		return false
	}
	if n.up && n.in {
		do(n, a)
	}
	return true
}

// deposit gives the wallet many coins, in a block.
func (r *robotRun) deposit(n *node) {
	var outs []*wire.TxOut
	for i := range uint32(16) {
		s, err := n.m.State.Active().Descriptor.Script(0, i)
		if err != nil {
			r.w.violation("derive address %d: %v", i, err)
			return
		}
		outs = append(outs, wire.NewTxOut(int64(60_000+20_000*i), s.PkScript))
	}
	r.w.chain.deposit(outs...)
	r.mine(1)
}

// mine adds blocks with all that can be in them.
func (r *robotRun) mine(blocks int) {
	for range blocks {
		r.w.chain.mine(r.w.start.Add(r.w.queue.now).Unix(), func() bool { return true })
	}
	r.w.pollAll()
}

// hours lets time pass, for everybody: a window or less, or more than one.
func (r *robotRun) hours(x [4]uint32) {
	d := []time.Duration{time.Hour, 3 * time.Hour, 7 * time.Hour, 13 * time.Hour, 25 * time.Hour, 25 * time.Hour}[x[0]%6]
	n := 7 + int(x[1]%3)
	for range n {
		r.w.start = r.w.start.Add(d / time.Duration(n))
		r.mine(1)
	}
	r.w.count("robots: hours passed")
}

// reorg takes back what is not final, and other blocks come.
func (r *robotRun) reorg(x [4]uint32) {
	depth := 1 + int(x[0]%(finalDepth-1))
	r.w.chain.reorg(depth, func() bool { return x[1]%2 == 0 })
	for range depth + 1 {
		r.w.mine()
	}
	r.w.count("reorgs")
}

func (r *robotRun) cuts(a Action) {
	w := r.w
	humans := uint32(0)
	for i := range w.nodes {
		if !slices.Contains(w.plan.Robots, i) {
			humans |= 1 << i
		}
	}
	sides, d := humans, seconds(a.R[0], 30)
	if a.Kind == RobotSplit {
		sides, d = a.R[0], time.Duration(a.R[1])*time.Second
		if of := w.plan.Robots; len(of) > 1 && sides>>of[0]&1 == sides>>of[1]&1 && a.R[2]%4 > 0 {
			sides ^= 1 << of[1]
		}
		w.count("partitions")
	}
	for i, x := range w.nodes {
		for j, y := range w.nodes[:i] {
			if sides>>i&1 != sides>>j&1 {
				w.cut(x, y, d)
			}
		}
	}
}

// release has what was signed and held back used: in one block, as much as fits together.
func (r *robotRun) release(x [4]uint32) {
	c, used := r.w.chain, 0
	c.mempool = nil
	for n := range r.order {
		s := r.order[(n+int(x[0]))%len(r.order)]
		if !r.spendable(s) || c.confirmed(s.id) > 0 || x[1]>>(n%32)&1 == 1 && n > 0 {
			continue
		}
		tx := r.complete(s)
		if tx == nil {
			return
		}
		if c.accept(tx) == nil {
			used++
		}
	}
	if used > 0 {
		r.w.counts["robots: signatures used"] += used
		r.mine(1)
	}
}

// steal spends a coin without an honest robot, where those who are left can.
func (r *robotRun) steal(n *node, x [4]uint32) {
	if r.w.plan.N-len(r.honestRobots()) < r.w.plan.K {
		return
	}
	body := r.draft(n, r.coins(n, x[0], true, 20_000), recipient(99), 15_000, 0, 1)
	if body == nil {
		return
	}
	spend, err := spendOf(n.m.State.Active(), body)
	if err != nil {
		return
	}
	tx := r.complete(&robotSigned{spend: spend})
	if tx == nil {
		return
	}
	for _, in := range tx.TxIn {
		for _, y := range slices.Clone(r.w.chain.mempool) {
			if spends(y, in.PreviousOutPoint) {
				r.w.chain.evict(y)
			}
		}
	}
	if r.w.chain.accept(tx) == nil {
		r.w.count("robots: coins taken without them")
		r.mine(1 + int(x[1]%7))
	}
}

// restore puts a backup in the place of a robot's disk, and notes where nobody honest has
// what it said since.
func (r *robotRun) restore(n *node, x [4]uint32) {
	if !n.honest() || n.kept == nil || n.restored || !n.up || !n.in {
		return
	}
	unknown := false
	for _, id := range r.spoke[n.i] {
		known := n.kept.entries[id] != nil
		for _, y := range r.w.honest() {
			known = known || y != n && y.disk.entries[id] != nil
		}
		unknown = unknown || !known
	}
	if n.restore(seconds(x[0], 8)); n.restored {
		r.w.count("robots: disks lost")
		if unknown {
			r.w.count("robots: lives that nobody honest tells of")
			r.lives++
		}
	}
}

// lift is for lifting all freezes.
func (r *robotRun) lift(n *node, a Action) {
	var all []journal.EntryID
	for _, f := range n.m.State.GroupFreezes(n.m.View.Tip().Height) {
		all = append(all, f.Ref.ID)
	}
	if len(all) > 0 {
		_, _ = n.command(a, coordinator.Lift{Freezes: all})
	}
}

// newest are proposals that somebody's node knows, the newest first.
func newest(n *node, most int) []*group.Proposal {
	all := n.m.Proposals()
	return all[:min(len(all), most)]
}

func (r *robotRun) approve(n *node, a Action) {
	key, _ := n.m.State.Active().KeyOf(n.id())
	for _, p := range newest(n, 1+int(a.R[0]%4)) {
		if n.m.State.Signed(p, key) && a.R[1]%4 > 0 || !n.m.State.Alive(p) {
			continue
		}
		if n.liar == nil {
			_, _ = n.command(a, coordinator.Approve{Proposal: p.ID()})
		} else if spend, err := p.Spend(n.m.State.Active()); err == nil {
			n.liar.refresh()
			n.liar.say(&event.ProposalApproved{Proposal: p.ID(), Signatures: n.liar.sign(spend)})
		}
		r.w.count("robots: humans approved")
	}
}

func (r *robotRun) withdraw(n *node, a Action) {
	var own []*group.Proposal
	for _, p := range newest(n, 40) {
		if p.Author() == n.id() && n.m.State.Alive(p) && !n.m.State.Withdrawn(p) {
			own = append(own, p)
		}
	}
	if len(own) == 0 {
		return
	}
	p := own[len(own)-1]
	if a.R[0]%2 == 0 {
		p = own[0]
	}
	r.w.count("robots: withdrawn")
	if n.liar == nil {
		_, _ = n.command(a, coordinator.Withdraw{Proposal: p.ID()})
		return
	}
	n.liar.refresh()
	n.liar.say(&event.ProposalWithdrawn{Proposal: p.ID()})
}

func (r *robotRun) reject(n *node, a Action) {
	if all := newest(n, 3); len(all) > 0 {
		_, _ = n.command(a, coordinator.Reject{Proposal: all[int(a.R[0])%len(all)].ID(), Reason: "no"})
	}
}

// bad has a bad robot grant whatever was asked for, and sign what there is.
func (r *robotRun) bad(n *node, a Action) {
	if n.liar == nil {
		return
	}
	n.liar.refresh()
	me, _ := n.m.State.Active().KeyOf(n.id())
	for k := range n.m.State.Active().Members {
		for x := range n.m.State.ReservedBy(k) {
			if _, done := n.m.State.GrantedBy(me, x.Ref.ID, false); !done && k != me {
				n.liar.say(&event.BudgetGranted{Reservation: x.Ref.ID})
			}
		}
	}
	if a.R[0]%4 > 0 {
		return
	}
	for _, p := range newest(n, 2) {
		if spend, err := p.Spend(n.m.State.Active()); err == nil && !n.m.State.Signed(p, me) {
			n.liar.say(&event.ProposalApproved{Proposal: p.ID(), Signatures: n.liar.sign(spend)})
		}
	}
}
