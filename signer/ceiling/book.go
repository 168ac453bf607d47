package ceiling

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// record is what one line of the file says: one of the two.
type record struct {
	At      int64    `json:"at"` // Unix seconds, by this machine's clock, never before an earlier record
	Signed  *signed  `json:"signed,omitempty"`
	Settled *Settled `json:"settled,omitempty"`
}

// signed is a transaction that was signed. It has what a ceiling written later may ask for.
type signed struct {
	Tx    chainhash.Hash `json:"tx"`
	Coins []spent        `json:"coins"`
	Own   int64          `json:"own"` // what goes to the wallet's own scripts
	Pays  []pays         `json:"pays,omitempty"`
}

// spent is a coin, with the amount that the signature is over.
type spent struct {
	Tx     chainhash.Hash `json:"tx"`
	Index  uint32         `json:"index"`
	Amount int64          `json:"amount"`
}

type pays struct {
	Script []byte `json:"script"`
	Amount int64  `json:"amount"`
}

// Settled is the operator's word on a transaction that was signed here: it is final; or, with
// Coin, on a coin of one: something else spent it, or it can never exist.
type Settled struct {
	Tx   chainhash.Hash `json:"tx"`
	Coin *uint32        `json:"coin,omitempty"`
}

func (t signed) in() (sum int64) {
	for _, c := range t.Coins {
		sum += c.Amount
	}
	return sum
}

func (c spent) out() wire.OutPoint { return wire.OutPoint{Hash: c.Tx, Index: c.Index} }

func (t signed) coins() (out []meter.Coin) {
	for _, c := range t.Coins {
		out = append(out, coinOf(c.out()))
	}
	return out
}

func coinOf(o wire.OutPoint) (c meter.Coin) {
	copy(c[:], o.Hash[:])
	binary.BigEndian.PutUint32(c[len(o.Hash):], o.Index)
	return c
}

// check refuses what no transaction takes.
func (t signed) check() error {
	const most = policy.MaxAmount
	in, paid := int64(0), t.Own
	if len(t.Coins) == 0 || paid < 0 || paid > most {
		return fmt.Errorf("transaction %v: no coins, or an amount out of range", t.Tx)
	}
	for _, c := range t.Coins {
		if in += c.Amount; c.Amount <= 0 || c.Amount > most || in > most {
			return fmt.Errorf("transaction %v: amount out of range", t.Tx)
		}
	}
	for _, x := range t.Pays {
		if paid += x.Amount; x.Amount <= 0 || x.Amount > most || paid > most {
			return fmt.Errorf("transaction %v: amount out of range", t.Tx)
		}
	}
	if paid > in {
		return fmt.Errorf("transaction %v: it pays more than its coins hold", t.Tx)
	}
	return nil
}

// takes is what a transaction takes: all that leaves, and for each recipient.
func (p payees) takes(t signed) []meter.Take {
	out := []meter.Take{{Subject: meter.All, Amount: t.in() - t.Own}}
	to := make([]int64, len(p.of.Recipients))
	for _, x := range t.Pays {
		for _, who := range p.whose[script(x.Script)] {
			to[who] += x.Amount
		}
	}
	for who, amount := range to {
		if amount > 0 {
			out = append(out, meter.Take{Subject: meter.Subject("r" + p.of.Recipients[who].Name), Amount: amount})
		}
	}
	return out
}

// book is what was signed and settled, charged by one policy.
type book struct {
	payees payees
	book   meter.Book
	signed map[chainhash.Hash]signed
	order  []chainhash.Hash
	coins  map[wire.OutPoint]int64 // amounts of those that were signed for
	gone   map[wire.OutPoint]chainhash.Hash
	latest int64
}

func newBook(p payees) book {
	return book{payees: p, signed: map[chainhash.Hash]signed{}, coins: map[wire.OutPoint]int64{}, gone: map[wire.OutPoint]chainhash.Hash{}}
}

func (b *book) has(t signed) bool {
	_, ok := b.signed[t.Tx]
	return ok
}

