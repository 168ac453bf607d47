//go:build unix

package ops

import (
	"os"

	"golang.org/x/sys/unix"
)

// canTurn says whether a file number can be given another file.
const canTurn = true

const noFollow = unix.O_NOFOLLOW

// duplicate gives the file number of to what from has open.
func duplicate(from, to *os.File) error { return unix.Dup2(int(from.Fd()), int(to.Fd())) }

// lockLog keeps other processes from putting a log aside. It does not wait.
func lockLog(f *os.File) (unlock func(), err error) {
	fd := int(f.Fd())
	// The lock is of the file that is open now, which the number soon is not of.
	own, err := unix.Dup(fd)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(own, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = unix.Close(own)
		return nil, err
	}
	return func() {
		_ = unix.Flock(own, unix.LOCK_UN)
		_ = unix.Close(own)
	}, nil
}
