package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

// life is that of a proposal, from when it was entered to what ended it.
type life struct {
	p          *group.Proposal
	begun, end int64 // Unix seconds
	facts      policy.Facts
	takes      robot.Takes
	stands     []stand // in order of time

	looks   int
	done    bool
	last    robot.Last
	verdict policy.Verdict
	at      int64
}

// stand is that a member approves, or is against it, from a time on.
type stand struct {
	at      int64
	key     policy.Key
	against bool
}

func (r *run) lifeOf(p *group.Proposal) (*life, error) {
	f, err := robot.Gather(robot.Question{
		State: r.q.State, View: r.q.View, Proposal: p, Compiled: r.compiled, Robot: r.key,
		Heard: r.q.Policy.StartQuorum, Signed: func(chainhash.Hash) bool { return false },
	})
	if err != nil {
		return nil, fmt.Errorf("simulate proposal %s: %w", p.Ref.ID, err)
	}
	l := &life{p: p, begun: max(0, p.Ref.Time/1000), facts: f, takes: robot.TakesOf(r.q.View, r.compiled, p, f.Initiator)}
	robots := r.q.Policy.Robots
	for k, m := range r.q.State.Active().Members {
		key := policy.Key(k)
		if robots.Has(key) {
			continue
		}
		if f.Approved.Has(key) {
			at := l.begun
			if a, ok := r.q.State.LastApproval(p, m.Identity); ok {
				at = a.Ref.Time / 1000
			}
			l.stands = append(l.stands, stand{at, key, false})
		}
		if f.Rejected.Has(key) {
			l.stands = append(l.stands, stand{r.rejectedAt(l, k), key, true})
		}
	}
	l.end = r.endOf(l)
	for i := range l.stands { // a signature that came with the last word still came
		l.stands[i].at = min(max(l.stands[i].at, l.begun), l.end)
	}
	slices.SortFunc(l.stands, func(a, b stand) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) })
	return l, nil
}

// rejectedAt is when a member came to be against a proposal; by another entry of the
// transaction it was so from the start.
func (r *run) rejectedAt(l *life, key int) int64 {
	for _, v := range r.q.State.VotesGiven(l.p.Ref.ID, 1) {
		if k, ok := r.q.State.Active().KeyOf(v.Ref.Chain.Author); ok && k == key && v.Against {
			return v.Ref.Time / 1000
		}
	}
	return l.begun
}

// endOf is when a proposal waited for signatures no more: it was mined, or a rival was, its
// author took it back or replaced it, it expired, or humans had signed or rejected it.
func (r *run) endOf(l *life) int64 {
	s, v, p := r.q.State, r.q.View, l.p
	end := max(r.q.Now, l.begun)
	until := func(at int64) { end = max(l.begun, min(end, at)) }
	mined := func(id chainhash.Hash) {
		if t, ok := v.Tx(id); ok && t.Block.Height > 0 {
			until(min(t.Block.Time, medianOf(t)+finalBehind))
		}
	}
	mined(p.TxID)
	for _, in := range p.Body.Inputs {
		if by, ok := v.SpentBy(in.OutPoint()); ok {
			mined(by)
		}
	}
	if at, ok := s.WithdrawnAt(p); ok {
		until(at.Time / 1000)
	}
	if p.Body.Expires != 0 {
		until(p.Body.Expires)
	}
	for _, q := range s.Replacements(p) {
		if sameMember(s, q, p) {
			until(q.Ref.Time / 1000)
		}
	}
	n, k := len(s.Active().Members), s.Genesis().Threshold
	until(nth(l.stands, false, k))
	until(nth(l.stands, true, n-k+1))
	return end
}

func sameMember(s group.State, p, q *group.Proposal) bool {
	a, ok := s.Active().KeyOf(p.Author())
	b, too := s.Active().KeyOf(q.Author())
	return ok && too && a == b
}

// nth is when so many members stood one way.
func nth(stands []stand, against bool, n int) int64 {
	var at []int64
	for _, x := range stands {
		if x.against == against {
			at = append(at, x.at)
		}
	}
	if slices.Sort(at); n < 1 || len(at) < n {
		return math.MaxInt64
	}
	return at[n-1]
}

