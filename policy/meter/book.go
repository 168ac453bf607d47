package meter

import (
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"github.com/quorate/quorate/journal/pmap"
)

// Coin is an output: txid, then its index.
type Coin [36]byte

// TxID is the id of a transaction.
type TxID [32]byte

// Subject is who a charge is for: All, or one that For makes.
type Subject string

// All is the subject of all that leaves.
const All Subject = ""

// Take is what a transaction takes for a subject, in satoshis.
type Take struct {
	Subject Subject
	Amount  int64
}

// Signed is a transaction that the robot's key signed.
type Signed struct {
	Tx    TxID
	Coins []Coin
	Takes []Take
	At    int64 // Unix seconds when it was first signed, for alarms alone
}

// MaxAmount is all bitcoin that there will ever be, in satoshis; who says that more is taken
// is taken to say this.
const MaxAmount = 21_000_000 * 100_000_000

// Keys of a Book's maps.
type (
	byTx   string // txid
	byCoin string // coin
	byBoth string // coin | txid
	byTime string // seconds | txid
)

// Book is what one robot signed and what came of it. It is a value: copy it freely. The zero
// Book is empty.
type Book struct {
	signed pmap.Map[byTx, signed]
	first  pmap.Map[byBoth, struct{}] // signed transactions by their first coin
	coins  pmap.Map[byCoin, coin]     // of which anything is known
	buried pmap.Map[byTx, burial]
	since  pmap.Map[byTime, byTx] // buried spends by the time of their block
	lying  pmap.Map[byTime, byTx] // transactions that charged a coin which is alive, by when they were signed
	sums   pmap.Map[Subject, sums]
}

// signed is a transaction that was signed.
type signed struct {
	coins   []Coin
	takes   []Take // by subject, one for each, none of nothing
	at      int64
	charged bool // it added to what lies on its first coin
}

// Sign counts a transaction as signed by the robot, from before its key makes any signature.
// The same transaction again changes nothing, but what it takes for a further subject, or
// more than it was said to take, is added. Several takes of one subject add up. One without
// coins is none.
func (b Book) Sign(s Signed) Book {
	if len(s.Coins) == 0 {
		return b
	}
	key := byTx(s.Tx[:])
	old, known := b.signed.Get(key)
	if !known {
		old = signed{coins: slices.Clone(s.Coins), at: s.At}
		b.first = b.first.Set(coinTx(old.coins[0], s.Tx), struct{}{})
	}
	for _, t := range total(s.Takes) {
		had := of(old.takes, t.Subject)
		if t.Amount <= had {
			continue
		}
		if add := b.Charge(old.coins, t); add > 0 {
			b = b.lay(old.coins[0], Take{t.Subject, add})
			if !old.charged {
				old.charged = true
				b = b.list(s.Tx, old, b.alive(old.coins[0]))
			}
		}
		old.takes = with(old.takes, Take{t.Subject, t.Amount - had})
		if at, ok := b.buried.Get(key); ok {
			b = b.left(at.at, Take{t.Subject, t.Amount - had}, 1)
		}
	}
	b.signed = b.signed.Set(key, old)
	return b
}

// Charge returns what signing a transaction would add for a subject: what it takes, less what
// lies on its coins already. Of one that was signed it is nothing.
func (b Book) Charge(coins []Coin, t Take) int64 {
	w := clamp(t.Amount)
	for _, c := range distinct(coins) {
		x, _ := b.coins.Get(byCoin(c[:]))
		w -= of(x.charges, t.Subject)
	}
	return max(0, w)
}

// Used returns what of a subject is used when the newest final block has a median time past: what lies on coins, and what
// left by buried spends that are in a window with whatever confirms now or later. A window is
// Least at least, and of one longer than Longest nothing is known once Prune was called.
func (b Book) Used(s Subject, window, now int64) int64 {
	x, _ := b.sums.Get(s)
	return x.lies + x.leftSince(begin(window, now))
}

// Lapses returns the first median time past at which so much as is needed, of what Used counts
// of buried spends, has ended: now where nothing is needed, 0 where time alone never does it.
func (b Book) Lapses(s Subject, window, now, need int64) int64 {
	if need <= 0 {
		return now
	}
	x, _ := b.sums.Get(s)
	at, ok := x.reached(begin(window, now), need)
	if !ok {
		return 0
	}
	return at + max(window, Least) + 1
}

// Outstanding yields the transactions signed before a time of which a charge still lies on a
// coin, the oldest first. To spend that coin, the first of each, ends the charge.
func (b Book) Outstanding(before int64) iter.Seq[Signed] {
	return func(yield func(Signed) bool) {
		for at, key := range b.lying.All() {
			if at.seconds() >= before {
				return
			}
			s, _ := b.signed.Get(key)
			if !yield(Signed{TxID([]byte(key)), slices.Clone(s.coins), slices.Clone(s.takes), s.at}) {
				return
			}
		}
	}
}

// lay adds to what lies on a coin.
func (b Book) lay(c Coin, t Take) Book {
	x, _ := b.coins.Get(byCoin(c[:]))
	x.charges = with(x.charges, t)
	b.coins = b.coins.Set(byCoin(c[:]), x)
	if x.alive() {
		b = b.lies(t, 1)
	}
	return b
}

// list keeps a transaction among those of which a charge lies, or not.
func (b Book) list(tx TxID, s signed, lies bool) Book {
	if at := timeTx(s.at, tx); lies {
		b.lying = b.lying.Set(at, byTx(tx[:]))
	} else {
		b.lying = b.lying.Delete(at)
	}
	return b
}

// total returns takes by subject, one for each, without those of nothing.
func total(takes []Take) []Take {
	var out []Take
	for _, t := range takes {
		if a := clamp(t.Amount); a > 0 {
			out = with(out, Take{t.Subject, a})
		}
	}
	return out
}

// of returns what takes have of a subject.
func of(takes []Take, s Subject) int64 {
	if i, ok := place(takes, s); ok {
		return takes[i].Amount
	}
	return 0
}

// with returns takes with one more, as a copy.
func with(takes []Take, t Take) []Take {
	i, ok := place(takes, t.Subject)
	if !ok {
		return slices.Concat(takes[:i], []Take{t}, takes[i:])
	}
	out := slices.Clone(takes)
	out[i].Amount += t.Amount
	return out
}

func place(takes []Take, s Subject) (int, bool) {
	return slices.BinarySearchFunc(takes, s, func(t Take, s Subject) int { return strings.Compare(string(t.Subject), string(s)) })
}

func clamp(amount int64) int64 { return min(max(0, amount), MaxAmount) }

// distinct returns coins in order, each once.
func distinct(coins []Coin) []Coin {
	out := slices.Clone(coins)
	slices.SortFunc(out, func(a, b Coin) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

func coinTx(c Coin, tx TxID) byBoth { return byBoth(c[:]) + byBoth(tx[:]) }

// timeTx is the key of a transaction by a time, which is no earlier than 1970.
func timeTx(at int64, tx TxID) byTime {
	return byTime(append(binary.BigEndian.AppendUint64(nil, uint64(max(0, at))), tx[:]...))
}

// seconds reads the time of a key that timeTx made.
func (k byTime) seconds() int64 { return int64(binary.BigEndian.Uint64([]byte(k[:8]))) }
