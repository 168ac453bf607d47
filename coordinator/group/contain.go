package group

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/quorate/quorate/journal"
)

// ErrFault means that this program has a fault: it failed in the middle of what
// it was asked, and changed nothing.
var ErrFault = errors.New("this program has a fault and could not do it; nothing was changed")

// AlarmReader is told of an entry that this program failed on.
const AlarmReader = "reader_failed"

// faultError is a panic that was caught: where it was, for the log.
type FaultError struct {
	Value any
	Stack []byte
}

func (e *FaultError) Error() string { return fmt.Sprintf("%v: %v", ErrFault, e.Value) }

func (e *FaultError) Unwrap() error { return ErrFault }

// contained runs f, and turns a panic into an ErrFault. Machines and states are
// immutable, so what f worked on stays as it was.
func Contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &FaultError{v, debug.Stack()}
		}
	}()
	return f()
}

// asFault keeps an entry without effect because this program failed on it.
func (s entryFacts) asFault(r Ref) entryFacts {
	s.bugs = s.bugs.Set(mapkey.Of(r.ID), r)
	return s.asInert(r, ruleReader)
}

// fold takes an entry that the chains have accepted. It never fails: what is
// wrong is inert, and so is what this program itself fails on.
func (s State) fold(e *journal.Entry) State {
	next := s
	err := Contained(func() error { next = s.read(e); return nil })
	if err == nil {
		return next
	}
	if s.self.Fault != nil {
		s.self.Fault(err)
	}
	s.entryFacts = s.entryFacts.asFault(Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Header().Seq})
return s
}

// addUnread takes an entry into the chains and does not read it.
func (s State) AddUnread(e *journal.Entry, wanted bool) (State, journal.Outcome, error) {
	s, out, err := s.link(e, wanted)
	if err == nil && out != journal.Duplicate {
		s.entryFacts = s.entryFacts.asFault(Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Header().Seq})
	}
	return s, out, err
}

// faultsBy counts the entries of each author that this program failed on.
func (s entryFacts) FaultsBy() map[journal.Author]int {
	out := map[journal.Author]int{}
	for _, r := range s.bugs.All() {
		out[r.Chain.Author]++
	}
	return out
}
