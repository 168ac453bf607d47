package display

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

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

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 29, 20, 5, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "now", 48 * time.Hour: "in 2 days", 49 * time.Hour: "in 2 days 1 hour", -90 * time.Minute: "1 hour 30 minutes ago", 10 * 24 * time.Hour: "in 10 days",
		45 * time.Second: "in 45 seconds", -61 * time.Second: "1 minute 1 second ago", 400 * 24 * time.Hour: "in 1 year 35 days", time.Hour - time.Second: "in 59 minutes",
	} {
		if got := Away(now.Add(d), now); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	if got := When(now.Add(48*time.Hour), now); got != "2026-12-01 20:05 UTC (in 2 days)" {
		t.Error(got)
	}
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
