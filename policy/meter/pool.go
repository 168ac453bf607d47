package meter

import (
	"slices"

	"github.com/quorate/quorate/journal/pmap"
)

// ReservationID names a reservation: the id of the entry that made it.
type ReservationID [32]byte

// Reservation asks for leave to sign a transaction by the pool of a meter, beyond a share.
type Reservation struct {
	ID ReservationID
	Signed
}

// Pool is what one robot knows to have leave to be signed by the pool of one meter: what it
// reserved itself and what it granted to others, counted as a Book counts what is signed. It
// is a value: copy it freely. The zero Pool is empty.
//
// A transaction is signed by the pool only with the leave of every robot, so it is in the Pool
// of each honest one, from before it is signed; and what is in one keeps to the pool's size,
// since each was let in by MayGrant. A grant is never taken back. What its reserver released is
// worked out as if it had never been: it must not have signed by it, and never may.
type Pool struct {
	book     Book
	held     pmap.Map[pmap.Number, held] // in the order in which they were let in
	places   pmap.Map[byReservation, pmap.Number]
	coins    pmap.Map[byCoinPlace, struct{}]
	released pmap.Map[byReservation, struct{}]
	next     uint64
}

// Keys of a Pool's maps.
type (
	byReservation string // id
	byCoinPlace   string // coin | number
)

// held is a reservation that was let in.
type held struct {
	Reservation
	own     bool // this robot made it
	signed  bool // this robot signed by it
	settled bool // everybody granted it
}

// Reserve lets in what this robot reserves itself, from before it says so. The same again, or
// what was released, changes nothing.
func (p Pool) Reserve(r Reservation) Pool { return p.let(r, true) }

// Grant lets in what this robot grants to another, from before it says so. The same again, or
// what was released, changes nothing.
func (p Pool) Grant(r Reservation) Pool { return p.let(r, false) }

func (p Pool) let(r Reservation, own bool) Pool {
	key := byReservation(r.ID[:])
	if _, gone := p.released.Get(key); gone || len(r.Coins) == 0 {
		return p
	}
	if _, ok := p.places.Get(key); ok {
		return p
	}
	r.Coins, r.Takes = slices.Clone(r.Coins), slices.Clone(r.Takes)
	at := pmap.Num(p.next)
	p.next++
	p.held = p.held.Set(at, held{Reservation: r, own: own})
	p.places = p.places.Set(key, at)
	for _, c := range r.Coins {
		p.coins = p.coins.Set(coinPlace(c, at), struct{}{})
	}
	p.book = p.book.Sign(r.Signed)
	return p
}

// Settle says that every robot granted a reservation: nobody waits for another's leave by it.
func (p Pool) Settle(id ReservationID) Pool {
	return p.mark(id, func(h *held) { h.settled = true })
}

// Use says that this robot signs by its own reservation, from before its key does: it is never
// released.
func (p Pool) Use(id ReservationID) Pool {
	return p.mark(id, func(h *held) { h.signed = h.own })
}

func (p Pool) mark(id ReservationID, by func(*held)) Pool {
	at, ok := p.places.Get(byReservation(id[:]))
	if !ok {
		return p
	}
	h, _ := p.held.Get(at)
	by(&h)
	p.held = p.held.Set(at, h)
	return p
}

// Holds says whether a reservation was let in, and not released.
func (p Pool) Holds(id ReservationID) bool {
	_, ok := p.places.Get(byReservation(id[:]))
	return ok
}

// Release takes out what its reserver released, for good. What this robot signed by stays.
func (p Pool) Release(id ReservationID) Pool {
	key := byReservation(id[:])
	at, ok := p.places.Get(key)
	h, _ := p.held.Get(at)
	if h.signed {
		return p
	}
	if p.released = p.released.Set(key, struct{}{}); !ok {
		return p
	}
	// What shares coins with it, or with what does, is let in again without it, in its order.
	around := p.around(at)
	var txs []Signed
	for _, n := range around {
		x, _ := p.held.Get(n)
		txs = append(txs, x.Signed)
	}
	p.book = p.book.unsign(txs)
	p = p.drop(at, h)
	for _, n := range around {
		if x, ok := p.held.Get(n); ok {
			p.book = p.book.Sign(x.Signed)
		}
	}
	return p
}

func (p Pool) drop(at pmap.Number, h held) Pool {
	p.held, p.places = p.held.Delete(at), p.places.Delete(byReservation(h.ID[:]))
	for _, c := range h.Coins {
		p.coins = p.coins.Delete(coinPlace(c, at))
	}
	return p
}

