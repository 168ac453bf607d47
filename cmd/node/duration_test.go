package main

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"3d": 3 * day, "72h": 3 * day, "72h0m0s": 3 * day, "2w": 14 * day, "1w2d3h": 9*day + 3*time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "1s": time.Second, "0": 0, "-1h": -time.Hour,
	} {
		var s span
		if err := s.Set(text); err != nil || time.Duration(s) != want {
			t.Errorf("%q is %v, %v", text, time.Duration(s), err)
		}
	}
	for _, text := range []string{"", "3", "d", "3D", "3 d", "-3d", "d3", "3d3", "3d2w", "1.5d", "99999999d", "3days", "3d-1h1", "3d-1h", "9w9999d", "240000h"} {
		var s span
		if err := s.Set(text); err == nil {
			t.Errorf("%q is taken for %v", text, time.Duration(s))
		}
	}
}

func FuzzSpan(f *testing.F) {
	for _, s := range []string{"3d", "1w2d3h", "72h0m0s", "9999w99999d", "9w9999d", "239976h", "240000h", "d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s span
		if s.Set(text) != nil {
			return
		}
		back := s
		if err := back.Set(s.String()); err != nil || back != s {
			t.Fatalf("%q is %v, written %q, read %v, %v", text, time.Duration(s), s.String(), time.Duration(back), err)
		}
	})
}

func TestSpanRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := span(rapid.Int64Range(0, int64(366*24*time.Hour)).Draw(t, "ns"))
		var got span
		if err := got.Set(s.String()); err != nil || got != s {
			t.Fatalf("%v is written %q", time.Duration(s), s.String())
		}
	})
}
