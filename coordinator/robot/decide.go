package robot

import (
	"cmp"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
	"github.com/quorate/quorate/wallet"
)

// Wallet is what a desk is prepared with.
type Wallet struct {
	State group.State
	View  ledger.View
	Key   int // the robot's
	Mine  journal.ChainKey
	// Guarded says whether the sign guard holds a transaction.
	Guarded func(chainhash.Hash) bool
}

// inForce is the policy that a robot follows, compiled, and what it signed charged by it.
type inForce struct {
	key      int // the robot's
	version  event.PolicyVersion
	followed bool // it follows one
	behind   bool // it said so in an earlier life, and the group went on since
	lacks    bool // it approved what it does not hold
	problem  policy.Reason
	compiled *Compiled
	charges  Ledger
	line     line
	budget   *budget // nil while it is to be worked out, or nothing was ever reserved
}

// Prepared returns a desk that has the policy in force at hand, and what was signed.
func (d Desk) Prepared(w Wallet) Desk {
	if d.Mode == Off || w.State.Active() == nil {
		return d
	}
	d.over = d.over.prepared(d.Ceiling, w)
	v, at, ok := w.State.PolicyAdopted(w.Key)
	// In an earlier life it may have followed what came after, which it does not know any more, or
	// knows past a fork of its chain alone.
	_, torn := tornFrom(w.State, w.Key)
	lacks := unheldEver(w.State, w.Key)
	behind := torn || ok && at.Chain != w.Mine && wentOn(w.State, v)
	if d.now != nil && d.now.key == w.Key && d.now.version == v && d.now.followed == ok && d.now.behind == behind && d.now.lacks == lacks {
		return d.moved(w).budgeted(w)
	}
	now := &inForce{key: w.Key, version: v, followed: ok, behind: behind, lacks: lacks}
	d.now = now
	p, err := read(w.State, v)
	switch {
	case !ok:
		now.problem = ReasonNoPolicy
		return d
	case behind:
		now.problem = ReasonBehind
		return d
	case err != nil:
		now.problem = ReasonUnreadable
		return d
	case !p.Robots.Has(policy.Key(w.Key)):
		now.problem = ReasonNoRobot
		return d
	case lacks:
		now.problem = ReasonCharges
		return d
	}
	if now.compiled, err = Compile(p, v, wallet.Network(w.State.Genesis().Network), w.View); err != nil {
		now.problem = ReasonUnreadable
		return d
	}
	if now.charges, err = Rebuild(w.State, w.View, now.compiled, w.signatures()); err != nil {
		now.problem = ReasonCharges
		return d
	}
	now.line = lineOf(w.State, w.Key, v, p)
	return d.moved(w).budgeted(w)
}

// moved works out what robots signed before the policy in force.
func (d Desk) moved(w Wallet) Desk {
	if l := d.now.line; d.now.problem != "" || l.broken || l.pasts != nil && !l.outdated(w.State) {
		return d
	}
	next := *d.now
	var err error
	if next.line, err = d.now.line.withPasts(w, d.now.compiled); err != nil {
		next.problem = ReasonCharges
	}
	d.now = &next
	return d
}

// Decide makes a verdict about a proposal, with the desk prepared.
func (d Desk) Decide(x Case) Said {
	regtest := x.State.Genesis().Network == string(wallet.Regtest)
	now, doubt := Clock(x.Own, x.View.Tip().MedianTime, regtest, x.Latest)
	out := Said{Now: now}
	if d.now == nil {
		return out.deny(ReasonNoPolicy)
	}
	out.Version = d.now.version
	if d.now.problem != "" {
		return out.deny(d.now.problem)
	}
	p := d.now.compiled.Policy
	refused, hindered := apart(x.Refused)
	q := Question{
		State: x.State, View: x.View, Proposal: x.Proposal, Compiled: d.now.compiled, Robot: policy.Key(x.Key), Now: now, Doubt: doubt,
		Heard: x.Heard, Unready: x.Unready, Refused: refused, Hindered: hindered, Last: d.last(x), Signed: x.Signed,
		Uses: func(t Takes) []policy.Use { return d.uses(x, t) },
	}
	f, err := Gather(q)
	if err != nil {
		return out.deny(ReasonTooLarge)
	}
	if policy.Decide(p, &f).Outcome == policy.OutcomeSign {
		// Among the facts, so that whoever decides by them again comes to the same.
		if f.Refused = d.over.refuses(q); f.Refused == nil && d.holds(x.Proposal.TxID, x.Own) {
			f.Refused = []string{string(ReasonCeiling)}
		}
	}
	if out.Facts, err = policy.EncodeFacts(&f); err != nil {
		return out.deny(ReasonTooLarge)
	}
	out.Silent = f.Unready != "" || f.Heard < p.StartQuorum
	if out.Verdict = policy.Decide(p, &f); out.Fulfilled {
		if out.Since = f.Fulfilled; out.Since == 0 {
			out.Since = now
		}
	}
	return out
}

