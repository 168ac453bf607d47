package replay

import (
	"errors"
	"testing"
)

// A cursor is what a page gave, in one form, and nothing else is one.
func FuzzParsePlace(f *testing.F) {
	for _, s := range []string{"", "0.0.1.1", "2.1.3.4096", "-1.0.0.0", "01.0.0.0", "1.2.3", "1.2.3.4.5", "1.2.300.4", "1 .2.3.4", "9223372036854775807.0.255.18446744073709551615"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePlace(text)
		switch {
		case err != nil:
			if !errors.Is(err, ErrCursor) || p != (Place{}) {
				t.Fatalf("%q: %+v, %v", text, p, err)
			}
		case p.String() != text && text != "" || p.Key < 0 || p.Identity < 0:
			t.Fatalf("%q is read as %s", text, p)
		}
	})
}

func TestPlacesAreInOrder(t *testing.T) {
	places := []Place{{}, {0, 0, 1, 1}, {0, 0, 1, 2}, {0, 0, 2, 1}, {0, 1, 1, 1}, {1, 0, 1, 1}}
	for i, a := range places {
		for j, b := range places {
			if a.after(b) != (i > j) {
				t.Errorf("%s after %s: %v", a, b, a.after(b))
			}
		}
		if again, err := ParsePlace(a.String()); err != nil || again != a {
			t.Errorf("%s is read as %s: %v", a, again, err)
		}
	}
}
