package sim

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

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

// robotLimit is what all robots together may let out in a run, which is shorter than the
// window of any meter, in satoshis.
const robotLimit = 300_000

// robotPolicy is one of many, all with the same limit.
func (w *world) robotPolicy(m *coordinator.Machine, r [4]uint32) *policy.Policy {
	p := &policy.Policy{
		Version: policy.Language, Title: "Suppliers", ChangeDelay: int64(r[0]%3) * 20, StartQuorum: 1 + uint64(r[0]>>2%2),
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
