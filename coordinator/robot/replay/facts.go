package replay

import (
	"fmt"
	"maps"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
)

// settled is how old a verdict is, in milliseconds, when a signature that it counts and that
// is not held here is taken for none: until then it may be under way.
const settled = 24 * 3600 * 1000

// compareFacts compares the facts of a verdict with the transaction, and what became of it
// since, as far as time does not change it.
func (w *walk) compareFacts(f *Found, v *version, said *policy.Facts) {
	p, ok := w.proposalOf(f)
	if !ok {
		return
	}
	signed := func(id chainhash.Hash) bool { return w.ever[id] }
	is, err := robot.Gather(robot.Question{
		State: w.r.State, View: w.r.View, Proposal: p, Compiled: v.compiled, Robot: policy.Key(w.key), Now: said.Now, Signed: signed,
	})
	if err != nil {
		f.open("facts", err.Error())
		return
	}
	if !said.Tainted && !is.Tainted {
		same(f, "facts.initiator", said.Initiator, is.Initiator)
	}
	same(f, "facts.level", said.Level, is.Level)
	same(f, "facts.script", said.Script, is.Script)
	same(f, "facts.inputs", said.Inputs, is.Inputs)
	same(f, "facts.outputs", said.Outputs, is.Outputs)
	same(f, "facts.vsize", said.VSize, is.VSize)
	w.compareKind(f, p, said)
	w.compareApprovals(f, p, said)
	if zones := v.compiled.ZonesOf(said); !slices.Equal(said.Zones, zones) {
		f.differs("facts.zones", said.Zones, zones)
	}
	if slices.Contains(said.Refused, robot.TooManyRecipients) {
		return // it says of whom it pays nothing but that, and denies
	}
	w.compareCoins(f, p, said)
	w.comparePays(f, p, v, said, &is)
	if said.In != is.In || said.Own != is.Own || !maps.Equal(toEach(said.Pays), toEach(is.Pays)) {
		f.open("facts.uses", "more of its scripts are known now than were then")
		return
	}
	w.compareUses(f, v, p, said)
}

// compareKind looks whether a kind goes with whom the facts say is paid. Which of several that
// is possible depends on what had been signed by then, but for a bump: that is of what this
// robot had signed.
func (w *walk) compareKind(f *Found, p *group.Proposal, said *policy.Facts) {
	paid := len(said.Pays) > 0
	switch k := said.Kind; {
	case k > policy.CPFP:
		f.open("facts.kind", "this version does not derive it")
	case paid != (k == policy.Payment || k == policy.Bump):
		f.differs("facts.kind", k, fmt.Sprintf("one where others are paid: %v", paid))
	case k == policy.Bump:
		signed := func(id chainhash.Hash) bool { return w.ever[id] }
		at := robot.Moment{Known: signed, Gone: func(chainhash.Hash) bool { return false }, Open: func(chainhash.Hash) bool { return false }}
		same(f, "facts.kind", k, robot.KindAt(w.r.State, w.r.View, p, signed, at))
	}
}

// compareApprovals looks whether who is said to have approved it signed it.
func (w *walk) compareApprovals(f *Found, p *group.Proposal, said *policy.Facts) {
	var missing []int
	for k := range policy.Key(policy.MaxKeys) {
		if said.Approved.Has(k) && (int(k) >= len(w.r.State.Active().Members) || !w.r.State.Signed(p, int(k))) {
			missing = append(missing, int(k))
		}
	}
	switch {
	case len(missing) == 0:
	case w.r.Now-f.Ref.Time > settled:
		f.differs("facts.approved", said.Approved, fmt.Sprintf("keys %v did not sign it", missing))
	default:
		f.open("facts.approved", fmt.Sprintf("no signatures of keys %v are held here yet", missing))
	}
}

// compareCoins compares what the coins hold: as the chain has it, or as the entry says where
// the robot did not know better.
func (w *walk) compareCoins(f *Found, p *group.Proposal, said *policy.Facts) {
	var chain, stated int64
	known := true
	for _, in := range p.Body.Inputs {
		o, ok := w.r.View.Out(in.OutPoint())
		known = known && ok
		chain, stated = chain+o.Amount, stated+in.Amount
	}
	chain, stated = min(chain, policy.MaxAmount), min(stated, policy.MaxAmount)
	switch {
	case known && said.In == chain:
	case said.In != stated:
		f.differs("facts.in", said.In, stated)
	case known && !slices.Contains(said.Refused, robot.Unknown):
		f.differs("facts.in", said.In, chain)
	}
}

