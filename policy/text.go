package policy

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// hidden are the ranges of characters that are not seen or change how others are read. They
// are a list of our own, and no table of Unicode: two robots built at different times must
// read one policy in the same way. What is shown goes through package display besides.
func hidden(r rune) bool {
	for _, span := range [...][2]rune{
		{0, 0x1f}, {0x7f, 0xa0}, {0xad, 0xad}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},
		{0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},
		{0xd800, 0xf8ff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0x1bca0, 0x1bca3},
		{0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}

// checkText refuses a text of a policy that is empty, too long, or could deceive who reads it.
func checkText(s string, most int) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > most:
		return fmt.Errorf("it has %d bytes, at most %d", len(s), most)
	case !utf8.ValidString(s):
		return errors.New("it is no UTF-8")
	case s[0] == ' ' || s[len(s)-1] == ' ':
		return errors.New("there is a space at its end")
	}
	for _, r := range s {
		if hidden(r) {
			return errors.New("it holds a control character, or one that cannot be seen")
		}
	}
	return nil
}
