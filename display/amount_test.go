package display

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAmount(t *testing.T) {
	for sat, want := range map[int64]string{
		0: "0 sat", 1: "1 sat", 999: "999 sat", 1000: "1,000 sat", 99_999: "99,999 sat", 100_000: "0.00100000 BTC", -378: "-378 sat",
		1_440_000: "0.01440000 BTC", 570_000_000_000: "5,700.00000000 BTC", -2_100_000_000_000_000: "-21,000,000.00000000 BTC",
		math.MinInt64: "-92,233,720,368.54775808 BTC",
	} {
		if got := Amount(sat); got != want {
			t.Errorf("%d is %s, want %s", sat, got, want)
		}
	}
	if UnitOf(5, -100_000) != Bitcoin || UnitOf(5, 99_999) != Satoshi || UnitOf() != Satoshi {
		t.Error("a column of another unit")
	}
}

// Whatever the unit, no digit is lost.
func TestAmountIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sat := rapid.Int64().Draw(t, "sat")
		for _, u := range []Unit{Satoshi, Bitcoin} {
			number, unit, _ := strings.Cut(u.Of(sat), " ")
			digits := strings.NewReplacer(",", "", ".", "").Replace(number)
			got, err := strconv.ParseInt(digits, 10, 64)
			if err != nil || got != sat || (unit == "BTC") != strings.Contains(number, ".") {
				t.Fatalf("%d is shown as %s %s", sat, number, unit)
			}
			whole, _, _ := strings.Cut(strings.TrimPrefix(number, "-"), ".")
			for i, g := range strings.Split(whole, ",") {
				if len(g) > 3 || i > 0 && len(g) != 3 || g == "" {
					t.Fatalf("%d is grouped as %s", sat, number)
				}
			}
		}
	})
}

func TestNearest(t *testing.T) {
	words := []string{"wallet", "propose", "proposal", "proposals", "status", "chain.backend", "wait", "tx"}
	for typed, want := range map[string]string{
		"walet": "wallet", "propse": "propose", "chian.backend": "chain.backend", "staus": "status", "WALLET": "wallet", "prop": "propose",
		"xyz": "", "": "", "tz": "tx", "ab": "", "proposla": "proposal",
	} {
		if got := Nearest(typed, words); got != want {
			t.Errorf("%q is taken for %q, want %q", typed, got, want)
		}
	}
}
