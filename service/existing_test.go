package service

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// calendar is a chain that knows one block's date.
type calendar struct {
	port.Chain
	at     time.Time
	height int32
	err    error
}

func (c *calendar) Health() port.ChainHealth { return port.ChainHealth{Synced: true} }

func (c *calendar) HeightAt(_ context.Context, t time.Time) (int32, error) {
	c.at = t
	return c.height, c.err
}

func TestExistingBirthday(t *testing.T) {
	known := &calendar{height: 700}
	n := &Node{parts: Parts{Chain: known}}
	for _, c := range []struct {
		given  string
		born   int64
		height int32
		asked  time.Time
	}{
		{"", 0, 0, time.Time{}},
		{"840000", 0, 839999, time.Time{}}, // blocks are looked at after the birthday
		{"0", 1_700_000_000, 0, time.Time{}},
		{"2024-04-20", 0, 700, time.Date(2024, 4, 19, 0, 0, 0, 0, time.UTC)},
		{"", 1_700_000_000, 700, time.Unix(1_700_000_000, 0).Add(-24 * time.Hour)},
	} {
		known.at = time.Time{}
		height, err := n.existingBirthday(t.Context(), c.given, c.born)
		if err != nil || height != c.height || !known.at.Equal(c.asked) {
			t.Errorf("%q, %d: height %d, asked for %v: %v", c.given, c.born, height, known.at, err)
		}
	}
	for _, bad := range []string{"yesterday", "2024-13-01", "-5", "4000000000"} {
		if _, err := n.existingBirthday(t.Context(), bad, 0); err == nil || codeOf(t, err) != "bad_birthday" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A date that cannot be told is refused where it was given, and not needed where a file says it.
	for code, chain := range map[string]port.Chain{
		"birthday_unknown":  struct{ port.Chain }{},
		refusal.ChainBehind: &calendar{err: errors.New("headers are missing")},
	} {
		n.parts.Chain = chain
		if _, err := n.existingBirthday(t.Context(), "2024-04-20", 0); codeOf(t, err) != code {
			t.Errorf("%s: %v", code, err)
		}
		if height, err := n.existingBirthday(t.Context(), "", 1_700_000_000); err != nil || height != 0 {
			t.Errorf("%s, from the file: %d, %v", code, height, err)
		}
	}
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *api.Error: %v", err)
	}
	return e.Code
}
