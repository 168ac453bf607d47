package policy

import (
	"fmt"
	"strings"
)

// Error says what is wrong with a policy, and where.
type Error struct {
	// Where names the rule and the field, in the words of the file.
	Where string
	// What is wrong there.
	What string
	// Line and Column are counted from 1, the column in characters; 0 where there is no file.
	Line, Column int

	path path
}

// Error says where and what.
func (e *Error) Error() string {
	text := e.What
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	if e.Line == 0 {
		return text
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, text)
}

// path leads to a part of the typed form: "/rules/2/require/fee_max".
type path string

// place is a part of a policy: its path, and what a reader of the file calls it.
type place struct {
	path  path
	words string
}

// named is an item of a list that has a name, as "meter daily".
func named(list string, i int, what, name string) place {
	p := place{path: path(fmt.Sprintf("/%s/%d", list, i))}
	if checkText(name, MaxName) == nil {
		p.words = fmt.Sprintf("%s %q", what, name)
	} else {
		p.words = fmt.Sprintf("%s number %d", what, i+1)
	}
	return p
}

// in is a field of a place.
func (p place) in(field string) place {
	words := field
	switch {
	case strings.Contains(string(p.path), "/rules/") && strings.Count(string(p.path), "/") > 2:
		words = p.words + "." + field
	case p.words != "":
		words = p.words + ", " + field
	}
	return place{p.path + path("/"+field), words}
}

// item is one of a list, counted from 0.
func (p place) item(i int) place {
	return place{p.path + path(fmt.Sprintf("/%d", i)), fmt.Sprintf("%s number %d", p.words, i+1)}
}

// wrong is an error there.
func (p place) wrong(format string, args ...any) error {
	return &Error{Where: p.words, What: fmt.Sprintf(format, args...), path: p.path}
}

// up is the part that one is in; that of the whole is empty.
func (p path) up() path {
	return p[:max(0, strings.LastIndexByte(string(p), '/'))]
}
