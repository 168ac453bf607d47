package robot

import (
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// maxLine is how many policies back a line is looked for at which all robots had arrived.
// Where it is longer a robot keeps to none: it has no share.
const maxLine = 1024

// line is the policies between the last that all robots followed and the one in force, and
// what robots signed before they followed that. Shares of two policies must not add up: see
// meter.Line. It is never changed in place.
type line struct {
	version event.PolicyVersion // the one in force
	in      versions            // all of them, and those before them that are looked through for leavers
	last    *policy.Policy      // the one in force
	older   policy.Keys         // robots of those before
	sets    []policy.Keys       // likewise, of each, once
	// terms are those of each meter of the policy in force, by index, the newest first. Of older
	// ones it matters what they say, not when, so that each is there once.
	terms  [][]meter.Terms
	left   []leaver
	begun  int64        // median time past, Unix seconds
	broken bool         // a policy of it cannot be read, or it is too long
	pasts  map[int]past // by key
}

// versions are policies, and whom each names as robots.
type versions map[event.PolicyVersion]policy.Keys

func (vs versions) has(v event.PolicyVersion) bool {
	_, ok := vs[v]
	return ok
}

// lineOf works out the line that leads to the version in force.
func lineOf(s group.State, key int, v event.PolicyVersion, p *policy.Policy) line {
	l := line{version: v, in: versions{v: p.Robots}, last: p, begun: s.PolicyBegan(key), terms: make([][]meter.Terms, len(p.Meters))}
	wallet := quorum{len(s.Active().Members), s.Genesis().Threshold}
	for n, m := range p.Meters {
		l.terms[n] = []meter.Terms{termsOf(p, m, wallet)}
	}
	next := []event.PolicyVersion{v}
	for ; len(next) > 0 && !l.arrived(s); next = next[1:] {
		for v, before := range l.unseen(s, next[0]) { // several where robots had parted
			if before == nil || len(l.in) == maxLine {
				l.broken = true
				return l
			}
			next = append(next, v)
			l.in[v] = before.Robots
			if l.older |= before.Robots; !slices.Contains(l.sets, before.Robots) {
				l.sets = append(l.sets, before.Robots)
			}
			for n, m := range p.Meters {
				t := termsOf(before, m, wallet)
				known := func(x meter.Terms) bool {
					return t.Share == x.Share && t.Pool == x.Pool && slices.Equal(t.Robots, x.Robots)
				}
				if !slices.ContainsFunc(l.terms[n][1:], known) {
					l.terms[n] = append(l.terms[n], t)
				}
			}
		}
	}
	for _, of := range l.terms {
		slices.Reverse(of)
	}
	return l.leavers(s, key, next)
}

// unseen yields what a version follows and the line does not have yet, with nil where that
// cannot be read. Before the first policy nobody was a robot: what keys signed then is their
// past, and no share is there before all follow it.
func (l line) unseen(s group.State, v event.PolicyVersion) func(yield func(event.PolicyVersion, *policy.Policy) bool) {
	return func(yield func(event.PolicyVersion, *policy.Policy) bool) {
		if v == (event.PolicyVersion{}) {
			return
		}
		_, parents, _ := s.PolicyText(v)
		if len(parents) == 0 {
			parents = []event.PolicyVersion{{}}
		}
		for _, v := range parents {
			if l.in.has(v) {
				continue
			}
			p := &policy.Policy{}
			if v != (event.PolicyVersion{}) {
				var err error
				if p, err = read(s, v); err != nil {
					p = nil
				}
			}
			if !yield(v, p) {
				return
			}
		}
	}
}

// arrived says whether each robot of the policies before the last is known to follow one of
// the line, so that none goes by an older one.
func (l line) arrived(s group.State) bool {
	if len(l.in) == 1 {
		return false
	}
	for k := range s.Active().Members {
		if v, _, ok := s.PolicyAdopted(k); l.older.Has(policy.Key(k)) && (!ok || !l.in.has(v)) {
			return false
		}
	}
	return true
}

// newest says whether a robot is known to follow the version in force.
func (l line) newest(s group.State, key int) bool {
	v, _, ok := s.PolicyAdopted(key)
	// What it signed before is held here, or nobody knows how much that is.
	return ok && v == l.version && !l.pasts[key].unheld(s, key)
}

// quorum is how many keys a wallet has, and how many sign.
type quorum struct{ n, k int }

// termsOf are those of a meter in a policy: a meter goes by its name.
func termsOf(p *policy.Policy, of policy.Meter, wallet quorum) meter.Terms {
	var t meter.Terms
	for k := range wallet.n {
		if p.Robots.Has(policy.Key(k)) {
			t.Robots = append(t.Robots, meter.Robot(k))
		}
	}
	// One that has no such meter bounds nothing by it.
	t.Share = policy.MaxAmount
	for _, m := range p.Meters {
		if m.Name == of.Name && m.Per == of.Per {
			t.Share, t.Pool = p.Share(m, p.R(wallet.n, wallet.k))
		}
	}
	return t
}

// share is what a robot may have used of a meter for a subject, all in all.
func (l line) share(s group.State, key int, m policy.Meter, of meter.Subject, now int64) int64 {
	if l.broken || l.pasts == nil {
		return 0
	}
	return l.of(s, m).Share(meter.Robot(key), of, m.Window, now)
}

// pool is what may be granted of a meter for a subject, all in all; 0 where nothing is yet.
func (l line) pool(s group.State, m policy.Meter, of meter.Subject, now int64) int64 {
	if l.broken || l.pasts == nil {
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

// of is the line of one meter of the policy in force.
func (l line) of(s group.State, m policy.Meter) meter.Line {
	n := slices.IndexFunc(l.last.Meters, func(o policy.Meter) bool { return o.Name == m.Name })
	x := meter.Line{Terms: l.terms[n], Pasts: map[meter.Robot]meter.Past{}, Begun: l.begun}
	for k := range s.Active().Members {
		if !(l.older | l.last.Robots).Has(policy.Key(k)) {
			continue
		}
		p := meter.Past{Adopted: -1, Signed: l.pasts[k].signed.book, Robotly: l.pasts[k].robotly.book, Granted: l.pasts[k].granted.book}
		if l.newest(s, k) {
			p.Adopted = len(x.Terms) - 1
		}
		if !l.pasts[k].asked {
			p.Lent = mostPool(x.Terms, meter.Robot(k))
		}
		x.Pasts[meter.Robot(k)] = p
	}
	for _, of := range l.left {
		x.Left = append(x.Left, of.at(s, l, n))
	}
	return x
}

// mostPool is the most that a robot may have been granted of a meter in a day by older terms.
func mostPool(terms []meter.Terms, r meter.Robot) (most int64) {
	for _, t := range terms[:len(terms)-1] {
		if slices.Contains(t.Robots, r) {
			most = max(most, t.Pool)
		}
	}
	return most
}

// moved says whether all robots of the policy in force follow it.
func (l line) moved(s group.State) bool {
	if l.broken {
		return false
	}
	for k := range s.Active().Members {
		if !l.newest(s, k) && l.last.Robots.Has(policy.Key(k)) {
			return false
		}
	}
	return true
}

// leaver is a robot of policies before a line, that the line leaves out, or that only the policy
// in force has again. Nobody waits for it, and it may go on by what it knows: it counts for a
// window from when it was left out.
type leaver struct {
	key        int
	most, lent []int64 // by meter of the policy in force: see meter.Left
	since      int64   // median time past, Unix seconds
}

// leavers looks through what was before a line, from some versions on, for robots that the line
// leaves out.
func (l line) leavers(s group.State, me int, next []event.PolicyVersion) line {
	wallet := quorum{len(s.Active().Members), s.Genesis().Threshold}
	at := map[int]int{} // in left, by key
	over := l.older
	for k := range s.Active().Members {
		if v, _, ok := s.PolicyAdopted(k); ok && l.in.has(v) && l.last.Robots.Has(policy.Key(k)) {
			over |= policy.KeysOf(policy.Key(k))
		}
	}
	for ; len(next) > 0; next = next[1:] {
		for v, p := range l.unseen(s, next[0]) {
			if p == nil || len(l.in) == maxLine {
				continue
			}
			next = append(next, v)
			l.in[v] = p.Robots
			for k := range s.Active().Members {
				if !(p.Robots &^ over).Has(policy.Key(k)) {
					continue
				}
				n, ok := at[k]
				if !ok {
					n, at[k] = len(l.left), len(l.left)
					l.left = append(l.left, leaver{k, make([]int64, len(l.last.Meters)), make([]int64, len(l.last.Meters)), l.leftOut(s, me, k)})
				}
				for i, m := range l.last.Meters {
					t := termsOf(p, m, wallet)
					l.left[n].most[i] = max(l.left[n].most[i], t.Share)
					if !p.Robots.Has(policy.Key(me)) {
						l.left[n].lent[i] = max(l.left[n].lent[i], t.Pool)
					}
				}
				// What it went on from it does not go by any more.
				if f, _, ok := s.PolicyAdopted(k); ok && f == v {
					over |= policy.KeysOf(policy.Key(k))
				}
			}
		}
	}
	return l
}

// leftOut is since when a robot follows policies that leave another one out.
func (l line) leftOut(s group.State, me, key int) int64 {
	since := l.begun
	for v, began := range s.PolicyMoves(me) {
		robots, ok := l.in[v]
		if !ok {
			p, err := read(s, v)
			if err != nil {
				break
			}
			robots = p.Robots
		}
		if robots.Has(policy.Key(key)) {
			break
		}
		since = min(since, began)
	}
	return since
}

// at is what a leaver counts of a meter. One that says that it follows a policy that leaves it
// out has heard, and counts with what it signed.
func (x leaver) at(s group.State, l line, n int) meter.Left {
	out := meter.Left{Robot: meter.Robot(x.key), Signed: l.pasts[x.key].signed.book, Since: x.since}
	v, _, ok := s.PolicyAdopted(x.key)
	if l.newest(s, x.key) && (l.older | l.last.Robots).Has(policy.Key(x.key)) { // its past in the line says all
		return meter.Left{Robot: out.Robot}
	}
	if robots, known := l.in[v]; ok && known && !robots.Has(policy.Key(x.key)) && !l.pasts[x.key].unheld(s, x.key) {
		return out
	}
	out.Most, out.Lent, out.Granted, out.Robotly = x.most[n], x.lent[n], l.pasts[x.key].granted.book, l.pasts[x.key].robotly.book
	return out
}
