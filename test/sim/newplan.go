package sim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// shapes are the groups that are simulated, k of n.
func shapes() [][2]int {
	return [][2]int{{2, 3}, {1, 2}, {2, 2}, {2, 3}, {3, 5}, {3, 4}, {2, 4}, {1, 3}, {3, 3}, {4, 5}}
}

// NewPlan makes the plan of a seed.
func NewPlan(seed uint64) Plan {
	r := rand.New(rand.NewPCG(seed, 0x706c616e))
	shape := shapes()[r.IntN(len(shapes()))]
	p := Plan{Seed: seed, K: shape[0], N: shape[1]}
	p.Found = r.IntN(6) == 0
	p.Hosted = r.IntN(5) == 0 && p.N < maxCosigners
	// Up to n-1 lie; a third of the groups are honest.
	if r.IntN(3) > 0 {
		p.Byzantine = r.Perm(p.N)[:1+r.IntN(p.N-1)]
		slices.Sort(p.Byzantine)
	}
	p.Network = Network{
		Loss: []int{0, 20, 100, 400}[r.IntN(4)], Duplicates: []int{0, 50, 300}[r.IntN(3)],
		Delay: []time.Duration{50 * time.Millisecond, time.Second, 20 * time.Second}[r.IntN(3)], Abort: []int{0, 100, 500}[r.IntN(3)],
	}
	if r.IntN(3) == 0 {
		p.Calm = 30*time.Second + time.Duration(r.IntN(50))*time.Second
	}
	p.Actions = actions(r, &p)
	if n := len(p.Byzantine); n > 0 && r.IntN(5) == 0 {
		p.Allowance = 60
		for range 3 {
			p.Actions = append(p.Actions, Action{time.Duration(r.Int64N(int64(quiet))), LieBeyond, p.Byzantine[0], [4]uint32{r.Uint32()}, false})
		}
		slices.SortStableFunc(p.Actions, func(a, b Action) int { return int(a.At - b.At) })
	}
	if !p.Found && !p.Hosted && r.IntN(5) == 0 {
		besides(r, &p)
	}
	planned(&p)
	robotic(&p)
	return p
}

func actions(r *rand.Rand, p *Plan) []Action {
	users := []weighted{
		{UserPropose, 8}, {UserReplace, 4}, {UserApprove, 16}, {UserReject, 4}, {UserWithdraw, 2},
		{UserLease, 3}, {UserAgain, 2}, {Deposit, 2}, {UserLabel, 3}, {UserPing, 2}, {UserFreeze, 3}, {UserDevice, 3}, {UserBump, 6}, {UserCancel, 2},
	}
	faults := []weighted{
		{Cut, 3}, {Partition, 2}, {Crash, 6}, {DiskFull, 2}, {DiskError, 3}, {Skew, 2}, {Reorg, 3}, {Block, 6}, {Backend, 2}, {Snapshot, 1},
		{Backup, 3}, {Restore, 2}, {Lose, 1},
	}
	var out []Action
	add := func(from []weighted, n int, until time.Duration, who func() int) {
		sum := 0
		for _, w := range from {
			sum += w.weight
		}
		for range n {
			at := r.IntN(sum)
			for _, w := range from {
				if at -= w.weight; at < 0 {
					out = append(out, Action{time.Duration(r.Int64N(int64(until))), w.kind, who(), [4]uint32{r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()}, false})
					break
				}
			}
		}
	}
	anybody := func() int { return r.IntN(p.N) }
	add(users, 15+r.IntN(25), quiet, anybody)
	if r.IntN(10) > 0 {
		add(faults, r.IntN(25), quiet, anybody)
	}
	if n := len(p.Byzantine); n > 0 {
		// They go on when the faults are over.
		if p.Found {
			add([]weighted{{LieRoster, 1}, {LieEpoch, 1}, {LieEquivocate, 1}, {LieForge, 1}}, r.IntN(5), 10*time.Second, func() int { return p.Byzantine[r.IntN(n)] })
		}
		add(slices.Concat(lies(), capLies()), 4+r.IntN(20), quiet+5*time.Minute, func() int { return p.Byzantine[r.IntN(n)] })
	}
	slices.SortStableFunc(out, func(a, b Action) int { return int(a.At - b.At) })
	return out
}
