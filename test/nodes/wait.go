package nodes

import (
	"context"
	"testing"
	"time"
)

// slow is when a wait is worth a line in the log of a test.
const slow = 3 * time.Second

// Eventually polls until a condition holds, and fails the test where it does not
// within the World's patience.
func (w *World) Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Eventually(t, w.Patience, what, holds)
}

// Eventually polls until a condition holds, and fails the test where it does not
// within patience.
func Eventually(t testing.TB, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	defer func() {
		if took := time.Since(began); took > slow {
			t.Logf("%v until %s", took.Round(time.Millisecond), what)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !Poll(ctx, 20*time.Millisecond, holds) {
		t.Fatalf("not within %v: %s", patience, what)
	}
}

// Poll asks again and again, at this distance, until a condition holds; false
// where ctx ends before.
func Poll(ctx context.Context, every time.Duration, holds func() bool) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
