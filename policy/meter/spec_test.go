package meter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spec is what a Book is a function of, and the function, written down as the design has it.
type spec struct {
	signs  []Signed
	buried map[TxID]Signed // its coins, and At is when
	void   map[Coin]bool
}

func newSpec() *spec { return &spec{buried: map[TxID]Signed{}, void: map[Coin]bool{}} }

func (s *spec) alive(c Coin) bool {
	for _, x := range s.buried {
		if slices.Contains(x.Coins, c) {
			return false
		}
	}
	return !s.void[c]
}

// lay works out what lies on each coin, what each transaction took, and which added anything.
func (s *spec) lay(of Subject) (lies map[Coin]int64, took map[TxID]int64, charged map[TxID]bool) {
	lies, took, charged = map[Coin]int64{}, map[TxID]int64{}, map[TxID]bool{}
	first := map[TxID]Signed{}
	for _, x := range s.signs {
		if _, ok := first[x.Tx]; !ok {
			first[x.Tx] = x
		}
		w := int64(0)
		for _, t := range x.Takes {
			if t.Subject == of {
				w += max(0, t.Amount)
			}
		}
		if w <= took[x.Tx] {
			continue
		}
		took[x.Tx] = w
		coins := first[x.Tx].Coins
		for i, c := range coins {
			if !slices.Contains(coins[:i], c) {
				w -= lies[c]
			}
		}
		if w > 0 {
			lies[coins[0]] += w
			charged[x.Tx] = true
		}
	}
	return lies, took, charged
}

func (s *spec) used(of Subject, window, now int64) int64 {
	lies, took, _ := s.lay(of)
	n := int64(0)
	for c, w := range lies {
		if s.alive(c) {
			n += w
		}
	}
	for tx, x := range s.buried {
		if now <= x.At+max(window, 6*3600) {
			n += took[tx]
		}
	}
	return n
}

func (s *spec) lapses(of Subject, window, now, need int64) int64 {
	if need <= 0 {
		return now
	}
	_, took, _ := s.lay(of)
	var left []Signed
	for _, x := range s.buried {
		if now <= x.At+max(window, 6*3600) {
			left = append(left, x)
		}
	}
	slices.SortFunc(left, func(a, b Signed) int { return cmp.Compare(a.At, b.At) })
	for _, x := range left {
		if need -= took[x.Tx]; need <= 0 {
			return x.At + max(window, 6*3600) + 1
		}
	}
	return 0
}

func (s *spec) outstanding(before int64) []TxID {
	added := map[TxID]bool{}
	for _, of := range subjects {
		_, _, charged := s.lay(of)
		maps.Copy(added, charged)
	}
	var out []Signed
	for _, x := range s.signs {
		if added[x.Tx] && s.alive(x.Coins[0]) && x.At < before {
			out = append(out, x)
		}
		delete(added, x.Tx)
	}
	slices.SortFunc(out, func(a, b Signed) int {
		return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.Tx[:], b.Tx[:]))
	})
	var ids []TxID
	for _, x := range out {
		ids = append(ids, x.Tx)
	}
	return ids
}

var subjects = []Subject{All, "i1", "r1", "r11"}

// dump is all that a Book holds, as text.
func dump(b Book) string {
	var out strings.Builder
	for k, v := range b.signed.All() {
		fmt.Fprintf(&out, "signed %x %x %v %d %v\n", k, v.coins, v.takes, v.at, v.charged)
	}
	for k := range b.first.All() {
		fmt.Fprintf(&out, "first %x\n", k)
	}
	for k, v := range b.coins.All() {
		fmt.Fprintf(&out, "coin %x %v\n", k, v)
	}
	for k, v := range b.buried.All() {
		fmt.Fprintf(&out, "buried %x %x %d\n", k, v.coins, v.at)
	}
	for k := range b.since.All() {
		fmt.Fprintf(&out, "since %x\n", k)
	}
	for k := range b.lying.All() {
		fmt.Fprintf(&out, "lying %x\n", k)
	}
	for k, v := range b.sums.All() {
		fmt.Fprintf(&out, "sum %q %d\n", k, v.lies)
		for k, n := range v.left.All() {
			fmt.Fprintf(&out, "left %x %d\n", k, n)
		}
	}
	return out.String()
}

// drawSigned draws a transaction: of the same id always of the same coins.
func drawSigned(d drawer) Signed {
	n := d.n("tx", 10)
	s := Signed{Tx: txOf(n), At: int64(n * 7 % 5)}
	for i := range 1 + n%3 {
		s.Coins = append(s.Coins, coinOf((n*3+i*i*n)%8)) // of some more than once
	}
	for range d.n("takes", 4) {
		s.Takes = append(s.Takes, Take{pick(d, "subject", subjects...), int64((d.n("amount", 32) - 1))})
	}
	return s
}

func drawTime(d drawer, name string) int64 {
	base := pick[int64](d, name, 0, 3600, 86400, 6*3600, 10*86400, 30*86400)
	return 400*86400 + base + int64((d.n(name+" about", 5) - 2))
}

func drawWindow(d drawer) int64 {
	return pick[int64](d, "window", 0, 1, Least-1, Least, Least+1, 86400, 86400+1800, 7*86400, Longest)
}

type failer interface{ Fatalf(string, ...any) }

// walk runs a property with what rapid draws, which it makes small, and with seeds, which are
// drawn evenly.
func walk(t *testing.T, property func(failer, drawer)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) { property(t, rapidly{t}) })
	for n := range walks() {
		property(t, seed(n))
	}
}

