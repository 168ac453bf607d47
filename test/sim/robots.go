package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// What users and liars do about robots.
const (
	UserPolicy Kind = "policy" // propose one, in the place of what robots follow
	UserVote   Kind = "vote"
	LieRobot   Kind = "lie-robot"
)

// robotLimit is what all robots together may let out in a run, which is shorter than the
// window of any meter, in satoshis.
const robotLimit = 300_000

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

// asRobot is a machine of this node as it runs.
func (n *node) asRobot(m coordinator.Machine) coordinator.Machine {
	if n.honest() && slices.Contains(n.w.plan.Robots, n.i) {
		return m.AsRobot(robot.Signs, nil)
	}
	return m
}

func (n *node) isRobot() bool { return slices.Contains(n.w.plan.Robots, n.i) }

// robotPolicy is one of many, all with the same limit.
func (w *world) robotPolicy(m *coordinator.Machine, r [4]uint32) *policy.Policy {
	p := &policy.Policy{
		Version: policy.Language, Title: "Suppliers", ChangeDelay: int64(r[0]%3) * 20, StartQuorum: uint64(r[0] >> 2 % 2),
		Recipients: []policy.Recipient{{Name: "suppliers"}},
		Meters:     []policy.Meter{{Name: "limit", Limit: robotLimit, Window: 86400, Pool: uint64(r[1]%3) * 50}},
		Rules: []policy.Rule{{
			Name: "suppliers", Then: policy.Sign, Else: policy.Deny,
			When:    policy.When{Kinds: []policy.Kind{policy.Payment, policy.Bump}, To: []uint64{0}},
			Require: policy.Require{AmountMax: int64(50_000 + 50_000*(r[1]>>2%4)), Meters: []uint64{0}},
		}, {
			Name: "own", Then: policy.Sign, Else: policy.Deny,
			When:    policy.When{Kinds: []policy.Kind{policy.Consolidation, policy.Cancel, policy.CPFP}},
			Require: policy.Require{Meters: []uint64{0}},
		}},
	}
	if r[2]%4 == 0 {
		p.Rules[0].Require.Delay = 15
	}
	for i := range uint32(16) {
		a, err := wallet.AddressOf(recipient(i), wallet.Regtest)
		if err != nil {
			w.violation("address: %v", err)
			return nil
		}
		p.Recipients[0].Addresses = append(p.Recipients[0].Addresses, a)
	}
	slices.Sort(p.Recipients[0].Addresses)
	of := slices.Clone(w.plan.Robots)
	if r[2]>>4%3 == 0 && len(of) > 1 {
		of = of[1:] // one of them is left out
	}
	for _, i := range of {
		if k, ok := m.State.Active().KeyOf(w.nodes[i].id()); ok {
			p.Robots |= policy.KeysOf(policy.Key(k))
			if !w.nodes[i].honest() {
				p.Tolerate++
			}
		}
	}
	return p
}

// policies lets a person have a say in what robots sign.
func (w *world) policies(n *node, a Action) {
	if !n.in || !n.up || n.m.State.Active() == nil || len(w.plan.Robots) == 0 {
		return
	}
	if a.Kind == UserPolicy {
		p := w.robotPolicy(&n.m, a.R)
		if p == nil {
			return
		}
		if _, err := n.command(a, coordinator.ProposePolicy{Bytes: policy.Encode(p), Allow: []string{refusal.Outdated}}); err == nil {
			w.count("policies proposed")
		}
		return
	}
	// What comes after that which robots follow, most of the time.
	var all []event.PolicyVersion
	for _, of := range append(robot.Followed(n.m.State), event.PolicyVersion{}) {
		if all = append(all, n.m.State.PoliciesAfter(of)...); len(all) > 0 && a.R[2]%5 > 0 {
			break
		}
	}
	if len(all) == 0 {
		return
	}
	v := all[int(a.R[0])%min(len(all), 1+int(a.R[3]%3))] // the first most of the time, so that votes meet
	if _, err := n.command(a, coordinator.VotePolicy{Version: v, Against: a.R[1]%6 == 0, Allow: []string{refusal.Outdated}}); err == nil {
		w.count("votes on policies")
	}
}

// lieOfRobots writes what a bad robot, or somebody who is none, could wish to be true.
func (l *liar) lieOfRobots(r [4]uint32) {
	m := l.n.m
	if m.State.Active() == nil {
		return
	}
	var versions []event.PolicyVersion
	for v := range m.State.Policies {
		versions = append(versions, v)
	}
	if len(versions) == 0 {
		return
	}
	v := versions[int(r[0])%len(versions)]
	var of journal.EntryID
	var tx chainhash.Hash
	if all := m.Proposals(); len(all) > 0 {
		p := all[int(r[1])%len(all)]
		of, tx = p.Ref.ID, p.TxID
	}
	var reserved []journal.EntryID
	for k := range m.State.Active().Members {
		for x := range m.State.ReservedBy(k) {
			reserved = append(reserved, x.Ref.ID)
		}
	}
	switch r[2] % 8 {
	case 0:
		l.say(&event.PolicyAnchored{Version: v, Height: int64(r[3] % 1000), Time: int64(r[3])})
	case 1:
		l.say(&event.PolicyAdopted{Version: v})
	case 2:
		l.say(&event.BudgetReserved{Proposal: of, TxID: tx, Policy: v, Meters: []uint64{uint64(r[3] % 2)}})
	case 3, 4:
		for _, id := range reserved {
			l.say(&event.BudgetGranted{Reservation: id})
		}
	case 5:
		for _, id := range reserved {
			l.say(&event.BudgetReleased{Reservation: id})
		}
	case 6:
		l.say(&event.RobotVerdict{Proposal: of, TxID: tx, Policy: v, Outcome: 1 + uint64(r[3]%4), Rule: 1})
	case 7:
		l.say(&event.PolicyApproved{Version: v})
	}
}

// checkRobots: what is mined and an honest robot signed by itself is within the limit, for each
// life that its disk forgot one more.
func (w *world) checkRobots() {
	if len(w.plan.Robots) == 0 {
		return
	}
	signed, lives := map[chainhash.Hash]bool{}, int64(1)
	for _, n := range w.honest() {
		if !n.isRobot() {
			continue
		}
		if n.restored || n.replaced {
			lives++
		}
		for _, r := range n.released {
			signed[r.tx] = true
		}
	}
	var out int64
	for _, n := range w.honest() {
		if n.m.State.Active() == nil {
			continue
		}
		out = 0
		for tx := range signed {
			p, ok := n.m.State.AnyOf(tx)
			if !ok || w.chain.confirmed(tx) == 0 {
				continue
			}
			out += p.Fee()
			for _, o := range p.Body.Outputs {
				if o.Change == nil && !n.m.View.Owns(o.PkScript) {
					out += o.Amount
				}
			}
		}
		if out > robotLimit*lives {
			w.violation("%s: %d sat left through honest robots, of %d in %d lives", n.name, out, robotLimit, lives)
			return
		}
	}
	if len(signed) > 0 {
		w.count("runs in which robots signed")
	}
	if out > 0 {
		w.count("runs in which robots' payments are mined")
	}
	for range signed {
		w.count("transactions signed by robots")
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
