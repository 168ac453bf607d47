package mapkey

import (
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// What is read from a key is what it was made of.
func TestKeysAreReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 32, 32)
		id := journal.EntryID(b.Draw(rt, "id"))
		chain := journal.ChainKey{Author: journal.Author(b.Draw(rt, "author")), Incarnation: rapid.Uint8().Draw(rt, "incarnation")}
		coin := wire.OutPoint{Hash: [32]byte(b.Draw(rt, "txid")), Index: rapid.Uint32().Draw(rt, "index")}
		n := rapid.Uint64().Draw(rt, "n")
		if got := ChainOf(string(Chain(chain)) + Number(n)); got != chain {
			rt.Errorf("chain %v", got)
		}
		if got := CoinOf(Coin(coin)); got != coin || !strings.HasPrefix(string(Coin(coin)), string(Coins(coin.Hash))) || string(Coins(coin.Hash)) != string(Of(coin.Hash)) {
			rt.Errorf("coin %v", got)
		}
		pair := Of2(chain.Author, id)
		if got := Entry(pair); got != id {
			rt.Errorf("entry %v", got)
		}
		if pair.First() != chain.Author || pair.Second() != id || pair.Rest() != Of(id) {
			rt.Errorf("two ids %v %v", pair.First(), pair.Second())
		}
		if got := CoinTx(coin, coin.Hash); string(got) != string(Coin(coin))+string(Of(coin.Hash)) {
			rt.Errorf("coin and transaction %x", got)
		}
		if got := Uint64(Number(n)); got != n {
			rt.Errorf("number %d", got)
		}
		if m := rapid.Uint64().Draw(rt, "m"); (m < n) != (Number(m) < Number(n)) {
			rt.Errorf("%d and %d are ordered another way", m, n)
		}
		if string(Of3(chain.Author, id, id)) != string(pair)+string(Of(id)) {
			rt.Error("three ids are not in a row")
		}
	})
}

// What comes after a prefix is above all that begin so, and not above the rest.
func TestAfterIsTheFirstBeyond(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0xfe, 0xff}), 0, 6), func(b []byte) string { return string(b) })
		prefix, k := s.Draw(rt, "prefix"), s.Draw(rt, "key")
		var m pmap.Map[string, int]
		m = m.Set(k, 1)
		if begins := strings.HasPrefix(k, prefix); HasPrefix(m, prefix) != begins || Has(m, prefix) != (k == prefix) {
			rt.Errorf("%q begins with %q: %v", k, prefix, !begins)
		}
		if after := k > prefix && !strings.HasPrefix(k, prefix); (k >= After(prefix)) != after {
			rt.Errorf("after %q is %q, and so is %q", prefix, After(prefix), k)
		}
		if next, ok := Next(prefix); ok != (strings.ReplaceAll(prefix, "\xff", "") != "") || ok && next != After(prefix) {
			rt.Errorf("next of %q: %q %v", prefix, next, ok)
		}
	})
}
