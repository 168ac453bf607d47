package policy

import "slices"

const day = 86400

// hours asks whether one of some hours is now. What zone it is is told by the facts.
func (c *checked) hours(of []Hours, f *Facts) {
	if len(of) == 0 {
		return
	}
	if f.Doubt {
		c.until(false, ReasonClock, 0)
		return
	}
	var next int64
	for _, h := range of {
		z := slices.IndexFunc(f.Zones, func(z Zone) bool { return z.Name == h.Zone })
		if z < 0 {
			continue
		}
		at := h.next(f.Now + f.Zones[z].Offset)
		if at == 0 {
			return // now
		}
		if next == 0 || at < next {
			next = at
		}
	}
	if next != 0 {
		next += f.Now
	}
	c.until(false, ReasonHours, next)
}

// next returns in how many seconds of a zone's time the hours come; 0 while they are.
func (h Hours) next(local int64) int64 {
	for n := range int64(8) {
		midnight := local - mod(local, day) + n*day
		if h.Days&(1<<mod(midnight/day+3, 7)) == 0 { // 1 January 1970 was a Thursday
			continue
		}
		from, to := midnight+60*int64(h.From), midnight+60*int64(h.To)
		switch {
		case local < from:
			return from - local
		case local < to:
			return 0
		}
	}
	return 8 * day // no day is given
}

// mod is the remainder that is never negative.
func mod(a, b int64) int64 { return (a%b + b) % b }
