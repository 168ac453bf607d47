package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func asExit(err error, exit **exec.ExitError) bool { return errors.As(err, exit) }

func findStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: system calls are not looked at")
	}
	// It may be there and not be allowed to trace.
	if out, err := exec.Command(path, "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %v: %s", err, out)
	}
	return path
}

// Before each acknowledgement there is a completed msync(MS_SYNC) of the whole
// map of the newest log file, begun after the acknowledgement before; and the
// directory is synced after a log file was made.
func TestSyncedBeforeAcknowledged(t *testing.T) {
	t.Parallel()
	strace := findStrace(t)
	tr := traceChild(t, strace, "some")
	for _, wrong := range tr.wrong {
		t.Error(wrong)
	}
	if tr.acks != 60 || tr.logs < 2 {
		t.Errorf("the trace has %d acknowledgements and %d log files", tr.acks, tr.logs)
	}
	// The check notices a store that does not sync.
	if tr := traceChild(t, strace, "some-nosync"); tr.acks != 60 || len(tr.wrong) < 50 {
		t.Errorf("without syncs the check finds %d faults in %d commits", len(tr.wrong), tr.acks)
	}
}

// A sync that fails is never acknowledged, breaks the store for good, and what
// was acknowledged before is there for the next process.
func TestFailedSync(t *testing.T) {
	t.Parallel()
	strace := findStrace(t)
	for _, fail := range []string{"msync:error=EIO:when=25+", "msync:error=ENOSPC:when=40", "fsync:error=EIO:when=6+"} {
		t.Run(fail, func(t *testing.T) {
			dir := t.TempDir()
			cmd := childCommand(t, "broken", dir, "0", strace, "-f", "-o", "/dev/null", "-e", "trace=msync,fsync", "-e", "inject="+fail)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("child: %v: %s", err, out)
			}
			at := strings.Index(string(out), "commit: ")
			if at < 0 {
				t.Fatalf("no commit failed: %s", out)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(out[at:])), "\n") {
				if !strings.Contains(line, ": broken true") {
					t.Errorf("child says %q", line)
				}
			}
			var told acks
			told.read(t, bufio.NewReader(strings.NewReader(string(out[:at]))), -1)
			if told[0] == 0 {
				t.Error("nothing was acknowledged before the failure")
			}
			s := openBadger(t, dir, testKey())
			for _, wrong := range told.check(t, s, 0) {
				t.Error(wrong)
			}
		})
	}
}

// A table that cannot be written once the store is broken by something else is
// taken back by Badger like any other: the next process opens what is there.
func TestFailedTableAfterBreak(t *testing.T) {
	t.Parallel()
	strace := findStrace(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// Made before: strace finds a path only if it is there.
	mustClose(t, openBadger(t, dir, testKey()))
	out := runChild(t, "before", dir, strace, "-f", "-o", "/dev/null", "-P", filepath.Join(dir, "MANIFEST"),
		"-e", "trace=fsync", "-e", "inject=fsync:error=EIO")
	var told acks
	told.read(t, bufio.NewReader(strings.NewReader(out)), -1)
	if told[0] != 4 {
		t.Fatalf("child says %q", out)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "MANIFEST"))
	if err != nil {
		t.Fatal(err)
	}
	if tables, err := filepath.Glob(filepath.Join(dir, "*.sst")); err != nil || len(raw) < 20 || len(tables) > 1 {
		t.Fatalf("no table was taken back: MANIFEST of %d bytes, tables %v, %v", len(raw), tables, err)
	}
	s := openBadger(t, dir, testKey())
	for _, wrong := range told.check(t, s, 0) {
		t.Error(wrong)
	}
}

// A change of the MANIFEST that fails and is done again leaves a store that opens,
// whatever Badger was doing when the process ended.
func TestFailedChangeDoneAgain(t *testing.T) {
	t.Parallel()
	strace := findStrace(t)
	for _, fail := range []string{"2", "3", "3+2"} { // counted in each thread
		t.Run(fail, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			mustClose(t, openBadger(t, dir, testKey()))
			out := runChild(t, "retried", dir, strace, "-f", "-o", "/dev/null", "-P", filepath.Join(dir, "MANIFEST"),
				"-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when="+fail)
			acked, rest, broken := strings.Cut(out, "commit: broken true")
			if !broken || strings.Contains(rest, "broken false") {
				t.Fatalf("child says %q", out)
			}
			var told acks
			told.read(t, bufio.NewReader(strings.NewReader(acked)), -1)
			s := openBadger(t, dir, testKey())
			for _, wrong := range told.check(t, s, 0) {
				t.Error(wrong)
			}
		})
	}
}

