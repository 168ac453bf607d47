// Package pmap is a persistent ordered map: Set and Delete return a new map and
// leave the old one as it was. Old and new share what they have in common, so a
// change costs a few small copies whatever the size.
package pmap

import (
	"cmp"
	"iter"

	"github.com/tidwall/btree"
)

// degree makes nodes of at most 15 keys. A change copies one node of each level,
// so nodes are smaller here than in a tree that is changed in place.
const degree = 8

// Map is an immutable ordered map. It is a value: copy it freely. The zero Map
// is empty. Any number of goroutines may use one Map, and maps made from it, at
// the same time. Floating-point keys must not be NaN.
type Map[K cmp.Ordered, V any] struct {
	tree *btree.Map[K, box[V]]
}

// box hides the methods of V from the tree, which would otherwise call a method
// Copy or IsoCopy of every value in a node whenever it copies the node.
type box[V any] struct{ v V }

// Get returns the value of a key, and whether there is one.
func (m Map[K, V]) Get(key K) (V, bool) {
	if m.tree == nil {
		var none V
		return none, false
	}
	b, ok := m.tree.Get(key)
	return b.v, ok
}

// Set returns a map in which key has value.
func (m Map[K, V]) Set(key K, value V) Map[K, V] {
	next := m.writable()
	next.Set(key, box[V]{value})
	return Map[K, V]{next}
}

// Delete returns a map without key.
func (m Map[K, V]) Delete(key K) Map[K, V] {
	if _, ok := m.Get(key); !ok {
		return m
	}
	next := m.writable()
	next.Delete(key)
	return Map[K, V]{next}
}

// Len returns the number of keys.
func (m Map[K, V]) Len() int {
	if m.tree == nil {
		return 0
	}
	return m.tree.Len()
}

// All yields every key and value, in ascending order of the keys.
func (m Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if m.tree != nil {
			m.tree.Scan(func(k K, b box[V]) bool { return yield(k, b.v) })
		}
	}
}

// From yields the keys not below key, and their values, in ascending order.
func (m Map[K, V]) From(key K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if m.tree != nil {
			m.tree.Ascend(key, func(k K, b box[V]) bool { return yield(k, b.v) })
		}
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
		for k, v := range m.From(from) {
			if len(k) < len(prefix) || k[:len(prefix)] != prefix || !yield(k, v) {
				return
			}
		}
	}
}

// Collect returns the map of a sequence; the last value of a repeated key
// counts. It is faster than as many calls of Set.
func Collect[K cmp.Ordered, V any](seq iter.Seq2[K, V]) Map[K, V] {
	tree := btree.NewMap[K, box[V]](degree)
	for k, v := range seq {
		tree.Set(k, box[V]{v})
	}
	return Map[K, V]{tree}
}

// writable returns a tree that owns none of the nodes it shares with m, so that
// a change copies the nodes it touches.
//
// The tree's own Copy also marks the tree it copies, which would be a data race
// on a map that others are reading. It is given a private copy of the tree's
// head instead: then m itself is never written, and what is in its nodes stays,
// since no tree that is ever written to owns them.
func (m Map[K, V]) writable() *btree.Map[K, box[V]] {
	if m.tree == nil {
		return btree.NewMap[K, box[V]](degree)
	}
	head := *m.tree
	return head.Copy()
}
