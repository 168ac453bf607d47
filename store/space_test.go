package store_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store/storetest"
)

// fill takes all the space there is, and returns what gives it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "fill")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	_ = f.Sync() // with what is left of the disk
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	for name, disk := range map[string]func(*testing.T) string{
		"tmpfs": func(t *testing.T) string { return mount(t, "-t", "tmpfs", "-o", "size=160m", "tmpfs") },
		"ext4":  func(t *testing.T) string { return mount(t, "-o", "loop", diskImage(t, "192M")) },
	} {
		t.Run(name, func(t *testing.T) {
			at := disk(t)
			dir := filepath.Join(at, "store")
			g := storetest.Group(1)
			a := storetest.NewAuthor(t, g, 1, 1)
			s := openBadger(t, dir, testKey())
			var held []*journal.Entry
			add := func(e *journal.Entry) error {
				return s.Commit(t.Context(), port.Batch{
					Group: g, Entries: []*journal.Entry{e}, Puts: map[string][]byte{"last": make([]byte, 2<<20)},
					Guard: []port.GuardUpdate{storetest.Sign(uint32(e.Position().Seq), 1)},
				})
			}
			check := func() {
				t.Helper()
				n := 0
				err := s.Walk(t.Context(), g, func(e *journal.Entry) error {
					if e.ID() != held[n].ID() {
						return errors.New("another entry")
					}
					n++
					return nil
				})
				if err != nil || n != len(held) {
					t.Fatalf("%d of %d entries: %v", n, len(held), err)
				}
				if guard, err := s.Guard(t.Context()); err != nil || len(guard) != len(held) {
					t.Fatalf("%d of %d guard records: %v", len(guard), len(held), err)
				}
			}
			for round := range 3 {
				e := a.Entry(1000)
				free := fill(t, at)
				if err := add(e); !errors.Is(err, port.ErrNoSpace) {
					t.Fatalf("round %d: commit on a full disk: %v", round, err)
				}
				check()
				if round == 1 {
					// There is room for an orderly end, not for a new start.
					mustClose(t, s)
					wantOpenErr(t, dir, testKey(), port.ErrNoSpace)
				}
				free()
				if round == 1 {
					s = openBadger(t, dir, testKey())
					check()
				}
				if err := add(e); err != nil {
					t.Fatalf("round %d: commit with space again: %v", round, err)
				}
				held = append(held, e)
				check()
			}
			mustClose(t, s)
			if info, err := os.Stat(filepath.Join(dir, "ballast")); err != nil || info.Size() != 16<<20 {
				t.Errorf("ballast: %v", err)
			}
		})
	}
}

// Where the reserve is not there (another program took it at the wrong moment)
// the process dies or breaks, and lies about nothing: all that was
// acknowledged is there when there is space again.
func TestDiskFullWithoutReserve(t *testing.T) {
	t.Parallel()
	disk := mount(t, "-t", "tmpfs", "-o", "size=64m", "tmpfs")
	dir := filepath.Join(disk, "store")
	cmd := childCommand(t, "endless-noreserve", dir, "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told acks
	r := bufio.NewReader(out)
	for {
		// It ends by itself, perhaps with a last word.
		line, err := r.ReadString('\n')
		if err == io.EOF {
			break
		}
		if strings.HasPrefix(line, "ack ") {
			told.line(t, line)
		} else {
			t.Logf("its last word: %s", line)
		}
	}
	err = cmd.Wait()
	if err == nil {
		t.Fatal("child found space without an end")
	}
	t.Logf("the process ended by: %v", err)
	if told[0] == 0 {
		t.Error("nothing was acknowledged before the disk was full")
	}
	if out, err := exec.Command("mount", "-o", "remount,size=400m", disk).CombinedOutput(); err != nil {
		t.Skipf("remount: %v: %s", err, out)
	}
	s := openBadger(t, dir, testKey())
	for _, wrong := range told.check(t, s, 0) {
		t.Error(wrong)
	}
	mustClose(t, s)
}
