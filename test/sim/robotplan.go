package sim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// What users and liars do about robots.
const (
	UserPolicy Kind = "policy" // propose one, in the place of what robots follow
	UserVote   Kind = "vote"
	LieRobot   Kind = "lie-robot"
)

// robotic makes some members robots, in some runs, and has the group agree on what
// they sign.
func robotic(p *Plan) {
	r := rand.New(rand.NewPCG(p.Seed, 0x726f626f74))
	if p.Found || p.Beside || p.Hosted || p.N < 3 || r.IntN(3) > 0 {
		return
	}
	// One human at least proposes.
	p.Calm = 0 // in which all who are honest sign by hand
	p.Robots = r.Perm(p.N)[:1+r.IntN(min(4, p.N-1))]
	slices.Sort(p.Robots)
	add := func(at time.Duration, k Kind, who int) {
		p.Actions = append(p.Actions, Action{at, k, who, [4]uint32{r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()}, false})
	}
	any := func() int { return r.IntN(p.N) }
	add(time.Second, UserPolicy, any())
	for range r.IntN(4) {
		add(time.Duration(r.Int64N(int64(quiet))), UserPolicy, any())
	}
	for n := range p.N {
		add(time.Duration(5+r.IntN(20))*time.Second, UserVote, n)
	}
	for range 15 + r.IntN(25) {
		add(time.Duration(r.Int64N(int64(quiet))), UserVote, any())
	}
	for range 5 + r.IntN(15) {
		add(20*time.Second+time.Duration(r.Int64N(int64(quiet))), UserPropose, any())
	}
	for range 6 {
		add(time.Duration(r.Int64N(int64(quiet))), Block, any())
	}
	// Payments at once, each a large part of the limit: robots hear of them in another order.
	for b := range uint32(3) {
		p.Actions = append(p.Actions, Action{500 * time.Millisecond, Deposit, any(), [4]uint32{r.Uint32(), 450_000 + r.Uint32N(50_000)}, false})
		at, who := 40*time.Second+time.Duration(r.Int64N(int64(quiet/2))), any()
		for n := range uint32(3) {
			p.Actions = append(p.Actions, Action{at + time.Duration(n)*100*time.Millisecond, UserPropose, (who + int(n)) % p.N, [4]uint32{r.Uint32(), 80 + r.Uint32N(90), 1 + r.Uint32N(2), 1281 + n + 10*b}, false})
		}
	}
	p.Actions = append(p.Actions, Action{2 * time.Second, Block, any(), [4]uint32{}, false})
	if n := len(p.Byzantine); n > 0 {
		for range r.IntN(12) {
			add(time.Duration(r.Int64N(int64(quiet+time.Minute))), LieRobot, p.Byzantine[r.IntN(n)])
		}
	}
	slices.SortStableFunc(p.Actions, func(a, b Action) int { return int(a.At - b.At) })
}
