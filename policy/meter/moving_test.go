package meter

import (
	"maps"
	"slices"
)

// astray is what is planted in robots that move over; the zero value is as Line has it.
type astray struct {
	atOnce    bool // a robot uses its new share as soon as it adopted
	poolEmpty bool // the new pool counts nothing of before
	noBeyond  bool // the shares count nothing of others
	newSign   bool // a new robot signs before all moved over
	grants    bool // what was reserved under older terms is granted still
	notVoid   bool // and signed by
	byHand    bool // one that is left out signs by hand at once
	leftOut   bool // one that is left out, and silent, counts for nothing
	ownOnly   bool // what a key signed by hand before it was a robot's does not count
	oldOnly   bool // only robots of older terms are waited for
	cut       bool // one that was left out before the line begins is forgotten
}

// shift is a wallet whose policy changes, up to twice.
type shift struct {
	*world
	n, k     int
	window   int64
	bad      set // keys
	policies []change
	keys     []*key
	reserved []*claim
	wrong    astray
}

// change is one policy.
type change struct {
	Terms
	limit int64
	begun int64
}

// key is one honest key: of a robot, or of a human, who is hostile.
type key struct {
	id      Robot
	at      int // the newest policy that it adopted
	all     Book
	used    Book
	pasts   []Book // what it had signed when it adopted each
	pool    Pool
	knows   []int // what of each other key it knows to be adopted
	signed  map[int]bool
	robotly map[int]bool // those that it signed as a robot
}

type claim struct {
	Reservation
	tx, by, policy int
	granted        set
}

func newShift(d drawer, wr astray) *shift {
	s := &shift{world: newWorld(d, 8+d.n("coins", 5)), wrong: wr, n: 2 + d.n("n", 5), window: pick[int64](d, "window", 6, 7, 24) * 3600}
	s.k = 1 + d.n("k", s.n)
	if d.n("has a bad one", 3) == 0 {
		s.bad = 1 << d.n("bad", s.n)
	}
	if d.n("first", 3) == 0 {
		s.policies = []change{{begun: s.now()}} // all are humans before the first policy
	}
	s.policy()
	for i := range s.n {
		s.keys = append(s.keys, &key{id: Robot(i), pasts: []Book{{}}, knows: make([]int, s.n), signed: map[int]bool{}, robotly: map[int]bool{}})
	}
	return s
}

// policy makes the next policy, of which the bad keys are tolerated.
func (s *shift) policy() {
	c := change{begun: s.now(), limit: int64(30 + s.d.n("limit", 120))}
	if len(s.policies) > 0 && s.policies[len(s.policies)-1].limit > 0 && s.d.n("another limit", 4) > 0 {
		c.limit = s.policies[len(s.policies)-1].limit
	}
	var robots set
	for i := range s.n {
		if s.d.n("robot", 3) > 0 {
			robots |= 1 << i
		}
	}
	if n := len(s.policies); n > 0 && len(s.policies[n-1].Robots) > 0 && s.d.n("anew", 4) > 0 {
		robots = 1 << s.d.n("one more or less", s.n)
		for _, r := range s.policies[n-1].Robots {
			robots ^= 1 << r
		}
	}
	if robots == 0 {
		robots = 1
	}
	bad := 0
	for i := range s.n {
		if robots>>i&1 == 1 {
			c.Robots = append(c.Robots, Robot(i))
			bad += int(s.bad >> i & 1)
		}
	}
	m := len(c.Robots)
	r := max(1, max(1, s.k-(s.n-m))-bad-s.d.n("tolerate", 3)/2)
	c.Pool = c.limit * int64(max(0, s.d.n("pool", 4)-1)) / 2
	c.Share = (c.limit - c.Pool) * int64(min(r, m)) / int64(m)
	s.policies = append(s.policies, c)
	s.hints = append(s.hints, c.Share, c.Pool, c.limit, c.limit/2, c.Share/2)
}

func (s *shift) isBad(i Robot) bool { return s.bad>>i&1 == 1 }

