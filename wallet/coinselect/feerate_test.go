package coinselect

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestFeeRateFromSatVB(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want FeeRate
	}{{1, 1000}, {0.001, 1}, {0.0005, 1}, {2.5, 2500}, {1.1, 1100}, {12.345, 12345}, {1_000_000, MaxFeeRate}} {
		got, err := FeeRateFromSatVB(c.in)
		if err != nil || got != c.want {
			t.Errorf("%v sat/vB: got %d, %v; want %d", c.in, got, err, c.want)
		}
	}
	for _, in := range []float64{0, math.Copysign(0, -1), -1, 0.0004, 1_000_000.001, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64} {
		if got, err := FeeRateFromSatVB(in); !errors.Is(err, ErrFeeRate) || got != 0 {
			t.Errorf("%v sat/vB: got %d, %v; want ErrFeeRate", in, got, err)
		}
	}
}

func TestFeeRateShown(t *testing.T) {
	if r := FeeRate(2500); r.SatPerVB() != 2.5 || r.String() != "2.5 sat/vB" {
		t.Fatalf("got %v, %q", r.SatPerVB(), r)
	}
}

func TestFeeRoundsUp(t *testing.T) {
	for _, c := range []struct {
		rate  FeeRate
		vsize int64
		want  int64
	}{
		{1000, 141, 141}, {1001, 141, 142}, {1, 1, 1}, {1, 1000, 1}, {1, 1001, 2}, {999, 1, 1},
		{0, 100, 0}, {-5, 100, 0}, {5, -100, 0}, {5, 0, 0},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64},
		{math.MaxInt64, 1000, math.MaxInt64},
		{math.MaxInt64, 1001, math.MaxInt64},
		{math.MaxInt64, 999, math.MaxInt64 - math.MaxInt64/1000},
	} {
		if got := c.rate.Fee(c.vsize); got != c.want {
			t.Errorf("%d sat/kvB for %d vB: got %d, want %d", int64(c.rate), c.vsize, got, c.want)
		}
	}
}

// Fee equals the exact quotient rounded up, wherever that fits.
func TestFeeExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(1, math.MaxInt64).Draw(t, "rate")
		vsize := rapid.Int64Range(1, math.MaxInt64).Draw(t, "vsize")
		exact := new(big.Int).Mul(big.NewInt(rate), big.NewInt(vsize))
		exact.Add(exact, big.NewInt(999)).Div(exact, big.NewInt(1000))
		want := int64(math.MaxInt64)
		if exact.IsInt64() {
			want = exact.Int64()
		}
		if got := FeeRate(rate).Fee(vsize); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}
