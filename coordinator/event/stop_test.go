package event

import (
	"errors"
	"strings"
	"testing"

	"github.com/quorate/quorate/journal"
)

func TestBoundsOfFreezes(t *testing.T) {
	ids := make([]journal.EntryID, MaxLifted+1)
	for i := range ids {
		ids[i] = journal.EntryID{byte(i + 1)}
	}
	for _, b := range []Body{&GroupFrozen{}, &GroupFrozen{Reason: strings.Repeat("x", MaxTextBytes)}, &FreezeLifted{Freezes: ids[:MaxLifted], Height: maxHeight}} {
		if err := b.Check(); err != nil {
			t.Errorf("%T: %v", b, err)
		}
	}
	for name, b := range map[string]Body{
		"a long reason":       &GroupFrozen{Reason: strings.Repeat("x", MaxTextBytes+1)},
		"a control character": &GroupFrozen{Reason: "a\x1b[2J"},
		"none lifted":         &FreezeLifted{},
		"too many lifted":     &FreezeLifted{Freezes: ids},
		"one lifted twice":    &FreezeLifted{Freezes: []journal.EntryID{{1}, {1}}},
		"lifted out of order": &FreezeLifted{Freezes: []journal.EntryID{{2}, {1}}},
		"beyond all blocks":   &FreezeLifted{Freezes: ids[:1], Height: maxHeight + 1},
	} {
		if err := b.Check(); !errors.Is(err, ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
}
