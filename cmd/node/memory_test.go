package main

import "testing"

// The soft limit of the memory never leaves the collector without room.
func TestMemoryLimitFollowsWhatLives(t *testing.T) {
	for live, want := range map[uint64]int64{0: 320 << 20, 40 << 20: 320 << 20, 256 << 20: 320 << 20, 400 << 20: 500 << 20, 4 << 30: 5 << 30} {
		if got := limitFor(live); got != want {
			t.Errorf("with %d MiB alive the limit is %d MiB, want %d", live>>20, got>>20, want>>20)
		}
	}
}
