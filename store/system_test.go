package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
)

// What the operating system refuses says nothing about what is stored: it is told by
// its number, and never as damage, however Badger or a check has worded it.
func TestWhatTheSystemRefusesIsNoDamage(t *testing.T) {
	for _, n := range refusedBySystem() {
		at := &fs.PathError{Op: "open", Path: "/d/000001.vlog", Err: n}
		for _, err := range []error{
			at, fmt.Errorf("open store lock: %w", at), fmt.Errorf("%w: read key registry: %w", ErrCorrupt, at),
			fmt.Errorf("During db.vlog.open err: Open existing file: %q error: %s unable to open", "/d/000001.vlog", at.Error()),
			fmt.Errorf("%w: open database: %w", ErrCorrupt, errors.New("Opening table: "+at.Error())),
		} {
			got := systemError(err)
			if !errors.Is(got, n) || errors.Is(got, ErrCorrupt) || strings.Contains(got.Error(), ErrCorrupt.Error()) {
				t.Errorf("%v became %v", err, got)
			}
			for _, other := range refusedBySystem() {
				if other != n && errors.Is(got, other) {
					t.Errorf("%v became %v", err, got)
				}
			}
		}
	}
	for _, err := range []error{ErrCorrupt, ErrKey, ErrLocked, ErrNewer, port.ErrNoSpace, fmt.Errorf("%w: checksum", ErrCorrupt)} {
		if got := systemError(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
