package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Badger's files that hold transactions.
func isLogFile(name string) bool {
	return strings.HasSuffix(name, ".mem") || strings.HasSuffix(name, ".vlog")
}

// spareFiles is how many files Badger opens beside those that are there: new logs and
// tables, and directories while it syncs them.
const spareFiles = 16

// checkAccess opens what there is, all of it at once, and some more: where Badger
// (v4.9.6) may not, or may no further, it ends the process at some files. flag says
// for what: os.O_RDWR or os.O_RDONLY.
func checkAccess(dir string, flag int) (err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list store: %w", err)
	}
	var held []*os.File
	defer func() {
		for _, h := range held {
			_ = h.Close() // nothing was written
		}
	}()
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue
		}
		h, err := os.OpenFile(filepath.Join(dir, f.Name()), flag, 0)
		if err != nil {
			return fmt.Errorf("open store: %w", err)
		}
		held = append(held, h)
	}
	for range spareFiles {
		h, err := os.Open(dir)
		if err != nil {
			return fmt.Errorf("open store: %w", err)
		}
		held = append(held, h)
	}
	return nil
}

// checkClosed returns ErrUnclean where Badger left what it takes in at the next start:
// the log of a memtable, which it removes as it closes, or a note of ours.
func checkClosed(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list store: %w", err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".mem") || f.Name() == noteName {
			return fmt.Errorf("%w: %s is there", ErrUnclean, f.Name())
		}
		if !isLogFile(f.Name()) {
			continue
		}
		if info, err := f.Info(); err != nil {
			return fmt.Errorf("look at log file: %w", err)
		} else if info.Size() == 0 {
			return fmt.Errorf("%w: %s is empty", ErrUnclean, f.Name())
		}
	}
	return nil
}

// dropEmptyLogs removes log files without a byte. Badger leaves one behind when
// it is killed between creating and sizing a log, or between emptying and
// removing it, and then cannot be opened (v4.9.6: "Create a new file").
func dropEmptyLogs(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list store: %w", err)
	}
	for _, f := range files {
		if !isLogFile(f.Name()) {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return fmt.Errorf("look at log file: %w", err)
		}
		if info.Size() > 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("remove empty log file: %w", err)
		}
	}
	return nil
}

// logNames knows which log files have a durable name. Badger syncs a new log
// file, but not the directory that names it.
type logNames struct {
	mu   sync.Mutex
	dir  *os.File
	seen map[string]bool
}

func openLogNames(dir string) (*logNames, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open store directory: %w", err)
	}
	return &logNames{dir: d, seen: make(map[string]bool)}, nil
}

// sync syncs the directory if there is a log file it has not seen.
func (l *logNames) sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.dir.Seek(0, 0); err != nil {
		return fmt.Errorf("rewind store directory: %w", err)
	}
	names, err := l.dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("list store: %w", err)
	}
	now := make(map[string]bool, len(l.seen))
	fresh := false
	for _, name := range names {
		if isLogFile(name) {
			now[name] = true
			fresh = fresh || !l.seen[name]
		}
	}
	if fresh {
		if err := l.dir.Sync(); err != nil {
			return fmt.Errorf("sync store directory: %w", err)
		}
	}
	l.seen = now
	return nil
}

func (l *logNames) close() { _ = l.dir.Close() }
