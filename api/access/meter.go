package access

import "time"

// Window is how long what a token spent counts against its limit.
const Window = 24 * time.Hour

// spent is what a token spent in one hour.
type spent struct {
	Hour   int64 `json:"hour"`   // since 1970
	Amount int64 `json:"amount"` // satoshis
}

// meter is what a token spent, by hours, oldest first. An hour counts until Window
// after its end: what counts is never less than what was spent within Window.
type meter []spent

func (m meter) since(now time.Time) meter {
	var out meter
	for _, s := range m {
		if time.Unix((s.Hour+1)*3600, 0).Add(Window).After(now) {
			out = append(out, s)
		}
	}
	return out
}

// total is what counts now.
func (m meter) total(now time.Time) (sum int64) {
	for _, s := range m.since(now) {
		sum += s.Amount
	}
	return sum
}

// add returns m with an amount in the hour of at, or less where it is negative.
func (m meter) add(at, now time.Time, amount int64) meter {
	hour := at.Unix() / 3600
	out := append(meter{}, m.since(now)...)
	for i := range out {
		if out[i].Hour == hour {
			out[i].Amount = max(0, out[i].Amount+amount)
			return out
		}
	}
	if amount > 0 {
		out = append(out, spent{hour, amount})
	}
	return out
}
