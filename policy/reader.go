package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/quorate/quorate/display"
)

var errStranger = errors.New("there is no such member")

// reader makes the typed form of a file. It keeps the first error, and where each part of the
// typed form stands, so that what Validate says of it is told with line and column.
type reader struct {
	*syntax
	roster  Roster
	ceiling ceiling
	p       *Policy
	places  map[path]int
	err     error
	// strangers are names that were taken for members', where anybody may be one.
	strangers []string
}

// find returns the key of a member. Where anybody may be one, each name has a key.
func (r *reader) find(name string) (Key, error) {
	k, err := r.roster.find(name)
	if !r.roster.Anyone || !errors.Is(err, errStranger) {
		return k, err
	}
	i := slices.IndexFunc(r.strangers, func(s string) bool { return strings.EqualFold(s, name) })
	if i < 0 {
		if i = len(r.strangers); i == MaxKeys-1 {
			return 0, errors.New("no wallet has so many members as are named here")
		}
		r.strangers = append(r.strangers, name)
	}
	return Key(i), nil
}

// fail keeps the first error.
func (r *reader) fail(at place, offset int, format string, args ...any) {
	if r.err == nil {
		r.err = r.locate(at.wrong(format, args...), offset)
	}
}

// table is one that is read: each key is taken once, and what is left is not known.
type table struct {
	*reader
	n     *node
	at    place
	known []string
}

// open reads a value as a table.
func (r *reader) open(n *node, at place) *table {
	if n.form != isTable {
		r.fail(at, n.offset, "it is %s, not a table", n.form)
		n = &node{form: isTable, offset: n.offset}
	}
	r.places[at.path] = n.offset
	return &table{reader: r, n: n, at: at}
}

// take returns a field by its key, or nil where it is not there.
func (t *table) take(key string) *node {
	t.known = append(t.known, key)
	f := t.n.field(key)
	if f == nil {
		return nil
	}
	t.places[t.at.in(key).path] = f.value.offset
	return f.value
}

// need is take for a key that has to be there.
func (t *table) need(key, why string) *node {
	n := t.take(key)
	if n == nil {
		t.fail(t.at.in(key), t.n.offset, "%s", why)
	}
	return n
}

// done refuses what was not taken.
func (t *table) done() {
	for _, f := range t.n.fields {
		if slices.Contains(t.known, f.name) {
			continue
		}
		meant := ""
		if near := display.Nearest(f.name, t.known); near != "" {
			meant = "; did you mean " + near + "?"
		}
		t.fail(t.at, f.offset, "unknown key %.60q%s", f.name, meant)
	}
}

// scalar reads a field of one form; "" where it is not there or another one.
func (t *table) scalar(key string, want form) (string, *node) {
	n := t.take(key)
	switch {
	case n == nil:
		return "", nil
	case n.form != want:
		t.fail(t.at.in(key), n.offset, "it is %s, not %s", n.form, want)
		return "", nil
	}
	return n.text, n
}

func (t *table) text(key string) string {
	s, n := t.scalar(key, isText)
	if n != nil {
		if err := display.CheckName(s); err != nil {
			t.fail(t.at.in(key), n.offset, "%v", err)
		}
	}
	return s
}

func (t *table) number(key string, least uint64) uint64 {
	s, n := t.scalar(key, isNumber)
	if n == nil {
		return 0
	}
	v, err := strconv.ParseUint(s, 10, 32)
	switch {
	case err != nil:
		t.fail(t.at.in(key), n.offset, "it is no plain number from %d to 4294967295", least)
	case v < least:
		t.fail(t.at.in(key), n.offset, "it is %d at least", least)
	}
	return v
}

func (t *table) flag(key string) bool {
	s, _ := t.scalar(key, isBool)
	return s == "true"
}

// quantity reads a text with a unit. A number without quotes has none.
func quantity[T any](t *table, key string, read func(string) (T, error)) (T, bool) {
	var none T
	n := t.take(key)
	if n == nil {
		return none, false
	}
	v, err := quantityOf(n, read)
	if err != nil {
		t.fail(t.at.in(key), n.offset, "%v", err)
		return none, false
	}
	return v, true
}

