// Package pmap is a persistent ordered map: Set and Delete return a new map and
// leave the old one as it was. Old and new share what they have in common, so a
// change costs a few small copies whatever the size.
package pmap

import (
	"encoding/binary"
	"iter"
)

// Map is an immutable ordered map, in the order of its keys' bytes. It is a value:
// copy it freely. The zero Map is empty. Any number of goroutines may use one Map,
// and maps made from it, at the same time.
type Map[K ~string, V any] struct {
	// One kind of tree stands behind the maps of all types. With a tree for each
	// type, every package that knows of a map would compile all of its tree anew.
	tree *tree
}

// value is what a tree gave, as what was put into it.
func value[V any](x any) V {
	v, _ := x.(V) // a nil interface as V is the nil that was put in
	return v
}

// Get returns the value of a key, and whether there is one.
func (m Map[K, V]) Get(key K) (V, bool) {
	x, ok := m.tree.get(string(key))
	return value[V](x), ok
}

// Set returns a map in which key has value.
func (m Map[K, V]) Set(key K, value V) Map[K, V] {
	return Map[K, V]{m.tree.with(string(key), value)}
}

// Delete returns a map without key.
func (m Map[K, V]) Delete(key K) Map[K, V] {
	return Map[K, V]{m.tree.without(string(key))}
}

// Len returns the number of keys.
func (m Map[K, V]) Len() int { return m.tree.size() }

// All yields every key and value, in ascending order of the keys.
func (m Map[K, V]) All() iter.Seq2[K, V] { return m.From("") }

// From yields the keys not below key, and their values, in ascending order.
func (m Map[K, V]) From(key K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		m.tree.ascend(string(key), func(k string, x any) bool { return yield(K(k), value[V](x)) })
	}
}

// Backward yields every key and value, in descending order of the keys.
func (m Map[K, V]) Backward() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		m.tree.descend(func(k string, x any) bool { return yield(K(k), value[V](x)) })
	}
}

// Prefix yields the keys that start with a prefix, with their values, in order.
func Prefix[K ~string, V any](m Map[K, V], prefix K) iter.Seq2[K, V] {
	return PrefixFrom(m, prefix, prefix)
}

// PrefixFrom yields those that start with a prefix and are not below a key from,
// which is not below the prefix.
func PrefixFrom[K ~string, V any](m Map[K, V], prefix, from K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		m.tree.ascend(string(from), func(k string, x any) bool {
			return len(k) >= len(prefix) && k[:len(prefix)] == string(prefix) && yield(K(k), value[V](x))
		})
	}
}

// Collect returns the map of a sequence; the last value of a repeated key
// counts. It is faster than as many calls of Set.
func Collect[K ~string, V any](seq iter.Seq2[K, V]) Map[K, V] {
	t := empty()
	for k, v := range seq {
		t.put(string(k), v)
	}
	return Map[K, V]{t}
}

// Number is the key of a number: keys are in the order of their numbers.
type Number string

// Num returns the key of a number.
func Num(n uint64) Number { return Number(binary.BigEndian.AppendUint64(nil, n)) }

// Uint64 returns the number of a key that Num made.
func (n Number) Uint64() uint64 { return binary.BigEndian.Uint64([]byte(n)) }
