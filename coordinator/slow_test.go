package coordinator

import "testing"

// slow leaves a test that folds very many entries, and starts no goroutine, to
// the run without the race detector, under which it takes ten times as long.
func slow(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("left to the run without the race detector")
	}
}
