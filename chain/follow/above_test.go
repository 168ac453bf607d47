package follow

import (
	"errors"
	"math"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
)

// TestBeginsAboveTheChain: a stream that begins where there is no block says so,
// and goes on when the chain gets there.
func TestBeginsAboveTheChain(t *testing.T) {
	for _, from := range []int32{21, 1_999_999_875, math.MaxInt32} {
		s := newScript(20) // the last has height 19
		f, reports := begin(t, s, Options{From: from, Scripts: [][]byte{{5, 0}}})
		if err := get(t, reports); !errors.Is(err, ErrAbove) {
			t.Fatalf("from %d: reported %v", from, err)
		}
		if from > 21 {
			if err := f.Watch(t.Context(), [][]byte{{6, 0}}, 1); err != nil {
				t.Fatal(err)
			}
		}
		s.change(func() { s.grow(2, 0) })
		if from == 21 {
			expect(t, f, port.CaughtUp, port.BlockRef{Height: 21})
			s.change(func() { s.grow(1, 0) })
			expect(t, f, port.Connected, s.ref(22))
			continue
		}
		for range 3 {
			if err := get(t, reports); err != nil && !errors.Is(err, ErrAbove) {
				t.Errorf("from %d: reported %v", from, err)
			}
		}
		select {
		case n := <-f.Notices():
			t.Errorf("from %d: notice of kind %d", from, n.Kind)
		default:
		}
	}
}

// A source that is still catching up has no problem: the block may come.
func TestBeginsAboveAChainThatGrows(t *testing.T) {
	s := newScript(20)
	s.syncing = true
	f, reports := begin(t, s, Options{From: 25})
	s.change(func() { s.grow(8, 0); s.syncing = false })
	expect(t, f, port.Connected, s.ref(26))
	select {
	case err := <-reports:
		t.Errorf("reported %v", err)
	default:
	}
}
