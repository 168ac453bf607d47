package follow

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorate/quorate/display"
)

// Faults is what is wrong with a backend and since when: what it says of itself
// and what its followers say of it. The zero value is ready to use, and it is
// safe for concurrent use.
type Faults struct {
	mu    sync.Mutex
	own   string
	since time.Time
	count int
	by    map[int]string // by follower
}

// Report returns the Options.Report of one more follower. begins, which may be
// nil, is called with the error that begins a fault.
func (f *Faults) Report(begins func(error)) func(error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	id := f.count
	return func(err error) {
		if f.report(id, err) && begins != nil {
			begins(err)
		}
	}
}

// report says whether the follower had no fault before.
func (f *Faults) report(id int, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(f.by, id)
		return false
	}
	f.begin()
	_, known := f.by[id]
	if f.by == nil {
		f.by = map[int]string{}
	}
	f.by[id] = OneLine(err.Error())
	return !known
}

// Note takes what the backend says of itself, "" when all is well, and returns
// whether that is news.
func (f *Faults) Note(problem string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	problem = OneLine(problem)
	if problem != "" {
		f.begin()
	}
	news := problem != f.own
	f.own = problem
	return news
}

// Noted returns what the backend said of itself last.
func (f *Faults) Noted() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.own
}

// Problem returns what is wrong, "" when nothing is, and since when there has
// always been something. What the backend says of itself comes first.
func (f *Faults) Problem() (string, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own != "" {
		return f.own, f.since
	}
	if len(f.by) > 0 {
		return f.by[slices.Min(slices.Collect(maps.Keys(f.by)))], f.since
	}
	return "", time.Time{}
}

func (f *Faults) begin() {
	if f.own == "" && len(f.by) == 0 {
		f.since = time.Now()
	}
}

// OneLine makes text of a server or a library fit for a log or a screen.
func OneLine(s string) string {
	s = display.Line(strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}
