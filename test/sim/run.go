package sim

import "time"

// Report is what came of a run.
type Report struct {
	Plan       Plan
	Violations []string
	Counts     map[string]int
	Steps      int
	Log        []string
	// Trace is a hash over everything that any node made durable, in order.
	Trace [32]byte
}

// Run plays a plan and checks what must hold.
func (p *Pool) Run(plan Plan) Report {
	w := newWorld(p, plan)
	if !plan.Found {
		base, err := p.group(plan.K, plan.N, plan.Hosted)
		if err != nil {
			w.violation("found: %v", err)
			return w.report()
		}
		w.base, w.group, w.chain = base, base.id, base.chain.clone(plan.Seed)
	}
	if plan.Beside {
		if err := w.addBeside(); err != nil {
			w.violation("found another wallet: %v", err)
			return w.report()
		}
	}
	p.Reseed(plan.Seed)
	w.begin()
	if w.beside != nil {
		w.beside.begin()
		w.shareDisk()
	}
	for _, a := range plan.Actions {
		at := w
		if a.Beside && w.beside != nil {
			at = w.beside
		}
		w.queue.after(a.At-w.queue.now, func() { at.act(a) })
	}
	if plan.Calm > 0 {
		w.queue.after(plan.Calm, w.beginCalm)
	}
	w.queue.run(quiet, w.stop)
	wallets := []*world{w}
	if w.beside != nil {
		wallets = append(wallets, w.beside)
	}
	for _, x := range wallets {
		if !w.stop() {
			x.heal()
		}
	}
	for _, x := range wallets {
		if !w.stop() {
			x.finish()
		}
	}
	return w.report()
}

func (w *world) report() Report {
	w.mergeBeside()
	return Report{Plan: w.plan, Violations: w.violations, Counts: w.counts, Steps: w.steps, Log: w.log, Trace: w.trace}
}

// heal ends all faults: links are good, nodes run, disks and backends work.
// Clocks stay as wrong as they are, and liars go on lying.
func (w *world) heal() {
	w.faulty, w.calm = false, nil
	clear(w.cuts)
	for _, n := range w.nodes {
		n.disk.times, n.blind, n.armed = 0, false, nil
		if !n.up {
			n.restart()
		}
	}
	for _, n := range w.nodes {
		w.syncAll(n)
	}
	w.pollAll()
}

// act performs one action of the plan.
func (w *world) act(a Action) {
	n := w.nodes[a.Who]
	if w.stop() || w.calm.spares(a) || w.acts != nil && w.acts(a) {
		return
	}
	switch a.Kind {
	case UserPropose, UserReplace, UserApprove, UserReject, UserWithdraw, UserLease, UserAgain, UserLabel, UserPing, UserFreeze, UserDevice, UserBump, UserCancel:
		w.user(n, a)
	case UserPlan, UserResume:
		w.schedules(n, a)
	case UserPolicy, UserVote:
		w.policies(n, a)
	case Deposit:
		if r := w.anyActive(); r != nil {
			w.pay(r, a.R[0]%24, int64(50_000+a.R[1]%500_000))
		}
	case Cut:
		if other := w.nodes[int(a.R[0])%len(w.nodes)]; other != n && !w.calm.between(n, other) {
			w.cut(n, other, seconds(a.R[1], 120))
			w.count("links cut")
		}
	case Partition:
		d := seconds(a.R[1], 120)
		for i, x := range w.nodes {
			for j, y := range w.nodes[:i] {
				if a.R[0]>>i&1 != a.R[0]>>j&1 && !w.calm.between(x, y) {
					w.cut(x, y, d)
				}
			}
		}
		w.count("partitions")
	case Crash:
		if down := seconds(a.R[0], 90); a.R[1]%4 == 0 {
			n.crash(down)
		} else {
			n.armed = &armed{int(a.R[1]>>2) % 4, down}
		}
	case DiskFull:
		n.fail(errFull, 1+int(a.R[0]%30))
		w.count("disks full")
	case DiskError:
		n.fail(errIO, 1)
		w.count("disk errors")
	case Skew:
		if w.plan.Allowance > 0 {
			return // time grants more
		}
		for _, x := range n.wallets() {
			x.skew = time.Duration(int64(a.R[0]%80)-20) * 24 * time.Hour / 2
		}
		w.count("clocks moved")
	case Reorg:
		w.chain.reorg(1+int(a.R[0]%w.deepest()), func() bool { return a.R[1]%2 == 0 })
		for range 2 + a.R[2]%9 {
			w.mine()
		}
		w.count("reorgs")
	case Block:
		for range 1 + a.R[0]%4 {
			w.mine()
		}
	case Backend:
		w.count("backends down")
		for _, x := range n.wallets() {
			x.blind = true
			w.queue.after(seconds(a.R[0], 100), func() {
				x.blind = false
				x.later(0, x.poll)
			})
		}
	case Snapshot:
		n.snapshot()
	case Backup:
		if n.honest() {
			n.backup()
		}
	case Restore:
		if n.honest() {
			n.restore(seconds(a.R[0], 60))
		}
	case Lose:
		if n.honest() {
			n.lose()
		}
	default:
		if !w.hushed {
			w.lie(n, a)
		}
	}
}

// deepest is how deep reorgs are at most: what robots signed is not bounded over one that takes
// back what was final.
func (w *world) deepest() uint32 {
	if len(w.plan.Robots) > 0 {
		return 5
	}
	return 9
}
