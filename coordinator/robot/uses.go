package robot

import (
	"iter"

	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// Uses is what a transaction would charge to each meter of a policy, for a wallet of k of n
// keys: one for each meter, of those for each recipient one for each who is paid. Of amounts
// beyond all bitcoin it says so much.
func (l Ledger) Uses(p *policy.Policy, n, k int, t Takes) []policy.Use {
	r := p.R(n, k)
	return l.usesBy(p, t, func(m policy.Meter, _ meter.Subject) (share, pool int64) { return p.Share(m, r) })
}

// usesBy is Uses where shares are other ones than the policy by itself gives.
func (l Ledger) usesBy(p *policy.Policy, t Takes, by func(policy.Meter, meter.Subject) (share, pool int64)) (out []policy.Use) {
	for i, m := range p.Meters {
		for of := range t.of(m.Per) {
			share, pool := by(m, of.Subject)
			x := policy.Use{
				Meter: uint64(i), Share: share, Pool: pool, Takes: of.Amount,
				Charge: l.book.Charge(coinsAs(t.coins), of),
				Used:   min(l.book.Used(of.Subject, m.Window, l.now), policy.MaxAmount),
			}
			if need := x.Used + x.Charge - share; need > 0 {
				x.Lapsing = l.book.Lapses(of.Subject, m.Window, l.now, need)
			}
			out = append(out, x)
		}
	}
	return out
}

// of is what a transaction takes that a meter counts.
func (t Takes) of(per policy.Per) iter.Seq[meter.Take] {
	return func(yield func(meter.Take) bool) {
		for _, x := range t.bySubject() {
			if perOf(x.Subject) == per && !yield(x) {
				return
			}
		}
	}
}

// perOf says which meters count a subject.
func perOf(s meter.Subject) policy.Per {
	switch {
	case s == meter.All:
		return policy.PerGroup
	case s[0] == 'i':
		return policy.PerInitiator
	}
	return policy.PerRecipient
}

// Outstanding yields what was signed before a time, Unix seconds, and of which a charge still
// lies on a coin: to spend its first coin back to the wallet frees it.
func (l Ledger) Outstanding(before int64) iter.Seq[meter.Signed] { return l.book.Outstanding(before) }
