package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/quorate/quorate/coordinator/port"
)

// Errors of a store, besides those of the port (port.ErrNotFound,
// port.ErrGuardConflict).
var (
	// ErrClosed is returned by every call on a store that was closed.
	ErrClosed = errors.New("store is closed")
	// ErrLocked is returned by Open while another store, in this process or
	// another one, holds the directory.
	ErrLocked = errors.New("store is in use by another process")
	// ErrKey is returned by Open when the key is not the one the store was
	// made with (or one of the two is missing).
	ErrKey = errors.New("wrong store key")
	// ErrNewer is returned by Open for a store written by a newer version.
	ErrNewer = errors.New("store was written by a newer version")
	// ErrUnclean is returned by OpenReadOnly for a store that was not closed in order:
	// what was written last is still to be taken in, which changes its files.
	ErrUnclean = errors.New("store was not closed in order")
	// ErrReadOnly is returned by Commit of a store that was opened for reading alone.
	ErrReadOnly = errors.New("store is open for reading alone")
	// ErrCorrupt is returned when stored data is not what was written. The
	// error names the entry or record.
	ErrCorrupt = errors.New("store is corrupt")
	// ErrTooBig is returned by Commit for a batch over the limits. Nothing was
	// written.
	ErrTooBig = errors.New("batch is too big")
	// ErrBatch is returned by Commit for a batch that makes no sense: an entry
	// of another group, an empty or overlong record key. Nothing was written.
	ErrBatch = errors.New("bad batch")
	// ErrBroken is returned by every call after a write or sync failed in a
	// way that leaves its outcome unknown. The process must restart.
	ErrBroken = errors.New("store is broken, restart the node")
)

// refusedBySystem are the answers of an operating system that say nothing about what
// is stored. The order matters: the text of one may begin another's.
func refusedBySystem() []syscall.Errno {
	return []syscall.Errno{
		syscall.ENFILE, syscall.EMFILE, syscall.EACCES, syscall.EPERM, syscall.EROFS,
		syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ENOLCK,
	}
}

// systemError tells what the operating system refused from damage: only bytes that were
// read and are wrong are corrupt. Badger (v4.9.6) does not wrap, so its text is searched.
func systemError(err error) error {
	for _, told := range []error{ErrLocked, ErrKey, ErrNewer, port.ErrNoSpace} {
		if errors.Is(err, told) {
			return err
		}
	}
	for _, n := range refusedBySystem() {
		if errors.Is(err, n) && !errors.Is(err, ErrCorrupt) {
			return err
		}
		if errors.Is(err, n) || strings.Contains(err.Error(), n.Error()) {
			return fmt.Errorf("the operating system refused: %s: %w", strings.ReplaceAll(err.Error(), ErrCorrupt.Error()+": ", ""), n)
		}
	}
	return err
}
