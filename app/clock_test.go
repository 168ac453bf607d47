package app

import (
	"testing"
	"time"
)

// A clock may be behind a median time by as much as the network lets blocks be ahead.
func TestAClockThatIsBehindTheChain(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for ahead, want := range map[time.Duration]time.Duration{
		-24 * time.Hour: 0, 0: 0, chainAhead: 0, chainAhead + time.Second: time.Second, 26 * time.Hour: 24 * time.Hour,
	} {
		if got := behindBy(now.Add(ahead).Unix(), now); got != want {
			t.Errorf("a median time %v ahead: %v behind, want %v", ahead, got, want)
		}
	}
	if got := behindBy(0, now); got != 0 {
		t.Errorf("no block yet: %v behind", got)
	}
}
