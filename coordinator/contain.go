package coordinator

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// failedRecord is of one version of the fold: another one tries again.
type failedRecord struct {
	Version int `cbor:"1,keyasint"`
}

// unread is an entry that is stored and not read: reading it failed.
type unread struct{ entry *journal.Entry }

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
