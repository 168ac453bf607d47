package coordinator

import "time"

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
		w.at = now
	}
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