func quantityOf[T any](n *node, read func(string) (T, error)) (T, error) {
	var none T
	switch n.form {
	case isText, isNumber:
		return read(n.text)
	case isOther:
		if _, err := read(n.text); errors.Is(err, errUnit) {
			return none, err
		}
	}
	return none, errors.New("it is " + string(n.form) + ", and should be a text with a unit")
}

// bound reads a quantity that is above zero: in the typed form 0 asks for nothing.
func bound[T int64 | uint64](t *table, key string, read func(string) (T, error)) T {
	v, ok := quantity(t, key, read)
	if ok && v == 0 {
		t.fail(t.at.in(key), t.n.field(key).value.offset, "it is zero: leave it out to ask for nothing")
	}
	return v
}

// list reads a field that is a list, or one by itself.
func (t *table) list(key string) []*node {
	n := t.take(key)
	switch {
	case n == nil:
		return nil
	case n.form != isList:
		return []*node{n}
	case len(n.items) == 0:
		t.fail(t.at.in(key), n.offset, "the list is empty: leave it out to ask for nothing")
	}
	return n.items
}

// texts reads a list of texts, each with its place.
func (t *table) texts(key string) []*node {
	var out []*node
	for _, n := range t.list(key) {
		if n.form != isText {
			t.fail(t.at.in(key), n.offset, "it is %s, not a text", n.form)
			continue
		}
		if slices.ContainsFunc(out, func(o *node) bool { return o.text == n.text }) {
			t.fail(t.at.in(key), n.offset, "%.60q is there twice", n.text)
			continue
		}
		out = append(out, n)
	}
	return out
}

// indexes reads names of what the policy defines as their indexes.
func (t *table) indexes(key, what string, names []string) []uint64 {
	var out []uint64
	for _, n := range t.texts(key) {
		i := slices.Index(names, n.text)
		if i < 0 {
			meant := ""
			if near := display.Nearest(n.text, names); near != "" {
				meant = "; did you mean " + near + "?"
			}
			t.fail(t.at.in(key), n.offset, "there is no %s %.60q%s", what, n.text, meant)
			continue
		}
		out = append(out, uint64(i))
	}
	slices.Sort(out)
	return out
}

// member is the key of a member of the wallet.
func (t *table) member(key string, n *node) Keys {
	k, err := t.find(n.text)
	if errors.Is(err, errStranger) {
		meant := ""
		if near := display.Nearest(n.text, t.roster.names()); near != "" {
			meant = "; did you mean " + near + "?"
		}
		t.fail(t.at.in(key), n.offset, "%.60q is no member of the wallet%s", n.text, meant)
		return 0
	}
	if err != nil {
		t.fail(t.at.in(key), n.offset, "%.60q: %v", n.text, err)
		return 0
	}
	return KeysOf(k)
}

// members reads a list of members, each once.
func (t *table) members(key string) Keys {
	var all Keys
	for _, n := range t.texts(key) {
		one := t.member(key, n)
		if all&one != 0 {
			t.fail(t.at.in(key), n.offset, "%.60q is there already, by another name", n.text)
		}
		all |= one
	}
	return all
}

// who reads a list of groups and members.
func (t *table) who(key string) Who {
	var w Who
	for _, n := range t.texts(key) {
		if g := slices.IndexFunc(t.p.Groups, func(g Group) bool { return g.Name == n.text }); g >= 0 {
			w.Groups = append(w.Groups, uint64(g))
			continue
		}
		if _, err := t.find(n.text); errors.Is(err, errStranger) {
			names := append(namesOf(t.p.Groups, func(g Group) string { return g.Name }), t.roster.names()...)
			meant := ""
			if near := display.Nearest(n.text, names); near != "" {
				meant = "; did you mean " + near + "?"
			}
			t.fail(t.at.in(key), n.offset, "%.60q is no group of the policy and no member of the wallet%s", n.text, meant)
			continue
		}
		w.Keys |= t.member(key, n)
	}
	slices.Sort(w.Groups)
	return w
}
