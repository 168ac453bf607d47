package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// memoryLimit is where the garbage collector begins to work harder, in bytes.
	// Without it a process takes twice what lives, and a flood by a member
	// makes much that lives for a moment.
	memoryLimit = 320 << 20
	// memoryShare of what lives is what the limit leaves at least: a collector
	// that has no room takes half of the CPU.
	memoryShare = 1.25
	memoryLook  = 5 * time.Second
)

// limitMemory keeps the soft limit of the process where it helps and never
// hinders, until the context ends.
func limitMemory(ctx context.Context) {
	tick := time.NewTicker(memoryLook)
	defer tick.Stop()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for {
		metrics.Read(live)
		debug.SetMemoryLimit(limitFor(live[0].Value.Uint64()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// limitFor is the limit where so many bytes live.
func limitFor(live uint64) int64 {
	return max(memoryLimit, int64(float64(live)*memoryShare))
}