// against says why a transaction is signed under no policy, or "". The amounts of coins count
// because each signature is over one of them: a node that says one amount in this request and
// another in the next would get signatures that are good together, and more as a fee than
// either showed.
func (b *book) against(t signed) policy.Reason {
	for _, c := range t.Coins {
		if amount, ok := b.coins[c.out()]; ok && amount != c.Amount {
			return ReasonAmount
		}
		if _, ok := b.gone[c.out()]; ok {
			return ReasonSpent
		}
	}
	return ""
}

// take counts a record. One that cannot be changes nothing.
func (b *book) take(r record) error {
	switch {
	case r.At < 0 || (r.Signed == nil) == (r.Settled == nil):
		return errors.New("a record is neither of a signature nor of what is settled")
	case r.Settled != nil:
		return b.settle(*r.Settled, max(r.At, b.latest))
	}
	t := *r.Signed
	if err := t.check(); err != nil {
		return err
	}
	if why := b.against(t); why != "" || b.has(t) {
		return fmt.Errorf("transaction %v: it is there twice, or %s", t.Tx, why)
	}
	b.latest = max(b.latest, r.At)
	b.book = b.book.Sign(meter.Signed{Tx: meter.TxID(t.Tx), Coins: t.coins(), Takes: b.payees.takes(t), At: r.At})
	b.signed[t.Tx] = t
	b.order = append(b.order, t.Tx)
	for _, c := range t.Coins {
		b.coins[c.out()] = c.Amount
	}
	return nil
}

// settling is what spends which coins by the operator's word: a transaction that was signed, or
// something that was not, under a name of its own.
func (b *book) settling(x Settled) (by chainhash.Hash, coins []wire.OutPoint, err error) {
	if x.Coin != nil {
		o := wire.OutPoint{Hash: x.Tx, Index: *x.Coin}
		if _, ok := b.coins[o]; !ok {
			return by, nil, fmt.Errorf("coin %v: nothing that spends it was signed here", o)
		}
		c := coinOf(o)
		by, coins = sha256.Sum256(c[:]), []wire.OutPoint{o}
	} else {
		t, ok := b.signed[x.Tx]
		if !ok {
			return by, nil, fmt.Errorf("transaction %v was not signed here", x.Tx)
		}
		by = x.Tx
		for _, c := range t.Coins {
			coins = append(coins, c.out())
		}
	}
	for _, o := range coins {
		if was, ok := b.gone[o]; ok && was != by {
			return by, nil, fmt.Errorf("coin %v is settled already, as spent by something else", o)
		}
	}
	return by, coins, nil
}

// settle counts the operator's word.
func (b *book) settle(x Settled, at int64) error {
	by, of, err := b.settling(x)
	if err != nil {
		return err
	}
	var coins []meter.Coin
	for _, o := range of {
		b.gone[o] = by
		coins = append(coins, coinOf(o))
	}
	b.latest = max(b.latest, at)
	b.book = b.book.Bury(meter.TxID(by), coins, at)
	return nil
}

// subjects are those that a meter counts.
func (b *book) subjects(per policy.Per) []meter.Subject {
	if per == policy.PerGroup {
		return []meter.Subject{meter.All}
	}
	var out []meter.Subject
	for _, r := range b.payees.of.Recipients {
		out = append(out, meter.Subject("r"+r.Name))
	}
	return out
}

// Lying is a transaction that was signed, and may yet be mined as far as is known here.
type Lying struct {
	Tx    chainhash.Hash
	Coins []wire.OutPoint
	Takes int64 // what does not go to the wallet's own scripts, and the fee
}

func (b *book) lying() (out []Lying) {
	for _, id := range b.order {
		t := b.signed[id]
		x := Lying{Tx: id, Takes: t.in() - t.Own}
		for _, c := range t.Coins {
			if _, gone := b.gone[c.out()]; gone {
				x.Tx = chainhash.Hash{}
				break
			}
			x.Coins = append(x.Coins, c.out())
		}
		if x.Tx == id {
			out = append(out, x)
		}
	}
	return out
}
