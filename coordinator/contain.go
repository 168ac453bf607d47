package coordinator

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// recFailed holds, by id, the entries that this node stored and does not read,
// because reading them failed: a restart must not fail on them again.
const recFailed = "failed/"

// failedRecord is of one version of the fold: another one tries again.
type failedRecord struct {
	Version int `cbor:"1,keyasint"`
}

// unread is an entry that is stored and not read: reading it failed.
type unread struct{ entry *journal.Entry }

// maxFaults is how many faults a wallet's log says the place of.
const maxFaults = 16

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

// logFault says where a fault is, once for each.
func (a *Actor) logFault(what string, err error) {
	a.faults.log(a.ports.Log, err, "wallet", a.group.String()[:8], "in", what)
}

// Read runs a reader of the machine as it is now, and says whether it came to its
// end: where this program fails in it, one wallet does not keep others from being read.
func (a *Actor) Read(f func(*Machine)) bool {
	err := group.Contained(func() error { f(a.Machine()); return nil })
	a.logFault("reader", err)
	return err == nil
}

// keepUnread has the next start not read an entry either, whose reading did not
// fail by itself but in what followed from it.
func (s *step) keepUnread(e *journal.Entry) error {
	return s.put(recFailed+e.ID().String(), failedRecord{group.SnapshotVersion})
}

// tellFaults tells of entries that this program failed on in this step, once for
// each author.
func (s *step) tellFaults() {
	if s.m.State.FaultCount() == s.before.State.FaultCount() {
		return
	}
	before, now := s.before.State.FaultsBy(), s.m.State.FaultsBy()
	for _, a := range slices.SortedFunc(maps.Keys(now), func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) }) {
		if before[a] == 0 {
			s.tellAlarm(s.m.faultAlarm(a, now[a]))
		}
	}
}

func (m *Machine) faultAlarm(author journal.Author, n int) Alarm {
	return Alarm{Kind: group.AlarmReader,
		Text: fmt.Sprintf("this program failed on %d entries of %s and leaves them without effect: it has a fault, and may show less than the other cosigners' nodes do; use a newer version", n, m.called(author))}
}

// faultAlarms are those that stand, one for each author.
func (m *Machine) faultAlarms() []Alarm {
	by := m.State.FaultsBy()
	var out []Alarm
	for _, a := range slices.SortedFunc(maps.Keys(by), func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) }) {
		out = append(out, m.faultAlarm(a, by[a]))
	}
	return out
}

// failedOf reads which entries an earlier run of this version failed on.
func failedOf(recs map[string][]byte) (map[journal.EntryID]bool, error) {
	out := map[journal.EntryID]bool{}
	for k, v := range recs {
		hex, ok := strings.CutPrefix(k, recFailed)
		if !ok {
			continue
		}
		var id journal.EntryID
		var f failedRecord
		if err := errors.Join(id.UnmarshalText([]byte(hex)), record.Decode(v, &f)); err != nil {
			return nil, fmt.Errorf("read record of an entry that was not read: %w", err)
		}
		out[id] = f.Version == group.SnapshotVersion
	}
	return out, nil
}