// A Book says what the design's words say, after every step; and one that is told the same in
// another order is the same.
func TestBookIsWhatItIsAFunctionOf(t *testing.T) {
	walk(t, func(t failer, d drawer) {
		s, b := newSpec(), Book{}
		for range 1 + d.n("steps", 40) {
			x := drawSigned(d)
			c := coinOf(d.n("coin", 8))
			switch d.n("step", 7) {
			case 0, 1, 2:
				s.signs, b = append(s.signs, x), b.Sign(x)
			case 3:
				x.At = drawTime(d, "at")
				s.buried[x.Tx], b = x, b.Bury(x.Tx, x.Coins, x.At)
			case 4:
				delete(s.buried, x.Tx)
				b = b.Unbury(x.Tx)
			case 5:
				s.void[c], b = true, b.Void(c)
			case 6:
				delete(s.void, c)
				b = b.Revive(c)
			}
			compare(t, d, s, b)
		}
		if other := fold(d, s); dump(other) != dump(b) {
			t.Fatalf("told in another order it is\n%s\ninstead of\n%s", dump(other), dump(b))
		}
	})
}

func compare(t failer, d drawer, s *spec, b Book) {
	window, now, need := drawWindow(d), drawTime(d, "now"), int64((d.n("need", 72) - 1))
	for _, of := range subjects {
		if got, want := b.Used(of, window, now), s.used(of, window, now); got != want {
			t.Fatalf("%q used %d, want %d", of, got, want)
		}
		if got, want := b.Lapses(of, window, now, need), s.lapses(of, window, now, need); got != want {
			t.Fatalf("%d of %q lapse at %d, want %d", need, of, got, want)
		}
		x := drawSigned(d)
		lies, _, _ := s.lay(of)
		w := int64(40)
		for i, c := range x.Coins {
			if !slices.Contains(x.Coins[:i], c) {
				w -= lies[c]
			}
		}
		if got := b.Charge(x.Coins, Take{of, 40}); got != max(0, w) {
			t.Fatalf("charge of %q is %d, want %d", of, got, max(0, w))
		}
	}
	before := int64(d.n("before", 7))
	var got []TxID
	for x := range b.Outstanding(before) {
		got = append(got, x.Tx)
	}
	if want := s.outstanding(before); !slices.Equal(got, want) {
		t.Fatalf("outstanding are %v, want %v", got, want)
	}
}

// fold makes a Book of the facts, in an order that is drawn, with some that are taken back.
func fold(d drawer, s *spec) Book {
	var facts []func(Book) Book
	for n := range 10 {
		if x, ok := s.buried[txOf(n)]; ok {
			facts = append(facts, func(b Book) Book { return b.Bury(x.Tx, x.Coins, x.At) })
		}
		if c := coinOf(n); s.void[c] {
			facts = append(facts, func(b Book) Book { return b.Void(c) })
		}
	}
	for range d.n("taken back", 5) {
		c, x := coinOf(d.n("coin", 8)), drawSigned(d)
		if !s.void[c] {
			facts = append(facts, func(b Book) Book { return b.Void(c).Void(c).Revive(c) })
		}
		if y, ok := s.buried[x.Tx]; ok {
			facts = append(facts, func(b Book) Book { return b.Bury(x.Tx, x.Coins, y.At+9).Unbury(x.Tx).Bury(x.Tx, x.Coins, y.At) })
		} else {
			facts = append(facts, func(b Book) Book { return b.Bury(x.Tx, x.Coins, 77).Unbury(x.Tx) })
		}
	}
	for i := range facts {
		j := d.n("order", i+1)
		facts[i], facts[j] = facts[j], facts[i]
	}
	b, signs := Book{}, s.signs
	for len(facts)+len(signs) > 0 {
		if len(facts) > 0 && (len(signs) == 0 || d.n("fact", 2) == 0) {
			b, facts = facts[0](b), facts[1:]
			continue
		}
		b = b.Sign(signs[0])
		if d.n("twice", 2) == 0 {
			b = b.Sign(signs[0])
		}
		signs = signs[1:]
	}
	return b
}

// What Prune forgets is missed by no window, then or later, and not by a tip that goes back.
func TestPruneIsNotMissed(t *testing.T) {
	walk(t, func(t failer, d drawer) {
		var b Book
		at := make([]int64, 10)
		for range 1 + d.n("signed", 20) {
			b = b.Sign(drawSigned(d))
		}
		for range d.n("buried", 7) {
			x := drawSigned(d)
			n := x.Tx[31] - 1
			at[n] = int64(d.n("day", 501)) * 86400
			b = b.Bury(x.Tx, x.Coins, at[n])
		}
		now := int64((300 + d.n("now", 601))) * 86400
		pruned := b.Prune(now)
		if again := pruned.Prune(now); dump(again) != dump(pruned) {
			t.Fatalf("pruned twice it is another one")
		}
		for range 5 {
			window, later := drawWindow(d), now+int64((d.n("later", 415)-14))*86400
			for _, s := range subjects {
				if got, want := pruned.Used(s, window, later), b.Used(s, window, later); got != want {
					t.Fatalf("%q used %d, before it was pruned %d", s, got, want)
				}
				if got, want := pruned.Lapses(s, window, later, 20), b.Lapses(s, window, later, 20); got != want {
					t.Fatalf("%q lapses at %d, before it was pruned %d", s, got, want)
				}
			}
		}
	})
}
