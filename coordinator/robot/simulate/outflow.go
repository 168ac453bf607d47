package simulate

import (
	"cmp"
	"slices"

	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy/meter"
)

// made is a signature that the robot would have made.
type made struct {
	at      int64
	takes   robot.Takes
	charged []meter.Take
	mined   bool
	median  int64 // of its block
}

// Outflow is the most that a meter would have counted in any of its windows.
type Outflow struct {
	Meter int // index in Policy.Meters
	// Signed is the most that the robot would have signed in a window, where a replacement adds
	// only what it takes beyond what it replaces; Mined what of all it signed was mined in one.
	Signed, Mined Most
}

// Most is the largest amount in a window, and whose of a meter for each initiator or recipient.
type Most struct {
	Amount  int64 // satoshis
	From    int64 // when the window begins, Unix seconds
	Subject meter.Subject
}

type flow struct{ at, amount int64 }

func (r *run) outflows() []Outflow {
	var out []Outflow
	for n, m := range r.q.Policy.Meters {
		signed, mined := map[meter.Subject][]flow{}, map[meter.Subject][]flow{}
		for _, x := range r.made {
			for _, t := range x.charged {
				if robot.Counts(m.Per, t.Subject) {
					signed[t.Subject] = append(signed[t.Subject], flow{x.at, t.Amount})
				}
			}
			for t := range x.takes.Counted(m.Per) {
				if x.mined {
					mined[t.Subject] = append(mined[t.Subject], flow{x.median, t.Amount})
				}
			}
		}
		out = append(out, Outflow{n, most(signed, m.Window), most(mined, m.Window)})
	}
	return out
}

// most is the largest sum of what lies within one window: the first of several, by subject.
func most(of map[meter.Subject][]flow, window int64) (best Most) {
	for subject, flows := range of {
		slices.SortFunc(flows, func(a, b flow) int { return cmp.Compare(a.at, b.at) })
		var sum int64
		first := 0
		for _, x := range flows {
			for sum += x.amount; flows[first].at < x.at-window; first++ {
				sum -= flows[first].amount
			}
			if sum > best.Amount || sum == best.Amount && sum > 0 && (subject < best.Subject || subject == best.Subject && flows[first].at < best.From) {
				best = Most{sum, flows[first].at, subject}
			}
		}
	}
	return best
}
