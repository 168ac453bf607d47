package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/wallet"
)

// Whom robots may pay: recipients by name, and by the numbers of their scripts.
const (
	rent      = "rent"
	suppliers = "suppliers"
	stranger  = 99
)

func payeesOf(name string) (from, to uint32) {
	if name == rent {
		return 40, 60
	}
	return 0, 40
}

// payeeOf is which recipient a script is of, "" for a stranger's.
func payeeOf(script []byte) string {
	for _, name := range []string{rent, suppliers} {
		from, to := payeesOf(name)
		for i := from; i < to; i++ {
			if string(recipient(i)) == string(script) {
				return name
			}
		}
	}
	return ""
}

// amount is what a payment takes: a whole share or pool, a part of one or a bit more, so that
// few of them fill a meter.
func (r *robotRun) amount(n *node, x uint32) int64 {
	all := []int64{60_000, 100_000, 150_000}
	for _, v := range robot.Followed(n.m.State) {
		p := r.policyOf(v, &n.m)
		if p == nil {
			continue
		}
		for _, m := range p.Meters {
			share, pool := p.Share(m, p.R(r.w.plan.N, r.w.plan.K))
			all = append(all, share, share, share/2, share/2+1, pool, pool/2, m.Limit/2, m.Limit/3, m.Limit/4)
			if share > 0 {
				all = append(all, share, share, share*3/4)
			}
		}
		break
	}
	return max(5_000, all[int(x)%len(all)])
}

// coins are some of the wallet's that come to an amount, from some place on: those that no
// proposal spends, or any.
func (r *robotRun) coins(n *node, from uint32, unleased bool, amount int64) (out []event.ProposalInput) {
	all := coordinator.Coins(n.m.State, n.m.View, n.clock())
	all = slices.DeleteFunc(all, func(c coordinator.Coin) bool { return c.Confirmations == 0 || unleased && len(c.LeasedBy) > 0 })
	var sum int64
	for i := range all {
		c := all[(int(from%1024)+i)%len(all)]
		out = append(out, event.ProposalInput{TxID: c.OutPoint.Hash, Vout: c.OutPoint.Index, Amount: c.Amount, Branch: c.Branch, Index: c.Index})
		if sum += c.Amount; sum >= amount+5_000 && len(out) <= 4 {
			return out
		}
		if len(out) == 4 {
			sum -= out[0].Amount
			out = out[1:]
		}
	}
	return nil
}

// draft is a payment that takes an amount, its fee included: of at least so much, or what a
// rate comes to.
func (r *robotRun) draft(n *node, coins []event.ProposalInput, to []byte, takes, least int64, rate uint32) *event.ProposalCreated {
	var in int64
	for _, c := range coins {
		in += c.Amount
	}
	if len(coins) == 0 || in < takes+1_000 {
		return nil
	}
	change := rate % 15
	b := &event.ProposalCreated{Note: "rent", Inputs: coins, Outputs: []event.ProposalOutput{{PkScript: to, Amount: takes - 1_000}, {Change: &change, Amount: in - takes}}}
	spend, err := spendOf(n.m.State.Active(), b)
	if err != nil {
		return nil
	}
	fee := max(least, spend.VSize()*int64(2+rate%4))
	if takes < fee+1_000 {
		return nil
	}
	b.Outputs[0].Amount = takes - fee
	return b
}

// put has somebody propose what was drafted.
func (r *robotRun) put(n *node, a Action, b *event.ProposalCreated) {
	if b == nil {
		return
	}
	r.w.count("robots: payments proposed")
	if n.liar != nil {
		n.liar.refresh()
		n.liar.say(b)
		return
	}
	x := coordinator.Propose{Outputs: b.Outputs[:1], FeeRate: wallet.FeeRate(2000 + 1000*(a.R[2]%4)), Unsigned: a.R[3]%3 > 0}
	for _, in := range b.Inputs {
		x.Coins = append(x.Coins, in.OutPoint())
	}
	_, _ = n.command(a, x)
}

// pay proposes a payment: of coins of its own, most of the time.
func (r *robotRun) pay(n *node, a Action) {
	name := suppliers
	if a.R[2]%4 == 0 {
		name = rent
	}
	from, to := payeesOf(name)
	script := recipient(from + a.R[2]>>2%(to-from))
	if a.R[2]>>8%12 == 0 {
		script = recipient(stranger)
	}
	takes := r.amount(n, a.R[0])
	b := r.draft(n, r.coins(n, a.R[1], a.R[1]>>10%5 > 0, takes), script, takes, 0, a.R[3])
	if b != nil && a.R[3]>>8%8 == 0 {
		b.Expires = n.clock().Add(time.Duration(4+a.R[3]>>12%12) * time.Second).Unix()
	}
	r.put(n, a, b)
}

// chain proposes what takes the place of an earlier transaction: with one of its coins and
// another one, so that the one before that may be mined as well.
func (r *robotRun) chain(n *node, a Action) {
	var old *group.Proposal
	for _, p := range newest(n, 6) {
		if p.Author() == n.id() && n.m.State.Alive(p) {
			old = p
			break
		}
	}
	if old == nil || n.liar == nil {
		return
	}
	in := old.Body.Inputs
	coins := []event.ProposalInput{in[len(in)-1]}
	if a.R[0]%3 == 0 {
		coins = slices.Clone(in)
	}
	if more := r.coins(n, a.R[1], true, 10_000); len(more) > 0 && a.R[0]%6 > 0 {
		coins = append(coins, more[0])
	}
	// What it is to replace: all over its coins that anybody signed.
	var over []chainhash.Hash
	fees := int64(0)
	for _, p := range n.m.Proposals() {
		if p.TxID == old.TxID || n.m.State.Released(p.TxID) && slices.ContainsFunc(p.Body.Inputs, func(i event.ProposalInput) bool {
			return slices.ContainsFunc(coins, func(j event.ProposalInput) bool { return i.OutPoint() == j.OutPoint() })
		}) {
			if !slices.Contains(over, p.TxID) {
				over, fees = append(over, p.TxID), fees+p.Fee()
			}
		}
	}
	script, takes := old.Body.Outputs[0].PkScript, old.Fee()+old.Body.Outputs[0].Amount
	switch a.R[2] % 6 {
	case 0:
		script = recipient(stranger)
	case 1, 2:
		script = recipient(a.R[2] >> 4 % 40)
	}
	switch a.R[3] >> 4 % 4 {
	case 0:
		takes = r.amount(n, a.R[3]>>8)
	case 1: // a higher fee, for the same payment
		takes += fees + 1_500 - old.Fee()
	}
	b := r.draft(n, coins, script, takes, fees+1_500, a.R[3])
	if b == nil {
		return
	}
	if b.Replaces = over; a.R[0]>>4%8 == 0 {
		b.Replaces = over[:1]
	}
	r.w.count("robots: replacements proposed")
	r.put(n, a, b)
}

// again enters an earlier transaction once more: one that is over, most of the time.
func (r *robotRun) again(n *node, a Action) {
	all := newest(n, 12)
	if n.liar == nil || len(all) == 0 {
		return
	}
	over := slices.DeleteFunc(slices.Clone(all), func(p *group.Proposal) bool {
		return !n.m.State.Withdrawn(p) && (p.Body.Expires == 0 || p.Body.Expires > n.clock().Unix())
	})
	if len(over) > 0 && a.R[1]%5 > 0 {
		all = over
	}
	b := *all[int(a.R[0])%min(len(all), 3)].Body
	b.Note, b.Expires = fmt.Sprint("again ", a.R[2]%100), 0
	r.w.count("robots: entered again")
	r.put(n, a, &b)
}
