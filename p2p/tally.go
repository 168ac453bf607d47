package p2p

import (
	"maps"
	"sync"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// tally counts what was refused, by peer and rule. It holds members only, and
// the rules are a fixed list, so it is bounded.
type tally struct {
	reg *registry
	mu  sync.Mutex
	n   map[journal.Author]map[string]uint64
}

func newTally(reg *registry) *tally {
	return &tally{reg: reg, n: map[journal.Author]map[string]uint64{}}
}

// count records an error if it proves that its sender did wrong.
func (t *tally) count(from journal.Author, err error) {
	if !port.IsReject(err) || !t.reg.member(from) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.n[from]
	if m == nil {
		m = map[string]uint64{}
		t.n[from] = m
	}
	m[port.OutcomeName(err)]++
}

func (t *tally) of(a journal.Author) map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.n[a])
}

// forget drops the counts of peers that are in no group any more.
func (t *tally) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for a := range t.n {
		if !t.reg.member(a) {
			delete(t.n, a)
		}
	}
}
