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
		l := Line{Terms: c.terms, Pasts: c.pasts, Begun: begun}
		pool, grants := l.Pool(All, window, c.now)
		if got := l.Share(c.me, All, window, c.now); got != c.share || pool != c.pool {
			t.Errorf("%s: a share of %d, a pool of %d, want %d and %d", c.name, got, pool, c.share, c.pool)
		}
		if l.Moved() != c.moved || grants != c.moved || l.ByHand(All, window, c.now) != c.byHand {
			t.Errorf("%s: moved %v, granted %v, by hand %v", c.name, l.Moved(), grants, l.ByHand(All, window, c.now))
		}
	}
	// What one that was left out before counts.
	all := map[Robot]Past{1: on(0), 2: on(0), 3: on(0)}
	left := Left{Robot: 4, Most: 7, Lent: 2, Signed: used(5), Granted: used(3), Since: begun - 100}
	more := left
	more.Signed = used(9)
	for _, c := range []struct {
		name   string
		terms  []Terms
		pasts  map[Robot]Past
		left   []Left
		now    int64
		share  int64
		pool   int64
		byHand bool
	}{
		{"in its window", []Terms{older, newer}, all, []Left{left}, begun - 100 + window, 28, 18, false},
		{"after it", []Terms{older, newer}, all, []Left{left}, begun - 99 + window, 35, 25, false},
		{"more is known", []Terms{older, newer}, all, []Left{more}, begun, 26, 16, false},
		{"nothing is", []Terms{older, newer}, all, []Left{{Robot: 4, Most: 7, Lent: 2, Since: begun - window - 1}}, begun, 40, 30, true},
		{"a satoshi is", []Terms{older, newer}, all, []Left{{Robot: 4, Signed: used(1), Since: begun - window - 1}}, begun, 39, 29, false},
		{"two of them", []Terms{older, newer}, all, []Left{left, more}, begun, 14, 4, false},
		{"more than all", []Terms{older, newer}, all, []Left{left, more, more}, begun, 0, 0, false},
		{"while robots move", []Terms{older, newer}, map[Robot]Past{2: on(0)}, []Left{left}, begun, 28, 0, false},
		{"another one signed beyond all its shares", []Terms{older, newer}, map[Robot]Past{1: {Signed: used(55)}, 2: on(0)}, nil, begun, 35, 0, false},
		{"another one signed up to them", []Terms{older, newer}, map[Robot]Past{1: {Signed: used(50)}, 2: on(0)}, nil, begun, 40, 0, false},
		{"its own does not count against it", []Terms{older, newer}, map[Robot]Past{2: on(99)}, nil, begun, 40, 0, false},
		{"far beyond", []Terms{older, newer}, map[Robot]Past{1: {Signed: used(95)}, 2: on(0)}, []Left{left}, begun, 0, 0, false},
	} {
		l := Line{c.terms, c.pasts, begun, c.left}
		pool, _ := l.Pool(All, window, c.now)
		if got := l.Share(2, All, window, c.now); got != c.share || pool != c.pool || l.ByHand(All, window, c.now) != c.byHand {
			t.Errorf("%s: a share of %d, a pool of %d, by hand %v", c.name, got, pool, !c.byHand)
		}
	}
	l := Line{[]Terms{older, newer}, map[Robot]Past{1: {Lent: 6}, 2: on(0), 3: on(0)}, begun, nil}
	if n, m := l.Beyond(1, All, window, begun+window), l.Beyond(1, All, window, begun+window+1); n != 56 || m != 0 {
		t.Errorf("one that others granted something counts %d, and then %d", n, m)
	}
	short := left
	if n, m := short.used(All, 1, begun-100+Least), short.used(All, 1, begun-99+Least); n != 12 || m != 5 {
		t.Errorf("in the shortest window one that was left out counts %d, and then %d", n, m)
	}
	// The shortest window is kept here too.
	l = Line{Terms: []Terms{older, newer}, Pasts: map[Robot]Past{2: on(0), 3: on(0)}, Begun: begun}
	if n, m := l.Beyond(1, All, 1, begun+Least), l.Beyond(1, All, 1, begun+Least+1); n != 50 || m != 0 {
		t.Errorf("one that is silent counts %d, and then %d", n, m)
	}
}
