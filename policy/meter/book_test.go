package meter

import (
	"slices"
	"testing"
)

func TestConstants(t *testing.T) {
	for _, c := range []struct{ got, want int64 }{
		{MaxAmount, 2_100_000_000_000_000}, {Least, 21_600}, {Longest, 31_622_400}, {Margin, 1_209_600},
		{int64(len(TxID{})), 32}, {int64(len(Coin{})), 36}, {int64(len(ReservationID{})), 32},
	} {
		if c.got != c.want {
			t.Errorf("%d, want %d", c.got, c.want)
		}
	}
}

// one is a transaction that spends coins of numbers, and takes something of all.
func one(tx int, takes int64, coins ...int) Signed {
	s := Signed{Tx: txOf(tx), Takes: []Take{{All, takes}}}
	for _, c := range coins {
		s.Coins = append(s.Coins, coinOf(c))
	}
	return s
}

// What makes no sense counts as what is nearest to it, on the safe side.
func TestOddInput(t *testing.T) {
	if b := (Book{}).Sign(Signed{Tx: txOf(1), Takes: []Take{{All, 5}}}); dump(b) != "" {
		t.Errorf("a transaction without coins is kept: %s", dump(b))
	}
	b := Book{}.Sign(one(1, 1<<62, 1)).Sign(one(2, -5, 2))
	if got := b.Used(All, Least, 0); got != MaxAmount {
		t.Errorf("used %d", got)
	}
	if got := b.Charge([]Coin{coinOf(1)}, Take{All, 1 << 62}); got != 0 {
		t.Errorf("the same again adds %d", got)
	}
	if got := b.Charge([]Coin{coinOf(3)}, Take{All, -1}); got != 0 {
		t.Errorf("what is below nothing adds %d", got)
	}
	if got := (Book{}).Sign(one(1, 9, 1)).Charge([]Coin{coinOf(1)}, Take{All, 5}); got != 0 {
		t.Errorf("less than lies on its coin adds %d", got)
	}
	// Times before 1970, and windows that begin there.
	b = Book{}.Sign(one(1, 5, 1)).Bury(txOf(1), []Coin{coinOf(1)}, -7)
	for now, want := range map[int64]int64{0: 5, 1000: 5, Least: 5, Least + 1: 0} {
		if got := b.Used(All, 0, now); got != want {
			t.Errorf("at %d used %d, want %d", now, got, want)
		}
	}
	early, late := one(1, 5, 1), one(2, 5, 2)
	early.At, late.At = -9, 3
	b = Book{}.Sign(late).Sign(early)
	var got []int64
	for s := range b.Outstanding(10) {
		got = append(got, s.At)
	}
	if !slices.Equal(got, []int64{-9, 3}) {
		t.Errorf("outstanding are %v", got)
	}
	for range b.Outstanding(10) {
		break // it ends where it is told to
	}
}

// A reorg that buries another spend of a coin before the old one is taken back.
func TestRivalsBuriedAtOnce(t *testing.T) {
	coins := []Coin{coinOf(1)}
	b := Book{}.Sign(one(1, 5, 1)).Bury(txOf(1), coins, 10).Bury(txOf(2), coins, 20)
	if got := b.Used(All, Least, 20); got != 5 {
		t.Errorf("used %d", got)
	}
	if got := b.Unbury(txOf(1)).Used(All, Least, 20); got != 0 {
		t.Errorf("the rival is buried, and %d is used", got)
	}
	if got := b.Unbury(txOf(2)).Unbury(txOf(1)); dump(got) != dump(Book{}.Sign(one(1, 5, 1))) {
		t.Errorf("nothing is buried, and it is %s", dump(got))
	}
	// One was pruned: what is left can still be taken back.
	if got := b.Prune(15 + Longest + Margin).Unbury(txOf(2)); dump(got) != "" {
		t.Errorf("nothing is left, and it is %s", dump(got))
	}
}

// What a Book was given, and gives, is not shared with it.
func TestNothingIsShared(t *testing.T) {
	s := one(1, 5, 1, 2)
	b := Book{}.Sign(s)
	was := dump(b)
	s.Coins[0], s.Takes[0].Amount = coinOf(7), 9
	for x := range b.Outstanding(1) {
		x.Coins[0], x.Takes[0].Amount = coinOf(8), 1
	}
	coins := []Coin{coinOf(2), coinOf(1)}
	buried := b.Bury(txOf(3), coins, 9)
	before := dump(buried)
	coins[0] = coinOf(6)
	if dump(b) != was || dump(buried) != before {
		t.Error("a Book changes with what it was given")
	}
}

// Pruned is what was buried longer ago than any window and a reorg reach, and no second earlier.
func TestPrune(t *testing.T) {
	const at = 1_000_000
	s := one(1, 5, 1)
	b := Book{}.Sign(s).Bury(s.Tx, s.Coins, at)
	if got := b.Prune(at + Longest + Margin); dump(got) != dump(b) {
		t.Errorf("pruned too early: %s", dump(got))
	}
	if got := b.Prune(at + Longest + Margin + 1); dump(got) != "" {
		t.Errorf("not pruned: %s", dump(got))
	}
}
