package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

// paymentURI is what a bitcoin: link asks for (BIP21).
type paymentURI struct {
	address string
	amount  int64 // satoshis; 0 where it says none
	label   string
}

const uriScheme = "bitcoin:"

// isURI says whether a text is a bitcoin: link. Codes hold them in capital letters, too.
func isURI(s string) bool {
	return len(s) >= len(uriScheme) && strings.EqualFold(s[:len(uriScheme)], uriScheme)
}

// parseURI reads a bitcoin: link. What it requires and this program does not know
// (req-…) is refused, as BIP21 says: paying without it would be paying otherwise than
// was asked. Of the others only amount, label and message mean something here.
func parseURI(s string) (paymentURI, error) {
	bad := func(why string) error {
		return api.Misuse("bad_uri", fmt.Sprintf("the link %.120q %s", s, why), "ask the payee for another one, or write ADDRESS=AMOUNT")
	}
	if !isURI(s) {
		return paymentURI{}, bad("does not begin with " + uriScheme)
	}
	address, query, _ := strings.Cut(s[len(uriScheme):], "?")
	u := paymentURI{address: address}
	if address == "" || strings.ContainsAny(address, "=&%#/ ") {
		return paymentURI{}, bad("holds no address")
	}
	query, _, _ = strings.Cut(query, "#")
	seen := map[string]bool{}
	message := ""
	for _, part := range strings.Split(query, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		// A plus is a plus here, not a space as in a form.
		key, err := url.PathUnescape(key)
		if err == nil {
			value, err = url.PathUnescape(value)
		}
		if err != nil {
			return paymentURI{}, bad("cannot be read: a percent sign stands for no character")
		}
		key = strings.ToLower(key)
		name := strings.TrimPrefix(key, "req-")
		known := name == "amount" || name == "label" || name == "message"
		switch {
		case known && seen[name]:
			return paymentURI{}, bad("says " + name + " twice")
		case !known && name != key:
			return paymentURI{}, bad(fmt.Sprintf("requires %.40q, which quorate does not know", key))
		}
		seen[name] = true
		switch name {
		case "amount":
			sat, err := parseDecimal(value, 8)
			if err != nil || sat < 1 || sat > maxMoney {
				return paymentURI{}, bad(fmt.Sprintf("says %.40q for the amount, which is no number of bitcoin that can be paid", value))
			}
			u.amount = sat
		case "label":
			u.label = value
		case "message":
			message = value
		}
	}
	if u.label == "" {
		u.label = message
	}
	u.label = shortLabel(u.label)
	return u, nil
}

// maxLabel bounds a label, in bytes.
const maxLabel = 256

// shortLabel is a text from a link as a label: one line that can be shown.
func shortLabel(s string) string {
	s = strings.TrimSpace(display.Strip(s))
	for len(s) > maxLabel {
		r := []rune(s)
		s = string(r[:len(r)-1])
	}
	return s
}

// String writes the link.
func (u paymentURI) String() string {
	s := uriScheme + u.address
	sep := "?"
	add := func(key, value string) {
		s += sep + key + "=" + value
		sep = "&"
	}
	if u.amount > 0 {
		add("amount", display.Plain(u.amount))
	}
	if u.label != "" {
		// Of a form the space would be a plus, which stands for itself here.
		add("label", strings.ReplaceAll(url.QueryEscape(u.label), "+", "%20"))
	}
	return s
}
