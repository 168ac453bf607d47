package store_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/quorate/quorate/store"
)

// A process is killed at random points, 20 times over one store, while four
// writers commit. What it acknowledged is there after each kill and to the end.
func TestKilled(t *testing.T) {
	t.Parallel()
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	told := make([]acks, rounds)
	total := 0
	for round := range told {
		cmd := childCommand(t, "endless", dir, fmt.Sprint(round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(out)
		// Often in the first commits after opening, at times much later.
		until := 1 + rnd.IntN(1+rnd.IntN(80))
		if got := told[round].read(t, r, until); got < until {
			t.Fatalf("child ended by itself after %d acknowledgements", got)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		total += until + told[round].read(t, r, -1)
		_ = cmd.Wait() // says that it was killed

		s := openBadger(t, dir, testKey())
		for _, wrong := range told[round].check(t, s, byte(round)) {
			t.Errorf("round %d: %s", round, wrong)
		}
		mustClose(t, s)
	}
	s := openBadger(t, dir, testKey())
	for round := range told {
		for _, wrong := range told[round].check(t, s, byte(round)) {
			t.Errorf("round %d, at the end: %s", round, wrong)
		}
	}
	t.Logf("%d acknowledged batches in %d rounds", total, rounds)
}

// The same with a kill at the n-th system call of each kind that changes files:
// while a new store is made, while logs are renewed, while it is closed.
func TestKilledAtSystemCall(t *testing.T) {
	t.Parallel()
	strace := findStrace(t)
	points := []int{1, 2, 3, 5, 8, 15}
	calls := []string{"openat", "ftruncate", "msync", "fsync", "unlinkat", "renameat", "write", "close"}
	if testing.Short() {
		points, calls = points[:3], calls[:4]
	}
	killed := 0
	for _, call := range calls {
		for _, n := range points {
			dir := filepath.Join(t.TempDir(), "store")
			cmd := childCommand(t, "some", dir, "0", strace, "-f", "-o", "/dev/null",
				"-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n))
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var told acks
			told.read(t, bufio.NewReader(out), -1)
			var exit *exec.ExitError
			if err := cmd.Wait(); err != nil {
				if !asExit(err, &exit) || exit.ExitCode() == 3 {
					t.Fatalf("%s %d: child: %v", call, n, err)
				}
				killed++
			}
			s, err := store.Open(dir, testKey(), quiet(t))
			if err != nil {
				t.Errorf("killed at %s %d: %v", call, n, err)
				continue
			}
			for _, wrong := range told.check(t, s, 0) {
				t.Errorf("killed at %s %d: %s", call, n, wrong)
			}
			mustClose(t, s)
		}
	}
	if killed == 0 {
		t.Error("nothing was killed")
	}
	t.Logf("%d of %d runs were killed", killed, len(calls)*len(points))
}
