package policy

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Bounds of a file, before anything is made of it.
const (
	maxText   = 256 << 10
	maxFields = 1024 // of one table
	maxDepth  = 8
)

// form is what a value of a file is.
type form string

const (
	isTable  form = "a table"
	isList   form = "a list"
	isText   form = "a text"
	isNumber form = "a whole number"
	isBool   form = "true or false"
	isOther  form = "a number with a fraction, or a date"
)

// node is a value of a file, with its place there.
type node struct {
	form   form
	offset int
	text   string  // of a text, a number, a bool
	items  []*node // of a list
	fields []field // of a table
}

type field struct {
	name   string
	offset int // of the key
	value  *node
}

func (n *node) field(name string) *field {
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}

// syntax makes a tree of a file. The errors of it have a place, and no field.
type syntax struct {
	text   string
	parser unstable.Parser
	root   *node
}

func readTOML(text []byte) (*syntax, error) {
	s := &syntax{text: string(text), root: &node{form: isTable}}
	if len(text) > maxText {
		return nil, s.wrong(0, "the file is over 256 KiB")
	}
	if !utf8.Valid(text) {
		return nil, s.wrong(firstInvalid(s.text), "the file is no UTF-8")
	}
	s.parser.Reset([]byte(s.text))
	at := s.root
	for s.parser.NextExpression() {
		var err error
		if at, err = s.expression(at, s.parser.Expression()); err != nil {
			return nil, err
		}
	}
	var bad *unstable.ParserError
	if errors.As(s.parser.Error(), &bad) {
		return nil, s.wrong(s.offsetOf(bad.Highlight), "%s", bad.Message)
	}
	// The parser takes what is no TOML all the same: a table that is closed and added to, say.
	var any map[string]any
	var syntax *toml.DecodeError
	err := toml.Unmarshal([]byte(s.text), &any)
	switch {
	case errors.As(err, &syntax):
		row, column := syntax.Position()
		return nil, s.wrong(s.offset(row, column), "%s", strings.TrimPrefix(syntax.Error(), "toml: "))
	case err != nil:
		return nil, s.wrong(0, "%s", strings.TrimPrefix(err.Error(), "toml: "))
	}
	return s, nil
}

func firstInvalid(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return len(s)
}

func (s *syntax) offsetOf(part []byte) int {
	if cap(part) == 0 || cap(part) > cap(s.parser.Data()) {
		return len(s.text)
	}
	return min(cap(s.parser.Data())-cap(part), len(s.text))
}

// offset is that of a line and a column in bytes.
func (s *syntax) offset(row, column int) int {
	at := 0
	for range row - 1 {
		next := strings.IndexByte(s.text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	return min(at+max(column-1, 0), len(s.text))
}

// expression adds a line to the tree, and returns the table that the next lines belong to.
func (s *syntax) expression(at *node, e *unstable.Node) (*node, error) {
	switch e.Kind {
	case unstable.KeyValue:
		return at, s.keyValue(at, e, 0)
	case unstable.Table, unstable.ArrayTable:
		keys := keysOf(e)
		into, err := s.descend(s.root, keys[:len(keys)-1])
		if err != nil {
			return nil, err
		}
		last := keys[len(keys)-1]
		if e.Kind == unstable.Table {
			return s.descend(into, []*unstable.Node{last})
		}
		f := into.field(string(last.Data))
		if f == nil {
			if f, err = s.add(into, last, &node{form: isList, offset: int(last.Raw.Offset)}); err != nil {
				return nil, err
			}
		}
		if f.value.form != isList {
			return nil, s.wrong(int(last.Raw.Offset), "%q is there already, and no list", f.name)
		}
		next := &node{form: isTable, offset: int(last.Raw.Offset)}
		f.value.items = append(f.value.items, next)
		return next, nil
	}
	return at, nil
}

func keysOf(e *unstable.Node) []*unstable.Node {
	var keys []*unstable.Node
	for it := e.Key(); it.Next(); {
		keys = append(keys, it.Node())
	}
	return keys
}

func (s *syntax) keyValue(at *node, e *unstable.Node, depth int) error {
	keys := keysOf(e)
	last := keys[len(keys)-1]
	into, err := s.descend(at, keys[:len(keys)-1])
	if err != nil {
		return err
	}
	value, err := s.value(e.Value(), s.behind(int(last.Raw.Offset+last.Raw.Length)), depth)
	if err != nil {
		return err
	}
	_, err = s.add(into, last, value)
	return err
}

// behind is where the value begins whose key ends there.
func (s *syntax) behind(key int) int {
	rest := strings.TrimLeft(s.text[key:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	return len(s.text) - len(rest)
}

// descend follows keys to a table, which it makes where there is none.
func (s *syntax) descend(at *node, keys []*unstable.Node) (*node, error) {
	for _, k := range keys {
		f := at.field(string(k.Data))
		if f == nil {
			var err error
			if f, err = s.add(at, k, &node{form: isTable, offset: int(k.Raw.Offset)}); err != nil {
				return nil, err
			}
		}
		if at = f.value; at.form == isList && len(at.items) > 0 {
			at = at.items[len(at.items)-1]
		}
		if at.form != isTable {
			return nil, s.wrong(int(k.Raw.Offset), "%q is there already, and no table", f.name)
		}
	}
	return at, nil
}

func (s *syntax) add(into *node, key *unstable.Node, value *node) (*field, error) {
	name, offset := string(key.Data), int(key.Raw.Offset)
	if into.field(name) != nil {
		return nil, s.wrong(offset, "%q is there twice", name)
	}
	if len(into.fields) >= maxFields {
		return nil, s.wrong(offset, "there are more than %d keys", maxFields)
	}
	into.fields = append(into.fields, field{name, offset, value})
	return &into.fields[len(into.fields)-1], nil
}

// value makes a tree of a value, which begins at an offset where the parser does not say so.
func (s *syntax) value(v *unstable.Node, offset, depth int) (*node, error) {
	if v.Raw.Length > 0 {
		offset = int(v.Raw.Offset)
	}
	n := &node{form: isOther, offset: offset, text: string(v.Data)}
	if depth > maxDepth {
		return nil, s.wrong(offset, "it is nested too deep")
	}
	switch v.Kind {
	case unstable.String:
		n.form = isText
	case unstable.Integer:
		n.form = isNumber
	case unstable.Bool:
		n.form = isBool
	case unstable.Array:
		n.form = isList
		for it := v.Children(); it.Next(); {
			item, err := s.value(it.Node(), offset, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	case unstable.InlineTable:
		n.form = isTable
		for it := v.Children(); it.Next(); {
			if err := s.keyValue(n, it.Node(), depth+1); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

// wrong is an error at a place of the file.
func (s *syntax) wrong(offset int, format string, args ...any) error {
	err := place{}.wrong(format, args...)
	return s.locate(err, offset)
}

// locate gives an error its line and column.
func (s *syntax) locate(err error, offset int) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	before := s.text[:min(offset, len(s.text))]
	e.Line = 1 + strings.Count(before, "\n")
	e.Column = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return e
}
