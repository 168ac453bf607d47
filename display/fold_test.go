package display_test

import (
	"testing"
	"unicode"

	"github.com/quorate/quorate/display"
)

// Of every letter there is, the fold is a fold; and Cherokee letters, whose two
// cases have one shape, fold alike.
func TestFoldOfEachLetter(t *testing.T) {
	wrong := 0
	for r := rune(0); r <= unicode.MaxRune && wrong < 20; r++ {
		if !unicode.IsLetter(r) {
			continue
		}
		fold := display.Fold(string(r))
		if again := display.Fold(fold); again != fold {
			wrong++
			t.Errorf("Fold(%U) = %+q, and of that %+q", r, fold, again)
		}
		if unicode.Is(unicode.Cherokee, r) && display.Fold(string(unicode.SimpleFold(r))) != fold {
			wrong++
			t.Errorf("%U and %U are folded to %+q and %+q", r, unicode.SimpleFold(r), fold, display.Fold(string(unicode.SimpleFold(r))))
		}
	}
}
