package coordinator

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// ErrFault means that this program has a fault: it failed in the middle of what
// it was asked, and changed nothing.
var ErrFault = errors.New("this program has a fault and could not do it; nothing was changed")

// AlarmReader is told of an entry that this program failed on.
const AlarmReader = "reader_failed"

// recFailed holds, by id, the entries that this node stored and does not read,
// because reading them failed: a restart must not fail on them again.
const recFailed = "failed/"

// failedRecord is of one version of the fold: another one tries again.
type failedRecord struct {
	Version int `cbor:"1,keyasint"`
}

// faultError is a panic that was caught: where it was, for the log.
type faultError struct {
	value any
	stack []byte
}

func (e *faultError) Error() string { return fmt.Sprintf("%v: %v", ErrFault, e.value) }
func (e *faultError) Unwrap() error { return ErrFault }

// contained runs f, and turns a panic into an ErrFault. Machines and states are
// immutable, so what f worked on stays as it was.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &faultError{v, debug.Stack()}
		}
	}()
	return f()
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
	var x *faultError
	if errors.As(err, &x) && f.news(fmt.Sprint(x.value)) {
		to.Error("this program has a fault; please report it", append(args, "panic", fmt.Sprint(x.value), "stack", string(x.stack))...)
	}
}

// logFault says where a fault is, once for each.
func (a *Actor) logFault(what string, err error) {
	a.faults.log(a.ports.Log, err, "wallet", a.group.String()[:8], "in", what)
}

// Read runs a reader of the machine as it is now, and says whether it came to its
// end: where this program fails in it, one wallet does not keep others from being read.
func (a *Actor) Read(f func(*Machine)) bool {
	err := contained(func() error { f(a.Machine()); return nil })
	a.logFault("reader", err)
	return err == nil
}

// asFault keeps an entry without effect because this program failed on it.
func (s State) asFault(r Ref) State {
	s.bugs = s.bugs.Set(mapkey.Of(r.ID), r)
	return s.asInert(r, ruleReader)
}

// fold takes an entry that the chains have accepted. It never fails: what is
// wrong is inert, and so is what this program itself fails on.
func (s State) fold(e *journal.Entry) State {
	next := s
	err := contained(func() error { next = s.read(e); return nil })
	if err == nil {
		return next
	}
	if s.self.Fault != nil {
		s.self.Fault(err)
	}
	return s.asFault(Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Header().Seq})
}

// addUnread takes an entry into the chains and does not read it.
func (s State) addUnread(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	s, out, err := s.link(e, wanted)
	if err == nil && out != journal.Duplicate {
		s = s.asFault(Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Header().Seq})
	}
	return s, out, err
}

// keepUnread has the next start not read an entry either, whose reading did not
// fail by itself but in what followed from it.
func (s *step) keepUnread(e *journal.Entry) error {
	return s.put(recFailed+e.ID().String(), failedRecord{snapshotVersion})
}

// tellFaults tells of entries that this program failed on in this step, once for
// each author.
func (s *step) tellFaults() {
	if s.m.State.FaultCount() == s.before.State.FaultCount() {
		return
	}
	before, now := s.before.State.faultsBy(), s.m.State.faultsBy()
	for _, a := range slices.SortedFunc(maps.Keys(now), func(a, b journal.Author) int { return bytes.Compare(a[:], b[:]) }) {
		if before[a] == 0 {
			s.tellAlarm(s.m.faultAlarm(a, now[a]))
		}
	}
}

// faultsBy counts the entries of each author that this program failed on.
func (s State) faultsBy() map[journal.Author]int {
	out := map[journal.Author]int{}
	for _, r := range s.bugs.All() {
		out[r.Chain.Author]++
	}
	return out
}

func (m *Machine) faultAlarm(author journal.Author, n int) Alarm {
	return Alarm{Kind: AlarmReader,
		Text: fmt.Sprintf("this program failed on %d entries of %s and leaves them without effect: it has a fault, and may show less than the other cosigners' nodes do; use a newer version", n, m.called(author))}
}

// faultAlarms are those that stand, one for each author.
func (m *Machine) faultAlarms() []Alarm {
	by := m.State.faultsBy()
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
		out[id] = f.Version == snapshotVersion
	}
	return out, nil
}
