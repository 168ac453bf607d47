//go:build unix

package ceiling

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// lock waits until no other process is at the file.
func (f *file) lock() (unlock func(), err error) {
	if err := unix.Flock(int(f.f.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock what was signed: %w", err)
	}
	return func() { _ = unix.Flock(int(f.f.Fd()), unix.LOCK_UN) }, nil
}
