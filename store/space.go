package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/quorate/quorate/coordinator/port"
)

const (
	// SpaceReserve is what must stay free on the disk for Open and Commit, in
	// bytes: a full memtable's log and table (16 MiB), and a compaction of
	// level 0 into the next level (three tables of 8 MiB with 10 MiB below, read
	// and written anew).
	SpaceReserve = 64 << 20
	// ballastSize is what Close may need when the disk is full: the memtable
	// as a table (8 MiB), its index, and Badger's small files.
	ballastSize = 16 << 20

	ballastName = "ballast"
)

// checkSpace returns port.ErrNoSpace unless want bytes are free.
func checkSpace(dir string, want uint64) error {
	free, known, err := freeSpace(dir)
	if err != nil {
		return fmt.Errorf("look for free space: %w", err)
	}
	if known && free < want {
		return fmt.Errorf("%w: %d MiB are free for the store, %d MiB are needed",
			port.ErrNoSpace, free>>20, (want+1<<20-1)>>20)
	}
	return nil
}

// Space says how many bytes are free for the store, and below how many it refuses to
// write; known is false where the system does not tell.
func (s *Badger) Space() (free, need uint64, known bool) {
	free, known, err := freeSpace(s.dir)
	return free, s.reserve, known && err == nil
}

// addBallast takes up space that dropBallast gives back.
func addBallast(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, ballastName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open ballast: %w", err)
	}
	err = fillBallast(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("allocate ballast: %w", err)
	}
	return nil
}

func fillBallast(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == ballastSize {
		return err
	}
	if err := allocate(f, ballastSize); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < ballastSize; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, off); err != nil {
			return err
		}
	}
	return f.Sync()
}

func dropBallast(dir string) error {
	err := os.Remove(filepath.Join(dir, ballastName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove ballast: %w", err)
	}
	// The blocks are free once the removal is on disk.
	return syncDir(dir)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
