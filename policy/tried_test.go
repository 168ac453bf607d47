package policy

import (
	"math/rand/v2"
	"slices"
)

// tried is a transaction and what is known of it, whatever policy it is decided by: what Facts
// say in the numbers of a policy is said here by name.
type tried struct {
	facts  Facts
	pays   []paidTo
	labels []label // of its only coin
	uses   map[string]used
}

type paidTo struct {
	to     string // an address, or a descriptor
	far    uint64 // of a descriptor: how far past the last one that was paid
	amount int64
}

type label struct {
	text string
	by   Key
}

// used is what is in a meter, by its name and whom it is for.
type used struct {
	used              int64
	reserved, granted bool
}

// under is what a robot that follows a policy knows of it.
func (x *tried) under(p *Policy) *Facts {
	f := x.facts
	to := map[string]int64{}
	for _, y := range x.pays {
		pay := Pay{Amount: y.amount, Outputs: 1}
		for i, r := range p.Recipients {
			if slices.Contains(r.Addresses, y.to) || slices.Contains(r.Descriptors, y.to) && y.far <= r.Lookahead {
				pay.To = append(pay.To, uint64(i))
				to[r.Name] += y.amount
			}
		}
		f.Pays = append(f.Pays, pay)
	}
	for i, r := range p.Rules {
		if l := r.When.Labels; l != nil && slices.ContainsFunc(x.labels, func(y label) bool { return slices.Contains(l.Any, y.text) && p.Keys(l.By).Has(y.by) }) {
			f.Labelled = append(f.Labelled, uint64(i))
		}
	}
	for i, m := range p.Meters {
		share, pool := p.Share(m, p.R(randomN, randomK))
		use := func(who string, takes int64) {
			u := x.uses[m.Name+" "+who]
			f.Uses = append(f.Uses, Use{Meter: uint64(i), Charge: takes, Takes: takes, Used: u.used, Share: share, Pool: pool, Reserved: u.reserved, Granted: u.granted})
		}
		if m.Per != PerRecipient {
			use("", f.In-f.Own)
			continue
		}
		for _, r := range p.Recipients {
			if to[r.Name] > 0 {
				use(r.Name, to[r.Name])
			}
		}
	}
	return &f
}

// chance makes random choices, of what rapid drew the seed of.
type chance struct{ *rand.Rand }

func (c chance) oneIn(n int) bool { return c.IntN(n) == 0 }

// key is one of a set, or any.
func (c chance) key(of Keys) Key {
	var all []Key
	for k := range Key(randomN) {
		if of.Has(k) || of == 0 {
			all = append(all, k)
		}
	}
	return all[c.IntN(len(all))]
}

// most is mostly within a bound, at it or beside it.
func (c chance) most(bound int64) int64 {
	if bound == 0 {
		bound = []int64{1, 2, 5, 100, 1000, 5000}[c.IntN(6)]
	}
	return max(0, []int64{bound, bound, bound - 1, bound / 2, 1, 0, bound + 1}[c.IntN(7)])
}

// least is mostly beyond a bound.
func (c chance) least(bound int64) int64 {
	return max(0, []int64{bound, bound, bound, bound + 1, 2 * bound, 7000, bound - 1}[c.IntN(7)])
}

// try makes a transaction that a rule of the policy is for, mostly, at the bounds of that rule.
func (c chance) try(p *Policy) *tried {
	r := Rule{When: When{Kinds: []Kind{Payment}}}
	if len(p.Rules) > 0 {
		r = p.Rules[c.IntN(len(p.Rules))]
	}
	q, now := r.Require, int64(1_700_000_000)+c.Int64N(14*86400)
	amountMax := q.AmountMax
	if len(r.Steps) > 0 && r.Steps[0].AmountMax > 0 && c.oneIn(2) {
		amountMax = r.Steps[0].AmountMax
	}
	x := &tried{uses: map[string]used{}, facts: Facts{
		Robot: c.key(p.Robots), Kind: r.When.Kinds[c.IntN(len(r.When.Kinds))], Initiator: c.key(p.Keys(r.When.Initiators)), Script: "wsh",
		Inputs: uint64(max(1, c.most(int64(q.InputsMax)))), Outputs: uint64(max(1, c.most(int64(q.OutputsMax)))), VSize: 200,
		Confirmations: c.least(q.Confirmations), Age: c.least(q.AgeMin), Approved: ^Keys(0) >> (MaxKeys - randomN), Now: now, Height: 800_000, Heard: uint64(c.least(int64(p.StartQuorum))),
		Zones: []Zone{{"America/St_Johns", -12600}, {"Europe/Berlin", 3600}, {"UTC", 0}},
	}}
	f := &x.facts
	if c.oneIn(2) {
		f.Approved = Keys(c.Uint64N(1 << randomN))
	}
	if c.oneIn(4) {
		f.LockTime = uint64(f.Height)
	}
	if c.oneIn(8) {
		f.Rejected = Keys(c.Uint64N(1 << randomN))
	}
	if q.Delay > 0 {
		f.Fulfilled = now - c.least(q.Delay)
	}
	if len(r.Steps) > 0 && c.oneIn(2) {
		f.Step = uint64(1 + c.IntN(len(r.Steps)))
		f.Asked = now - c.most(r.Steps[f.Step-1].Within)
	}
	if slices.Contains([]Kind{Recover, Refresh, Sweep}, f.Kind) {
		f.Level = 1
	}
	if f.Kind.payable() {
		amount := max(1, c.most(amountMax))
		if q.AmountMin > 0 {
			amount = max(1, c.least(q.AmountMin))
		}
		x.pays = append(x.pays, paidTo{"bc1qstranger", 0, amount})
		if to := r.When.To; len(to) > 0 {
			some := p.Recipients[to[c.IntN(len(to))]]
			x.pays[0].to = some.Addresses[0]
			if len(some.Descriptors) > 0 && c.oneIn(2) {
				x.pays[0].to, x.pays[0].far = some.Descriptors[0], uint64(c.most(int64(some.Lookahead)))
			}
		}
	}
	var amount int64
	for _, y := range x.pays {
		amount += y.amount
	}
	f.Fee = c.most(q.FeeMax)
	if q.FeeRateMax > 0 && c.oneIn(2) {
		f.Fee = min(f.Fee, c.most(q.FeeRateMax*f.VSize/1000))
	}
	if c.oneIn(2) {
		f.Fee = min(f.Fee, 1)
	}
	f.Own = c.most(100)
	f.In = amount + f.Own + f.Fee
	if l := r.When.Labels; l != nil {
		x.labels = []label{{l.Any[0], c.key(p.Keys(l.By))}}
	}
	for _, m := range p.Meters {
		share, _ := p.Share(m, p.R(randomN, randomK))
		who := []string{""}
		if m.Per == PerRecipient {
			who = nil
			for _, r := range p.Recipients {
				who = append(who, r.Name)
			}
		}
		for _, w := range who {
			x.uses[m.Name+" "+w] = used{max(0, min(c.most(share-(f.In-f.Own)), share)), c.oneIn(2), c.oneIn(2)}
		}
	}
	return x
}
