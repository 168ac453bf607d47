package explore

import (
	"errors"
	"fmt"
	"strings"
)

// step is how a state was reached.
type step struct {
	from uint32
	by   action
}

// result is what came of a walk.
type result struct {
	states, walked int // walked are those after which all was done that may happen
	steps, depth   int // depth is of schedules: no state within it was left out
	nodes, turns   int // that were worked out by the real Turn
	whole          bool
	took           [letters]int // how often something came of each letter
	tried          [letters]int
	killed         [after + 1]int // likewise
	broken         error
	schedule       []string
}

func (r result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d states, %d steps, all schedules of %d letters", r.states, r.steps, r.depth)
	if r.whole {
		b.WriteString(", and there are no more")
	}
	fmt.Fprintf(&b, "\n%d nodes, %d turns\n", r.nodes, r.turns)
	for l := range letters {
		fmt.Fprintf(&b, "%v %d of %d, ", l, r.took[l], r.tried[l])
	}
	fmt.Fprintf(&b, "killed before a commit %d, after one %d", r.killed[before], r.killed[after])
	if r.broken != nil {
		fmt.Fprintf(&b, "\nBROKEN: %v\nafter:\n  %s", r.broken, strings.Join(r.schedule, "\n  "))
	}
	return b.String()
}

// walker holds what was seen, and how each state was reached.
type walker struct {
	*setting
	seen   map[state]struct{}
	states []state
	steps  []step
	result result
}

// walk goes breadth first through so many states at most.
func walk(first *world, many int) result {
	k := &walker{setting: first.setting, seen: map[state]struct{}{}}
	begin := first.state()
	k.seen[begin] = struct{}{}
	k.states, k.steps = append(k.states, begin), append(k.steps, step{})
	layer := 1 // where the next one begins
	var list []action
	at := 0
	for ; at < len(k.states) && len(k.states) < many && k.result.broken == nil; at++ {
		if at == layer {
			k.result.depth++
			layer = len(k.states)
		}
		w := k.open(k.states[at])
		list = w.actions(list)
		rest := true // nothing is under way that anybody takes
		for _, a := range list {
			took := k.take(w, a, uint32(at))
			rest = rest && !(took && (a.letter == deliver || a.letter == lose))
			if k.result.broken != nil {
				break
			}
		}
		if k.result.broken == nil && rest {
			k.fail(w.even(), uint32(at))
		}
		for _, n := range w.each() {
			n.repeated = n.unmoved()
		}
	}
	r := k.result
	r.states, r.walked, r.whole = len(k.states), at, at == len(k.states)
	if r.whole || at == layer {
		r.depth++
	}
	r.nodes, r.turns = len(k.every), k.turns
	return r
}

// fail notes that a rule does not hold in a state, if so, or after some more.
func (k *walker) fail(err error, at uint32, more ...action) {
	if err == nil {
		return
	}
	var b *broken
	if !errors.As(err, &b) {
		err = fmt.Errorf("the walk itself: %w", err)
	}
	k.result.broken, k.result.schedule = err, k.schedule(at, more)
}

// take makes one thing happen in a world, and returns whether something came of it.
func (k *walker) take(w world, a action, from uint32) bool {
	r := &k.result
	r.steps++
	r.tried[a.letter]++
	ok, err := w.happen(a)
	if ok && err == nil {
		r.took[a.letter]++
		r.killed[a.crash]++
		x := w.state()
		if _, old := k.seen[x]; old {
			return true
		}
		k.seen[x] = struct{}{}
		k.states, k.steps = append(k.states, x), append(k.steps, step{from, a})
		err = w.hold()
	}
	k.fail(err, from, a)
	return ok
}
