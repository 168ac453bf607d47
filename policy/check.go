package policy

import (
	"math/bits"
	"slices"
)

// checked is what of a Require does not hold: what never will, and what does not yet.
type checked struct {
	never, waits []Reason
	next         int64 // when what waits may change by itself, the latest of what is known; 0 where something is not
	unknown      bool
	reserve      []uint64
}

func (c *checked) must(holds bool, why Reason) {
	if !holds {
		c.never = append(c.never, why)
	}
}

// until notes what does not hold yet; next is when it may, 0 where that is not known.
func (c *checked) until(holds bool, why Reason, next int64) {
	if holds {
		return
	}
	if !slices.Contains(c.waits, why) {
		c.waits = append(c.waits, why)
	}
	c.next = max(c.next, next)
	c.unknown = c.unknown || next == 0
}

func (c *checked) wait() Verdict {
	v := Verdict{Outcome: OutcomeWait, Reasons: c.waits, Next: c.next, Reserve: c.reserve}
	if c.unknown {
		v.Next = 0
	}
	return v
}

// check asks all of a Require but its delay.
func check(p *Policy, r *Require, f *Facts) checked {
	var c checked
	var amount int64
	for _, x := range f.Pays {
		amount += x.Amount
	}
	of := amount // what a share of the fee is of
	if amount == 0 {
		of = f.In
	}
	c.must(amount >= r.AmountMin, ReasonAmountMin)
	c.must(r.AmountMax == 0 || amount <= r.AmountMax, ReasonAmountMax)
	c.must((r.FeeMax == 0 || f.Fee <= r.FeeMax) && (r.FeeShareMax == 0 || withinShare(f.Fee, of, r.FeeShareMax)), ReasonFee)
	c.must(r.FeeRateMax == 0 || atMost(f.Fee, 1000, f.VSize, uint64(r.FeeRateMax)), ReasonFeeRate)
	c.must(r.InputsMax == 0 || f.Inputs <= r.InputsMax, ReasonInputs)
	c.must(r.OutputsMax == 0 || f.Outputs <= r.OutputsMax, ReasonOutputs)
	c.must(r.ChangeShareMax == 0 || withinShare(f.Own, f.In, r.ChangeShareMax), ReasonChange)
	c.must(!r.NoLockTime || f.LockTime == 0, ReasonLockTime)
	for _, code := range f.Hindered {
		c.until(false, Reason(code), 0)
	}
	c.until(f.Confirmations >= r.Confirmations, ReasonConfirmations, 0)
	c.until(f.Age >= r.AgeMin, ReasonAge, f.Now+r.AgeMin-f.Age)
	for _, a := range r.Approvals {
		of := p.Keys(a.Of) & f.Approved &^ f.Rejected
		if !r.InitiatorCounts {
			of &^= 1 << f.Initiator
		}
		c.until(uint64(of.Count()) >= a.N, ReasonApprovals, 0)
	}
	c.hours(r.Hours, f)
	c.meters(p, r.Meters, f)
	return c
}

// meters asks those that a rule names. Leave of the others is asked for where nothing else
// is waited for.
func (c *checked) meters(p *Policy, of []uint64, f *Facts) {
	var reserve []uint64
	waits := len(c.waits)
	for _, m := range of {
		known := false
		for _, u := range f.Uses {
			if u.Meter != m {
				continue
			}
			known = true
			pools := u.Pool > 0 && u.Takes <= u.Pool
			switch {
			case u.Used <= u.Share-u.Charge || pools && u.Granted:
			case pools && u.Reserved:
				c.until(false, ReasonGrants, 0)
			case pools:
				c.until(false, ReasonMeterFull, u.Lapsing)
				reserve = append(reserve, m)
			case u.Charge <= u.Share || u.Later:
				c.until(false, ReasonMeterFull, u.Lapsing)
			default:
				c.must(false, ReasonMeterMax)
			}
		}
		c.must(known || p.Meters[m].Per == PerRecipient && len(f.Pays) == 0, ReasonFacts)
	}
	if waits == 0 && len(c.never) == 0 {
		c.reserve = slices.Compact(reserve)
	}
}

// withinShare says whether part is at most so many millionths of whole.
func withinShare(part, whole int64, millionths uint64) bool {
	return atMost(part, 1_000_000, whole, millionths)
}

// atMost says whether a*x <= b*y, without overflow. What is negative is never at most.
func atMost(a int64, x uint64, b int64, y uint64) bool {
	if a < 0 || b < 0 {
		return false
	}
	hi, lo := bits.Mul64(uint64(a), x)
	hi2, lo2 := bits.Mul64(uint64(b), y)
	return hi < hi2 || hi == hi2 && lo <= lo2
}
