//go:build unix

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/quorate/quorate/store"
)

// nobody is another user than root.
const nobody = 65534

// deniedChild opens a store as nobody, with so many files at most (0: as many as the
// system lets), and tells what became of it.
func deniedChild(dir, most string) error {
	n, err := strconv.ParseUint(most, 10, 32)
	if err != nil {
		return err
	}
	if n > 0 {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	for _, become := range []func() error{
		func() error { return syscall.Setgroups(nil) }, func() error { return syscall.Setgid(nobody) }, func() error { return syscall.Setuid(nobody) },
	} {
		if err := become(); err != nil {
			return err
		}
	}
	s, err := store.Open(dir, testKey(), slog.New(slog.DiscardHandler))
	if err == nil {
		err = s.Close()
	}
	fmt.Printf("denied=%v many=%v readonly=%v corrupt=%v %v\n", errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.EROFS), errors.Is(err, store.ErrCorrupt), err)
	return nil
}

// A store whose files a user may not open, or not all of them at once, is not corrupt.
func TestAStoreThatMayNotBeOpened(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	above, err := os.MkdirTemp("", "quorate-denied")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(above) })
	if err := os.Chmod(above, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(above, "store")
	mustClose(t, openBadger(t, dir, testKey()))
	give := func(path string, uid int) {
		t.Helper()
		if err := os.Chown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	give(dir, nobody)
	names := files(t, dir)
	for _, name := range names {
		give(filepath.Join(dir, name), nobody)
	}
	ask := func(most int) string {
		cmd := childCommand(t, "denied", dir, strconv.Itoa(most))
		var told bytes.Buffer
		cmd.Stderr = &told
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("child: %v: %s%s", err, out, &told)
		}
		return string(out)
	}
	if got := ask(0); !strings.Contains(got, "denied=false many=false readonly=false corrupt=false <nil>") {
		t.Fatalf("its own: %s", got)
	}
	denied := 0
	for _, name := range files(t, dir) {
		path := filepath.Join(dir, name)
		give(path, 0)
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		got := ask(0)
		give(path, nobody)
		if strings.Contains(got, "<nil>") {
			continue
		}
		denied++
		if !strings.HasPrefix(got, "denied=true many=false readonly=false corrupt=false") {
			t.Errorf("%s of another user: %s", name, got)
		}
	}
	if denied < 4 {
		t.Errorf("%d of %d files are needed", denied, len(names))
	}
	many := 0
	for most := 5; most < 40; most++ {
		got := ask(most)
		if strings.Contains(got, "<nil>") {
			continue
		}
		many++
		if !strings.HasPrefix(got, "denied=false many=true readonly=false corrupt=false") {
			t.Errorf("with %d files at most: %s", most, got)
		}
	}
	if many == 0 {
		t.Error("any number of files is enough")
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if got := ask(0); !strings.HasPrefix(got, "denied=true many=false readonly=false corrupt=false") {
		t.Errorf("a directory that may not be written: %s", got)
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