// factsAt are the facts of a proposal at a time.
func (r *run) factsAt(l *life, at int64) policy.Facts {
	f := l.facts
	f.Approved, f.Rejected = 0, 0
	for _, x := range l.stands {
		switch {
		case x.at > at:
		case x.against:
			f.Rejected |= policy.KeysOf(x.key)
		default:
			f.Approved |= policy.KeysOf(x.key)
		}
	}
	f.Kind = robot.KindAt(r.q.State, r.q.View, l.p, func(id chainhash.Hash) bool { return r.signed[id] }, robot.Moment{
		Known: func(id chainhash.Hash) bool {
			first, entered := r.first[id]
			return entered && first <= at || !entered && r.minedAt(id) <= at
		},
		Gone: func(chainhash.Hash) bool { return false }, // what ends a rival ends this one
		Open: func(id chainhash.Hash) bool {
			_, known := r.q.View.Tx(id)
			return (known || r.q.State.ProposedTx(id)) && r.minedAt(id) > at
		},
	})
	f.Confirmations, f.Age = r.depthAt(l.p, at)
	f.Now, f.Fulfilled, f.Step, f.Asked = at, l.last.Fulfilled, l.last.Step, l.last.Asked
	f.Uses = r.ledger.Uses(r.q.Policy, len(r.q.State.Active().Members), r.q.State.Genesis().Threshold, l.takes, max(0, at-finalBehind))
	f.Zones = r.compiled.ZonesOf(&f)
	return f
}

// minedAt is when a transaction was mined; later than all where it is in no block.
func (r *run) minedAt(id chainhash.Hash) int64 {
	if t, ok := r.q.View.Tx(id); ok && t.Block.Height > 0 {
		return t.Block.Time
	}
	return math.MaxInt64
}

// depthAt estimates how deep the coins of a proposal were, and how old.
func (r *run) depthAt(p *group.Proposal, at int64) (confirmations, age int64) {
	confirmations, age = math.MaxInt32, math.MaxInt32
	for _, in := range p.Body.Inputs {
		mined := r.minedAt(in.TxID)
		if mined > at {
			return 0, 0
		}
		confirmations, age = min(confirmations, 1+(at-mined)/blockSeconds), min(age, at-mined)
	}
	return confirmations, age
}

// lastBy is what the robot's next verdict knows of this one.
func (l *life) lastBy(p *policy.Policy, v policy.Verdict, at int64) robot.Last {
	said := group.Verdict{Rule: v.Rule, Step: v.Step, Until: v.Until}
	if v.Fulfilled {
		if said.Fulfilled = l.last.Fulfilled; said.Fulfilled == 0 {
			said.Fulfilled = at
		}
	}
	return robot.LastOf(p, said)
}

// next is the next moment at which something about a proposal that waits may change; not
// after at where nothing will.
func (r *run) next(l *life, at int64) int64 {
	next := int64(math.MaxInt64)
	note := func(t int64) {
		if t > at {
			next = min(next, t)
		}
	}
	note(l.verdict.Next)
	if l.verdict.Next > 0 && slices.Contains(l.verdict.Reasons, policy.ReasonMeterFull) {
		note(l.verdict.Next + finalBehind) // meters go by the chain's final time
	}
	for _, x := range l.stands {
		note(x.at)
	}
	if n := l.verdict.Rule; n > 0 && slices.Contains(l.verdict.Reasons, policy.ReasonConfirmations) {
		var ripe int64
		for _, in := range l.p.Body.Inputs {
			ripe = max(ripe, r.minedAt(in.TxID))
		}
		if ripe < math.MaxInt64 {
			note(ripe + max(0, r.q.Policy.Rules[n-1].Require.Confirmations-1)*blockSeconds)
		}
	}
	if next == math.MaxInt64 {
		return at
	}
	return next
}

// amountOf is what goes to others.
func amountOf(f policy.Facts) (n int64) {
	for _, x := range f.Pays {
		n += x.Amount
	}
	return n
}
