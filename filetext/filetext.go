// Package filetext is the one place where the bytes of a file that a person
// hands over become text, and encoded text becomes bytes again: what editors,
// shells, mail programs and chats do to a text on its way is undone here, for
// wallet files, PSBTs, signatures, mnemonics, labels and settings alike. It
// knows no format, and no Bitcoin.
package filetext

import (
	"bytes"
	"encoding/binary"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns the text of a file: UTF-8, UTF-16 (with a byte order mark or
// without, as PowerShell writes it), or Windows-1252, with \n at the ends of
// lines and without the mark. It changes nothing else. ok is false for what is
// no text.
func Text(raw []byte) (text string, ok bool) {
	raw = bytes.TrimRight(raw, "\x1a") // the end of a file, once
	switch wide := utf16Order(raw); {
	case wide != nil:
		text = fromUTF16(raw, wide)
	case utf8.Valid(raw):
		text = string(raw)
	default:
		if text, ok = windows1252(raw); !ok {
			return "", false
		}
	}
	text = strings.TrimRight(strings.TrimPrefix(text, "\ufeff"), "\x00")
	if strings.ContainsRune(text, 0) {
		return "", false
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), true
}

// utf16Order says in which order of bytes a file is UTF-16; nil where it is not.
func utf16Order(raw []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return binary.BigEndian
	}
	// Without a mark: text of ASCII has a zero in every other place, and only there.
	var zeros [2]int
	for i, b := range raw[:min(len(raw), 1<<12)] {
		if b == 0 {
			zeros[i%2]++
		}
	}
	half := min(len(raw), 1<<12) / 2
	switch {
	case half < 2:
	case zeros[0] == 0 && zeros[1] > half*3/4:
		return binary.LittleEndian
	case zeros[1] == 0 && zeros[0] > half*3/4:
		return binary.BigEndian
	}
	return nil
}

// fromUTF16 leaves out half a character at the end, as of a line end that a
// program with another encoding added.
func fromUTF16(raw []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}

// windows1252 reads what editors of Windows call ANSI. Only a text that is
// ASCII but for a few characters is taken for one.
func windows1252(raw []byte) (string, bool) {
	const high = "\u20ac\ufffd\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\ufffd\u017d\ufffd\ufffd\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\ufffd\u017e\u0178"
	names := []rune(high)
	foreign := 0
	var b strings.Builder
	for _, c := range raw {
		switch {
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r':
			return "", false
		case c < 0x80:
			b.WriteByte(c)
		case c < 0xa0:
			foreign++
			b.WriteRune(names[c-0x80])
		default:
			foreign++
			b.WriteRune(rune(c))
		}
	}
	return b.String(), foreign <= len(raw)/8
}

var terminalColors = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// Plain writes with ASCII what programs put in its place: quotation marks and
// apostrophes that lean, spaces of other widths, dashes, and characters of no
// width at all, which go. It is for texts in which these mean nothing else, not
// for what people wrote.
func Plain(text string) string {
	text = terminalColors.ReplaceAllString(text, "")
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			if r == '\v' || r == '\f' {
				return '\n'
			}
			return r
		case strings.ContainsRune("\u2018\u2019\u201a\u201b\u2032\u2035\u00b4\u02b9\u02bb\u02bc\u02c8\uff07", r):
			return '\''
		case strings.ContainsRune("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\uff02", r):
			return '"'
		case r == '\u2028' || r == '\u2029' || r == '\u0085':
			return '\n'
		case unicode.Is(unicode.Zs, r):
			return ' '
		case unicode.Is(unicode.Pd, r) || r == '\u2212':
			return '-'
		case unicode.Is(unicode.Cf, r) || r == '\ufe0e' || r == '\ufe0f' || r == '\u034f':
			return -1
		}
		return r
	}, text)
}

var (
	quoteMark   = regexp.MustCompile(`^[ \t]*(?:[>|][ \t]?)+`)
	hexEscape   = regexp.MustCompile(`=[0-9A-F]{2}`)
	htmlEscape  = regexp.MustCompile(`&(?:#[0-9]{1,5}|#[xX][0-9a-fA-F]{1,4}|lt|gt|amp|quot|apos|nbsp);`)
	softBreak   = regexp.MustCompile(`(?m)^[^\n]{50,75}=[ \t]*\n`) // lines are broken near column 76
	anyBreak    = regexp.MustCompile(`=[ \t]*\n`)
	shellBreak  = regexp.MustCompile(`\\[ \t]*\n`)
	fenceOfCode = regexp.MustCompile("(?m)^[ \t]*(?:```|~~~)[a-zA-Z0-9]*[ \t]*$")
)

// Unwrap is Plain, and undoes what mail programs, chats and shells do to a text
// as a whole: marks of quoting before each line, quoted-printable with its soft
// line breaks, escapes of HTML, lines that go on after a backslash, fences of
// code, and one pair of quotation marks around all.
func Unwrap(text string) string { return unwrap(text, true) }

// unwrap is Unwrap; what looks like a soft line break may be padding of base64.
func unwrap(text string, softBreaks bool) string {
	text = Plain(text)
	if softBreaks && softBreak.MatchString(text) {
		text = anyBreak.ReplaceAllString(text, "")
		text = hexEscape.ReplaceAllStringFunc(text, func(s string) string {
			b, err := strconv.ParseUint(s[1:], 16, 8)
			if err != nil || b >= utf8.RuneSelf {
				return s
			}
			return string(rune(b))
		})
	}
	text = shellBreak.ReplaceAllString(text, "\n")
	text = fenceOfCode.ReplaceAllString(text, "")
	text = unquoteMail(text)
	if htmlEscape.MatchString(text) {
		text = Plain(html.UnescapeString(text))
	}
	return Unquote(text)
}

// unquoteMail takes the marks of quoting away where every line of text has one
// from the first on that has, so that a line which happens to begin with one,
// as a wrapped descriptor can, keeps it.
func unquoteMail(text string) string {
	lines := strings.Split(text, "\n")
	first, all := -1, true
	for i, line := range lines {
		marked := quoteMark.MatchString(line)
		if marked && first < 0 {
			first = i
		}
		if first >= 0 && !marked && strings.TrimSpace(line) != "" {
			// What stands under a quotation is of who quoted.
			if i > first && strings.TrimSpace(lines[i-1]) == "" {
				lines = lines[:i]
				break
			}
			all = false
		}
	}
	if first < 0 || !all || first > 0 && strings.TrimSpace(lines[first-1]) != "" && !strings.HasSuffix(strings.TrimSpace(lines[first-1]), ":") {
		return text
	}
	out := lines[first:]
	for i := range out {
		out[i] = quoteMark.ReplaceAllString(out[i], "")
	}
	return strings.Join(out, "\n")
}

// Unquote takes white space and matching quotation marks away around a text.
func Unquote(text string) string {
	for {
		text = strings.TrimSpace(text)
		n := len(text)
		if n < 2 || text[0] != text[n-1] || !strings.ContainsRune("\"'`", rune(text[0])) {
			return text
		}
		text = text[1 : n-1]
	}
}
