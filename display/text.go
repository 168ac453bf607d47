package display

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many marks may stand on one character: more of them pile up
// over the lines above.
const maxMarks = 2

// Line makes text from elsewhere safe for a terminal: one line, nothing that
// moves the cursor, changes colours, turns the reading direction, cannot be seen
// or piles up. White space becomes a space; what else may not be shown becomes
// U+FFFD, so that two texts which differ only there do not look alike.
func Line(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	walk(s, func(r rune, fits bool) {
		switch {
		case fits:
			b.WriteRune(r)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(unicode.ReplacementChar)
		}
	})
	return b.String()
}

// Strip makes text one line as Line does, and leaves out what may not be shown.
func Strip(s string) string {
	if plain(s) {
		return s
	}
	out := strip(s)
	if Line(out) != out { // a joiner stands beside another character now
		out = strip(strings.Map(func(r rune) rune {
			if r == zwj || r == zwnj || selects(r) {
				return -1
			}
			return r
		}, out))
	}
	return out
}

func strip(s string) string {
	var b strings.Builder
	dropped := false // the last character that is no mark
	walk(s, func(r rune, fits bool) {
		mark := unicode.IsMark(r)
		switch {
		case mark && dropped:
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case fits && r != unicode.ReplacementChar:
			b.WriteRune(r)
			dropped = false
		case !mark:
			dropped = true
		}
	})
	return b.String()
}

// ErrHidden is returned for text that holds what could deceive on a screen.
var ErrHidden = errors.New("it holds a control character, one that cannot be seen, or marks that pile up")

// Check returns ErrHidden for text that Line would change, white space aside:
// what this node writes for others to read.
func Check(s string) error {
	if !utf8.ValidString(s) {
		return ErrHidden
	}
	var err error
	walk(s, func(r rune, fits bool) {
		if !fits && !(unicode.IsSpace(r) && !unicode.IsControl(r)) && r != '\n' && r != '\t' {
			err = ErrHidden
		}
		if unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			err = ErrHidden
		}
	})
	return err
}

// plain says whether text is printable ASCII, which nothing has to be asked of.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// walk calls each for every character, and says whether it may be shown where it
// stands. A byte that is no UTF-8 is U+FFFD, which may.
func walk(s string, each func(r rune, fits bool)) {
	var before rune // the character before, 0 at the start
	marks, based := 0, false
	for i, r := range s {
		fits := printable(r)
		switch {
		case r == zwj || r == zwnj:
			next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
			fits = joins(before) && joins(next)
		case selects(r):
			fits = based && marks == 0 && !unicode.IsLetter(before) && before != ' '
			marks++
		case unicode.In(r, unicode.Mn, unicode.Me):
			marks++
			fits = fits && based && marks <= maxMarks
		case unicode.Is(unicode.Mc, r):
			fits = fits && based
		default:
			marks, based = 0, fits && r != ' '
		}
		each(r, fits)
		before = r
	}
}

const (
	zwnj = '\u200c'
	zwj  = '\u200d'
)

// printable says whether a character shows by itself: a letter, mark, number,
// punctuation, symbol or the plain space, and none of those that are blank.
func printable(r rune) bool { return unicode.IsPrint(r) && !blank(r) }

// blank says whether a character that Go takes for printable shows nothing:
// those with the property Default_Ignorable_Code_Point, and the empty pattern of
// Braille.
func blank(r rune) bool {
	return r == '\u2800' || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// selects says whether a character asks for the text or the picture form of the
// symbol before it.
func selects(r rune) bool { return r == '\ufe0e' || r == '\ufe0f' }

// joins says whether a joiner beside this character changes how it is written:
// letters of the scripts that join, and parts of a picture.
func joins(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mongolian, unicode.Devanagari, unicode.Bengali,
		unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam,
		unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) && (unicode.IsLetter(r) || unicode.IsMark(r)) ||
		unicode.In(r, unicode.So, unicode.Sk) || selects(r)
}