// line is what a key knows of the change to the policy that it adopted.
func (s *shift) line(k *key) Line {
	l := Line{Pasts: map[Robot]Past{}, Begun: s.policies[k.at].begun}
	from := s.from(k)
	for _, p := range s.policies[from : k.at+1] {
		l.Terms = append(l.Terms, p.Terms)
	}
	granted := func(i int) (b Book) {
		for _, c := range s.reserved {
			if c.by == i && c.policy < k.at {
				b = b.Sign(c.Signed)
			}
		}
		for tx, at := range s.times(s.final()) {
			b = b.Bury(txOf(tx), s.spends[tx].coins(), at)
		}
		return b
	}
	for i, other := range s.keys {
		p := Past{Adopted: k.knows[i] - from}
		switch {
		case s.isBad(other.id):
		case k.knows[i] >= k.at:
			p.Signed = other.pasts[k.at]
		default: // all before what it says is known
			p.Granted, p.Signed = granted(i), other.pasts[min(k.knows[i], len(other.pasts)-1)]
		}
		l.Pasts[other.id] = p
		if x, ok := s.leaver(k, i, from); ok && !s.wrong.cut {
			if x.Granted = granted(i); !s.policies[k.knows[i]].has(other.id) && !s.isBad(other.id) { // it said so
				x.Most, x.Granted, x.Signed = 0, Book{}, other.pasts[min(k.knows[i], len(other.pasts)-1)]
			}
			l.Left = append(l.Left, x)
		}
	}
	if s.wrong.leftOut {
		for r, p := range l.Pasts {
			if l.silent(r) {
				l.Begun, p.Granted = -1e9, Book{}
				l.Pasts[r] = p
			}
		}
	}
	if s.wrong.oldOnly {
		for r, p := range l.Pasts {
			if !slices.ContainsFunc(l.Terms[:l.newest()], func(t Terms) bool { return t.has(r) }) {
				p.Adopted = l.newest()
				l.Pasts[r] = p
			}
		}
	}
	return l
}

// from is the last policy at which a key knows that all robots of those from there on had
// arrived.
func (s *shift) from(k *key) int {
	for n := k.at - 1; n >= 0; n-- {
		if !slices.ContainsFunc(s.policies[n:k.at], func(c change) bool {
			return slices.ContainsFunc(c.Robots, func(r Robot) bool { return k.knows[r] < n })
		}) {
			return n
		}
	}
	return 0
}

// leaver is what a key knows of a robot of policies before its line, which the line leaves out,
// or which only its end has again.
func (s *shift) leaver(k *key, i, from int) (Left, bool) {
	r := Robot(i)
	if k.knows[i] >= from && s.policies[k.at].has(r) || slices.ContainsFunc(s.policies[from:k.at], func(c change) bool { return c.has(r) }) {
		return Left{}, false
	}
	x, ok := Left{Robot: r, Since: s.policies[k.at].begun}, false
	for n, c := range s.policies[:from] {
		if c.has(r) && n >= k.knows[i] {
			x.Most, ok = max(x.Most, c.share(r)), true
		} else if c.has(r) {
			ok = true
		}
	}
	if s.policies[k.at].has(r) {
		return x, ok
	}
	for n := k.at; n >= 0 && !s.policies[n].has(r); n-- {
		x.Since = s.policies[n].begun
	}
	return x, ok
}

func (s *shift) share(k *key) int64 {
	l := s.line(k)
	switch last := l.Terms[l.newest()]; {
	case s.wrong.atOnce, s.wrong.noBeyond && l.Moved():
		return last.share(k.id)
	case s.wrong.newSign && !l.Moved() && last.has(k.id):
		least := last.Share
		for _, t := range l.Terms {
			if t.has(k.id) {
				least = min(least, t.Share)
			}
		}
		return least
	}
	return l.Share(k.id, All, s.window, s.now())
}