// trace is what a run of a child did, as strace saw it.
type trace struct {
	acks, logs int
	wrong      []string

	maps      map[string]string // address of a map -> log file
	newest    string
	synced    bool // the newest log, since the last acknowledgement
	nameOwed  bool // a log file was made and the directory not synced since
	lastAck   int  // line
	startedAt map[string]int
}

var (
	madeLog    = regexp.MustCompile(`^openat\(.*/(\d+\.mem)", O_RDWR\|O_CREAT.*\) = \d+`)
	mappedLog  = regexp.MustCompile(`^mmap\(NULL, \d+, PROT_READ\|PROT_WRITE, MAP_SHARED, \d+<.*/(\d+\.mem)>, 0\) = (0x[0-9a-f]+)`)
	syncedMap  = regexp.MustCompile(`^msync\((0x[0-9a-f]+), (\d+), MS_SYNC\) = 0`)
	syncedFile = regexp.MustCompile(`^fsync\(\d+<(.*)>\) = 0`)
	acked      = regexp.MustCompile(`^write\(1<.*>, "ack 0 (\d+)`)
	resumed    = regexp.MustCompile(`^<\.\.\. \w+ resumed>`)
	logSize    = "16777216" // twice the memtable
)

func traceChild(t *testing.T, strace, mode string) *trace {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trace")
	out := runChild(t, mode, dir, strace, "-f", "-y", "-o", file, "-e", "trace=openat,mmap,msync,fsync,write")
	if strings.Contains(out, "child") {
		t.Fatalf("child says %q", out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trace{maps: map[string]string{}, startedAt: map[string]int{}}
	pending := map[string]string{} // by thread: a call that has not returned
	for i, line := range strings.Split(string(raw), "\n") {
		thread, call, _ := strings.Cut(line, " ")
		call = strings.TrimSpace(call)
		began := i
		if head, ok := strings.CutSuffix(call, " <unfinished ...>"); ok {
			pending[thread] = head
			tr.startedAt[thread] = i
			// A write to the pipe may be read at once: it counts from its begin.
			tr.ack(head, i)
			continue
		}
		if loc := resumed.FindStringIndex(call); loc != nil {
			call = pending[thread] + call[loc[1]:]
			began = tr.startedAt[thread]
		} else {
			tr.ack(call, i)
		}
		// strace pads before the result.
		call = regexp.MustCompile(`\)\s+= `).ReplaceAllString(call, ") = ")
		tr.done(call, began, dir)
	}
	return tr
}

// ack looks at an acknowledgement as it begins.
func (tr *trace) ack(call string, line int) {
	m := acked.FindStringSubmatch(call)
	if m == nil {
		return
	}
	tr.acks++
	if !tr.synced {
		tr.wrong = append(tr.wrong, fmt.Sprintf("batch %s is acknowledged before %s is synced", m[1], tr.newest))
	}
	if tr.nameOwed {
		tr.wrong = append(tr.wrong, fmt.Sprintf("batch %s is acknowledged before the name of %s is synced", m[1], tr.newest))
	}
	tr.synced, tr.lastAck = false, line
}

// done looks at a call that has returned, and began at a line.
func (tr *trace) done(call string, began int, dir string) {
	if m := madeLog.FindStringSubmatch(call); m != nil {
		tr.logs++
		tr.newest, tr.nameOwed = m[1], true
	}
	if m := mappedLog.FindStringSubmatch(call); m != nil {
		tr.maps[m[2]] = m[1]
	}
	if m := syncedMap.FindStringSubmatch(call); m != nil && tr.maps[m[1]] == tr.newest && m[2] == logSize && began > tr.lastAck {
		tr.synced = true
	}
	if m := syncedFile.FindStringSubmatch(call); m != nil && m[1] == dir {
		tr.nameOwed = false
	}
}