// uses is what a proposal would charge to each meter: to its share, or to its pool.
func (d Desk) uses(x Case, t Takes) []policy.Use {
	w := Wallet{State: x.State, View: x.View, Key: x.Key, Guarded: x.Signed}
	p, now := d.now.compiled.Policy, d.now.charges.now
	by := func(m policy.Meter, of meter.Subject) (share, pool int64) {
		return d.now.line.share(x.State, x.Key, m, of, now), 0
	}
	all := d.now.charges.usesBy(p, t, by)
	if d.now.budget != nil {
		for n, l := range d.now.budget.shares {
			for i, u := range l.usesBy(p, t, by) {
				if u.Meter == uint64(n) {
					all[i] = u
				}
			}
		}
	}
	i, r := 0, p.R(len(x.State.Active().Members), x.State.Genesis().Threshold)
	for _, m := range p.Meters {
		share, pool := p.Share(m, r)
		for of := range t.of(m.Per) {
			all[i] = d.now.line.later(d.pooledUse(w, all[i], of.Subject, x.Proposal), share, pool)
			i++
		}
	}
	return all
}

func (v Said) deny(why policy.Reason) Said {
	v.Verdict = policy.Verdict{Outcome: policy.OutcomeDeny, Reasons: []policy.Reason{why}}
	return v
}

// last is what the robot's own last verdict on a proposal says, as far as it is by the policy
// in force.
func (d Desk) last(x Case) Last {
	v, _, ok := x.State.VerdictBy(x.State.Me(), x.Proposal.Ref.ID)
	if !ok || v.Policy != d.now.version {
		return Last{}
	}
	return LastOf(d.now.compiled.Policy, v)
}

// LastOf is what a verdict of a robot says to its next one by the same policy.
func LastOf(p *policy.Policy, v group.Verdict) Last {
	l := Last{Fulfilled: v.Fulfilled}
	if rules := p.Rules; v.Step > 0 && v.Rule > 0 && v.Rule <= uint64(len(rules)) && v.Step <= uint64(len(rules[v.Rule-1].Steps)) {
		l.Step, l.Asked = v.Step, v.Until-rules[v.Rule-1].Steps[v.Step-1].Within
	} else if v.Step > 0 {
		l.Step = v.Step // beyond the last: it denied
	}
	return l
}

// apart tells what may end by itself from what does not.
func apart(codes []string) (refused, hindered []string) {
	for _, c := range codes {
		switch c {
		case refusal.ChainBehind, refusal.ChainStale, refusal.UnconfirmedParent, refusal.LockTime, refusal.Restored:
			hindered = append(hindered, c)
		default:
			refused = append(refused, c)
		}
	}
	return refused, hindered
}

// signatures lists what this robot's key signed, as its chain has it, then what only the sign
// guard has: that was asked of a signer and may be signed, for whoever entered it.
func (w Wallet) signatures() []Signature {
	return w.signedBy(w.Key, func(*group.Proposal) bool { return true }, w.Guarded)
}

func (w Wallet) signedBy(key int, counts func(*group.Proposal) bool, guarded func(chainhash.Hash) bool) []Signature {
	type placed struct {
		Signature
		seq uint64 // of the approval; beyond all where there is none
	}
	var all []placed
	who := w.State.Active().Members[key].Identity
	for p := range w.State.AllProposals {
		initiator, ok := w.State.Active().KeyOf(p.Author())
		if !ok || !p.Sound || !w.State.Signed(p, key) && !guarded(p.TxID) || !counts(p) {
			continue
		}
		x := placed{Signature{TxID: p.TxID, Initiator: policy.Key(initiator)}, math.MaxUint64}
		if a, ok := w.State.LastApproval(p, who); ok {
			x.At, x.seq = a.Ref.Time/1000, a.Ref.Seq
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.seq, b.seq) })
	out := make([]Signature, len(all))
	for n, x := range all {
		out[n] = x.Signature
	}
	return out
}
