package explore

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// entry is one that was written in the walk.
type entry struct {
	id     journal.EntryID
	e      *journal.Entry
	author int
	seq    uint64
	text   string
}

// fork writes a second entry in the place of one that the liar wrote in the walk.
func (w *world) fork(i int, at uint32) error {
	ep, ok := w.nodes[i].m.State.Epoch()
	if !ok {
		return fmt.Errorf("fork: %w", journal.ErrWrongEpoch)
	}
	plain, err := event.Encode(event.Event{Time: w.Now.UnixMilli(), Body: &event.AddressLeased{Index: 7}})
	if err != nil {
		return fmt.Errorf("fork: %w", err)
	}
	h := w.entries[at].e.Header()
	e, err := journal.Seal(w.Members[i].Self.Identity, ep, journal.Next{Incarnation: 1, Seq: h.Seq, Prev: h.Prev}, plain, [24]byte{9})
	if err != nil {
		return fmt.Errorf("fork: %w", err)
	}
	w.loose = w.know(e, "another entry in its place") + 1
	return nil
}

// know returns the number of an entry of the walk.
func (s *setting) know(e *journal.Entry, text string) uint32 {
	id := e.ID()
	if n, ok := s.entryOf[id]; ok {
		return n
	}
	n, h := uint32(len(s.entries)), e.Header()
	x := entry{id: id, e: e, seq: h.Seq, text: text}
	for i, m := range s.Members {
		if m.Self.Identity.Author() == h.Author {
			x.author = i
		}
	}
	s.entryOf[id] = n
	s.entries = append(s.entries, x)
	return n
}
