//go:build unix

package ops

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is the processor time of all cores that this process has used, which
// other work on the machine disturbs less than the time that passes.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
