package meter

import (
	"fmt"
	"slices"
	"testing"
)

func idOf(n int) ReservationID {
	var id ReservationID
	id[0] = byte(n)
	return id
}

// A Pool is the Book of what was let in and not released, in its order.
func TestPoolIsABookOfWhatIsHeld(t *testing.T) {
	walk(t, func(t failer, d drawer) {
		var p Pool
		var in []Reservation
		gone, used, own := map[ReservationID]bool{}, map[ReservationID]bool{}, map[ReservationID]bool{}
		facts := Book{}
		has := func(id ReservationID) bool {
			return slices.ContainsFunc(in, func(r Reservation) bool { return r.ID == id })
		}
		for range 1 + d.n("steps", 40) {
			r := Reservation{idOf(d.n("id", 13)), drawSigned(d)}
			c := coinOf(d.n("coin", 8))
			switch d.n("step", 9) {
			case 0, 1, 2:
				mine := d.n("own", 2) == 0
				if !has(r.ID) && !gone[r.ID] {
					in, own[r.ID] = append(in, r), mine
				}
				if mine {
					p = p.Reserve(r)
				} else {
					p = p.Grant(r)
				}
			case 3, 4:
				if p = p.Release(r.ID); !used[r.ID] {
					gone[r.ID] = true
					in = slices.DeleteFunc(in, func(x Reservation) bool { return x.ID == r.ID })
				}
			case 5:
				if p = p.Use(r.ID); has(r.ID) && own[r.ID] {
					used[r.ID] = true
				}
			case 6:
				at := drawTime(d, "at")
				p, facts = p.Bury(r.Tx, r.Coins, at), facts.Bury(r.Tx, r.Coins, at)
			case 7:
				p, facts = p.Unbury(r.Tx), facts.Unbury(r.Tx)
			case 8:
				if p, facts = p.Revive(c), facts.Revive(c); d.n("void", 2) == 0 {
					p, facts = p.Void(c), facts.Void(c)
				}
			}
			want := facts
			for _, r := range in {
				want = want.Sign(r.Signed)
			}
			if dump(p.Book()) != dump(want) {
				t.Fatalf("the pool is\n%s\ninstead of\n%s", dump(p.Book()), dump(want))
			}
			if p.held.Len() != len(in) || p.places.Len() != len(in) || p.Holds(r.ID) != has(r.ID) {
				t.Fatalf("%d are held, %d have a place, want %d", p.held.Len(), p.places.Len(), len(in))
			}
			size, window, now := int64(d.n("size", 81)), drawWindow(d), drawTime(d, "now")
			fits := true
			for _, s := range subjects {
				w := of(total(r.Takes), s)
				fits = fits && (w == 0 || want.Used(s, window, now)+want.Charge(r.Coins, Take{s, w}) <= size)
			}
			if got := p.MayGrant(r, size, window, now); got != (!gone[r.ID] && (fits || has(r.ID))) {
				t.Fatalf("%v may be granted: %v; it fits: %v, is held: %v, was released: %v", r, got, fits, has(r.ID), gone[r.ID])
			}
		}
		if p.released.Len() != len(gone) {
			t.Fatalf("%d were released, want %d", p.released.Len(), len(gone))
		}
		for range 3 {
			coins := 0
			for _, h := range p.held.All() {
				coins += len(distinct(h.Coins))
			}
			if p.coins.Len() != coins {
				t.Fatalf("%d coins are known, want %d", p.coins.Len(), coins)
			}
			p = p.Prune(int64((700 + d.n("now", 201))) * 86400)
			for _, h := range p.held.All() {
				if _, ok := p.book.signed.Get(byTx(h.Tx[:])); !ok {
					t.Fatalf("%v is held and not counted", h)
				}
			}
			if p.book.signed.Len() > p.held.Len() {
				t.Fatalf("%d are counted, %d held", p.book.signed.Len(), p.held.Len())
			}
		}
	})
}

// reserve is a reservation of all of a coin of its own.
func reserve(id int, w int64, s ...Subject) Reservation {
	r := Reservation{idOf(id), Signed{Tx: txOf(id), Coins: []Coin{coinOf(id)}}}
	for _, s := range s {
		r.Takes = append(r.Takes, Take{s, w})
	}
	return r
}

