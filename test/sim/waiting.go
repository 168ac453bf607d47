package sim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// What users do with payments that their node is to propose by itself.
const (
	UserPlan   Kind = "plan"   // a payment that waits for its time
	UserResume Kind = "resume" // those that a node holds since it was restored
)

// planned adds payments that wait. It draws by itself, so that the rest of a seed's plan
// is the same without it.
func planned(p *Plan) {
	r := rand.New(rand.NewPCG(p.Seed, 0x7363686564))
	if r.IntN(3) == 0 {
		return
	}
	add := func(k Kind, until time.Duration) {
		p.Actions = append(p.Actions, Action{time.Duration(r.Int64N(int64(until))), k, r.IntN(p.N), [4]uint32{r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()}, false})
	}
	for range 1 + r.IntN(4) {
		add(UserPlan, quiet/2)
	}
	for range r.IntN(8) {
		add(UserResume, quiet+time.Minute)
	}
	if !p.Beside && r.IntN(2) == 0 {
		twice(r, p)
	}
	slices.SortStableFunc(p.Actions, func(a, b Action) int { return int(a.At - b.At) })
}

// twice has a node lose its disk after it proposed what was due, with a backup of before;
// and all others sign what they are shown.
func twice(r *rand.Rand, p *Plan) {
	who, at := r.IntN(p.N), time.Duration(r.Int64N(int64(quiet/4)))
	act := func(after time.Duration, k Kind, who int) {
		p.Actions = append(p.Actions, Action{at + after, k, who, [4]uint32{r.Uint32() % 8, r.Uint32(), 1, r.Uint32()}, false})
	}
	act(0, UserPlan, who)
	act(time.Second, Backup, who)
	act(2*time.Second, Block, who)
	act(30*time.Second, Restore, who)
	for n := range 6 {
		after := 20 * time.Second * time.Duration(n+1)
		act(after, UserApprove, r.IntN(p.N))
		act(after+time.Second, UserApprove, r.IntN(p.N))
		act(after+2*time.Second, UserResume, who)
		act(after+3*time.Second, Block, who)
	}
}
