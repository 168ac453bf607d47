package formats

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/wallet"
)

// written is a descriptor as it stands in a text: without white space and
// remarks inside, which mean nothing there, and with its checksum, if it has one.
type written struct {
	text string
	// before is what stands before it in its line: a label, a name, a command.
	before string
	// end is where in the text it ends.
	end int
}

var opening = regexp.MustCompile(`(?:^|[^A-Za-z0-9_(])((?:sh|wsh|multi|sortedmulti|wpkh|pkh|pk|tr|combo|rawtr|addr|raw)\()`)

// scan finds the descriptors of a text, and what is left of it.
func scan(text string) (found []written, rest string, err error) {
	var left strings.Builder
	all := len(text)
	for text != "" {
		line, _, _ := strings.Cut(text, "\n")
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			text = text[min(len(line)+1, len(text)):]
			continue
		}
		at := opening.FindStringSubmatchIndex(line)
		if at == nil {
			left.WriteString(line + "\n")
			text = text[min(len(line)+1, len(text)):]
			continue
		}
		one, n, err := descriptorAt(text[at[2]:])
		if err != nil {
			return nil, "", err
		}
		if len(found) == maxDescriptors {
			return nil, "", fmt.Errorf("%w: more than %d descriptors", ErrFormat, maxDescriptors)
		}
		one.before = strings.TrimSpace(line[:at[2]])
		text = text[at[2]+n:]
		one.end = all - len(text)
		found = append(found, one)
	}
	return found, left.String(), nil
}

// descriptorAt reads the descriptor that a text begins with, and says how long
// it is there.
func descriptorAt(text string) (w written, n int, err error) {
	var b strings.Builder
	depth := 0
	for n < len(text) {
		c := text[n]
		n++
		switch {
		case c == '#': // Coldcard writes remarks into it
			end := strings.IndexByte(text[n:], '\n')
			if end < 0 {
				end = len(text) - n
			}
			n += end
			continue
		case c == '\\' || c < 0x80 && unicode.IsSpace(rune(c)): // chats put \ before * and others
			continue
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		b.WriteByte(c)
		if depth == 0 && c == ')' {
			sum, length, err := checksumAt(text[n:])
			return written{text: b.String() + sum}, n + length, err
		}
	}
	return w, n, fmt.Errorf("%w: a descriptor is cut short: not all of its brackets are closed", ErrFormat)
}

// checksumAt reads the checksum that follows a descriptor. A # after white space
// begins a remark, unless a checksum is all that follows: mail programs break
// lines before it, and in it.
func checksumAt(text string) (sum string, n int, err error) {
	const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	at := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsSpace(r) && r != '\\' })
	if at < 0 || text[at] != '#' {
		return "", 0, nil
	}
	word := text[at+1:]
	if i := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
		word = word[:i]
	}
	sound := strings.Trim(word, letters) == ""
	switch {
	case sound && len(word) == 8:
		return "#" + word, at + 1 + len(word), nil
	case sound && len(word) < 8:
		// The rest may stand in the next line.
		after := text[at+1+len(word):]
		more := strings.TrimLeft(after, " \t\r\n")
		need := 8 - len(word)
		broken := len(after) - len(more)
		if (at == 0 || word != "") && broken > 0 && len(more) >= need && strings.Trim(more[:need], letters) == "" &&
			(len(more) == need || unicode.IsSpace(rune(more[need]))) {
			return "#" + word + more[:need], at + 1 + len(word) + broken + need, nil
		}
	}
	if at > 0 || word == "" {
		return "", 0, nil
	}
	return "#" + word, at + 1 + len(word), nil // its own reader says what is wrong
}

// asWritten is the text of the one descriptor in a JSON string, without white
// space and what else came into it; the string itself where there is not one.
func asWritten(s string) string {
	s = filetext.Plain(s)
	if found, _, err := scan(s); err == nil && len(found) == 1 {
		return found[0].text
	}
	return s
}

// branch is what the label of a descriptor says it is of, if it has one.
func (w written) branch() (branch, bool) {
	label := strings.ToLower(strings.TrimRight(w.before, " :=\"'"))
	for _, name := range []string{"external", "receive", "receiving", "deposit"} {
		if strings.HasSuffix(label, name) {
			return receive, true
		}
	}
	for _, name := range []string{"internal", "change"} {
		if strings.HasSuffix(label, name) {
			return change, true
		}
	}
	return both, false
}

// name is that of "NAME&wsh(…)", or of the command "addwallet NAME&wsh(…)".
func (w written) name() string {
	name, ok := strings.CutSuffix(w.before, "&")
	if !ok {
		return ""
	}
	return clean(strings.TrimPrefix(name, "addwallet "))
}

// parseDescriptors reads the descriptors of a text, whatever stands around them.
func parseDescriptors(text string, net wallet.Network) (Wallet, Format, error) {
	f := Descriptor
	found, rest, err := scan(text)
	if err != nil {
		return Wallet{}, f, err
	}
	if len(found) > 1 && strings.Contains(text, "# ") {
		f = Sparrow // heads its descriptors with remarks
	}
	var g gather
	name := ""
	for _, one := range found {
		of, err := g.add(one.text, net)
		if err != nil {
			return Wallet{}, f, err
		}
		if says, ok := one.branch(); ok && (of == receive || of == change) && says != of {
			return Wallet{}, f, fmt.Errorf("%w: a descriptor is called %q, and its path is of the other branch", ErrFormat, clean(one.before))
		}
		if name == "" {
			name = one.name()
		}
	}
	w, err := g.done(false)
	w.Name = name
	if strings.IndexFunc(rest, unicode.IsLetter) >= 0 {
		w.warn(WarnOther, "the file has text beside the descriptor, which was passed over")
	}
	return w, f, err
}
