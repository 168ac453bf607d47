package main

import (
	"testing"
	"time"
)

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 29, 20, 5, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "now", 48 * time.Hour: "in 2 days", 49 * time.Hour: "in 2 days 1 hour", -90 * time.Minute: "1 hour 30 minutes ago", 10 * 24 * time.Hour: "in 10 days",
		45 * time.Second: "in 45 seconds", -61 * time.Second: "1 minute 1 second ago", 400 * 24 * time.Hour: "in 1 year 35 days", time.Hour - time.Second: "in 59 minutes",
	} {
		if got := away(now.Add(d), now); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	if got := whenFrom(now.Add(48*time.Hour), now); got != "2026-12-01 20:05 UTC (in 2 days)" {
		t.Error(got)
	}
}
