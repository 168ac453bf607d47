package ops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/app"
)

// restoreChildEnv makes the test binary a process that restores into the
// directory, from the file, that it names.
const restoreChildEnv = "QUORATE_TEST_RESTORE"

func TestMain(m *testing.M) {
	if dir, file, ok := strings.Cut(os.Getenv(restoreChildEnv), ":"); ok {
		// The process that tests it may be gone before it can be killed.
		time.AfterFunc(time.Minute, func() { os.Exit(3) })
		if _, err := (restoreChild{dir, file}).run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(logChildEnv); dir != "" {
		logChild(dir)
	}
	os.Exit(m.Run())
}

type restoreChild struct{ dir, file string }

func (r restoreChild) run() (RestoreResult, error) {
	return Restore(context.Background(), restoreOptions(r.dir, r.file))
}

// A restore is killed at the n-th system call of each kind that changes files.
// What it leaves is a whole node, or none: then nothing starts, and the same
// restore makes it whole.
func TestRestoreIsKilled(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: nothing can be killed at a system call")
	}
	if out, err := exec.Command(strace, "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %v: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, group := stopped(t)
	file := filepath.Join(t.TempDir(), "b.age")
	if _, err := Backup(t.Context(), backupOptions(dir, file)); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "n")
	if _, err := (restoreChild{whole, file}).run(); err != nil {
		t.Fatal(err)
	}
	restored := group.String()[:8] + " restored"
	timeless := func(dir string) map[string]string {
		m := contents(t, dir)
		if m[restored] == "" {
			t.Error("the node does not know that it was restored: it would go on as the incarnation it was")
		}
		delete(m, restored)
		return m
	}
	want := timeless(whole)

	points := []int{1, 2, 3, 4, 6, 9, 14}
	calls := []string{"mkdirat", "renameat", "unlinkat", "ftruncate", "fsync", "msync", "write"}
	if testing.Short() {
		points, calls = points[:4], calls[:3]
	}
	killed, none, after := 0, 0, 0
	for _, call := range calls {
		for _, n := range points {
			at := filepath.Join(t.TempDir(), "n")
			cmd := exec.Command(strace, "-f", "-o", "/dev/null", "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), self)
			cmd.Env = append(os.Environ(), restoreChildEnv+"="+at+":"+file)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !(errors.As(err, &exit) && exit.ExitCode() != 3) {
				t.Fatalf("%s %d: %v: %s", call, n, err, out)
			}
			if err != nil {
				killed++
			}
			what := fmt.Sprintf("killed at %s %d", call, n)
			if _, err := os.Stat(filepath.Join(at, app.KeystoreName)); err == nil {
				after++
				if d := cmp.Diff(want, timeless(at)); d != "" {
					t.Errorf("%s: half a node that starts: %s", what, d)
				}
				if _, err := (restoreChild{at, file}).run(); codeOf(t, err) != "exists" {
					t.Errorf("%s: restored over a node: %v", what, err)
				}
				continue
			}
			none++
			if _, err := app.Unlock(at, "regtest", testPass); codeOf(t, err) != "not_initialized" {
				t.Errorf("%s: no keystore, and not refused: %v", what, err)
			}
			if _, err := (restoreChild{at, file}).run(); err != nil {
				left, _ := os.ReadDir(at)
				t.Errorf("%s: not restored again: %v: %v", what, err, left)
				continue
			}
			if d := cmp.Diff(want, timeless(at)); d != "" {
				t.Errorf("%s: restored again: %s", what, d)
			}
			if left, _ := os.ReadDir(at); len(left) != 3 {
				t.Errorf("%s: left behind: %v", what, left)
			}
		}
	}
	if killed == 0 || none == 0 || after == 0 {
		t.Errorf("%d killed, %d of them before and %d after there was a node: the points are badly chosen", killed, none, after)
	}
	t.Logf("%d of %d restores were killed, %d before there was a node", killed, len(calls)*len(points), none)
}

// What a restore did not write is never taken for what one left.
func TestRestoreLeavesWhatIsNotItsOwn(t *testing.T) {
	dir, _ := stopped(t)
	file := filepath.Join(t.TempDir(), "b.age")
	if _, err := Backup(t.Context(), backupOptions(dir, file)); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{"mine"}, {app.StoreName}, {app.ConfigName}, {app.ConfigName + ".AB.tmp"}, {restoringName, "mine"}, {restoringName, app.KeystoreName}, {restoringName, "keystore.old"}, {restoringName, "keystore.tmp"}} {
		at := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(at, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := (restoreChild{at, file}).run(); codeOf(t, err) != "exists" {
			t.Errorf("%v: %v", names, err)
		}
		if left, _ := os.ReadDir(at); len(left) != len(names) {
			t.Errorf("of %v are left %v", names, left)
		}
	}
}
