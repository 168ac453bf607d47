// Package kepttest has a kept.Store in memory, and what every one does.
package kepttest

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/quorate/quorate/api/kept"
)

// Memory is a store in memory. Its zero value is empty.
type Memory struct {
	mu sync.Mutex
	// Records are what it holds, and Err, where not nil, is what it fails with. A test
	// touches them while nobody else does.
	Records map[string][]byte
	Err     error
}

// Load implements kept.Store.
func (m *Memory) Load(context.Context) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]byte{}
	for k, v := range m.Records {
		out[k] = bytes.Clone(v)
	}
	return out, m.Err
}

// Get implements kept.Store.
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.Records[name]), m.Err
}

// Save implements kept.Store.
func (m *Memory) Save(_ context.Context, puts map[string][]byte, deletes []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Err != nil {
		return m.Err
	}
	if m.Records == nil {
		m.Records = map[string][]byte{}
	}
	for _, d := range deletes {
		delete(m.Records, d)
	}
	maps.Copy(m.Records, puts)
	return nil
}

// Conform holds a store, and what opens it again, to what every one does.
func Conform(t *testing.T, s kept.Store, again func() kept.Store) {
	t.Helper()
	ctx := t.Context()
	save := func(puts map[string][]byte, deletes ...string) {
		t.Helper()
		if err := s.Save(ctx, puts, deletes); err != nil {
			t.Fatal(err)
		}
	}
	save(map[string][]byte{"a": {1}, "ab": {2}, "empty": {}})
	save(map[string][]byte{"b": {3}}, "a", "nothing")
	for range 2 {
		all, err := s.Load(ctx)
		if err != nil || len(all) != 3 || !bytes.Equal(all["ab"], []byte{2}) || !bytes.Equal(all["b"], []byte{3}) || len(all["empty"]) != 0 {
			t.Errorf("%v %v", all, err)
		}
		for name, want := range map[string][]byte{"a": nil, "ab": {2}, "nothing": nil} {
			if got, err := s.Get(ctx, name); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is %v, %v", name, got, err)
			}
		}
		s = again()
	}
	save(map[string][]byte{"ab": {4}})
	if got, err := s.Get(ctx, "ab"); err != nil || !bytes.Equal(got, []byte{4}) {
		t.Errorf("written again it is %v, %v", got, err)
	}
}
