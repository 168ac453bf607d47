//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir takes the lock of a store for this process. It ends with the process.
func lockDir(dir string) (*os.File, error) { return lockFile(dir, os.O_CREATE|os.O_RDWR) }

// lockThere is lockDir where the file is there already: it makes none.
func lockThere(dir string) (*os.File, error) { return lockFile(dir, os.O_RDONLY) }

func lockFile(dir string, flags int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock store: %w", err)
	}
	return f, nil
}

// unlockDir gives the lock back. Closing alone would not: a process that another
// goroutine is just starting holds the open file until it runs its program.
func unlockDir(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	_ = f.Close()
}
