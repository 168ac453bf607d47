// Package mapkey makes the keys of the maps that the coordinator's rooms keep:
// fixed-size fields in a row, numbers with the most significant byte first, so
// that no two keys meet and that a prefix names all that begin alike, in the order
// of what follows. Begin with Of.
package mapkey

import (
	"bytes"
	"encoding/binary"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Of is the key of ids of one kind in a row.
func Of[T ~[32]byte](ids ...T) string {
	b := make([]byte, 0, 32*len(ids))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return string(b)
}

// Of2 is the key of two ids.
func Of2[A, B ~[32]byte](a A, b B) string {
	k := make([]byte, 0, 64)
	return string(append(append(k, a[:]...), b[:]...))
}

// Of3 is the key of three ids.
func Of3[A, B, C ~[32]byte](a A, b B, c C) string { return Of2(a, b) + string(c[:]) }

// Chain is the key of a chain, 33 bytes.
func Chain(c journal.ChainKey) string { return string(c.Author[:]) + string([]byte{c.Incarnation}) }

// ChainOf reads the chain at the beginning of a part of a key.
func ChainOf(k string) journal.ChainKey {
	return journal.ChainKey{Author: journal.Author([]byte(k[:32])), Incarnation: k[32]}
}

// Coin is the key of a coin, 36 bytes; the 32 bytes of its transaction's id begin it.
func Coin(o wire.OutPoint) string {
	return string(binary.BigEndian.AppendUint32(append(make([]byte, 0, 36), o.Hash[:]...), o.Index))
}

// CoinOf reads what Coin made.
func CoinOf(k string) wire.OutPoint {
	return wire.OutPoint{Hash: chainhash.Hash([]byte(k[:32])), Index: Uint32(k[32:])}
}

// Entry reads the entry id at the end of a key.
func Entry(k string) journal.EntryID { return journal.EntryID([]byte(k[len(k)-32:])) }

// Number is the key of a number, 8 bytes.
func Number(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// Uint32 reads 4 bytes at the beginning of a part of a key.
func Uint32(s string) uint32 {
	return uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
}

// Uint64 reads 8 bytes, as Number writes them.
func Uint64(s string) uint64 { return uint64(Uint32(s))<<32 | uint64(Uint32(s[4:])) }

// After is above every key with a prefix, and not above any other that is above those.
func After(prefix string) string {
	if k, ok := Next(prefix); ok {
		return k
	}
	return prefix + "\xff" + string(bytes.Repeat([]byte{0xff}, 128))
}

// Next returns the first key beyond all that begin with a prefix, false where none is.
func Next(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return string(b[:i+1]), true
		}
	}
	return "", false
}

// Has says whether a map has a key.
func Has[V any](m pmap.Map[string, V], k string) bool {
	_, ok := m.Get(k)
	return ok
}

// HasPrefix says whether a map has a key that begins so.
func HasPrefix[V any](m pmap.Map[string, V], prefix string) bool {
	for range pmap.Prefix(m, prefix) {
		return true
	}
	return false
}
