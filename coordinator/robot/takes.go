package robot

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
)

// Takes is what a transaction takes out of a wallet.
type Takes struct {
	initiator policy.Key
	coins     []wire.OutPoint
	in        int64 // of the coins
	own       int64 // what goes to the wallet's own scripts
	fee       int64
	paid      int64        // what goes to others
	outputs   uint64       // that do
	pays      []policy.Pay // by whom it goes to
	to        []int64      // by recipient
	names     []string     // of the recipients
	// unknown: a coin is not known, or not what the entry states.
	unknown bool
}

// All is all that leaves: what does not go to scripts of the wallet's own, and the fee.
func (t Takes) All() int64 { return min(t.paid+t.fee, policy.MaxAmount) }

// TakesOf returns what a proposal takes, for an initiator.
func TakesOf(v ledger.View, c *Compiled, p *group.Proposal, initiator policy.Key) Takes {
	t, _ := takesOf(v, c, p, initiator)
	return t
}

// takesOf also says whether Facts have room for whom it pays. An output pays each recipient
// that its script is of.
func takesOf(v ledger.View, c *Compiled, p *group.Proposal, initiator policy.Key) (t Takes, fits bool) {
	t = Takes{initiator: initiator, to: make([]int64, len(c.Policy.Recipients))}
	for _, r := range c.Policy.Recipients {
		t.names = append(t.names, r.Name)
	}
	for _, in := range p.Body.Inputs {
		o, known := v.Out(in.OutPoint())
		if known {
			in.Amount = o.Amount
		}
		t.unknown = t.unknown || !known
		t.coins = append(t.coins, in.OutPoint())
		t.in += in.Amount
	}
	t.unknown = t.unknown || group.Belies(v, p)
	fits = true
	for _, o := range p.Body.Outputs {
		if isOwn(v, o) {
			t.own += o.Amount
			continue
		}
		t.paid += o.Amount
		t.outputs++
		to := c.To(o.PkScript)
		for _, r := range to {
			t.to[r] += o.Amount
		}
		i, found := slices.BinarySearchFunc(t.pays, to, func(x policy.Pay, to []uint64) int { return slices.Compare(x.To, to) })
		switch {
		case found:
			t.pays[i].Amount += o.Amount
			t.pays[i].Outputs++
		case len(t.pays) == policy.MaxPays:
			fits = false
		default:
			t.pays = slices.Insert(t.pays, i, policy.Pay{To: to, Amount: o.Amount, Outputs: 1})
		}
	}
	// Where its coins hold less than it pays it is no transaction, and Facts say so.
	t.fee = max(0, t.in-t.own-t.paid)
	t.in, t.own, t.fee = min(t.in, policy.MaxAmount), min(t.own, policy.MaxAmount), min(t.fee, policy.MaxAmount)
	return t, fits
}
