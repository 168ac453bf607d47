package coordinator

import (
	"github.com/quorate/quorate/journal/pmap"
)

// round is how far a thing is gone through.
type round[P ~string] struct {
	at    P // the first key that is not gone through
	begun bool
	again P // where to begin once more after this pass, "" for not
}

// rounds are things to be gone through, each a range of an index, in turns: the
// one that waits longest comes first and goes to the back with what is left of
// it. What is due again meanwhile is gone through once more after that, and not
// begun anew: so a thing that is always due again keeps neither its own end nor
// any other thing waiting. Each is here once, whatever brings it about. W is what has
// a turn, P a key of its range.
type rounds[W, P ~string] struct {
	turns pmap.Map[pmap.Number, W]
	due   pmap.Map[W, round[P]] // by what has a turn
	last  uint64
}

// Len returns how many things are due.
func (r rounds[W, P]) Len() int { return r.due.Len() }

// add makes a thing due from a key of its range on.
func (r rounds[W, P]) add(what W, from P) rounds[W, P] {
	x, has := r.due.Get(what)
	switch {
	case !has:
		x = round[P]{at: from}
		r = r.back(what)
	case !x.begun:
		x.at = min(x.at, from)
	case x.again == "" || from < x.again:
		x.again = from
	}
	r.due = r.due.Set(what, x)
	return r
}

func (r rounds[W, P]) back(what W) rounds[W, P] {
	r.last++
	r.turns = r.turns.Set(pmap.Num(r.last), what)
	return r
}

// next takes the thing whose turn it is, and where to go on with it.
func (r rounds[W, P]) next() (_ rounds[W, P], what W, at P, ok bool) {
	for n, what := range r.turns.All() {
		x, _ := r.due.Get(what)
		x.begun = true
		r.turns, r.due = r.turns.Delete(n), r.due.Set(what, x)
		return r, what, x.at, true
	}
	return r, "", "", false
}

// left says how far the turn of a thing came: at is the first key that is left,
// "" for none.
func (r rounds[W, P]) left(what W, at P) rounds[W, P] {
	x, _ := r.due.Get(what)
	switch {
	case at != "":
		x.at = at
	case x.again != "":
		x = round[P]{at: x.again}
	default:
		r.due = r.due.Delete(what)
		return r
	}
	r.due = r.due.Set(what, x)
	return r.back(what)
}
