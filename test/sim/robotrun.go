package sim

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// robotRun is a run in which robots have much to sign. All humans are hostile in it, whatever
// their nodes do: their keys sign any transaction of which that makes a final one.
type robotRun struct {
	w        *world
	signed   map[chainhash.Hash]*robotSigned
	order    []*robotSigned
	verdicts map[verdictOf]event.RobotVerdict
	spoke    map[int][]journal.EntryID // what each honest robot said that binds it
	policies map[event.PolicyVersion]*policy.Policy
	base     int               // how many blocks there were when it began
	lives    int64             // how often a disk went back further than anybody honest could tell
	most     map[meterOf]int64 // that could leave in a window so far
	over     map[meterOf]int64 // the limit of each
	adopted  map[event.PolicyVersion]bool
	follows  map[int]following
}

// following is which policy an honest robot follows, and since when, by the chain.
type following struct {
	version event.PolicyVersion
	policy  *policy.Policy
	since   int64
}

// robotSigned is a transaction that honest robots signed.
type robotSigned struct {
	id     chainhash.Hash
	p      *group.Proposal
	spend  *wallet.Spend
	coins  []wire.OutPoint
	takes  int64
	to     map[string]int64 // by recipient
	by     map[int]robotSigning
	shared []wallet.Signature
}

// robotSigning is what one of them did.
type robotSigning struct {
	entry     journal.EntryID
	initiator int // the key of the author of the entry that it signed
	policy    event.PolicyVersion
}

// checkStatesEach is how many runs pass until the States of one are folded again, which takes
// as long as half a run.
const checkStatesEach = 8

type verdictOf struct {
	robot    int
	proposal journal.EntryID
}

// RunRobots plays a plan of a run of robots and checks what must hold.
func (p *Pool) RunRobots(plan Plan) Report {
	w := newWorld(p, plan)
	base, err := p.group(plan.K, plan.N, false)
	if err != nil {
		w.violation("found: %v", err)
		return w.report()
	}
	w.base, w.group, w.chain = base, base.id, base.chain.clone(plan.Seed)
	r := &robotRun{
		w: w, signed: map[chainhash.Hash]*robotSigned{}, verdicts: map[verdictOf]event.RobotVerdict{}, spoke: map[int][]journal.EntryID{},
		policies: map[event.PolicyVersion]*policy.Policy{}, base: len(w.chain.blocks) - 20, lives: 1, most: map[meterOf]int64{}, over: map[meterOf]int64{},
		adopted: map[event.PolicyVersion]bool{}, follows: map[int]following{},
	}
	w.lean, w.acts, w.look = true, r.act, r.look
	p.Reseed(plan.Seed)
	w.begin()
	for _, a := range plan.Actions {
		w.queue.after(a.At-w.queue.now, func() { w.act(a) })
	}
	w.queue.run(robotQuiet, w.stop)
	if !w.stop() {
		w.heal()
		w.hushed = true
		w.queue.run(w.queue.now+slot, w.stop)
		r.release([4]uint32{1, 0, 0, 0})
		w.queue.run(w.queue.now+slot/2, w.stop)
		if plan.Seed%checkStatesEach == 0 {
			w.queue.run(w.queue.now+2*slot, w.stop) // until a sync that broke off was made up for
		}
	}
	if !w.stop() {
		r.checkAll()
	}
	r.tell()
	return w.report()
}

// look takes in what an honest robot made durable.
func (r *robotRun) look(n *node, e *journal.Entry, body event.Body, m coordinator.Machine) {
	if !n.isRobot() {
		return
	}
	w := r.w
	switch b := body.(type) {
	case *event.RobotVerdict:
		r.verdicts[verdictOf{n.i, b.Proposal}] = *b
		r.countVerdict(b)
	case *event.BudgetReserved:
		r.spoke[n.i] = append(r.spoke[n.i], e.ID())
		w.count("robots: reservations")
	case *event.BudgetGranted:
		r.spoke[n.i] = append(r.spoke[n.i], e.ID())
		w.count("robots: grants")
	case *event.BudgetReleased:
		w.count("robots: releases")
	case *event.PolicyAdopted:
		w.count("robots: policies adopted")
		if !r.adopted[b.Version] && len(r.adopted) > 0 {
			w.count("robots: policies moved to")
		}
		r.adopted[b.Version] = true
		r.follows[n.i] = following{b.Version, r.policyOf(b.Version, &m), w.chain.blocks[len(w.chain.blocks)-1].ref.MedianTime}
	case *event.ProposalApproved:
		r.spoke[n.i] = append(r.spoke[n.i], e.ID())
		r.signs(n, e, b, m)
	}
}

func (r *robotRun) countVerdict(b *event.RobotVerdict) {
	switch policy.Outcome(b.Outcome) {
	case policy.OutcomeSign:
		r.w.count("robots: verdicts sign")
	case policy.OutcomeWait:
		r.w.count("robots: verdicts wait")
	case policy.OutcomeAsk:
		r.w.count("robots: verdicts ask")
	case policy.OutcomeDeny:
		r.w.count("robots: verdicts deny")
	}
	for _, why := range b.Reasons {
		r.w.count("robots: because " + why)
	}
}