// around returns what is connected by coins with a reservation, itself too, in order.
func (p Pool) around(at pmap.Number) []pmap.Number {
	seen := map[pmap.Number]bool{at: true}
	out := []pmap.Number{at}
	for i := 0; i < len(out); i++ {
		h, _ := p.held.Get(out[i])
		for _, c := range h.Coins {
			for k := range pmap.Prefix(p.coins, byCoinPlace(c[:])) {
				if n := pmap.Number(k[len(c):]); !seen[n] {
					seen[n] = true
					out = append(out, n)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// MayGrant says whether a reservation may be let in: whether all that was let in and counts,
// and it, keep to the pool's size, for each of its subjects. What is held may be granted again;
// what was released never may.
func (p Pool) MayGrant(r Reservation, pool, window, now int64) bool {
	if _, gone := p.released.Get(byReservation(r.ID[:])); gone || len(r.Coins) == 0 {
		return false
	}
	if p.Holds(r.ID) {
		return true
	}
	for _, t := range total(r.Takes) {
		if p.book.Used(t.Subject, window, now)+p.book.Charge(r.Coins, t) > pool {
			return false
		}
	}
	return true
}

// Blocked says whether this robot has to release its own reservation: another with a lower id
// waits for its grant, does not fit, and would without those that have a higher one and are
// not settled. So the lowest of all that block each other is granted in the end, if it fits.
func (p Pool) Blocked(own ReservationID, others []Reservation, pool, window, now int64) bool {
	at, _ := p.places.Get(byReservation(own[:]))
	if h, ok := p.held.Get(at); ok && h.own && !h.settled {
		for _, r := range others {
			if slices.Compare(r.ID[:], own[:]) < 0 && alike(r, h.Reservation) && !p.MayGrant(r, pool, window, now) && p.below(r.ID).MayGrant(r, pool, window, now) {
				return true
			}
		}
	}
	return false
}

// below is the pool without what is not settled and has a higher id than a reservation.
func (p Pool) below(id ReservationID) Pool {
	for _, h := range p.held.All() {
		if !h.settled && slices.Compare(h.ID[:], id[:]) > 0 {
			p = p.Release(h.ID)
		}
	}
	return p
}

// alike says whether two reservations take for a subject in common.
func alike(a, b Reservation) bool {
	return slices.ContainsFunc(total(a.Takes), func(t Take) bool { return of(total(b.Takes), t.Subject) > 0 })
}

// Book returns the pool as a Book of what was let in.
func (p Pool) Book() Book { return p.book }

// Bury is as that of a Book.
func (p Pool) Bury(spend TxID, coins []Coin, at int64) Pool {
	p.book = p.book.Bury(spend, coins, at)
	return p
}

// Unbury is as that of a Book.
func (p Pool) Unbury(spend TxID) Pool {
	p.book = p.book.Unbury(spend)
	return p
}

// Void is as that of a Book.
func (p Pool) Void(c Coin) Pool {
	p.book = p.book.Void(c)
	return p
}

// Revive is as that of a Book.
func (p Pool) Revive(c Coin) Pool {
	p.book = p.book.Revive(c)
	return p
}

// Prune is as that of a Book. That something was released is kept.
func (p Pool) Prune(now int64) Pool {
	p.book = p.book.Prune(now)
	for at, h := range p.held.All() {
		if _, ok := p.book.signed.Get(byTx(h.Tx[:])); !ok {
			p = p.drop(at, h)
		}
	}
	return p
}

func coinPlace(c Coin, at pmap.Number) byCoinPlace { return byCoinPlace(c[:]) + byCoinPlace(at) }

// unsign takes out signed transactions, with all that lies on their coins: with each, those
// that it shares a coin with have to be among them.
func (b Book) unsign(txs []Signed) Book {
	for _, x := range txs {
		key := byTx(x.Tx[:])
		s, ok := b.signed.Get(key)
		if !ok {
			continue
		}
		if at, ok := b.buried.Get(key); ok {
			b = b.took(x.Tx, at.at, -1)
		}
		first := s.coins[0]
		c, _ := b.coins.Get(byCoin(first[:]))
		if c.alive() {
			for _, t := range c.charges {
				b = b.lies(t, -1)
			}
		}
		c.charges = nil
		b.signed, b.first = b.signed.Delete(key), b.first.Delete(coinTx(first, x.Tx))
		b = b.keep(first, c).list(x.Tx, s, false)
	}
	return b
}
