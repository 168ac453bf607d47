// Package known remembers which addresses were paid or used before, and finds those that
// a person could take for one another.
package known

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Codes of what to look at before a payment is agreed to. None of it refuses.
const (
	Resembles = "address_resembles"
	Reused    = "address_reused"
	Mixes     = "mixes_labels"
)

const (
	// sameEnds is how many characters at either end make two addresses look alike, after
	// what all of their kind begin with. People compare the first and the last few, and
	// whoever makes an address to be taken for another one needs 32 times the work for
	// each that is to be the same: six in all are made within seconds, so that whoever is
	// at it has these; and of 100,000 addresses a strange one looks like some once in
	// 10,000 times.
	sameEnds = 3
	// maxLooked is how many payments to an address are looked at, and maxAlike how many
	// addresses that look like one.
	maxLooked = 256
	maxAlike  = 16
	// maxReused is how many outputs to addresses that were used before are told of by
	// name. Those that resemble another are all told of.
	maxReused = 8
)

// Keys of the maps of an Index.
type (
	byPaid string // length of the script | script | txid
	byEnds string // ends of the address | script
)

// payee is a script, and the ends of its address.
type payee struct{ script, ends string }

// Index finds the addresses that the wallet paid, and those of its own that were paid: in a
// block, or in the mempool. It is an immutable value. A line takes the signatures that
// spend a coin of the wallet, or a payment to it.
type Index struct {
	txs  pmap.Map[mapkey.ByTx, []payee] // by txid: whom it pays
	paid pmap.Map[byPaid, struct{}]
	ends pmap.Map[byEnds, int] // how many transactions pay it
}

// Of returns what a view shows.
func Of(v ledger.View, net wallet.Network) Index {
	var x Index
	for id := range v.Txs() {
		x = x.noted(id, payees(v, net, id))
	}
	return x
}

// Follow takes in that a transaction of the view changed, came or went: whether what
// spends its outputs spends coins of the wallet may be otherwise now.
func (x Index) Follow(v ledger.View, net wallet.Network, id chainhash.Hash) Index {
	x = x.noted(id, payees(v, net, id))
	for by := range v.SpendersOf(id) {
		x = x.noted(by, payees(v, net, by))
	}
	return x
}

// payees are whom a transaction pays that spends coins of the wallet, each once; of
// another one, the wallet's own among them.
func payees(v ledger.View, net wallet.Network, id chainhash.Hash) (out []payee) {
	t, ok := v.Tx(id)
	if !ok || t.Block.Height == 0 && !t.Seen {
		return nil
	}
	spends := slices.ContainsFunc(t.Tx.TxIn, func(i *wire.TxIn) bool { _, ours := v.Out(i.PreviousOutPoint); return ours })
	seen := map[string]bool{}
	for _, o := range t.Tx.TxOut {
		if s := string(o.PkScript); !seen[s] && (spends || v.Owns(o.PkScript)) {
			seen[s] = true
			if address, err := wallet.AddressOf(o.PkScript, net); err == nil {
				out = append(out, payee{s, endsOf(address)})
			}
		}
	}
	return out
}

// endsOf is what people compare of an address: its first and last characters, without what
// all addresses of its kind begin with.
func endsOf(address string) string {
	kind, rest := "1", address[1:]
	for _, hrp := range []string{"bc1", "tb1", "bcrt1"} {
		if after, ok := strings.CutPrefix(address, hrp); ok && len(after) > 1+2*sameEnds {
			kind, rest = "b", after[1:] // whatever its version
		}
	}
	if len(rest) < 2*sameEnds {
		return kind + rest
	}
	return kind + rest[:sameEnds] + rest[len(rest)-sameEnds:]
}

func paidKey(script string) byPaid { return byPaid([]byte{byte(len(script))}) + byPaid(script) }

