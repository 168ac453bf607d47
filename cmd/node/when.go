package main

import (
	"fmt"
	"time"
)

// whenFrom shows a time in UTC, to the minute, and how far that is from now in words:
// "2026-12-01 20:05 UTC (in 2 days)".
func whenFrom(t, now time.Time) string {
	return t.UTC().Format("2006-01-02 15:04 UTC") + " (" + away(t, now) + ")"
}

// away says in words how far a time is from now: "in 2 days", "5 minutes ago".
func away(t, now time.Time) string {
	switch d := t.Sub(now); {
	case d > -time.Second && d < time.Second:
		return "now"
	case d > 0:
		return "in " + spanText(d)
	default:
		return spanText(-d) + " ago"
	}
}

// spanText shows a length of time by its largest unit, and by the next one below where
// the first is small: "45 seconds", "3 hours 20 minutes", "2 days".
func spanText(d time.Duration) string {
	units := []struct {
		of   time.Duration
		name string
	}{{365 * 24 * time.Hour, "year"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}
	for i, u := range units {
		n := d / u.of
		if n == 0 && i+1 < len(units) {
			continue
		}
		out := plural(int64(n), u.name)
		if i+1 < len(units) && n < 5 {
			if rest := (d - n*u.of) / units[i+1].of; rest > 0 {
				out += " " + plural(int64(rest), units[i+1].name)
			}
		}
		return out
	}
	return ""
}

func plural(n int64, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
