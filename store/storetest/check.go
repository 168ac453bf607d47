package storetest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

func commit(t *testing.T, s port.Store, b port.Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: got error %v, want %v", what, err, want)
	}
}

func walk(t *testing.T, s port.Store, g journal.GroupID) []*journal.Entry {
	t.Helper()
	var got []*journal.Entry
	err := s.Walk(t.Context(), g, func(e *journal.Entry) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatalf("walk: %v", err)
	}
	return got
}

func wantEntries(t *testing.T, what string, got, want []*journal.Entry) {
	t.Helper()
	same := func(a, b *journal.Entry) bool { return bytes.Equal(a.Bytes(), b.Bytes()) }
	if !slices.EqualFunc(got, want, same) {
		t.Fatalf("%s: got %v, want %v", what, names(got), names(want))
	}
}

func names(es []*journal.Entry) []string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.ID().String()[:8]
	}
	return out
}

// byID sorts entries as Walk and Range promise for one seq.
func byID(es []*journal.Entry) []*journal.Entry {
	es = slices.Clone(es)
	slices.SortFunc(es, func(a, b *journal.Entry) int {
		x, y := a.ID(), b.ID()
		return bytes.Compare(x[:], y[:])
	})
	return es
}

func wantRecords(t *testing.T, s port.Store, g journal.GroupID, prefix string, want map[string]string) {
	t.Helper()
	got, err := s.Records(t.Context(), g, prefix)
	if err != nil {
		t.Fatalf("records %q: %v", prefix, err)
	}
	if len(got) != len(want) {
		t.Fatalf("records %q: got %d, want %d", prefix, len(got), len(want))
	}
	for k, v := range want {
		if w, ok := got[k]; !ok || string(w) != v {
			t.Fatalf("record %q: got %q (there: %v), want %q", k, w, ok, v)
		}
	}
}

func wantGuard(t *testing.T, s port.Store, want ...port.GuardRecord) {
	t.Helper()
	got, err := s.Guard(t.Context())
	if err != nil {
		t.Fatalf("guard: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("guard: got %v, want %v", got, want)
	}
}

func puts(kv ...string) map[string][]byte {
	out := make(map[string][]byte)
	for i := 0; i < len(kv); i += 2 {
		out[kv[i]] = []byte(kv[i+1])
	}
	return out
}