// noted has a transaction pay just those.
func (x Index) noted(id chainhash.Hash, now []payee) Index {
	k := mapkey.Of(id)
	old, _ := x.txs.Get(k)
	if slices.Equal(old, now) {
		return x
	}
	for _, p := range old {
		x.paid = x.paid.Delete(paidKey(p.script) + byPaid(id[:]))
		at := byEnds(p.ends + p.script)
		if n, _ := x.ends.Get(at); n > 1 {
			x.ends = x.ends.Set(at, n-1)
		} else {
			x.ends = x.ends.Delete(at)
		}
	}
	for _, p := range now {
		x.paid = x.paid.Set(paidKey(p.script)+byPaid(id[:]), struct{}{})
		at := byEnds(p.ends + p.script)
		n, _ := x.ends.Get(at)
		x.ends = x.ends.Set(at, n+1)
	}
	if x.txs = x.txs.Set(k, now); len(now) == 0 {
		x.txs = x.txs.Delete(k)
	}
	return x
}

// asked is what is asked about: a transaction, and which coins it spends.
type asked struct {
	id     chainhash.Hash
	spends map[wire.OutPoint]bool
}

// before returns a transaction that pays a script and may be mined together with another.
func (x Index) before(v ledger.View, script string, a asked) (chainhash.Hash, bool) {
	looked := 0
	for k := range pmap.Prefix(x.paid, paidKey(script)) {
		if looked++; looked > maxLooked {
			break
		}
		by := chainhash.Hash([]byte(k[1+len(script):]))
		t, ok := v.Tx(by)
		if by == a.id || !ok || slices.ContainsFunc(t.Tx.TxIn, func(i *wire.TxIn) bool { return a.spends[i.PreviousOutPoint] }) {
			continue
		}
		return by, true
	}
	return chainhash.Hash{}, false
}

// alike yields the scripts with the ends of one, but that one.
func (x Index) alike(p payee) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := 0
		for k := range pmap.Prefix(x.ends, byEnds(p.ends)) {
			script := string(k[len(p.ends):])
			if script == p.script {
				continue
			}
			if n++; n > maxAlike || !yield(script) {
				return
			}
		}
	}
}

// Caution is something to look at before a payment is agreed to. It refuses nothing.
type Caution struct{ Code, Text string }

// Cautions looks at whom a transaction pays: first of addresses that look like one that was
// paid or used before, then of those that were themselves.
func (x Index) Cautions(v ledger.View, net wallet.Network, tx *wire.MsgTx) []Caution {
	var out, reused []Caution
	a, seen, more := asked{tx.TxHash(), make(map[wire.OutPoint]bool, len(tx.TxIn))}, map[string]bool{}, 0
	for _, i := range tx.TxIn {
		a.spends[i.PreviousOutPoint] = true
	}
	for _, o := range tx.TxOut {
		script := string(o.PkScript)
		address, err := wallet.AddressOf(o.PkScript, net)
		if err != nil || seen[script] {
			continue
		}
		seen[script] = true
		if by, ok := x.before(v, script, a); ok {
			if more++; more <= maxReused {
				reused = append(reused, Caution{Reused, reusedText(address, v.Owns(o.PkScript), by)})
			}
			continue
		}
		if v.Owns(o.PkScript) {
			continue
		}
		for other := range x.alike(payee{script, endsOf(address)}) {
			if _, ok := x.before(v, other, a); !ok {
				continue
			}
			was, err := wallet.AddressOf([]byte(other), net)
			if err != nil {
				continue
			}
			whose := "was paid before"
			if v.Owns([]byte(other)) {
				whose = "is the wallet's own"
			}
			out = append(out, Caution{Resembles, fmt.Sprintf("%s is not %s, which %s, though both begin and end alike: such an address is made to be taken for the other. Compare all of it with what the payee gave you", address, was, whose)})
			break
		}
	}
	if n := more - maxReused; n > 0 {
		reused = append(reused, Caution{Reused, fmt.Sprintf("%d more outputs pay addresses that were used before", n)})
	}
	return append(out, reused...)
}

func reusedText(address string, own bool, by chainhash.Hash) string {
	if own {
		return fmt.Sprintf("%s, of this wallet, was paid before (transaction %v): whoever looks at the chain ties the payments together", address, by)
	}
	return fmt.Sprintf("%s was paid before (transaction %v): whoever looks at the chain ties the payments together. A payee who gives each payer an address of its own did not give you this one twice", address, by)
}
