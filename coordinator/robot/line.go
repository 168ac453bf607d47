package robot

import (
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// maxLine is how many policies back a line is looked for at which all robots had arrived.
// Where it is longer a robot keeps to none: it has no share.
const maxLine = 16

// line is the policies between the last that all robots followed and the one in force, and
// what robots signed before they followed that. Shares of two policies must not add up: see
// meter.Line.
type line struct {
	versions []event.PolicyVersion // the oldest first
	policies []*policy.Policy
	begun    int64          // median time past, Unix seconds
	broken   bool           // a policy of it cannot be read, or it is too long
	pasts    map[int]Ledger // by key, once all have moved: never changed in place
}

// lineOf works out the line that leads to the version in force.
func lineOf(s group.State, key int, v event.PolicyVersion, p *policy.Policy) line {
	l := line{versions: []event.PolicyVersion{v}, policies: []*policy.Policy{p}, begun: s.PolicyBegan(key)}
	for !l.arrived(s) {
		_, parents, _ := s.PolicyText(l.versions[0])
		if len(parents) == 0 {
			// Before the first policy nobody was a robot: what keys signed then is their past, and
			// no share is there before all follow it.
			l.versions, l.policies = slices.Insert(l.versions, 0, event.PolicyVersion{}), slices.Insert(l.policies, 0, &policy.Policy{})
			return l
		}
		for n, v := range parents { // several where robots had parted
			before, err := read(s, v)
			if err != nil || len(l.versions) == maxLine {
				l.broken = true
				return l
			}
			l.versions, l.policies = slices.Insert(l.versions, n, v), slices.Insert(l.policies, n, before)
		}
	}
	return l
}

// arrived says whether each robot of the policies before the last is known to follow one of
// the line, so that none goes by an older one.
func (l line) arrived(s group.State) bool {
	if len(l.versions) == 1 {
		return false
	}
	var robots policy.Keys
	for _, p := range l.policies[:len(l.policies)-1] {
		robots |= p.Robots
	}
	for k := range s.Active().Members {
		if at, ok := l.at(s, k); robots.Has(policy.Key(k)) && (!ok || at < 0) {
			return false
		}
	}
	return true
}

// at is how far in the line a robot is.
func (l line) at(s group.State, key int) (int, bool) {
	v, _, ok := s.PolicyAdopted(key)
	if !ok {
		return -1, false
	}
	return slices.Index(l.versions, v), true
}

// terms are those of a meter in a policy of the line: a meter goes by its name.
func (l line) terms(n int, of policy.Meter, wallet [2]int) meter.Terms {
	p := l.policies[n]
	var t meter.Terms
	for k := range wallet[0] {
		if p.Robots.Has(policy.Key(k)) {
			t.Robots = append(t.Robots, meter.Robot(k))
		}
	}
	// One that has no such meter bounds nothing by it.
	t.Share = policy.MaxAmount
	for _, m := range p.Meters {
		if m.Name == of.Name && m.Per == of.Per {
			t.Share, t.Pool = p.Share(m, p.R(wallet[0], wallet[1]))
		}
	}
	return t
}

// share is what a robot may have used of a meter for a subject, all in all.
func (l line) share(s group.State, key int, m policy.Meter, of meter.Subject, now int64) int64 {
	if l.broken {
		return 0
	}
	return l.of(s, m).Share(meter.Robot(key), of, m.Window, now)
}

// pool is what may be granted of a meter for a subject, all in all; 0 where nothing is yet.
func (l line) pool(s group.State, m policy.Meter, of meter.Subject, now int64) int64 {
	if l.broken {
		return 0
	}
	n, _ := l.of(s, m).Pool(of, m.Window, now)
	return n
}

// later notes at a use of a meter whether what the policy in force by itself lets a robot have
// of it has room, where that is more than there is now. A line that is broken stays so.
func (l line) later(x policy.Use, share, pool int64) policy.Use {
	x.Later = !l.broken && (x.Share < share && x.Charge <= share || x.Pool < pool && x.Takes <= pool)
	return x
}

// of is the line of one meter.
func (l line) of(s group.State, m policy.Meter) meter.Line {
	x := meter.Line{Pasts: map[meter.Robot]meter.Past{}, Begun: l.begun}
	wallet := [2]int{len(s.Active().Members), s.Genesis().Threshold}
	for n := range l.policies {
		x.Terms = append(x.Terms, l.terms(n, m, wallet))
	}
	for k := range s.Active().Members {
		if at, ok := l.at(s, k); ok && at >= 0 {
			x.Pasts[meter.Robot(k)] = meter.Past{Adopted: at, Signed: l.pasts[k].book}
		}
	}
	return x
}

// moved says whether all robots of the policy in force follow it.
func (l line) moved(s group.State) bool {
	if l.broken {
		return false
	}
	last := len(l.versions) - 1
	for k := range s.Active().Members {
		if at, _ := l.at(s, k); l.policies[last].Robots.Has(policy.Key(k)) && at != last {
			return false
		}
	}
	return true
}

// withPasts works out what each robot signed before it followed the policy in force.
func (l line) withPasts(w Wallet, c *Compiled) (line, error) {
	pasts := map[int]Ledger{}
	for k := range w.State.Active().Members {
		_, at, ok := w.State.PolicyAdopted(k)
		if !ok {
			continue
		}
		book, err := Rebuild(w.State, w.View, c, w.signedBefore(k, at))
		if err != nil {
			return l, err
		}
		pasts[k] = book
	}
	l.pasts = pasts
	return l, nil
}

// follow has what was signed before follow the chain.
func (l line) follow(s group.State, v ledger.View) line {
	if l.pasts == nil {
		return l
	}
	pasts := map[int]Ledger{}
	for k, book := range l.pasts {
		pasts[k] = book.Follow(s, v, v.News())
	}
	l.pasts = pasts
	return l
}
