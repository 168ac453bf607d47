package meter

import "testing"

func TestLine(t *testing.T) {
	const window, begun = 86400, 1e9
	used := func(n int64) Book {
		return Book{}.Sign(Signed{Tx: txOf(1), Coins: []Coin{coinOf(1)}, Takes: []Take{{All, n}}})
	}
	on := func(n int64) Past { return Past{Adopted: 1, Signed: used(n)} }
	older, newer := Terms{[]Robot{1, 2}, 50, 20}, Terms{[]Robot{2, 3}, 40, 30}
	for _, c := range []struct {
		name   string
		terms  []Terms
		pasts  map[Robot]Past
		me     Robot
		now    int64
		share  int64
		pool   int64
		moved  bool
		byHand bool
	}{
		{"nothing changes", []Terms{older}, nil, 1, begun, 50, 20, true, true},
		{"nothing changes, of none of its robots", []Terms{older}, nil, 3, begun, 0, 20, true, true},
		{"nobody followed", []Terms{older, newer}, nil, 2, begun, 40, 0, false, false},
		{"the older share is less", []Terms{older, {newer.Robots, 60, 0}}, nil, 2, begun, 50, 0, false, false},
		{"a new one waits", []Terms{older, newer}, map[Robot]Past{3: on(0)}, 3, begun, 0, 0, false, false},
		{"a new one is waited for", []Terms{older, newer}, map[Robot]Past{1: on(0), 2: on(0)}, 2, begun, 40, 0, false, false},
		{"an old one is waited for", []Terms{older, newer}, map[Robot]Past{1: on(0), 3: on(0)}, 3, begun, 0, 0, false, false},
		{"one that only followed an older", []Terms{older, newer}, map[Robot]Past{2: {}, 3: on(0)}, 3, begun, 0, 0, false, false},
		{"all followed", []Terms{older, newer}, map[Robot]Past{1: on(0), 2: on(0), 3: on(0)}, 2, begun, 40, 30, true, true},
		{"up to its share", []Terms{older, newer}, map[Robot]Past{1: on(0), 2: on(40), 3: on(0)}, 3, begun, 40, 30, true, true},
		{"beyond it", []Terms{older, newer}, map[Robot]Past{1: on(0), 2: on(45), 3: on(0)}, 3, begun, 35, 25, true, false},
		{"beyond one's own", []Terms{older, newer}, map[Robot]Past{1: on(0), 2: on(45), 3: on(0)}, 2, begun, 40, 25, true, false},
		{"beyond it by one", []Terms{older, newer}, map[Robot]Past{1: on(0), 2: on(41), 3: on(0)}, 3, begun, 39, 29, true, false},
		{"one that is left out", []Terms{older, newer}, map[Robot]Past{1: on(7), 2: on(0), 3: on(41)}, 2, begun, 32, 22, true, false},
		{"all beyond", []Terms{older, newer}, map[Robot]Past{1: on(50), 2: on(80), 3: on(80)}, 2, begun, 0, 0, true, false},
		{"left out and silent", []Terms{older, newer}, map[Robot]Past{1: {Granted: used(3), Signed: used(9)}, 2: on(0), 3: on(0)}, 2, begun + window, 0, 0, true, false},
		{"left out and not known", []Terms{{[]Robot{1, 2}, 10, 0}, {[]Robot{1, 2}, 15, 0}, newer}, map[Robot]Past{2: {Adopted: 2}, 3: {Adopted: 2}}, 2, begun + window, 25, 15, true, false},
		{"left out, and followed one that is not the newest", []Terms{older, {older.Robots, 5, 5}, newer},
			map[Robot]Past{1: {Adopted: 1, Granted: used(4)}, 2: {Adopted: 2}, 3: {Adopted: 2}}, 2, begun, 0, 0, true, false},
		{"left out and silent, and more is known", []Terms{{older.Robots, 10, 0}, newer}, map[Robot]Past{1: {Granted: used(3), Signed: used(14)}, 2: on(0), 3: on(0)}, 2, begun, 23, 13, true, false},
		{"left out and silent for a window", []Terms{older, newer}, map[Robot]Past{1: {Granted: used(3), Signed: used(9)}, 2: on(0), 3: on(0)}, 2, begun + window + 1, 31, 21, true, false},
		{"left out, and has said so", []Terms{older, newer}, map[Robot]Past{1: {Adopted: 1, Granted: used(3), Signed: used(9)}, 2: on(0), 3: on(0)}, 2, begun, 31, 21, true, false},
	} {
		l := Line{c.terms, c.pasts, begun}
		pool, grants := l.Pool(All, window, c.now)
		if got := l.Share(c.me, All, window, c.now); got != c.share || pool != c.pool {
			t.Errorf("%s: a share of %d, a pool of %d, want %d and %d", c.name, got, pool, c.share, c.pool)
		}
		if l.Moved() != c.moved || grants != c.moved || l.ByHand(All, window, c.now) != c.byHand {
			t.Errorf("%s: moved %v, granted %v, by hand %v", c.name, l.Moved(), grants, l.ByHand(All, window, c.now))
		}
	}
	// The shortest window is kept here too.
	l := Line{[]Terms{older, newer}, map[Robot]Past{2: on(0), 3: on(0)}, begun}
	if n, m := l.Beyond(1, All, 1, begun+Least), l.Beyond(1, All, 1, begun+Least+1); n != 50 || m != 0 {
		t.Errorf("one that is silent counts %d, and then %d", n, m)
	}
}
