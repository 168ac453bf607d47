package display

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Errors of CheckName.
var (
	ErrNoLetter = errors.New("a name needs a letter or a digit")
	ErrSpace    = errors.New("a name is one line, without a space at its ends")
	ErrScripts  = errors.New("a name's words are each of one script: letters of two are mixed in it")
)

// CheckName returns an error for what can be no name of a person or a wallet:
// text with what is not seen, without a letter or digit, or with letters of
// scripts mixed whose letters look alike.
func CheckName(s string) error {
	if err := Check(s); err != nil {
		return err
	}
	if strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) && r != ' ' }) {
		return ErrSpace
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return ErrNoLetter
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) }) {
		if mixed(word) {
			return ErrScripts
		}
	}
	return nil
}

// mixed says whether letters of a word are of two of the scripts whose letters
// look alike.
func mixed(word string) bool {
	scripts := 0
	for _, t := range []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu} {
		if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(t, r) && unicode.IsLetter(r) }) {
			scripts++
		}
	}
	return scripts > 1
}

// Fold returns what a name looks like, for AlikeFolds: compatibility decomposition,
// case folding, without marks and what cannot be seen, white space as single
// spaces, and each letter that looks like a Latin one replaced by that one (see
// confusables). "I" and "L" stay capital, since their shapes are not those of the
// small letters.
func Fold(s string) string {
	s = norm.NFKD.String(s)
	var b strings.Builder
	for _, r := range s {
		r = cherokee(r)
		switch {
		case unicode.IsSpace(r) || r == '\u2800':
			b.WriteByte(' ')
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.C) || blank(r):
		default:
			b.WriteString(like(r))
		}
	}
	s = strings.NewReplacer("I", capitalI, "L", capitalL).Replace(b.String())
	s = norm.NFKD.String(cases.Fold().String(s))
	b.Reset()
	for _, r := range s {
		if !unicode.In(r, unicode.Mn, unicode.Me) {
			b.WriteString(like(cherokee(r)))
		}
	}
	s = strings.NewReplacer(capitalI, "I", capitalL, "L", "rn", "m").Replace(b.String())
	return strings.Join(strings.Fields(s), " ")
}

// cherokee returns the capital of a Cherokee letter, and others as they are. Case
// folding of Cherokee goes to capitals (Unicode, CaseFolding.txt), but cases.Fold
// turns each of the two into the other.
func cherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}

// Of the private use area, which Fold leaves out of a name.
const (
	capitalI = "\ue000"
	capitalL = "\ue001"
)

// Alike says whether a reader could take one name for the other.
func Alike(a, b string) bool { return AlikeFolds(Fold(a), Fold(b)) }

// AlikeFolds is Alike for names that were folded before.
func AlikeFolds(a, b string) bool {
	if a == b {
		return true
	}
	x, y := []rune(a), []rune(b)
	return slices.EqualFunc(x, y, same)
}

// LooksLikeID says whether a name could be taken for an id or the start of one:
// hexadecimal digits alone, least of them or more.
func LooksLikeID(s string, least int) bool {
	return len(s) >= least && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
