package store_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

// A dump is of one moment: what is committed while it goes on is not in it.
func TestDumpIsOfOneMoment(t *testing.T) {
	s, err := store.Open(t.TempDir(), make([]byte, store.KeySize), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	g := storetest.Group(1)
	author := storetest.NewAuthor(t, g, 1, 1)
	chain := []*journal.Entry{author.Entry(10), author.Entry(300), author.Entry(10)}
	guard := func(n byte) port.GuardUpdate {
		var u port.GuardUpdate
		u.OutPoint.Hash[0], u.TxID[0] = n, n
		return u
	}
	commit := func(b port.Batch) {
		t.Helper()
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	big := make([]byte, 3<<20) // a value of its own pieces
	big[len(big)-1] = 7
	commit(port.Batch{Group: g, Entries: chain[:2], Puts: map[string][]byte{"a": big}, Guard: []port.GuardUpdate{guard(1)}})
	commit(port.Batch{Puts: map[string][]byte{"node": {1}}})
	entries, guards, records, fresh := 0, 0, map[string]int{}, false
	err = s.Dump(t.Context(), func(d store.DumpItem) error {
		if !fresh {
			fresh = true
			commit(port.Batch{Group: g, Entries: chain[2:], Puts: map[string][]byte{"a": {1}, "b": {2}}, Guard: []port.GuardUpdate{guard(2)}})
		}
		switch {
		case d.Entry != nil:
			entries++
			if d.Group != g {
				t.Errorf("entry of group %v", d.Group)
			}
		case d.Guard != nil:
			guards++
			if *d.Guard != guard(1).GuardRecord {
				t.Errorf("guard %+v", d.Guard)
			}
		default:
			records[d.Key] = len(d.Value)
			if (d.Group == journal.GroupID{}) != (d.Key == "node") {
				t.Errorf("record %q of group %v", d.Key, d.Group)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if entries != 2 || guards != 1 || len(records) != 2 || records["a"] != len(big) || records["node"] != 1 {
		t.Errorf("%d entries, %d guards, records %v", entries, guards, records)
	}
	stop := errors.New("stop")
	if err := s.Dump(t.Context(), func(store.DumpItem) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}
