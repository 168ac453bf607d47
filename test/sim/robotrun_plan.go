package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// What happens in a run of robots, besides what goes wrong in any.
const (
	RobotPay      Kind = "robot-pay"      // a payment that robots may sign
	RobotChain    Kind = "robot-chain"    // one that takes a coin of an earlier one, and another
	RobotAgain    Kind = "robot-again"    // an earlier transaction is entered again
	RobotApprove  Kind = "robot-approve"  // a human approves what is new
	RobotWithdraw Kind = "robot-withdraw" // what is oldest of one's own
	RobotReject   Kind = "robot-reject"
	RobotSplit    Kind = "robot-split"   // two sides, that hear nothing of each other
	RobotIsolate  Kind = "robot-isolate" // robots hear nothing of humans
	RobotPolicy   Kind = "robot-policy"  // another policy is proposed
	RobotVote     Kind = "robot-vote"    // for the newest that may be in force next
	RobotFreeze   Kind = "robot-freeze"
	RobotLift     Kind = "robot-lift"
	RobotHours    Kind = "robot-hours"   // pass, and blocks come
	RobotRelease  Kind = "robot-release" // signatures that were held back are used
	RobotReorg    Kind = "robot-reorg"   // of no block that is final
	RobotBad      Kind = "robot-bad"     // bad robots grant and sign whatever there is
	RobotSteal    Kind = "robot-steal"   // coins go without an honest robot, where humans and bad robots suffice
	RobotSkew     Kind = "robot-skew"    // a robot's clock
	RobotDeposit  Kind = "robot-deposit"
)

// robotShape is k of n keys, so many of them of robots.
type robotShape struct{ k, n, robots int }

func robotShapes() []robotShape {
	return []robotShape{{2, 3, 1}, {2, 3, 2}, {2, 4, 2}, {3, 4, 2}, {3, 4, 3}, {3, 5, 2}, {3, 5, 2}, {3, 5, 3}, {2, 5, 3}, {4, 6, 3}, {4, 7, 3}, {4, 7, 4}, {3, 6, 4}}
}

// slot is how long one part of a run of robots is.
const slot = 30 * time.Second

// robotQuiet is when faults end in a run of robots.
const robotQuiet = 5*slot + slot/2

// robotPlanner draws the plan of a run of robots.
type robotPlanner struct {
	*rand.Rand
	p      *Plan
	humans []int
	bad    []int // robots
	at     time.Duration
}

// NewRobotPlan makes the plan of a run in which robots have much to sign and everybody does
// what he can so that too much leaves.
func NewRobotPlan(seed uint64) Plan {
	r := rand.New(rand.NewPCG(seed, 0x726f626f7473))
	s := robotShapes()[r.IntN(len(robotShapes()))]
	p := Plan{Seed: seed, K: s.k, N: s.n, Robots: r.Perm(s.n)[:s.robots]}
	slices.Sort(p.Robots)
	d := &robotPlanner{Rand: r, p: &p}
	for i := range s.n {
		if !slices.Contains(p.Robots, i) {
			d.humans = append(d.humans, i)
		}
	}
	// Of the robots some are bad, not all; of the humans most do what they like.
	if s.robots > 1 && r.IntN(3) == 0 {
		of := r.Perm(s.robots)[:1+r.IntN(min(2, s.robots-1))]
		for _, i := range of {
			d.bad = append(d.bad, p.Robots[i])
		}
	}
	p.Byzantine = slices.Clone(d.bad)
	for _, i := range d.humans {
		if r.IntN(4) > 0 {
			p.Byzantine = append(p.Byzantine, i)
		}
	}
	if len(p.Byzantine) == len(d.bad) {
		p.Byzantine = append(p.Byzantine, d.humans[0])
	}
	slices.Sort(p.Byzantine)
	p.Network = Network{Loss: []int{0, 20, 100}[r.IntN(3)], Duplicates: []int{0, 50}[r.IntN(2)], Delay: []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 3 * time.Second}[r.IntN(3)], Abort: []int{0, 100}[r.IntN(2)]}
	d.draw()
	slices.SortStableFunc(p.Actions, func(a, b Action) int { return cmp.Compare(a.At, b.At) })
	return p
}

