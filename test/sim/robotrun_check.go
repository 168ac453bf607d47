package sim

import (
	"context"
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot/replay"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// checkSigned checks what a robot signs against its policy's words, by what its node holds.
func (r *robotRun) checkSigned(n *node, p *group.Proposal, version event.PolicyVersion, m coordinator.Machine) {
	w := r.w
	of := r.policyOf(version, &m)
	v, ok := r.verdicts[verdictOf{n.i, p.ID()}]
	switch {
	case of == nil:
		w.violation("%s signed by a policy that it does not hold", n.name)
		return
	case !ok || policy.Outcome(v.Outcome) != policy.OutcomeSign || v.TxID != p.TxID || v.Rule == 0 || v.Rule > uint64(len(of.Rules)):
		w.violation("%s signed without saying why", n.name)
		return
	case v.Policy != version:
		w.violation("%s signed by another policy than it follows", n.name)
	case len(frozen.InEffect(n.m.State, n.m.View.Tip().Height)) > 0 && len(frozen.InEffect(m.State, m.View.Tip().Height)) > 0:
		// What came in the same commit may have come after it.
		w.violation("%s signed while the group is frozen", n.name)
	case n.m.State.Tainted(p.Ref.Chain, p.Ref.Seq):
		w.violation("%s signed an entry of nobody", n.name)
	case slices.Contains(p.Body.Replaces, p.TxID):
		w.violation("%s signed what replaces itself", n.name)
	}
	for _, o := range p.Body.Outputs {
		if o.Change == nil && !r.ours(m, o.PkScript) && payeeOf(o.PkScript) == "" {
			w.violation("%s signed a payment to a stranger, by rule %d", n.name, v.Rule)
		}
	}
	rule := of.Rules[v.Rule-1]
	approvals := rule.Require.Approvals
	if v.Step > 0 && v.Step <= uint64(len(rule.Steps)) {
		s := rule.Steps[v.Step-1]
		approvals = []policy.Approval{{Of: s.Who, N: s.N}}
	}
	for _, a := range approvals {
		w.count("robots: signed with approvals")
		if got := r.approvers(n, p, of.Keys(a.Of), m); got < a.N {
			w.violation("%s signed an entry that %d members approved, and its policy asks for %d", n.name, got, a.N)
		}
	}
	r.countUses(v)
}

// approvers are the members whose own approval of a proposal's very entry a node holds, but for
// its author.
func (r *robotRun) approvers(n *node, p *group.Proposal, of policy.Keys, m coordinator.Machine) (got uint64) {
	for k, x := range m.State.Active().Members {
		if !of.Has(policy.Key(k)) || x.Identity == p.Author() {
			continue
		}
		if slices.ContainsFunc(m.State.Active().Identities(k), func(who journal.Author) bool { return r.approves(n, who, p.ID(), m) }) {
			got++
		}
	}
	return got
}

func (r *robotRun) approves(n *node, who journal.Author, id journal.EntryID, m coordinator.Machine) bool {
	for key, c := range n.disk.chains {
		if key.Author != who {
			continue
		}
		for _, e := range c {
			body, _ := r.w.read(e, n.m, m)
			if b, ok := body.(*event.ProposalApproved); ok && b.Proposal == id {
				return true
			}
		}
	}
	return false
}

// countUses counts what let a transaction be signed.
func (r *robotRun) countUses(v event.RobotVerdict) {
	f, err := policy.DecodeFacts(v.Facts)
	if err != nil {
		r.w.violation("a verdict's facts cannot be read: %v", err)
		return
	}
	for _, u := range f.Uses {
		if u.Granted && u.Used > u.Share-u.Charge {
			r.w.count("robots: signed by a pool")
			break
		}
	}
	if f.Kind == policy.Bump {
		r.w.count("robots: bumps signed")
	}
}

// checkAll is what must hold at the end.
func (r *robotRun) checkAll() {
	r.checkLimits(r.honestRobots()[0])
	r.w.checkDurable()
	if r.w.plan.Seed%checkStatesEach == 0 {
		r.w.checkStates()
	}
	for _, n := range r.w.honest() {
		r.replay(n)
	}
}

// replay: whoever makes the verdicts of honest robots again comes to the same.
func (r *robotRun) replay(n *node) {
	x := replay.Reader{State: n.m.State, View: n.m.View, Now: n.clock().UnixMilli(), Entry: func(ctx context.Context, id journal.EntryID) (*journal.Entry, error) {
		return n.disk.Entry(ctx, r.w.group, id)
	}}
	for from := (replay.Place{}); !r.w.stop(); {
		found, next, err := x.Page(r.w.context(), from, 200)
		if err != nil {
			r.w.violation("%s: replay: %v", n.name, err)
			return
		}
		for _, f := range found {
			if r.w.lies(f.Member.Identity) {
				continue
			}
			r.w.count("robots: verdicts replayed")
			if len(f.Open) > 0 {
				r.w.count("robots: verdicts of which something cannot be told")
			}
			if len(f.Differs) > 0 {
				r.w.violation("%s replays the verdict %+v of %s: %+v", n.name, f.Verdict, f.Member.Name, f.Differs)
			}
		}
		if next == nil {
			return
		}
		from = *next
	}
}

// tell counts what the run came to.
func (r *robotRun) tell() {
	w := r.w
	if len(r.order) > 0 {
		w.count("robots: runs in which they signed")
	}
	w.counts["robots: transactions"] += len(r.order)
	usable := 0
	for _, x := range r.order {
		if r.spendable(x) {
			usable++
		}
	}
	w.counts["robots: transactions that can be used"] += usable
	for of, most := range r.most {
		switch limit := r.over[of]; {
		case of.per != policy.PerGroup:
		case most*10 >= limit*9:
			w.count("robots: runs near the limit")
		}
	}
}
