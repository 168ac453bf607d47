package meter

import (
	"math"
	"slices"
)

// Robot is the index of a robot's key.
type Robot uint8

// Terms are what a policy says of a meter: who its robots are, what each may sign by itself,
// and what all together may sign with each other's leave.
type Terms struct {
	Robots []Robot
	Share  int64
	Pool   int64
}

func (t Terms) has(r Robot) bool { return slices.Contains(t.Robots, r) }

// share is what a robot may sign by itself; nothing where it is none of the policy's.
func (t Terms) share(r Robot) int64 {
	if t.has(r) {
		return t.Share
	}
	return 0
}

// Past is what is known of one robot at a change of policies.
type Past struct {
	// Adopted is the newest of the line's terms that it said it keeps to, counted from 0.
	Adopted int
	// Signed is all that its key signed before it said so: by its share, by the pool, and by
	// hand before it became a robot.
	Signed Book
	// Robotly is what it is known to have signed as a robot at any time, of one that the newest
	// leave out and that did not say so.
	Robotly Book
	// Granted is what was granted to it under older terms, of one that the newest leave out.
	// All of them are told what becomes of the chain.
	Granted Book
	// Lent is what it may have been granted beside that, by others alone, of one that the newest
	// leave out: the pool of terms by which this robot was none.
	Lent int64
}

// Left is a robot of terms before those of a line, that the line leaves out, or that only its
// newest terms have again. Of one that said that it heard so Signed alone is not empty.
type Left struct {
	Robot Robot
	// Most is what it may have used by itself, and Lent what it may have been granted by others
	// alone, by the terms that it may keep to still.
	Most, Lent               int64
	Signed, Robotly, Granted Book  // as of a Past
	Since                    int64 // median time past at which it was left out
}

// used is what it may have used of a subject, for one window from when it was left out; then
// what it is known to have signed. An honest one signed no more than it might, and of another
// one no more counts: else one that was a robot once could fill the meters of all others.
func (x Left) used(s Subject, window, now int64) int64 {
	before := x.Signed.Used(s, window, now)
	most := max(before, x.Most) + x.Granted.Used(s, window, now) + x.Lent
	if now > x.Since+max(window, Least) {
		return min(most, max(before, x.Robotly.Used(s, window, now)))
	}
	return most
}

// Line is the terms of a meter on the way from one policy to another, as one robot knows them.
// Shares of two policies must not add up, and no robot knows at once that another one follows
// the newer. So they move over together: until each robot of any of the terms has adopted the
// newest, one that did keeps to the least of the shares, less what others signed beyond all of
// theirs, a new one signs nothing, and nobody grants. Then what a robot signed beyond its new
// share counts against the share of each other and against the pool.
//
// One that the newest terms leave out does not hold up the others. It counts as having used all
// that it could, until it says what it did or for one window; after that, what is known to be
// signed by it as a robot counts, and no more than it could.
//
// What a robot uses is all that its key signed before it adopted the newest terms, however it
// did, and by its share since. What it reserved and has not signed by is void, and the pool's
// ledger begins anew. Before the first policy stand terms without robots.
type Line struct {
	Terms []Terms // from the last that all moved to, to the newest
	Pasts map[Robot]Past
	Begun int64 // median time past at which the newest began
	Left  []Left
}

func (l Line) newest() int { return len(l.Terms) - 1 }

// robots are those of any of the terms, in order.
func (l Line) robots() []Robot {
	var out []Robot
	for _, t := range l.Terms {
		out = append(out, t.Robots...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// silent says whether a robot has not said that it keeps to the newest terms.
func (l Line) silent(r Robot) bool {
	p, ok := l.Pasts[r]
	return !ok || p.Adopted < l.newest()
}

// Moved says whether each robot, but those that are left out, keeps to the newest terms. Where
// there are no others it always is so.
func (l Line) Moved() bool {
	last := l.Terms[l.newest()]
	for _, r := range l.robots() {
		if last.has(r) && len(l.Terms) > 1 && l.silent(r) {
			return false
		}
	}
	return true
}

// Beyond returns what a robot signed for a subject beyond its share by the newest terms.
func (l Line) Beyond(r Robot, s Subject, window, now int64) int64 {
	last, p := l.Terms[l.newest()], l.Pasts[r]
	if !last.has(r) && l.silent(r) {
		return Left{r, l.most(r), p.Lent, p.Signed, p.Robotly, p.Granted, l.Begun}.used(s, window, now)
	}
	return max(0, p.Signed.Used(s, window, now)-last.share(r))
}

// beyond is that of all robots but one.
func (l Line) beyond(but Robot, s Subject, window, now int64) int64 {
	var n int64
	for _, r := range l.robots() {
		if r != but {
			n += l.Beyond(r, s, window, now)
		}
	}
	return n + l.left(s, window, now)
}

func (l Line) left(s Subject, window, now int64) (n int64) {
	for _, x := range l.Left {
		n += x.used(s, window, now)
	}
	return n
}

// most is what a robot may sign by itself by any of the terms.
func (l Line) most(r Robot) (most int64) {
	for _, t := range l.Terms {
		most = max(most, t.share(r))
	}
	return most
}

// Share returns what a robot that adopted the newest terms may have used of a subject, all in
// all, when it signs by itself.
func (l Line) Share(me Robot, s Subject, window, now int64) int64 {
	if l.Moved() {
		return max(0, l.Terms[l.newest()].share(me)-l.beyond(me, s, window, now))
	}
	least := int64(math.MaxInt64)
	for _, t := range l.Terms {
		least = min(least, t.share(me))
	}
	// What others signed by terms before these, or by hand, and that was beyond their shares.
	for _, r := range l.robots() {
		if r != me {
			least -= max(0, l.Pasts[r].Signed.Used(s, window, now)-l.most(r))
		}
	}
	return max(0, least-l.left(s, window, now))
}

// Pool returns what may be granted of a subject, all in all since the newest terms, and whether
// anything is granted yet.
func (l Line) Pool(s Subject, window, now int64) (int64, bool) {
	if !l.Moved() {
		return 0, false
	}
	n := l.Terms[l.newest()].Pool
	for _, r := range l.robots() {
		n -= l.Beyond(r, s, window, now)
	}
	return max(0, n-l.left(s, window, now)), true
}

// ByHand says whether one that the newest terms leave out may sign by hand, as any human whom
// no meter binds: once all moved over, and none signed beyond its new share. A payment that
// other robots have signed, and that needed one robot more, needs none any more then.
func (l Line) ByHand(s Subject, window, now int64) bool {
	if !l.Moved() || l.left(s, window, now) > 0 {
		return false
	}
	for _, r := range l.robots() {
		if l.Beyond(r, s, window, now) > 0 {
			return false
		}
	}
	return true
}
