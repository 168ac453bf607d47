//go:build unix

// Package apptest has what measurements of whole nodes share.
package apptest

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime is the processor time of all cores that this process has used, which
// other work on the machine disturbs less than the time that passes.
func CPUTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
