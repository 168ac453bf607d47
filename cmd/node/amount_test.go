package main

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/display"
)

func TestParseAmount(t *testing.T) {
	for s, want := range map[string]int64{
		"0.01": 1_000_000, "0.01btc": 1_000_000, "0.01BTC": 1_000_000, "25000sat": 25_000, "1btc": 100_000_000, "1.0": 100_000_000,
		"0.00000001": 1, "1sat": 1, "20999999.99999999": maxMoney - 1, "21000000btc": maxMoney, "2100000000000000sat": maxMoney,
		"0.1": 10_000_000, "0.29": 29_000_000, "1.10000001": 110_000_001, "000.5": 50_000_000,
		"1mBTC": 100_000, "1mbtc": 100_000, "0.00001mBTC": 1, "12.5mBTC": 1_250_000, "21000000000mBTC": maxMoney,
	} {
		if got, err := parseAmount(s); err != nil || got != want {
			t.Errorf("%s is %d, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "1", "25000", "0", "0.0", "0sat", "0btc", "-1sat", "-0.1", "+0.1", ".5", "1.", "1.5sat", "0.000000001", "1e3", "1e-3btc", "0x10sat",
		"1,5", "1 btc", " 1btc", "1btc ", "1 000sat", "1Mbtc", "1MBTC", "0.000001mBTC", "21000000001mBTC", "0mBTC", "1sats", "1bits", "NaN", "inf", "1.2.3", "21000001btc", "2100000000000001sat",
		"99999999999999999999sat", "99999999999999999999.0", "٣sat", "1\u00a0sat",
	} {
		if got, err := parseAmount(s); err == nil {
			t.Errorf("%q is taken for %d", s, got)
		}
	}
}

// What is shown is what is parsed, exactly.
func TestAmountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sat := rapid.Int64Range(1, maxMoney).Draw(t, "sat")
		text := display.Plain(sat)
		if got, err := parseAmount(text); err != nil || got != sat {
			t.Fatalf("%d is shown as %s and read as %d, %v", sat, text, got, err)
		}
	})
	for sat, want := range map[int64]string{1: "0.00000001", 100_000_000: "1.0", -25_000: "-0.00025", 150_000_000: "1.5"} {
		if s := display.Plain(sat); s != want {
			t.Errorf("%d is %s", sat, s)
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0.01", "1btc", "25000sat", "", ".", "9999999999999999999.99999999btc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := parseAmount(s); err == nil && (v < 1 || v > maxMoney) {
			t.Fatalf("%q is %d", s, v)
		}
		if v, err := parseFeeRate(s); err == nil && (v < 0.001 || v > 100_000 || math.IsNaN(v)) {
			t.Fatalf("%q is %v", s, v)
		}
	})
}

func TestParseFeeRate(t *testing.T) {
	for s, want := range map[string]float64{"1": 1, "2.5": 2.5, "0.001": 0.001, "100000": 100_000, "1.10": 1.1} {
		if got, err := parseFeeRate(s); err != nil || got != want {
			t.Errorf("%s is %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0", "0.0001", "-1", "1e3", "100001", "100000.001", "NaN", "1sat"} {
		if got, err := parseFeeRate(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

func TestParseRecipientAndCoin(t *testing.T) {
	r, err := parseRecipient("bcrt1qxyz=0.5")
	if err != nil || r.Address != "bcrt1qxyz" || r.Amount != 50_000_000 {
		t.Errorf("%+v %v", r, err)
	}
	for _, s := range []string{"", "=", "=1btc", "addr", "addr=", "addr=1", "addr=1btc=2btc"} {
		if got, err := parseRecipient(s); err == nil {
			t.Errorf("%q is taken for %+v", s, got)
		}
	}
	id := strings.Repeat("ab", 32)
	if _, err := parseOutPoint(id + ":4294967295"); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"", ":", id, id + ":", id + ":-1", id + ":4294967296", id[:63] + ":0", id[:63] + "g:0", strings.ToUpper(id) + ":0", id + ":0:0"} {
		if _, err := parseOutPoint(s); err == nil {
			t.Errorf("%q is taken for a coin", s)
		}
	}
}
