package pmap

import "github.com/tidwall/btree"

// degree makes nodes of at most 15 keys. A change copies one node of each level,
// so nodes are smaller here than in a tree that is changed in place.
const degree = 8

// tree is what all maps are made of. A nil tree is empty.
type tree struct{ in *btree.Map[string, box] }

// box hides the methods of a value from the tree, which would otherwise call a method
// Copy or IsoCopy of every value in a node whenever it copies the node.
type box struct{ v any }

func empty() *tree { return &tree{btree.NewMap[string, box](degree)} }

func (t *tree) get(key string) (any, bool) {
	if t == nil {
		return nil, false
	}
	b, ok := t.in.Get(key)
	return b.v, ok
}

func (t *tree) size() int {
	if t == nil {
		return 0
	}
	return t.in.Len()
}

func (t *tree) ascend(from string, yield func(string, any) bool) {
	if t != nil {
		t.in.Ascend(from, func(k string, b box) bool { return yield(k, b.v) })
	}
}

func (t *tree) descend(yield func(string, any) bool) {
	if t != nil {
		t.in.Reverse(func(k string, b box) bool { return yield(k, b.v) })
	}
}

// put changes a tree in place; only its maker may.
func (t *tree) put(key string, v any) { t.in.Set(key, box{v}) }

func (t *tree) with(key string, v any) *tree {
	next := t.writable()
	next.put(key, v)
	return next
}

func (t *tree) without(key string) *tree {
	if _, ok := t.get(key); !ok {
		return t
	}
	next := t.writable()
	next.in.Delete(key)
	return next
}

// writable returns a tree that owns none of the nodes it shares with t, so that
// a change copies the nodes it touches.
//
// The tree's own Copy also marks the tree it copies, which would be a data race
// on a map that others are reading. It is given a private copy of the tree's
// head instead: then t itself is never written, and what is in its nodes stays,
// since no tree that is ever written to owns them.
func (t *tree) writable() *tree {
	if t == nil {
		return empty()
	}
	head := *t.in
	return &tree{head.Copy()}
}
