package explore

import (
	"fmt"
	"strings"
	"sync"
)

// step is how a state was reached.
type step struct {
	from int32 // -1 for the first
	by   action
}

// found is a state that was not seen before.
type found struct {
	w      world
	digest [32]byte
	step   step
}

// result is what came of a walk.
type result struct {
	states, steps, depth int
	whole                bool // there is nothing more
	broken               error
	schedule             []action
}

func (r result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d states, %d steps, depth %d, all there are: %v", r.states, r.steps, r.depth, r.whole)
	if r.broken != nil {
		fmt.Fprintf(&b, "\nBROKEN: %v\nafter:", r.broken)
		for _, a := range r.schedule {
			fmt.Fprintf(&b, "\n  %s", a)
		}
	}
	return b.String()
}

// walker holds what was seen. The worlds themselves are kept for one layer only.
type walker struct {
	mu       sync.Mutex
	seen     map[[32]byte]bool
	steps    []step
	checked  map[[32]byte]bool // states of nodes
	next     []found
	walked   int
	broken   error
	at       step
	most     int
	finished bool
}

// walk goes breadth first through at most so many states, in so many goroutines.
func walk(first world, most, workers int) result {
	k := &walker{seen: map[[32]byte]bool{first.digest(): true}, steps: []step{{from: -1}}, checked: map[[32]byte]bool{}, most: most}
	layer := []found{{w: first}}
	index := []int32{0}
	depth := 0
	for len(layer) > 0 && !k.finished {
		var wg sync.WaitGroup
		jobs := make(chan int)
		for range workers {
			wg.Go(func() {
				for at := range jobs {
					k.expand(layer[at].w, index[at])
				}
			})
		}
		for at := range layer {
			if k.done() {
				break
			}
			jobs <- at
		}
		close(jobs)
		wg.Wait()
		layer, index = k.next, index[:0]
		k.next = nil
		for _, f := range layer {
			index = append(index, int32(len(k.steps)))
			k.steps = append(k.steps, f.step)
		}
		depth++
	}
	r := result{states: len(k.seen), steps: k.walked, depth: depth, whole: len(layer) == 0 && !k.finished, broken: k.broken}
	if k.broken != nil {
		r.schedule = []action{k.at.by}
		for at := k.at.from; at > 0; at = k.steps[at].from {
			r.schedule = append([]action{k.steps[at].by}, r.schedule...)
		}
	}
	return r
}

func (k *walker) done() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.finished
}

// expand does all that may happen next in a world.
func (k *walker) expand(w world, from int32) {
	for _, a := range w.actions() {
		if k.done() {
			return
		}
		next, changed, err := w.after(a)
		k.add(next, changed, step{from, a}, err)
	}
}

func (k *walker) add(w world, changed bool, s step, err error) {
	var d [32]byte
	if err == nil && changed {
		d = w.digest()
	}
	k.mu.Lock()
	k.walked++
	fresh := err == nil && changed && !k.seen[d]
	if fresh {
		k.seen[d] = true
	}
	var check []int
	for i := range w.nodes {
		if at := w.nodes[i].digest; fresh && !k.checked[at] {
			k.checked[at] = true
			check = append(check, i)
		}
	}
	k.mu.Unlock()
	if fresh {
		err = w.agree()
		for _, i := range check {
			if err == nil {
				err = w.check(i)
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil && k.broken == nil {
		k.broken, k.at, k.finished = err, s, true
	}
	if fresh {
		k.next = append(k.next, found{w, d, s})
		k.finished = k.finished || len(k.seen) >= k.most
	}
}
