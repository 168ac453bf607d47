package meter

import "testing"

// faulty counts as somebody might who does not know better.
type faulty struct {
	w      *world
	buried map[int]int64
	void   set
	signed []struct {
		tx           int
		s            Subject
		charge, when int64
	}
	// charge says what a transaction adds, given what it takes, what those it replaces took,
	// and what they added.
	charge func(w, replaced, added int64) int64
	// ended says whether a charge of a time has ended, that of a buried spend or another.
	ended func(at, window, now int64, buried bool) bool
}

func (f *faulty) fits(tx int, t Take, window, now, limit int64) bool {
	used, replaced, added := int64(0), int64(0), int64(0)
	for _, s := range f.signed {
		if s.s != t.Subject {
			continue
		}
		if s.tx == tx {
			return true
		}
		if f.w.spends[s.tx]&f.w.spends[tx] != 0 {
			replaced, added = replaced+f.w.takes[s.tx], added+s.charge
		}
		at, buried := f.buried[s.tx]
		if !buried {
			at = s.when
		}
		dead := f.w.spends[s.tx]&f.void != 0
		for other := range f.buried {
			dead = dead || other != s.tx && f.w.spends[other]&f.w.spends[s.tx] != 0
		}
		if !dead && !f.ended(at, max(window, Least), now, buried) {
			used += s.charge
		}
	}
	return used+f.charge(t.Amount, replaced, added) <= limit
}

func (f *faulty) sign(tx int, _ []Coin, t Take, now int64) {
	replaced, added := int64(0), int64(0)
	for _, s := range f.signed {
		if s.s == t.Subject && s.tx == tx {
			return
		}
		if s.s == t.Subject && f.w.spends[s.tx]&f.w.spends[tx] != 0 {
			replaced, added = replaced+f.w.takes[s.tx], added+s.charge
		}
	}
	f.signed = append(f.signed, struct {
		tx           int
		s            Subject
		charge, when int64
	}{tx, t.Subject, f.charge(t.Amount, replaced, added), now})
}

func (f *faulty) bury(tx int, _ []Coin, at int64) { f.buried[tx] = at }
func (f *faulty) unbury(tx int)                   { delete(f.buried, tx) }
func (f *faulty) voided(c Coin, is bool) {
	for i := range f.w.values {
		if coinOf(i) == c {
			if f.void &^= 1 << i; is {
				f.void |= 1 << i
			}
		}
	}
}

// What is wrong about a charge, and about its end.
func byDifference(w, replaced, _ int64) int64 { return max(0, w-replaced) }
func byAdded(w, _, added int64) int64         { return max(0, w-added) }
func inFull(w, _, _ int64) int64              { return w }

func untilBuried(at, window, now int64, buried bool) bool   { return buried && now > at+window }
func sinceSigned(at, window, now int64, _ bool) bool        { return now > at+window }
func tumbling(at, window, now int64, _ bool) bool           { return now/window != at/window }
func tooSoon(at, window, now int64, buried bool) bool       { return buried && now >= at+window }
func whileUnburied(at, window, now int64, buried bool) bool { return buried }

// Each way to count wrongly is found by the walk that finds nothing wrong with a Book, and so
// is a clock that a reorg of the last block takes back. One that is right but coarser is not.
func TestFaultsAreFound(t *testing.T) {
	fault := func(charge func(w, replaced, added int64) int64, ended func(at, window, now int64, buried bool) bool) func(*world) counter {
		return func(w *world) counter {
			return &faulty{w: w, buried: map[int]int64{}, charge: charge, ended: ended}
		}
	}
	book := func(w *world) counter {
		return &bookkeeper{coins: func(tx int) []Coin { return w.spends[tx].coins() }}
	}
	for name, c := range map[string]struct {
		of    func(*world) counter
		byTip bool
		found bool
	}{
		"a book":                      {book, false, false},
		"all in full":                 {fault(inFull, untilBuried), false, false},
		"by what is replaced":         {fault(byDifference, untilBuried), false, true},
		"by what those added":         {fault(byAdded, untilBuried), false, true},
		"a window since signing":      {fault(inFull, sinceSigned), false, true},
		"a window that tumbles":       {fault(inFull, tumbling), false, true},
		"ends with the window":        {fault(inFull, tooSoon), false, true},
		"what is buried is forgotten": {fault(inFull, whileUnburied), false, true},
		"by the tip":                  {book, true, true},
	} {
		if testing.Short() && c.found {
			continue
		}
		found := false
		for n := uint64(0); n < walks() && !found; n++ {
			l := newLimits(seed(n), c.of)
			l.byTip = c.byTip
			for i := 0; i < 40 && !found; i++ {
				l.step()
				found = l.over()
			}
			if found {
				t.Logf("%s: found by seed %d", name, n)
			}
		}
		if found != c.found {
			t.Errorf("%s: over the limit %v, want %v", name, found, c.found)
		}
	}
}
