// Package mapkey makes the keys of the maps that the coordinator's rooms keep:
// fixed-size fields in a row, numbers with the most significant byte first, so
// that no two keys meet and that a prefix names all that begin alike, in the order
// of what follows. The type of a key says what it is made of, so that the compiler
// takes none for the key of another map; a prefix has the type of the keys that begin
// so. Begin with Of.
package mapkey

import (
	"bytes"
	"encoding/binary"
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Keys of ids in a row.
type (
	// By is the key of an id.
	By[A ~[32]byte] string
	// By2 is the key of two ids.
	By2[A, B ~[32]byte] string
	// By3 is the key of three ids.
	By3[A, B, C ~[32]byte] string
)

// Keys that more than one package has.
type (
	// ByEntry is by the id of an entry.
	ByEntry = By[journal.EntryID]
	// ByAuthor is by an identity.
	ByAuthor = By[journal.Author]
	// ByEpoch is by the id of an epoch.
	ByEpoch = By[journal.EpochID]
	// ByTx is by txid.
	ByTx = By[chainhash.Hash]
	// ByChain is by author | incarnation.
	ByChain string
	// ByCoin is by txid | index.
	ByCoin string
	// ByCoinTx is by coin | txid of what spends it.
	ByCoinTx string
	// ByPlace is by chain | seq | entry id: author by author, in the order in which
	// each wrote.
	ByPlace string
)

// Of is the key of an id.
func Of[A ~[32]byte](a A) By[A] { return By[A](a[:]) }

// Of2 is the key of two ids.
func Of2[A, B ~[32]byte](a A, b B) By2[A, B] {
	k := make([]byte, 0, 64)
	return By2[A, B](append(append(k, a[:]...), b[:]...))
}

// Of3 is the key of three ids.
func Of3[A, B, C ~[32]byte](a A, b B, c C) By3[A, B, C] {
	k := make([]byte, 0, 96)
	return By3[A, B, C](append(append(append(k, a[:]...), b[:]...), c[:]...))
}

// First reads the first id of a key.
func (k By2[A, B]) First() A { return A([]byte(k[:32])) }

// Second reads the second id of a key.
func (k By2[A, B]) Second() B { return B([]byte(k[32:])) }

// Rest is the key of the second id.
func (k By2[A, B]) Rest() By[B] { return By[B](k[32:]) }

// Under yields what a map has by an id and any other.
func Under[A, B ~[32]byte, V any](m pmap.Map[By2[A, B], V], a A) iter.Seq2[By2[A, B], V] {
	return pmap.Prefix(m, By2[A, B](a[:]))
}

// HasUnder says whether a map has anything by an id and any other.
func HasUnder[A, B ~[32]byte, V any](m pmap.Map[By2[A, B], V], a A) bool {
	return HasPrefix(m, By2[A, B](a[:]))
}

// Under2 yields what a map has by two ids and any third.
func Under2[A, B, C ~[32]byte, V any](m pmap.Map[By3[A, B, C], V], a A, b B) iter.Seq2[By3[A, B, C], V] {
	return pmap.Prefix(m, By3[A, B, C](Of2(a, b)))
}

// Chain is the key of a chain, 33 bytes.
func Chain(c journal.ChainKey) ByChain {
	return ByChain(c.Author[:]) + ByChain([]byte{c.Incarnation})
}

// ChainOf reads the chain at the beginning of a part of a key.
func ChainOf[K ~string](k K) journal.ChainKey {
	return journal.ChainKey{Author: journal.Author([]byte(k[:32])), Incarnation: k[32]}
}

// Coin is the key of a coin, 36 bytes.
func Coin(o wire.OutPoint) ByCoin {
	return ByCoin(binary.BigEndian.AppendUint32(append(make([]byte, 0, 36), o.Hash[:]...), o.Index))
}

// Coins begins the keys of all coins that a transaction makes.
func Coins(tx chainhash.Hash) ByCoin { return ByCoin(tx[:]) }

// CoinOf reads what Coin made.
func CoinOf[K ~string](k K) wire.OutPoint {
	return wire.OutPoint{Hash: chainhash.Hash([]byte(k[:32])), Index: Uint32(k[32:])}
}

// CoinTx is the key of a coin and of a transaction that spends it.
func CoinTx(o wire.OutPoint, tx chainhash.Hash) ByCoinTx {
	return ByCoinTx(Coin(o)) + ByCoinTx(tx[:])
}

// Place is the key of an entry among those of its chain.
func Place(c journal.ChainKey, seq uint64, id journal.EntryID) ByPlace {
	return ByPlace(Chain(c)) + ByPlace(Number(seq)) + ByPlace(id[:])
}

// Places begins the keys of all entries of an author.
func Places(who journal.Author) ByPlace { return ByPlace(who[:]) }

// Entry reads the entry id at the end of a key.
func Entry[K ~string](k K) journal.EntryID { return journal.EntryID([]byte(k[len(k)-32:])) }

// NewestFirst orders what an author wrote: the last incarnation first, and of one the
// last entry first.
func NewestFirst(incarnation uint8, seq uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{^incarnation}, ^seq))
}

// Number is a number as a part of a key, 8 bytes.
func Number(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// Uint32 reads 4 bytes at the beginning of a part of a key.
func Uint32[K ~string](s K) uint32 {
	return uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
}

// Uint64 reads 8 bytes, as Number writes them.
func Uint64[K ~string](s K) uint64 { return uint64(Uint32(s))<<32 | uint64(Uint32(s[4:])) }

// After is above every key with a prefix, and not above any other that is above those.
func After[K ~string](prefix K) K {
	if k, ok := Next(prefix); ok {
		return k
	}
	return prefix + "\xff" + K(bytes.Repeat([]byte{0xff}, 128))
}

// Next returns the first key beyond all that begin with a prefix, false where none is.
func Next[K ~string](prefix K) (K, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return K(b[:i+1]), true
		}
	}
	return "", false
}

// Has says whether a map has a key.
func Has[K ~string, V any](m pmap.Map[K, V], k K) bool {
	_, ok := m.Get(k)
	return ok
}

// HasPrefix says whether a map has a key that begins so.
func HasPrefix[K ~string, V any](m pmap.Map[K, V], prefix K) bool {
	for range pmap.Prefix(m, prefix) {
		return true
	}
	return false
}