// comparePays compares whom it pays. A script may have become the wallet's own since, or a
// recipient's: what was said has no more of either than there is now.
func (w *walk) comparePays(f *Found, p *group.Proposal, v *version, said, is *policy.Facts) {
	var paid, change int64
	outputs := uint64(0)
	for _, x := range said.Pays {
		paid, outputs = paid+x.Amount, outputs+x.Outputs
	}
	changes := uint64(0)
	var all int64
	for _, o := range p.Body.Outputs {
		if all += o.Amount; o.Change != nil {
			change, changes = change+o.Amount, changes+1
		}
	}
	if said.Own < change || said.Own > is.Own {
		f.differs("facts.own", said.Own, is.Own)
	}
	if paid != all-said.Own || outputs > uint64(len(p.Body.Outputs))-changes {
		f.differs("facts.pays", paid, all-said.Own)
	}
	same(f, "facts.fee", said.Fee, min(max(0, said.In-said.Own-paid), policy.MaxAmount))
	now := toEach(is.Pays)
	for r, amount := range toEach(said.Pays) {
		if r >= uint64(len(v.compiled.Policy.Recipients)) || amount > now[r] {
			f.differs("facts.pays", fmt.Sprintf("%d to recipient %d", amount, r), now[r])
		}
	}
	derived := slices.ContainsFunc(v.compiled.Policy.Recipients, func(r policy.Recipient) bool { return len(r.Descriptors) > 0 })
	if said.Own == is.Own && !derived && !slices.EqualFunc(said.Pays, is.Pays, samePay) {
		f.differs("facts.pays", said.Pays, is.Pays)
	}
}

func samePay(a, b policy.Pay) bool {
	return a.Amount == b.Amount && a.Outputs == b.Outputs && slices.Equal(a.To, b.To)
}

// toEach is what goes to each recipient.
func toEach(pays []policy.Pay) map[uint64]int64 {
	out := map[uint64]int64{}
	for _, x := range pays {
		for _, r := range x.To {
			out[r] += x.Amount
		}
	}
	return out
}

// compareUses compares what it would charge to meters with what it takes, with the robot's
// share, and with what this robot signed before and still counts.
func (w *walk) compareUses(f *Found, v *version, p *group.Proposal, said *policy.Facts) {
	least, ok := w.used(v, robot.TakesOf(w.r.View, v.compiled, p, said.Initiator))
	switch {
	case !ok:
		f.open("facts.uses", "what it signed before is not held here")
		return
	case len(least) != len(said.Uses):
		f.differs("facts.uses", len(said.Uses), len(least))
		return
	}
	for n, x := range said.Uses {
		y, field := least[n], fmt.Sprintf("facts.uses[%d]", n)
		if x.Meter != y.Meter || x.Takes != y.Takes {
			f.differs(field, fmt.Sprintf("meter %d, takes %d", x.Meter, x.Takes), fmt.Sprintf("meter %d, takes %d", y.Meter, y.Takes))
			continue
		}
		if x.Charge > x.Takes || x.Charge < 0 {
			f.differs(field+".charge", x.Charge, fmt.Sprintf("%d at most", x.Takes))
		}
		if x.Share > y.Share {
			f.differs(field+".share", x.Share, fmt.Sprintf("%d at most", y.Share))
		}
		if x.Later && x.Charge > y.Share && x.Takes > y.Pool {
			f.differs(field+".later", true, false)
		}
		if x.Pool > y.Pool {
			f.differs(field+".pool", x.Pool, fmt.Sprintf("%d at most", y.Pool))
		}
		if x.Used < y.Used {
			f.differs(field+".used", x.Used, fmt.Sprintf("%d at least", y.Used))
		}
		if x.Granted && !v.leave[int(x.Meter)].txs[p.TxID] {
			const none = "not all other robots gave leave"
			if w.r.Now-f.Ref.Time > settled {
				f.differs(field+".granted", true, none)
			} else {
				f.open(field+".granted", none+", as far as is held here yet")
			}
		}
	}
}