func TestBlocked(t *testing.T) {
	const size, window, now = 100, 86400, 1e9
	held := func(h ...Reservation) (p Pool) {
		for _, r := range h {
			p = p.Grant(r)
		}
		return p
	}
	for _, c := range []struct {
		name  string
		p     Pool
		own   Reservation
		other Reservation
		want  bool
	}{
		{"the lower waits", Pool{}, reserve(5, 60, All), reserve(4, 60, All), true},
		{"it fits", Pool{}, reserve(5, 60, All), reserve(4, 40, All), false},
		{"the higher waits", Pool{}, reserve(5, 60, All), reserve(6, 60, All), false},
		{"it never fits", Pool{}, reserve(5, 60, All), reserve(4, 101, All), false},
		{"it fits by itself", Pool{}, reserve(5, 60, All), reserve(4, 100, All), true},
		{"of one satoshi", Pool{}, reserve(5, 1, All), reserve(4, 100, All), true},
		{"of other subjects", held(reserve(6, 60, "r1")), reserve(5, 60, "i1"), reserve(4, 60, "r1"), false},
		{"a further one has to go too", held(reserve(6, 40, All)), reserve(5, 60, All), reserve(4, 70, All), true},
		{"what is settled stays", held(reserve(6, 40, All)).Settle(idOf(6)), reserve(5, 60, All), reserve(4, 70, All), false},
		{"a lower one stays", held(reserve(3, 40, All)), reserve(5, 60, All), reserve(4, 70, All), false},
		{"it takes for several", Pool{}, reserve(5, 60, "i1"), reserve(4, 60, All, "i1", "r1"), true},
	} {
		p := c.p.Reserve(c.own)
		if got := p.Blocked(c.own.ID, []Reservation{c.other}, size, window, now); got != c.want {
			t.Errorf("%s: blocked %v, want %v", c.name, got, c.want)
		}
		if p.Grant(c.other).Blocked(c.own.ID, []Reservation{c.other}, size, window, now) {
			t.Errorf("%s: it blocks what was granted", c.name)
		}
		if p.Use(c.own.ID).Blocked(c.own.ID, []Reservation{c.other}, size, window, now) {
			t.Errorf("%s: it is signed by, and blocked", c.name)
		}
		if p.Settle(c.own.ID).Blocked(c.own.ID, []Reservation{c.other}, size, window, now) {
			t.Errorf("%s: all granted it, and it is blocked", c.name)
		}
		if p.Blocked(c.own.ID, nil, size, window, now) || p.Blocked(idOf(9), []Reservation{c.other}, size, window, now) {
			t.Errorf("%s: blocked by nobody, or nothing is", c.name)
		}
		if c.p.Grant(c.own).Blocked(c.own.ID, []Reservation{c.other}, size, window, now) {
			t.Errorf("%s: another's reservation is taken for an own one", c.name)
		}
	}
}

// What spends no coin is no transaction.
func TestPoolTakesNothingWithoutCoins(t *testing.T) {
	r := Reservation{ID: idOf(1)}
	if p := (Pool{}).Reserve(r).Grant(r); p.Holds(r.ID) || p.MayGrant(r, 100, 86400, 1e9) {
		t.Error("it is held, or may be")
	}
}

// Robots that hear each other come to an end: of what was reserved nothing is left that waits
// and would fit.
func TestPoolsComeToAnEnd(t *testing.T) {
	const window, now = 86400, 1e9
	walk(t, func(t failer, d drawer) {
		robots := make([]Pool, (2 + d.n("robots", 4)))
		owner, granted := map[ReservationID]int{}, map[ReservationID]int{}
		size := int64((10 + d.n("size", 91)))
		var open []Reservation
		for _, n := range shuffled(d, 8) {
			r := reserve(n, int64((1 + d.n("takes", 70))), All)
			by := d.n("by", len(robots)-1+1)
			if robots[by].MayGrant(r, size, window, now) {
				robots[by] = robots[by].Reserve(r)
				open, owner[r.ID] = append(open, r), by
			}
		}
		for changed := true; changed; {
			changed = false
			for _, by := range shuffled(d, len(robots)) {
				for _, r := range slices.Clone(open) {
					p := robots[by]
					switch {
					case owner[r.ID] == by && p.Blocked(r.ID, open, size, window, now):
						for i := range robots {
							robots[i] = robots[i].Release(r.ID)
						}
						open = slices.DeleteFunc(open, func(x Reservation) bool { return x.ID == r.ID })
						changed = true
					case !p.Holds(r.ID) && p.MayGrant(r, size, window, now):
						robots[by], changed = p.Grant(r), true
						if granted[r.ID]++; granted[r.ID] == len(robots)-1 {
							for i := range robots {
								robots[i] = robots[i].Settle(r.ID)
							}
							open = slices.DeleteFunc(open, func(x Reservation) bool { return x.ID == r.ID })
						}
					}
				}
			}
		}
		var settled Pool
		for _, h := range robots[0].held.All() {
			if h.settled {
				settled = settled.Grant(h.Reservation)
			}
		}
		if n := settled.Book().Used(All, window, now); n > size {
			t.Fatalf("%d of %d were granted", n, size)
		}
		for _, r := range open {
			if settled.MayGrant(r, size, window, now) {
				t.Fatalf("%v waits for ever: %s", r, fmt.Sprint(open))
			}
		}
	})
}

// shuffled are the numbers below one, in an order that is drawn.
func shuffled(d drawer, below int) []int {
	var out []int
	for i := range below {
		out = slices.Insert(out, d.n("place", i+1), i)
	}
	return out
}
