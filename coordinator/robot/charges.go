package robot

import (
	"fmt"
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// Ledger is what this robot's key signed, and what came of it on the chain: a meter.Book and
// what it was told. It is an immutable value. Of the same signatures, in their order, and the
// same view it says the same, however often and in whatever steps it followed.
type Ledger struct {
	book meter.Book
	// buried are the spends that the book was told of, and those that are in the way of others;
	// deep is how far.
	buried pmap.Map[mapkey.ByTx, burial]
	deep   int32
	now    int64 // Final of the view
	// charged are the first coins of what was signed; true for one that can never exist.
	charged pmap.Map[mapkey.ByCoin, bool]
	known   pmap.Map[byInitiator, struct{}]
}

// byInitiator is txid | key.
type byInitiator string

// burial is what the book was told of a spend: in which block it is, and how many of its
// coins the robot may sign for, which may become more.
type burial struct {
	block chainhash.Hash
	coins int
}

// Signature is a transaction that this robot's key signed, as its own records have it.
type Signature struct {
	TxID      chainhash.Hash
	Initiator policy.Key
	At        int64 // Unix seconds, by its clock then
}

// Rebuild makes a ledger of all that was signed, in order. It returns an error where the
// proposal of one is not held: the robot does not know what it signed, and may sign nothing.
func Rebuild(s group.State, v ledger.View, c *Compiled, signed []Signature) (Ledger, error) {
	l := Ledger{deep: -1}
	for _, x := range signed {
		p, takes := mostOf(s, v, c, x)
		if p == nil {
			return Ledger{}, fmt.Errorf("rebuild charges: the proposal of transaction %v, which was signed, is not held", x.TxID)
		}
		l = l.sign(p, takes, x.At)
	}
	l = l.Follow(s, v, func(func(chainhash.Hash) bool) {})
	for k := range l.charged.All() {
		l = l.weigh(s, v, mapkey.CoinOf(k))
	}
	return l, nil
}

// mostOf returns the entry of a signed transaction by which it takes the most. Where the view
// knows its coins they all say the same; else anybody may have entered it again with less.
func mostOf(s group.State, v ledger.View, c *Compiled, x Signature) (p *group.Proposal, takes Takes) {
	looked := 0
	for _, q := range s.ProposalsOf(mapkey.Of(x.TxID), group.ByTxProposal(mapkey.Of(x.TxID))) {
		if t := TakesOf(v, c, q, x.Initiator); p == nil || t.All() > takes.All() {
			p, takes = q, t
		}
		if looked++; !takes.unknown || looked == maxCopies {
			break
		}
	}
	return p, takes
}

// Signed charges what a proposal takes, from before the robot's key makes any signature on it.
func (l Ledger) Signed(s group.State, v ledger.View, c *Compiled, p *group.Proposal, initiator policy.Key, at int64) Ledger {
	l = l.sign(p, TakesOf(v, c, p, initiator), at)
	for _, in := range p.Body.Inputs {
		for by := range v.Rivals(in.OutPoint()) {
			l = l.settle(s, v, by)
		}
	}
	return l.weigh(s, v, p.Body.Inputs[0].OutPoint())
}

// charges says whether a transaction is charged for an initiator.
func (l Ledger) charges(tx chainhash.Hash, initiator policy.Key) bool {
	return mapkey.Has(l.known, byInitiator(tx[:])+byInitiator([]byte{byte(initiator)}))
}

func (l Ledger) sign(p *group.Proposal, t Takes, at int64) Ledger {
	l.known = l.known.Set(byInitiator(p.TxID[:])+byInitiator([]byte{byte(t.initiator)}), struct{}{})
	l.book = l.book.Sign(meter.Signed{Tx: meter.TxID(p.TxID), Coins: coinsAs(t.coins), Takes: t.bySubject(), At: at})
	if first := mapkey.Coin(t.coins[0]); !mapkey.Has(l.charged, first) {
		l.charged = l.charged.Set(first, false)
	}
	return l
}

// bySubject is what a transaction takes of all, for its initiator, and for each recipient.
func (t Takes) bySubject() []meter.Take {
	out := []meter.Take{{Subject: meter.All, Amount: t.All()}, {Subject: ofInitiator(t.initiator), Amount: t.All()}}
	for r, amount := range t.to {
		if amount > 0 {
			out = append(out, meter.Take{Subject: ofRecipient(t.names[r]), Amount: amount})
		}
	}
	return out
}

func ofInitiator(k policy.Key) meter.Subject { return meter.Subject([]byte{'i', byte(k)}) }

// ofRecipient goes by the name: a policy that comes after has it at another index.
func ofRecipient(name string) meter.Subject { return meter.Subject("r" + name) }

func coinAs(o wire.OutPoint) meter.Coin { return meter.Coin([]byte(mapkey.Coin(o))) }

func coinsAs(coins []wire.OutPoint) (out []meter.Coin) {
	for _, o := range coins {
		out = append(out, coinAs(o))
	}
	return out
}

// Follow takes in the blocks that became six deep since, or are so no more, and transactions
// that changed (View.News): call it in each step that changes the view. It costs by what
// changed, and where the tip goes back by what was ever buried.
func (l Ledger) Follow(s group.State, v ledger.View, changed iter.Seq[chainhash.Hash]) Ledger {
	l.now = Final(v)
	if deepest(v) < l.deep {
		for k := range l.buried.All() {
			l = l.settle(s, v, chainhash.Hash([]byte(k)))
		}
		// Some of them are in the way by what was seen only later, and the book was not told of it.
		l = l.revive(s, v)
	}
	for id := range changed {
		l = l.settle(s, v, id).below(s, v, id)
	}
	for id := range deepSince(v, l.deep, changed) {
		l = l.settle(s, v, id)
	}
	l.deep = deepest(v)
	return l
}

// settle tells the book whether a spend of the wallet's coins is buried, and what that means
// for others over its coins, where that is news.
func (l Ledger) settle(s group.State, v ledger.View, id chainhash.Hash) Ledger {
	t, _ := v.Tx(id)
	var now burial
	var coins []meter.Coin
	if v.Confirmations(id) >= ledger.BuriedDepth {
		if coins = l.ours(v, t.Tx); len(coins) > 0 || contended(v, t.Tx) {
			now = burial{t.Block.Hash, len(coins)}
		}
	}
	k := mapkey.Of(id)
	told, _ := l.buried.Get(k)
	if now == told {
		return l
	}
	l.book, l.buried = l.book.Unbury(meter.TxID(id)), l.buried.Delete(k)
	if now != (burial{}) {
		l.buried = l.buried.Set(k, now)
	}
	if now.coins > 0 {
		at := t.Block.MedianTime
		if at <= 0 {
			at = l.now // not known: it counts for longer
		}
		l.book = l.book.Bury(meter.TxID(id), coins, at)
	}
	return l.around(s, v, id)
}

// ours are the coins that a transaction spends and that the robot may have signed for.
func (l Ledger) ours(v ledger.View, tx *wire.MsgTx) (out []meter.Coin) {
	for _, in := range tx.TxIn {
		if _, own := v.Out(in.PreviousOutPoint); own || mapkey.Has(l.charged, mapkey.Coin(in.PreviousOutPoint)) {
			out = append(out, coinAs(in.PreviousOutPoint))
		}
	}
	return out
}

// contended says whether another transaction that is known spends a coin of one, so that it
// can never be mined.
func contended(v ledger.View, tx *wire.MsgTx) bool {
	for _, in := range tx.TxIn {
		n := 0
		for range v.Rivals(in.PreviousOutPoint) {
			if n++; n > 1 {
				return true
			}
		}
	}
	return false
}
