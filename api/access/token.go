package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a node keeps of tokens.
const (
	// MaxTokens is how many a node has.
	MaxTokens = 1000
	// maxName is how many bytes the name of one has at most.
	maxName = 64
	// maxWallets is to how many wallets one is bound at most.
	maxWallets = 100
	// maxMoney is all the satoshis there are.
	maxMoney = 21_000_000 * 100_000_000
)

// Terms are what a token may do.
type Terms struct {
	Name  string
	Verbs []Verb
	// Wallets are the ids of those that it may name; none for all.
	Wallets []string
	// MaxAmount is how many satoshis it and those it made may propose or have signed
	// within Window, fees included; 0 for no limit.
	MaxAmount int64
	// Until is when it ends; zero for never.
	Until time.Time
}

// Info is what may be shown of a token.
type Info struct {
	ID string
	Terms
	Created time.Time
	// By is the token that made it, "" for who reached the Unix socket.
	By string
	// Used is when it was last used, to the hour; zero for never.
	Used time.Time
	// Spent counts against MaxAmount.
	Spent int64
}

// record is a token as it is kept.
type record struct {
	Name      string   `json:"name"`
	Digest    []byte   `json:"digest"`
	Verbs     []Verb   `json:"verbs"`
	Wallets   []string `json:"wallets,omitempty"`
	MaxAmount int64    `json:"max_amount,omitempty"`
	Until     int64    `json:"until,omitempty"` // Unix seconds
	Created   int64    `json:"created"`
	By        string   `json:"by,omitempty"`
	Used      int64    `json:"used,omitempty"`
	Spent     meter    `json:"spent,omitempty"`
}

func (r *record) terms() Terms {
	t := Terms{Name: r.Name, Verbs: slices.Clone(r.Verbs), Wallets: slices.Clone(r.Wallets), MaxAmount: r.MaxAmount}
	if r.Until > 0 {
		t.Until = time.Unix(r.Until, 0)
	}
	return t
}

// parseRecord reads a token as the store has it.
func parseRecord(b []byte) (*record, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // one may bound what the token may do
	r := &record{}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	if len(r.Digest) != 32 {
		return nil, errors.New("read token: its digest is not of 32 bytes")
	}
	if _, err := r.terms().check(time.Time{}); err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	return r, nil
}

// What is wrong with the terms of a token.
var (
	// ErrTerms is for terms that make no sense.
	ErrTerms = errors.New("these terms make no sense")
	// ErrMore is for terms that give more than their maker has.
	ErrMore = errors.New("a token can only make one that may do less")
	// ErrUnknown is for a token that is not there.
	ErrUnknown = errors.New("there is no such token")
	// ErrTaken is for a name that another token has.
	ErrTaken = errors.New("another token has that name")
	// ErrFull is for more tokens than a node keeps.
	ErrFull = fmt.Errorf("a node has %d tokens at most", MaxTokens)
	// ErrOver is for an amount beyond what is left.
	ErrOver = errors.New("that is beyond what the token may spend within 24 hours")
)

// check returns terms in their one form, or ErrTerms.
func (t Terms) check(now time.Time) (Terms, error) {
	bad := func(format string, args ...any) (Terms, error) {
		return t, fmt.Errorf("%w: %s", ErrTerms, fmt.Sprintf(format, args...))
	}
	if t.Name == "" || len(t.Name) > maxName || !utf8.ValidString(t.Name) {
		return bad("a name has 1 to %d bytes", maxName)
	}
	for _, r := range t.Name {
		if !unicode.IsPrint(r) {
			return bad("the name has a character that does not print")
		}
	}
	if len(t.Verbs) == 0 {
		return bad("a token that may do nothing")
	}
	for _, v := range t.Verbs {
		if _, err := ParseVerb(string(v)); err != nil {
			return bad("%v", err)
		}
	}
	t.Verbs = sorted(t.Verbs)
	if slices.Contains(t.Verbs, Sign) && !slices.Contains(t.Verbs, Read) {
		return bad("who signs has to see what: sign needs read")
	}
	t.Wallets = slices.Compact(slices.Sorted(slices.Values(t.Wallets)))
	if len(t.Wallets) > maxWallets {
		return bad("at most %d wallets", maxWallets)
	}
	if len(t.Wallets) > 0 && slices.Contains(t.Verbs, Token) {
		return bad("a token that makes tokens is bound to no wallet")
	}
	if t.MaxAmount < 0 || t.MaxAmount > maxMoney {
		return bad("an amount is 0 to %d satoshis", int64(maxMoney))
	}
	if !t.Until.IsZero() && !t.Until.After(now) {
		return bad("its end is over already")
	}
	return t, nil
}

// within refuses terms that give more than those of their maker.
func (t Terms) within(by Terms) error {
	if v := lacking(by.Verbs, t.Verbs); v != "" {
		return fmt.Errorf("%w: the one that makes it lacks the verb %s", ErrMore, v)
	}
	if by.MaxAmount > 0 && (t.MaxAmount == 0 || t.MaxAmount > by.MaxAmount) {
		return fmt.Errorf("%w: its limit is above %d satoshis", ErrMore, by.MaxAmount)
	}
	if !by.Until.IsZero() && (t.Until.IsZero() || t.Until.After(by.Until)) {
		return fmt.Errorf("%w: its end is after %s", ErrMore, by.Until.UTC().Format(time.RFC3339))
	}
	return nil
}
