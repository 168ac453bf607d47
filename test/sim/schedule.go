package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/recurring"
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

func (w *world) schedules(n *node, a Action) {
	if !n.in || !n.up || !n.honest() || n.m.State.Active() == nil {
		return
	}
	if a.Kind == UserResume {
		for _, sch := range n.m.Schedules() {
			if _, err := n.command(a, coordinator.Resume{ID: sch.ID}); err == nil {
				w.count("schedules started again")
			}
		}
		return
	}
	// The median time of the chain is an hour behind.
	at := w.start.Add(w.queue.now + time.Duration(a.R[0]%120)*time.Second - time.Hour)
	_, err := n.command(a, coordinator.Plan{Schedule: recurring.Schedule{
		NotBefore: at.Unix(), FeeRate: int64(1000 + a.R[1]%5000),
		Outputs: []event.ProposalOutput{{PkScript: recipient(8 + a.R[2]%8), Amount: int64(20_000 + 1000*(a.R[3]%100))}},
	}})
	if err == nil {
		w.count("payments that wait")
	}
}

// proposeDue is what service.Node does beside an actor.
func (n *node) proposeDue() {
	if !n.up || !n.honest() || n.m.State.Active() == nil || n.w.lastCoin != (wire.OutPoint{}) { // the last payment is to have its coin
		return
	}
	if n.w.calm != nil && n.w.calm.members[n.i] {
		return // so has one in the middle
	}
	for _, due := range n.m.DueSchedules(n.clock()) {
		if _, made := n.m.MadeFor(due); made {
			if _, err := n.do(coordinator.Passed{Occasion: due}); err == nil {
				n.w.count("payments found proposed")
			}
			continue
		}
		sch, ok := n.m.ScheduleOf(due.Schedule)
		if !ok {
			continue
		}
		x := coordinator.Propose{Outputs: sch.Outputs, FeeRate: 2000, Occasion: &due}
		held := n.holdsFor(due.Hash())
		if _, err := n.do(x); err == nil {
			if held {
				n.w.violation("%s proposes a payment that it holds a proposal for", n.name)
			}
			n.w.count("payments proposed when due")
		}
	}
}

// holdsFor says whether a node holds a proposal of its own for an occasion.
func (n *node) holdsFor(of [32]byte) bool {
	for p := range n.m.State.AllProposals {
		if is, ok := p.Body.For(); ok && is == of && n.m.State.SameMember(p.Author(), n.id()) {
			return true
		}
	}
	return false
}

// checkOccasions: what an honest member's node proposes by itself is paid once, whatever
// became of its machine.
func (w *world) checkOccasions() {
	for _, n := range w.honest() {
		a := n.m.State.Active()
		if a == nil {
			continue
		}
		paid := map[[32]byte]string{}
		for p := range n.m.State.AllProposals {
			of, ok := p.Body.For()
			k, member := a.KeyOf(p.Author())
			if !ok || !member || w.lies(p.Author()) || n.m.View.Confirmations(p.TxID) == 0 {
				continue
			}
			of[0] ^= byte(k) // an occasion is a member's own
			tx := string(mapkey.Of(p.TxID))
			if before, twice := paid[of]; twice && before != tx {
				w.violation("%s: a payment of %s that was to be made once is mined twice", n.name, w.name(p.Author()))
			}
			paid[of] = tx
		}
		for range paid {
			w.count("payments that waited, mined")
		}
	}
}
