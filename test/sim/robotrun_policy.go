package sim

import (
	"cmp"
	"slices"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// propose puts a policy to the vote: the first, or another one than robots follow.
func (r *robotRun) propose(n *node, a Action) {
	var next *policy.Policy
	if followed := robot.Followed(n.m.State); len(followed) == 0 {
		next = r.firstPolicy(n, a.R)
	} else if old := r.policyOf(followed[0], &n.m); old != nil {
		next = r.otherPolicy(n, old, a.R)
	}
	if next == nil {
		return
	}
	if _, err := n.command(a, coordinator.ProposePolicy{Bytes: policy.Encode(next), Allow: []string{refusal.Outdated}}); err == nil {
		r.w.count("robots: policies proposed")
	}
}

// firstPolicy is one of many: of meters for all, each initiator or each recipient, with pools
// and without, that asks for approvals, delays, asks people.
func (r *robotRun) firstPolicy(n *node, x [4]uint32) *policy.Policy {
	p := &policy.Policy{Version: policy.Language, Title: "Payments", ChangeDelay: []int64{0, 0, 30}[x[0]%3]}
	var humans policy.Keys
	for i, of := range r.w.nodes {
		k, _ := n.m.State.Active().KeyOf(of.id())
		if of.isRobot() {
			p.Robots |= policy.KeysOf(policy.Key(k))
		} else {
			humans |= policy.KeysOf(policy.Key(k))
		}
		_ = i
	}
	p.Groups = []policy.Group{{Name: "humans", Keys: humans}}
	for _, name := range []string{rent, suppliers} {
		to := policy.Recipient{Name: name}
		from, until := payeesOf(name)
		for i := from; i < until; i++ {
			a, err := wallet.AddressOf(recipient(i), wallet.Regtest)
			if err != nil {
				r.w.violation("address: %v", err)
				return nil
			}
			to.Addresses = append(to.Addresses, a)
		}
		slices.Sort(to.Addresses)
		p.Recipients = append(p.Recipients, to)
	}
	limit := []int64{200_000, 300_000}[x[1]%2]
	window := []int64{21_600, 21_600, 86_400}[x[1]>>2%3]
	pool := []uint64{0, 0, 50, 50, 100}[x[1]>>4%5]
	if x[1]>>8%4 == 0 {
		p.Meters = append(p.Meters, policy.Meter{Name: "each", Limit: limit * 2 / 3, Window: window, Per: policy.PerRecipient, Pool: pool / 2})
	}
	p.Meters = append(p.Meters, policy.Meter{Name: "limit", Limit: limit, Window: window, Pool: pool})
	if x[1]>>10%4 == 0 {
		p.Meters = append(p.Meters, policy.Meter{Name: "own", Limit: limit * 2 / 3, Window: 21_600, Per: policy.PerInitiator, Pool: pool})
	}
	meters := []uint64{}
	for i := range p.Meters {
		meters = append(meters, uint64(i))
	}
	pays := policy.Rule{
		Name: "payments", Then: policy.Sign, Else: policy.Deny,
		When:    policy.When{Kinds: []policy.Kind{policy.Payment}, To: []uint64{0, 1}},
		Require: policy.Require{Meters: meters},
	}
	if x[2]%3 == 0 && humans.Count() > 1 {
		pays.Require.Approvals = []policy.Approval{{Of: policy.Who{Groups: []uint64{0}}, N: 1}}
		pays.Require.Delay = []int64{0, 0, 8}[x[2]>>4%3]
	} else if x[2]>>8%6 == 0 {
		pays.Require.Delay = 8
	}
	if x[2]>>12%3 == 0 && humans.Count() > 1 {
		pays.Require.AmountMax = limit / 2
		pays.Else, pays.Steps = policy.Ask, []policy.Step{{Who: policy.Who{Groups: []uint64{0}}, N: 1, Within: 60, AmountMax: limit, Meters: meters}}
	}
	p.Rules = []policy.Rule{{
		Name: "bumps", Then: policy.Sign, Else: policy.Deny,
		When:    policy.When{Kinds: []policy.Kind{policy.Bump}},
		Require: policy.Require{Meters: meters},
	}, pays, {
		Name: "own", Then: policy.Sign, Else: policy.Deny,
		When:    policy.When{Kinds: []policy.Kind{policy.Consolidation, policy.Cancel, policy.CPFP}},
		Require: policy.Require{Meters: meters},
	}}
	if x[3]%4 == 0 && p.Robots.Count() > 1 {
		p.Robots &^= policy.KeysOf(r.anyRobot(n, x[3]>>2))
	}
	return r.fits(n, p, x[3]>>8)
}

// anyRobot is the key of one of the robots of the plan.
func (r *robotRun) anyRobot(n *node, x uint32) policy.Key {
	of := r.w.plan.Robots
	k, _ := n.m.State.Active().KeyOf(r.w.nodes[of[int(x)%len(of)]].id())
	return policy.Key(k)
}

// fits sets of a policy what depends on who its robots are.
func (r *robotRun) fits(n *node, p *policy.Policy, x uint32) *policy.Policy {
	bad := uint64(0)
	for _, of := range r.w.nodes {
		if k, _ := n.m.State.Active().KeyOf(of.id()); of.isRobot() && !of.honest() && p.Robots.Has(policy.Key(k)) {
			bad++
		}
	}
	if p.Robots == 0 || bad == uint64(p.Robots.Count()) {
		return nil // no honest robot keeps to anything
	}
	p.Tolerate = bad + uint64(x)%(uint64(p.Robots.Count())-bad+1)
	p.StartQuorum = uint64(r.w.plan.K)
	if p.StartQuorum > uint64(r.w.plan.N-1) || !r.loses() && x>>4%2 == 0 {
		p.StartQuorum = 1
	}
	return p
}

// loses says whether disks are lost in the run.
func (r *robotRun) loses() bool {
	return slices.ContainsFunc(r.w.plan.Actions, func(a Action) bool { return a.Kind == Restore })
}

// otherPolicy is one that differs from another one in a thing or two.
func (r *robotRun) otherPolicy(n *node, old *policy.Policy, x [4]uint32) *policy.Policy {
	p, err := policy.Decode(policy.Encode(old))
	if err != nil {
		r.w.violation("read a policy again: %v", err)
		return nil
	}
	at := slices.IndexFunc(p.Meters, func(m policy.Meter) bool { return m.Name == "limit" })
	m := &p.Meters[at]
	switch x[0] % 12 {
	case 0, 1, 2, 3, 4, 5:
		p.Robots ^= policy.KeysOf(r.anyRobot(n, x[1]))
	case 6:
		m.Limit = []int64{100_000, 200_000, 300_000, 400_000}[x[1]%4]
	case 7:
		m.Pool = []uint64{0, 50, 100}[x[1]%3]
	case 8:
		m.Window = 21_600 + 86_400 - m.Window
	case 9:
		p.Rules[1].Require.AmountMax = []int64{0, 60_000, 120_000}[x[1]%3]
		if p.Rules[1].Else == policy.Ask {
			p.Rules[1].Require.AmountMax = m.Limit / 2
		}
	case 10:
		p.ChangeDelay = 30 - p.ChangeDelay
	case 11:
		p.Tolerate = 0
	}
	return r.fits(n, p, x[2])
}

// vote is for the newest of those that may be in force next, or against it.
func (r *robotRun) vote(n *node, a Action) {
	var all []event.PolicyVersion
	for _, of := range append(robot.Followed(n.m.State), event.PolicyVersion{}) {
		if all = append(all, n.m.State.PoliciesAfter(of)...); len(all) > 0 {
			break
		}
	}
	if len(all) == 0 {
		return
	}
	v := slices.MaxFunc(all, func(x, y event.PolicyVersion) int {
		p, _ := robot.BallotOf(n.m.State, x)
		q, _ := robot.BallotOf(n.m.State, y)
		return cmp.Or(cmp.Compare(p.Since(), q.Since()), slices.Compare(x[:], y[:]))
	})
	if _, err := n.command(a, coordinator.VotePolicy{Version: v, Against: a.R[0] == 1, Allow: []string{refusal.Outdated}}); err == nil {
		r.w.count("robots: votes")
	}
}