func (s *shift) poolOf(k *key) (int64, bool) {
	l := s.line(k)
	n, ok := l.Pool(All, s.window, s.now())
	if s.wrong.poolEmpty && ok || s.wrong.atOnce {
		return l.Terms[l.newest()].Pool, true
	}
	return n, ok
}

func (s *shift) isRobot(k *key) bool { return s.policies[k.at].has(k.id) }

// was says whether a key was a robot's in a policy that it kept to.
func (s *shift) was(k *key) bool {
	return slices.ContainsFunc(s.policies[:k.at+1], func(c change) bool { return c.has(k.id) })
}

// ask shows a transaction to a key's node.
func (s *shift) ask(k *key, tx int) {
	if k.signed[tx] || s.isBad(k.id) || s.spends[tx]&s.spent(s.final()) != 0 {
		return
	}
	x := Signed{txOf(tx), s.spends[tx].coins(), []Take{{All, s.takes[tx]}}, 0}
	switch {
	case !s.isRobot(k):
		if !s.was(k) || s.wrong.byHand || s.line(k).ByHand(All, s.window, s.now()) {
			k.signed[tx] = true
			if !s.wrong.ownOnly {
				k.all, k.used = k.all.Sign(x), k.used.Sign(x)
			}
		}
	case k.used.Used(All, s.window, s.now())+k.used.Charge(x.Coins, x.Takes[0]) <= s.share(k):
		k.signed[tx], k.robotly[tx] = true, true
		k.all, k.used = k.all.Sign(x), k.used.Sign(x)
	default:
		r := Reservation{idOf(len(s.reserved)), x}
		if n, ok := s.poolOf(k); ok && k.pool.MayGrant(r, n, s.window, s.now()) && len(s.reserved) < 30 {
			k.pool = k.pool.Reserve(r)
			s.reserved = append(s.reserved, &claim{r, tx, int(k.id), k.at, 1 << k.id})
		}
	}
}

// hear brings a reservation to a robot.
func (s *shift) hear(k *key, c *claim) {
	if k.at != c.policy && !(s.wrong.grants && k.at > c.policy) || !s.policies[c.policy].has(k.id) || s.isBad(k.id) {
		return
	}
	n, ok := s.poolOf(k)
	if s.wrong.grants && k.at > c.policy {
		n, ok = s.policies[c.policy].Pool, true
	}
	if ok && k.pool.MayGrant(c.Reservation, n, s.window, s.now()) {
		k.pool = k.pool.Grant(c.Reservation)
		c.granted |= 1 << k.id
	}
}

// finish signs by a reservation that all robots of its policy granted.
func (s *shift) finish(c *claim) {
	k := s.keys[c.by]
	if s.spends[c.tx]&s.spent(s.final()) != 0 {
		return // it left without this robot, or never does
	}
	for _, r := range s.policies[c.policy].Robots {
		if c.granted>>r&1 == 0 && !s.isBad(r) {
			return
		}
	}
	if k.at == c.policy || s.wrong.notVoid {
		k.signed[c.tx], k.robotly[c.tx] = true, true
		k.all = k.all.Sign(c.Signed)
	}
}

// adopt is a key that follows a newer policy from now on.
func (s *shift) adopt(k *key, to int) {
	if k.at >= to {
		return
	}
	for len(k.pasts) <= to {
		k.pasts = append(k.pasts, k.all)
	}
	k.at, k.used, k.pool, k.knows[k.id] = to, k.all, Pool{}, to
	for tx := range s.spends {
		if at, ok := s.times(s.final())[tx]; ok {
			k.pool = k.pool.Bury(txOf(tx), s.spends[tx].coins(), at)
		}
	}
}

