package coordinator

import (
	"slices"
	"time"
)

// What a node writes by itself because of what others wrote (signatures it
// carries, epochs it asks for, seals again, or hands to a new device, evidence
// it names) is charged to its own allowance with the others, as is what its user
// has it write. It writes so only while half of that allowance is left and as
// if half as much came back with time, so that no number of members can use it
// up, whatever they write and however each of these things is bounded by itself. What
// has to wait is written later. As an allowance is, this is not kept: a node that
// starts again begins anew.
const (
	unaskedEntries = quotaEntries / 2
	unaskedBytes   = quotaBytes / 2
)

// written is what this node wrote, less what came back since.
type written struct {
	entries, bytes float64
	at             time.Time
}

func (w written) asOf(now time.Time) written {
	if passed := now.Sub(w.at).Seconds(); passed > 0 {
		w.entries = max(0, w.entries-passed*quotaEntriesPerSec/2)
		w.bytes = max(0, w.bytes-passed*quotaBytesPerSec/2)
	}
	w.at = now // a clock that goes back gives nothing and takes nothing
	return w
}

func (w written) with(bytes int, now time.Time) written {
	w = w.asOf(now)
	w.entries++
	w.bytes += float64(bytes)
	return w
}

// spare says whether this node may write what nobody asked of it.
func (s *step) spare() bool {
	w := s.m.written.asOf(s.now())
	return w.entries < unaskedEntries && w.bytes < unaskedBytes
}

// turns are whose turn it is to have something written unasked. While little of
// the allowance comes back only one of many that wait is written, and what is
// written first would else keep all others waiting.
type turns struct {
	kind     int    // of what is written
	asked    string // the author on whose account an epoch was asked for last
	answered int    // the member who is answered first
	strange  bool   // epochs are due that nobody named
}

// Kinds of what is written unasked, in the order of their turns.
const (
	writesAsks = iota
	writesAnswers
	writesEvidence
	writesHanded
	writesStrange
	writesCarried // comes last in a step: what is to be carried follows from what is looked at
	writesKinds
)

// inTurn returns keys in order, those beyond all of one author first.
func inTurn(keys []string, last string) []string {
	for n, k := range keys {
		if k[:32] > last {
			return append(slices.Clone(keys[n:]), keys[:n]...)
		}
	}
	return keys
}

// writeUnasked writes what nobody asked of this node, but what it carries: the kind
// whose turn it is first. Where it comes to the turn of what is carried, the rest is
// left for the next step.
func (s *step) writeUnasked() error {
	if s.m.State.Active() == nil {
		return nil
	}
	first := s.m.turns.kind
	for n := range writesKinds {
		kind := (first + n) % writesKinds
		var write func() error
		switch kind {
		case writesAsks:
			write = s.tellStanza
		case writesAnswers:
			write = s.sealAgain
		case writesEvidence:
			write = s.nameEvidence
		case writesHanded:
			write = s.letInReplaced
		case writesStrange:
			write = s.askUnheard
		case writesCarried:
			if n < writesKinds-1 && s.m.watch.carry.Len() > 0 && s.spare() {
				s.held = true
				return nil
			}
			continue
		}
		before := len(s.batch.Entries)
		// A node that must not write goes on reading.
		if err := s.try(write); err != nil && !mayNotWrite(err) {
			return err
		}
		if len(s.batch.Entries) > before && !s.spare() {
			s.m.turns.kind = kind + 1
		}
	}
	return nil
}

// carryInTurn carries signatures, and passes the turn on where it is used up.
func (s *step) carryInTurn() {
	before := len(s.batch.Entries)
	s.carrySignatures()
	if s.held || len(s.batch.Entries) > before && !s.spare() {
		s.m.turns.kind = writesAsks
	}
}
