package policy

// R returns how many robots' keys are in any payment that an honest robot signs, of a wallet
// of k of n keys, where so many robots' keys may be bad as the policy tolerates. Human keys
// keep to no meter, so all of them may be in it.
func (p *Policy) R(n, k int) int {
	return max(1, p.least(n, k)-int(min(p.Tolerate, MaxKeys)))
}

// least is the fewest robots' keys in a set that can spend and holds one.
func (p *Policy) least(n, k int) int {
	humans := n - p.Robots.Count()
	return max(1, k-humans)
}

// Share returns what each robot may sign of a meter's limit on its own, and what all of them
// together may sign with each other's leave; r as R returns it. Both are rounded down.
func (p *Policy) Share(m Meter, r int) (share, pool int64) {
	robots := int64(p.Robots.Count())
	if robots == 0 || m.Limit <= 0 || m.Limit > MaxAmount || m.Pool > 100 {
		return 0, 0
	}
	pool = m.Limit * int64(m.Pool) / 100
	if share = m.Limit - pool; int64(r) < robots {
		share = share * int64(max(1, r)) / robots
	}
	return share, pool
}

// Worst is the most that leaves a wallet in one window of a meter by payments that an honest
// robot signed.
type Worst struct {
	Meter int   // index in Policy.Meters
	Bad   int   // robots' keys that are bad
	Most  int64 // satoshis; of a meter for each initiator or recipient, for each of them
	// Free: humans and the bad robots are k, and need no honest robot, so that nothing bounds
	// what they sign.
	Free bool
}

// WorstCase works out, for each meter and for 0 to k-1 bad keys of robots, the most that can
// leave in a window, however the robots are kept apart. All human keys may be in each
// payment, since they keep to no meter.
func (p *Policy) WorstCase(n, k int) []Worst {
	var out []Worst
	robots, r := p.Robots.Count(), p.R(n, k)
	for i, m := range p.Meters {
		share, pool := p.Share(m, r)
		for bad := 0; bad < k && bad <= robots; bad++ {
			// Each payment charges the share of so many honest robots at least, or the pool,
			// which all honest ones count.
			w := Worst{Meter: i, Bad: bad, Free: n-robots+bad >= k}
			if honest := robots - bad; honest > 0 {
				w.Most = pool + share*int64(honest)/int64(max(1, p.least(n, k)-bad))
			}
			out = append(out, w)
		}
	}
	return out
}