// add has something happen so long after the slot began.
func (d *robotPlanner) add(after time.Duration, k Kind, who int, r ...uint32) {
	a := Action{At: d.at + after, Kind: k, Who: who, R: [4]uint32{d.Uint32(), d.Uint32(), d.Uint32(), d.Uint32()}}
	copy(a.R[:], r)
	d.p.Actions = append(d.p.Actions, a)
}

func (d *robotPlanner) within(most time.Duration) time.Duration {
	return time.Duration(d.Int64N(int64(most)))
}

func (d *robotPlanner) human() int { return d.humans[d.IntN(len(d.humans))] }

// liar is a human who does what he likes.
func (d *robotPlanner) liar() int {
	for {
		if i := d.human(); slices.Contains(d.p.Byzantine, i) {
			return i
		}
	}
}

func (d *robotPlanner) robot() int { return d.p.Robots[d.IntN(len(d.p.Robots))] }

func (d *robotPlanner) draw() {
	// The first policy, in peace.
	d.add(500*time.Millisecond, RobotDeposit, d.human())
	d.add(time.Second, RobotPolicy, d.human())
	d.votes(2*time.Second, 0)
	changes := d.IntN(3) > 0
	lost := d.IntN(3) == 0
	d.at = slot / 2
	for d.at = slot / 2; d.at < robotQuiet; d.at += slot {
		switch d.IntN(9) {
		case 0, 1:
			d.split()
		case 2, 8:
			d.chain()
		case 3:
			d.again()
		case 4:
			d.hold()
		case 5, 6:
			if changes {
				d.moves()
			} else {
				d.split()
			}
		case 7:
			d.burst(d.within(slot/2), d.liar(), 2+d.IntN(3))
			d.faults()
		}
		if d.IntN(4) == 0 {
			d.faults()
		}
		if len(d.bad) > 0 {
			for range 2 {
				d.add(d.within(slot), RobotBad, d.bad[d.IntN(len(d.bad))])
			}
		}
		for range 2 {
			d.add(d.within(slot), RobotApprove, d.human())
		}
		switch d.IntN(6) {
		case 0, 1:
			d.add(d.within(slot), RobotRelease, d.human())
		case 2:
			d.add(d.within(slot), Block, d.human(), d.Uint32N(4))
		case 3:
			d.add(d.within(slot), RobotReorg, d.human())
		case 4:
			d.add(d.within(slot), RobotWithdraw, d.liar())
		}
		if lost {
			d.add(d.within(slot), Backup, d.robot())
			if d.IntN(3) == 0 {
				d.add(d.within(slot), Restore, d.robot(), d.Uint32N(8))
			}
		}
	}
}

// burst is payments at once.
func (d *robotPlanner) burst(after time.Duration, who, n int) {
	for i := range n {
		d.add(after+time.Duration(i)*200*time.Millisecond, RobotPay, who)
	}
}

// votes has everybody vote.
func (d *robotPlanner) votes(after time.Duration, against uint32) {
	for i := range d.p.N {
		d.add(after+d.within(2*time.Second), RobotVote, i, against)
	}
}

// split has humans on two sides ask the robots there.
func (d *robotPlanner) split() {
	d.add(0, RobotSplit, d.human(), d.Uint32(), 12+d.Uint32N(30))
	for _, i := range d.humans {
		d.burst(time.Second+d.within(4*time.Second), i, 1+d.IntN(3))
	}
	d.burst(12*time.Second, d.human(), 1+d.IntN(2))
	if d.IntN(3) == 0 {
		d.add(8*time.Second, RobotHours, d.human())
		d.burst(14*time.Second, d.human(), 2)
	}
}

