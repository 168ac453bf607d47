package node

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
)

// faults are those that the log has told of, maxFaults at most.
type faults struct {
	mu   sync.Mutex
	told map[string]bool
}

// news says whether a fault was not told yet, and is worth telling.
func (f *faults) news(at string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.told[at] || len(f.told) >= maxFaults {
		return false
	}
	if f.told == nil {
		f.told = map[string]bool{}
	}
	f.told[at] = true
	return true
}

func (f *faults) log(to *slog.Logger, err error, args ...any) {
	var x *group.FaultError
	if errors.As(err, &x) && f.news(fmt.Sprint(x.Value)) {
		to.Error("this program has a fault; please report it", append(args, "panic", fmt.Sprint(x.Value), "stack", string(x.Stack))...)
	}
}

// maxFaults is how many faults a wallet's log says the place of.
const maxFaults = 16

// logFault says where a fault is, once for each.
func (a *Actor) logFault(what string, err error) {
	a.faults.log(a.ports.Log, err, "wallet", a.group.String()[:8], "in", what)
}

// Read runs a reader of the machine as it is now, and says whether it came to its
// end: where this program fails in it, one wallet does not keep others from being read.
func (a *Actor) Read(f func(*coordinator.Machine)) bool {
	err := group.Contained(func() error { f(a.Machine()); return nil })
	a.logFault("reader", err)
	return err == nil
}