func (s *shift) bury(was map[int]int64) {
	for tx, at := range s.times(s.final()) {
		if _, ok := was[tx]; ok {
			continue
		}
		id, coins := txOf(tx), s.spends[tx].coins()
		for _, k := range s.keys {
			k.all, k.used, k.pool = k.all.Bury(id, coins, at), k.used.Bury(id, coins, at), k.pool.Bury(id, coins, at)
			for i := range k.pasts {
				k.pasts[i] = k.pasts[i].Bury(id, coins, at)
			}
		}
	}
	// Who is left out has heard, and was heard, within a window.
	for p, c := range s.policies {
		for i, k := range s.keys {
			if s.now() > c.begun+s.window && !c.has(k.id) && slices.ContainsFunc(s.policies[:p], func(c change) bool { return c.has(k.id) }) {
				s.adopt(k, p)
				for _, other := range s.keys {
					other.knows[i] = max(other.knows[i], p)
				}
			}
		}
	}
}

func (s *shift) step() {
	k := s.keys[s.d.n("key", s.n)]
	switch s.d.n("step", 12) {
	case 0, 1, 2, 3:
		tx := s.d.n("again", len(s.spends)+4)
		if tx >= len(s.spends) && len(s.spends) < 12 {
			if tx = len(s.spends); s.d.n("fresh", 2) > 0 || !s.fresh() {
				tx = s.propose()
			}
		}
		for _, other := range s.keys {
			often := 2
			if !s.isRobot(other) {
				often = 8
			}
			if tx < len(s.spends) && (other == k || s.d.n("to another", often) > 0) {
				s.ask(other, tx)
			}
		}
	case 4, 5:
		if n := len(s.reserved); n > 0 {
			c := s.reserved[n-1-s.d.n("newest", min(3, n))]
			for _, other := range s.keys {
				if s.d.n("hears", 4) > 0 {
					s.hear(other, c)
				}
			}
			s.finish(c)
		}
	case 6, 7:
		var in []int
		for tx := range s.spends {
			if _, ok := s.through(tx); ok && s.d.n("confirms", 4) == 0 {
				in = append(in, tx)
			}
		}
		was := s.times(s.final())
		s.mine(s.chain[len(s.chain)-1].mtp+pick(s.d, "later", 0, 600, s.window/2, s.window, s.window+1), in)
		s.bury(was)
	case 8:
		if len(s.policies) < 4 {
			s.policy()
		}
	case 9, 10:
		to, all := s.d.n("adopts", len(s.policies)), s.d.n("all adopt", 3) == 0
		for _, other := range s.keys {
			if other == k || all {
				s.adopt(other, to)
			}
		}
		for i, other := range s.keys {
			if s.isBad(other.id) {
				k.knows[i] = len(s.policies) - 1
			}
		}
	case 11:
		all := s.d.n("all know", 2) == 0
		for i, other := range s.keys {
			for _, k := range s.keys {
				if !s.isBad(other.id) && (all || s.d.n("knows", 4) == 0) {
					k.knows[i] = other.at
				}
			}
		}
	}
}

// through says whether a transaction can confirm, and whether an honest robot signed it.
func (s *shift) through(tx int) (robot, spendable bool) {
	n := 0
	for _, k := range s.keys {
		if s.isBad(k.id) || k.signed[tx] {
			n++
		}
		robot = robot || k.robotly[tx]
	}
	return robot, n >= s.k
}

func (s *shift) over() bool {
	var limit int64
	for _, p := range s.policies {
		limit = max(limit, p.limit)
	}
	return s.worst(len(s.chain)) > limit || s.worst(s.final()) > limit
}

func (s *shift) worst(height int) int64 {
	at, tip := s.times(height), s.chain[height-1].mtp
	var free []int
	counts := map[int]bool{}
	for tx := range s.spends {
		robot, spendable := s.through(tx)
		if counts[tx] = robot && spendable; counts[tx] && at[tx] == 0 {
			free = append(free, tx)
		}
	}
	next := s.most(free, s.spent(height), func(tx int) int64 { return s.takes[tx] })
	most := next
	for _, end := range append(slices.Sorted(maps.Values(at)), tip) {
		sum := int64(0)
		for tx, t := range at {
			if counts[tx] && t <= end && t >= end-s.window {
				sum += s.takes[tx]
			}
		}
		if end == tip {
			sum += next
		}
		most = max(most, sum)
	}
	return most
}
