package ops

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// logChildEnv makes the test binary a node in the background that logs a lot, and panics.
const logChildEnv = "QUORATE_TEST_LOG"

func logChild(dir string) {
	l, ok := LogWriter(os.Stderr, dir).(*logFile)
	if !ok {
		panic("standard error is not the log")
	}
	l.most, l.kept = 1000, 2
	for n := range 200 {
		fmt.Fprintf(l, "line %04d\n", n)
		fmt.Fprintf(os.Stderr, "beside %04d\n", n)
	}
	panic("what it died of")
}

func openLog(t *testing.T, dir string) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, logName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// logs are the logs of a directory, the newest first.
func logs(t *testing.T, dir string) (out []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, logName+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		fi, err := os.Stat(name)
		if err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, fi.Mode(), err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

// The log of a node in the background stays below a size, the last lines are all there,
// in order, and what is written beside the log (a panic, above all) is in it.
func TestTheLogOfANodeIsPutAside(t *testing.T) {
	if !canTurn {
		t.Skip("there, no log is put aside")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env, cmd.Stderr = append(os.Environ(), logChildEnv+"="+dir), openLog(t, dir)
	if err := cmd.Run(); err == nil {
		t.Fatal("it did not panic")
	}
	all := logs(t, dir)
	if len(all) != 3 {
		t.Fatalf("%d files", len(all))
	}
	if !strings.Contains(all[0], "panic: what it died of") || !strings.Contains(all[0], "goroutine 1") {
		t.Errorf("the panic is not in the log, which is:\n%s", all[0])
	}
	var want strings.Builder
	for n := range 200 {
		fmt.Fprintf(&want, "line %04d\nbeside %04d\n", n, n)
	}
	written, _, _ := strings.Cut(all[2]+all[1]+all[0], "panic:")
	if len(written) < 2000 || !strings.HasSuffix(want.String(), written) {
		t.Errorf("the logs are not the last of what was written:\n%s", written)
	}
	for _, old := range all[1:] {
		if len(old) > 1000+len("beside 0000\n") { // which is not asked whether there is room
			t.Errorf("a log of %d bytes", len(old))
		}
	}
}

// Processes that write one log, as where a second node is started in a directory,
// lose no line, and put aside each log once.
func TestALogOfSeveralWriters(t *testing.T) {
	if !canTurn {
		t.Skip("there, no log is put aside")
	}
	dir := t.TempDir()
	var done sync.WaitGroup
	var writers [4]*logFile
	for w := range writers {
		writers[w] = LogWriter(openLog(t, dir), dir).(*logFile)
		writers[w].most, writers[w].kept = 200, 200
	}
	for w, l := range writers {
		done.Go(func() {
			for n := range 500 {
				if _, err := fmt.Fprintf(l, "%d %04d\n", w, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	seen := map[string]int{}
	all := logs(t, dir)
	for _, text := range all {
		for _, line := range strings.Fields(strings.ReplaceAll(text, " ", "-")) {
			seen[line]++
		}
		if len(text) == 0 {
			t.Error("an empty log was put aside")
		}
	}
	for w := range writers {
		for n := range 500 {
			if line := fmt.Sprintf("%d-%04d", w, n); seen[line] != 1 {
				t.Errorf("%s is there %d times", line, seen[line])
			}
		}
	}
	if len(all) < 5 {
		t.Errorf("%d logs", len(all))
	}
}

// A log that another program moves away is begun anew, what is put in its place is not
// written to where it leads elsewhere, and where it cannot be put aside it is written on.
func TestALogThatSomebodyElseMoves(t *testing.T) {
	if !canTurn {
		t.Skip("there, no log is put aside")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, logName)
	l := LogWriter(openLog(t, dir), dir).(*logFile)
	l.most, l.kept = 100, 1
	write := func(text string) {
		t.Helper()
		if _, err := l.Write([]byte(text)); err != nil {
			t.Error(err)
		}
	}
	holds := func(path, want string) {
		t.Helper()
		if b, err := os.ReadFile(path); err != nil || string(b) != want {
			t.Errorf("%s: %q %v, want %q", path, b, err, want)
		}
	}
	write("1\n")
	moved := filepath.Join(dir, "moved")
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	write("2\n")
	holds(moved, "1\n")
	holds(path, "2\n")

	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, path); err != nil {
		t.Fatal(err)
	}
	write("3\n")
	holds(other, "mine")
	holds(moved, "2\n3\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write("4\n")
	holds(path, "4\n")

	if err := os.Mkdir(path+".1", 0o700); err != nil { // nothing gets that name
		t.Fatal(err)
	}
	long := strings.Repeat("5", 150) + "\n"
	write(long)
	write(long)
	holds(path, "4\n"+long+long)
	if err := os.Remove(path + ".1"); err != nil {
		t.Fatal(err)
	}
	write("6\n")
	holds(path, "6\n")
}

// What is no log in the data directory is left as it is.
func TestAnotherStandardErrorIsLeft(t *testing.T) {
	dir := t.TempDir()
	openLog(t, dir)
	elsewhere := openLog(t, t.TempDir())
	if LogWriter(elsewhere, dir) != elsewhere {
		t.Error("a log elsewhere is put aside")
	}
	var b bytes.Buffer
	if LogWriter(&b, dir) != &b {
		t.Error("what is no file is put aside")
	}
}

// Why a node did not start is told where its log was put aside meanwhile, too.
func TestTheEndOfALogThatWasPutAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), logName)
	if err := os.WriteFile(path, []byte("the port is taken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := logEnd(path, 1<<20); got != "the port is taken" {
		t.Errorf("%q", got)
	}
}
