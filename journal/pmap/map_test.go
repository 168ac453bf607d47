package pmap_test

import (
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/journal/pmap"
)

// version is a map and what it must hold for ever.
type version struct {
	m    pmap.Map[pmap.Number, string]
	want map[int]string
}

func (v version) check(t interface{ Fatalf(string, ...any) }) {
	if v.m.Len() != len(v.want) {
		t.Fatalf("Len %d, want %d", v.m.Len(), len(v.want))
	}
	got := map[int]string{}
	for k, s := range v.m.All() {
		got[int(k.Uint64())] = s
	}
	if !maps.Equal(got, v.want) {
		t.Fatalf("All %v, want %v", got, v.want)
	}
	keys := []int{}
	for k := range v.m.All() {
		keys = append(keys, int(k.Uint64()))
	}
	if !slices.IsSorted(keys) {
		t.Fatalf("not in order: %v", keys)
	}
	for k := 0; k < 130; k += 13 {
		s, ok := v.m.Get(num(k))
		if w, wok := v.want[k]; ok != wok || s != w {
			t.Fatalf("Get %d: %q %v, want %q %v", k, s, ok, w, wok)
		}
		from := []int{}
		for f := range v.m.From(num(k)) {
			from = append(from, int(f.Uint64()))
		}
		i, _ := slices.BinarySearch(keys, k)
		if !slices.Equal(from, keys[i:]) {
			t.Fatalf("From %d: %v, want %v", k, from, keys[i:])
		}
	}
}

func num(k int) pmap.Number { return pmap.Num(uint64(k)) }

// numbered are the values of a slice by the key of their place.
func numbered[V any](of []V) iter.Seq2[pmap.Number, V] {
	return func(yield func(pmap.Number, V) bool) {
		for i, v := range of {
			if !yield(num(i), v) {
				return
			}
		}
	}
}

// A value that is a nil comes back as that nil, and is there.
func TestNil(t *testing.T) {
	var m pmap.Map[string, error]
	if v, ok := m.Set("a", nil).Get("a"); v != nil || !ok {
		t.Errorf("%v %v", v, ok)
	}
	var p pmap.Map[string, *int]
	if v, ok := p.Set("a", nil).Get("a"); v != nil || !ok {
		t.Errorf("%v %v", v, ok)
	}
	for _, v := range p.Set("a", nil).All() {
		if v != nil {
			t.Error(v)
		}
	}
}

// Every version stays what it was, whichever version the next ones are made from.
func TestVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := []version{{want: map[int]string{}}}
		for range rapid.IntRange(1, 150).Draw(t, "changes") {
			// Mostly the newest one, so that maps grow over several levels.
			i := max(0, len(versions)-1-rapid.IntRange(-20, 20).Draw(t, "back"))
			old := versions[min(i, len(versions)-1)]
			next := version{m: old.m, want: maps.Clone(old.want)}
			for range rapid.IntRange(1, 5).Draw(t, "steps") {
				k := rapid.IntRange(0, 127).Draw(t, "key")
				if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
					next.m = next.m.Delete(num(k))
					delete(next.want, k)
				} else {
					v := rapid.StringN(0, 2, -1).Draw(t, "value")
					next.m = next.m.Set(num(k), v)
					next.want[k] = v
				}
			}
			versions = append(versions, next)
		}
		for _, v := range versions {
			v.check(t)
		}
	})
}

func TestZero(t *testing.T) {
	var m pmap.Map[string, int]
	if _, ok := m.Get("a"); ok || m.Len() != 0 || m.Delete("a").Len() != 0 {
		t.Error("the zero map is not empty")
	}
	for range m.All() {
		t.Error("All of the zero map yields")
	}
	for range m.From("") {
		t.Error("From of the zero map yields")
	}
	if got, _ := m.Set("a", 1).Get("a"); got != 1 || m.Len() != 0 {
		t.Error("Set of the zero map")
	}
}

func TestStopEarly(t *testing.T) {
	m := pmap.Collect(numbered(make([]bool, 100)))
	for _, seq := range []iter.Seq2[pmap.Number, bool]{m.All(), m.From(num(10))} {
		n := 0
		for range seq {
			if n++; n == 3 {
				break
			}
		}
		if n != 3 {
			t.Errorf("yielded %d times", n)
		}
	}
}

func TestCollect(t *testing.T) {
	m := pmap.Collect(func(yield func(pmap.Number, string) bool) {
		for i := range 1000 {
			if !yield(num(i%700), string(rune('a'+i/700))) {
				return
			}
		}
	})
	if v, _ := m.Get(num(5)); m.Len() != 700 || v != "b" {
		t.Errorf("Len %d, last value %q", m.Len(), v)
	}
}

// copies counts the calls of a method that the tree below calls where it sees it.
type copies struct{ n *int }

func (c copies) Copy() copies {
	*c.n++
	return c
}

func TestValuesAreNotCopied(t *testing.T) {
	n := 0
	var m pmap.Map[pmap.Number, copies]
	for i := range 100 {
		m = m.Set(num(i), copies{&n})
	}
	if n != 0 {
		t.Errorf("Copy of a value called %d times", n)
	}
}

// One map is read and built upon by many goroutines. The race detector judges.
func TestConcurrent(t *testing.T) {
	base := pmap.Collect(numbered(make([]int, 1000)))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			m := base
			for i := range 500 {
				m = m.Set(num(i*2), g+1).Delete(num(i*2 + 1))
				if v, ok := base.Get(num(i)); v != 0 || !ok {
					t.Errorf("base changed at %d: %d %v", i, v, ok)
					return
				}
			}
			for _, v := range m.All() {
				if v != g+1 {
					t.Errorf("goroutine %d finds a value of %d", g, v)
					return
				}
			}
		})
	}
	wg.Wait()
	if base.Len() != 1000 {
		t.Errorf("base has %d", base.Len())
	}
}

func TestBackward(t *testing.T) {
	var m pmap.Map[pmap.Number, int]
	if n := len(maps.Collect(m.Backward())); n != 0 {
		t.Errorf("an empty map yields %d", n)
	}
	for n := range 100 {
		m = m.Set(pmap.Num(uint64(n*37%100)), n)
	}
	older := m
	m = m.Delete(pmap.Num(50))
	for _, x := range []struct {
		of   pmap.Map[pmap.Number, int]
		want int
	}{{older, 100}, {m, 99}} {
		next, seen := uint64(99), 0
		for k := range x.of.Backward() {
			if x.want == 99 && next == 50 {
				next--
			}
			if k.Uint64() != next {
				t.Fatalf("%d, want %d", k.Uint64(), next)
			}
			next--
			seen++
		}
		if seen != x.want {
			t.Errorf("%d keys, want %d", seen, x.want)
		}
	}
	for range m.Backward() {
		break // it ends where it is told to
	}
}