// signs takes in a signature of an honest robot, and checks that it may be.
func (r *robotRun) signs(n *node, e *journal.Entry, b *event.ProposalApproved, m coordinator.Machine) {
	w, a := r.w, m.State.Active()
	p, ok := m.State.Proposal(b.Proposal)
	if !ok {
		w.violation("%s signed a proposal that it does not know", n.name)
		return
	}
	key, _ := a.KeyOf(n.id())
	version, _, follows := m.State.PolicyAdopted(key)
	if !follows {
		w.violation("%s signed by no policy", n.name)
		return
	}
	w.count("robots: signatures")
	x := r.signed[p.TxID]
	if x == nil {
		if x = r.signedOf(n, p, m); x == nil {
			return
		}
		r.signed[p.TxID], r.order = x, append(r.order, x)
	}
	if _, again := x.by[n.i]; again {
		w.count("robots: signatures said again")
		return
	}
	initiator, member := a.KeyOf(p.Author())
	if !member {
		initiator = -1
	}
	x.by[n.i] = robotSigning{e.ID(), initiator, version}
	for _, s := range b.Signatures {
		x.shared = append(x.shared, wallet.Signature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	r.leftOut(n, key, m)
	r.checkSigned(n, p, version, m)
	r.checkLimits(n)
}

// leftOut notes a robot that signs by a policy that another one left longer than a window ago for
// one that leaves it out: nobody waits for it so long.
func (r *robotRun) leftOut(n *node, key int, m coordinator.Machine) {
	mine, now := r.follows[n.i], r.w.chain.blocks[len(r.w.chain.blocks)-1].ref.MedianTime
	for _, x := range r.honestRobots() {
		other := r.follows[x.i]
		if x == n || mine.policy == nil || other.policy == nil || other.version == mine.version || other.since < mine.since || other.policy.Robots.Has(policy.Key(key)) {
			continue
		}
		for _, of := range other.policy.Meters {
			if now > other.since+max(of.Window, leastWindow) {
				r.w.count("robots: left out, and did not hear")
				r.lives++
				return
			}
		}
	}
}

// signedOf works out what a transaction takes.
func (r *robotRun) signedOf(n *node, p *group.Proposal, m coordinator.Machine) *robotSigned {
	spend, err := p.Spend(m.State.Active())
	if err != nil {
		r.w.violation("%s signed what is no transaction: %v", n.name, err)
		return nil
	}
	x := &robotSigned{id: p.TxID, p: p, spend: spend, takes: p.Fee(), to: map[string]int64{}, by: map[int]robotSigning{}}
	for _, in := range p.Body.Inputs {
		x.coins = append(x.coins, in.OutPoint())
	}
	for _, o := range p.Body.Outputs {
		if o.Change == nil && !r.ours(m, o.PkScript) {
			x.takes += o.Amount
			x.to[payeeOf(o.PkScript)] += o.Amount
		}
	}
	return x
}

// ours says whether a script is one of the wallet's first ones.
func (r *robotRun) ours(m coordinator.Machine, script []byte) bool {
	_, change := r.w.changeScripts(m.State.Active())[string(script)]
	return change
}

// policyOf is the policy of a version.
func (r *robotRun) policyOf(v event.PolicyVersion, m *coordinator.Machine) *policy.Policy {
	if p := r.policies[v]; p != nil {
		return p
	}
	text, _, ok := m.State.PolicyText(v)
	if !ok {
		return nil
	}
	p, err := policy.Decode(text)
	if err != nil {
		return nil
	}
	r.policies[v] = p
	return p
}

// honestRobots are the robots whose nodes follow the protocol.
func (r *robotRun) honestRobots() (out []*node) {
	for _, n := range r.w.nodes {
		if n.isRobot() && n.honest() {
			out = append(out, n)
		}
	}
	return out
}

// needs is how many honest robots' signatures a payment has at least that holds one, where all
// others sign whatever there is.
func (r *robotRun) needs() int { return max(1, r.w.plan.K-(r.w.plan.N-len(r.honestRobots()))) }

// spendable says whether a transaction can be made final without another honest robot.
func (r *robotRun) spendable(x *robotSigned) bool { return len(x.by) >= r.needs() }

// complete makes the final transaction of one: whoever is no honest robot signs it.
func (r *robotRun) complete(x *robotSigned) *wire.MsgTx {
	sigs := slices.Clone(x.shared)
	for _, n := range r.w.nodes {
		if n.isRobot() && n.honest() {
			continue
		}
		got, err := x.spend.Sign(n.account)
		if err != nil {
			r.w.violation("%s does not sign: %v", n.name, err)
			return nil
		}
		sigs = append(sigs, got...)
	}
	tx, err := x.spend.Finalize(sigs, r.w.pool.cache)
	if err != nil {
		r.w.violation("what robots signed is made no transaction: %v", err)
		return nil
	}
	return tx
}
