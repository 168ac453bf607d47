package store_test

import (
	"bufio"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/quorate/quorate/store"
)

// The power is cut while a process commits: its disk is a file under a loop
// device, and a copy of that file holds what had been written to the disk at
// that moment and nothing of what was only in the page cache above it. Whatever
// was acknowledged before the cut must be in the copy, and no part of a batch
// alone.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("copies disks")
	}
	lost, cuts := powerCuts(t, "endless", 8)
	if lost != 0 {
		t.Errorf("%d of %d power cuts lost something", lost, cuts)
	}
	t.Logf("%d power cuts", cuts)
}

// The same notices a store that does not sync.
func TestPowerCutWithoutSync(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("copies disks")
	}
	// Not every cut: writing out a full memtable syncs a table.
	if lost, cuts := powerCuts(t, "endless-nosync", 4); lost == 0 {
		t.Errorf("without syncs none of %d power cuts lost anything", cuts)
	}
}

func powerCuts(t *testing.T, mode string, times int) (lost, cuts int) {
	// The file system's own timer must not write in the midst of a copy.
	image := diskImage(t, "384M")
	disk := mount(t, "-o", "loop,commit=300", image)
	cmd := childCommand(t, mode, filepath.Join(disk, "store"), "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	}()
	r := bufio.NewReader(out)
	rnd := rand.New(rand.NewPCG(3, 4))
	var told acks
	for range times {
		until := 1 + rnd.IntN(40)
		if got := told.read(t, r, until); got < until {
			t.Fatalf("child ended by itself after %d acknowledgements", got)
		}
		copied := filepath.Join(t.TempDir(), "disk")
		stopped(t, cmd, func() {
			if out, err := exec.Command("cp", "--sparse=always", image, copied).CombinedOutput(); err != nil {
				t.Fatalf("copy disk: %v: %s", err, out)
			}
			cuts++
			after := mount(t, "-o", "loop", copied)
			if wrong := inspect(t, filepath.Join(after, "store"), told); len(wrong) > 0 {
				lost++
				t.Logf("cut %d: %v", cuts, wrong)
			}
		})
	}
	return lost, cuts
}

// stopped runs f while a process stands still, even within system calls.
func stopped(t *testing.T, cmd *exec.Cmd, f func()) {
	t.Helper()
	pid := cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("child did not stop: %v %v", status, err)
	}
	f()
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

func inspect(t *testing.T, dir string, told acks) []string {
	s, err := store.Open(dir, testKey(), quiet(t))
	if err != nil {
		return []string{err.Error()}
	}
	defer mustClose(t, s)
	return told.checkAtLeast(t, s)
}
