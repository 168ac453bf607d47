package storetest

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// testModel compares a store with plain maps, over random batches and restarts.
// One store serves all runs; each run has groups of its own.
func testModel(t *testing.T, open Open) {
	s, reopen := open(t)
	run := uint16(0)
	rapid.Check(t, func(rt *rapid.T) {
		run++
		g := journal.GroupID{'m', byte(run), byte(run >> 8)}
		a := NewAuthor(t, g, 1, 1)
		var entries []*journal.Entry
		records := map[string]string{}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			b := port.Batch{Group: g}
			for range rapid.IntRange(0, 3).Draw(rt, "entries") {
				b.Entries = append(b.Entries, a.Entry(10))
			}
			entries = append(entries, b.Entries...)
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 5).Draw(rt, "deletes") {
				b.Deletes = append(b.Deletes, fmt.Sprint(i))
				delete(records, fmt.Sprint(i))
			}
			m := rapid.MapOfN(rapid.IntRange(0, 9), rapid.String(), 0, 5).Draw(rt, "puts")
			b.Puts = map[string][]byte{}
			for i, v := range m {
				b.Puts[fmt.Sprint(i)] = []byte(v)
				records[fmt.Sprint(i)] = v
			}
			commit(t, s, b)
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				s = reopen()
			}
			wantEntries(t, "walk", walk(t, s, g), entries)
			wantRecords(t, s, g, "", maps.Clone(records))
		}
	})
}
