package app

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Harden keeps the memory of this process from being written to a disk: no core
// is dumped, and other processes of the same user cannot read or trace it. What
// it starts is limited in the same way. It returns what the system refused.
func Harden() error {
	return errors.Join(
		refused("limit core dumps", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})),
		refused("forbid tracing", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)))
}

// lockMemory keeps all memory of this process out of swap. It asks only where
// nothing limits how much may be locked: beyond a limit the process would be
// refused memory, and end.
func lockMemory() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return refused("lock memory", err)
	}
	if limit.Cur != unix.RLIM_INFINITY {
		limit.Cur = limit.Max
		if limit.Max != unix.RLIM_INFINITY {
			limit = unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		}
		if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
			return fmt.Errorf("lock memory: it is limited, and the limit cannot be raised: %w", err)
		}
	}
	return refused("lock memory", unix.Mlockall(unix.MCL_CURRENT|unix.MCL_FUTURE|unix.MCL_ONFAULT))
}

// locked moves a secret to memory of its own, which is neither swapped nor
// dumped where the system allows, and wipes what was given. What could not be
// had is in err; the secret is there all the same.
func locked(secret []byte) (moved []byte, err error) {
	page, err := unix.Mmap(-1, 0, len(secret), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return secret, refused("reserve locked memory", err)
	}
	err = errors.Join(refused("lock memory", unix.Mlock(page)), refused("leave memory out of dumps", unix.Madvise(page, unix.MADV_DONTDUMP)))
	copy(page, secret)
	clear(secret)
	return page[:len(secret):len(secret)], err
}

// unlocked wipes what locked returned, and gives it back.
func unlocked(secret []byte) {
	clear(secret)
	// What was not had from locked is no mapping, and is refused.
	_ = unix.Munmap(secret)
}

func refused(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