// chain is replacements of which each takes a coin of the one before, and another.
func (d *robotPlanner) chain() {
	who := d.liar()
	d.add(time.Second, RobotPay, who, 0, d.Uint32(), 2|d.Uint32()<<2) // a small one, so that it is signed
	for i := range 3 + d.IntN(3) {
		d.add(5*time.Second+time.Duration(i)*4*time.Second, RobotChain, who)
	}
}

// again is a transaction that is approved, ended, and entered again.
func (d *robotPlanner) again() {
	who := d.liar()
	if d.IntN(3) > 0 {
		d.add(0, RobotIsolate, who, 9)
	}
	d.add(time.Second, RobotPay, who, d.Uint32(), d.Uint32(), d.Uint32(), 2|d.Uint32()<<2)
	for _, i := range d.humans {
		d.add(3*time.Second+d.within(2*time.Second), RobotApprove, i)
	}
	if d.IntN(4) > 0 {
		d.add(7*time.Second, RobotWithdraw, who, 0)
	}
	for range 1 + d.IntN(2) {
		d.add(11*time.Second+d.within(3*time.Second), RobotAgain, d.liar(), 0)
	}
	d.burst(16*time.Second, who, 2)
}

// hold is payments that robots sign and nobody uses for hours, so that others follow.
func (d *robotPlanner) hold() {
	d.burst(time.Second, d.human(), 2+d.IntN(2))
	if d.IntN(3) == 0 {
		d.add(5*time.Second, RobotSkew, d.robot())
	}
	if d.IntN(2) == 0 {
		d.add(6*time.Second, RobotWithdraw, d.liar())
	}
	d.add(8*time.Second, RobotHours, d.human())
	d.burst(13*time.Second, d.human(), 2+d.IntN(2))
	if d.IntN(2) == 0 {
		d.add(20*time.Second, RobotRelease, d.human())
	}
	if d.IntN(2) == 0 {
		d.add(24*time.Second, RobotHours, d.human())
	}
}

// moves has the policy change, mostly while some robots hear nothing of it.
func (d *robotPlanner) moves() {
	if d.IntN(2) == 0 {
		d.burst(0, d.human(), 1+d.IntN(2))
	}
	if d.IntN(3) > 0 {
		d.add(time.Second, RobotSplit, d.human(), d.Uint32(), 15+d.Uint32N(20))
	}
	d.add(2*time.Second, RobotPolicy, d.human())
	if d.IntN(6) == 0 {
		d.add(2*time.Second, RobotPolicy, d.human())
	}
	d.votes(5*time.Second, 0)
	if d.IntN(4) == 0 {
		d.add(9*time.Second, RobotVote, d.human(), 1)
	}
	d.add(7*time.Second, Block, d.human(), 0)
	for _, i := range d.humans {
		d.burst(9*time.Second+d.within(8*time.Second), i, 1+d.IntN(2))
	}
	d.votes(14*time.Second, 0)
	d.add(16*time.Second, Block, d.human(), 1)
	d.burst(24*time.Second, d.human(), 2)
}

// faults are some of those that happen to any node.
func (d *robotPlanner) faults() {
	for range 1 + d.IntN(3) {
		switch at := d.within(slot); d.IntN(9) {
		case 0, 1:
			d.add(at, Crash, d.robot(), d.Uint32N(15))
		case 2:
			d.add(at, Cut, d.robot(), d.Uint32(), d.Uint32N(20))
		case 3:
			d.add(at, DiskError, d.robot())
		case 4:
			d.add(at, RobotFreeze, d.human())
			for i := range d.p.N {
				d.add(at+4*time.Second, RobotLift, i)
			}
		case 5:
			d.add(at, RobotReject, d.human())
		case 6:
			d.add(at, RobotSkew, d.robot())
		case 7:
			d.add(at, RobotSteal, d.human())
		case 8:
			d.add(at, Snapshot, d.robot())
		}
	}
}
