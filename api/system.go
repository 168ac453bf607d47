package api

import (
	"errors"
	"io/fs"
	"syscall"
)

// refusal is what the operating system says, in words, and what helps.
type refusal struct {
	errno             syscall.Errno
	code, words, hint string
}

// refusals are those that are told apart. None of them says anything about what is
// stored.
func refusals() []refusal {
	const denied = "`ls -ln` shows whose it is: run the command as its owner, `sudo -u OWNER quorate …`"
	return []refusal{
		{syscall.EACCES, "permission_denied", "permission denied", denied},
		{syscall.EPERM, "permission_denied", "the system does not permit it", denied},
		{syscall.EROFS, "read_only", "the file system is read-only", "mount it writable, `mount -o remount,rw MOUNTPOINT`; a disk with errors becomes read-only by itself: `dmesg` says so"},
		{syscall.ENOSPC, "disk_full", "the disk is full", "free some space: `df -h` shows where"},
		{syscall.EDQUOT, "disk_full", "the quota of this user is used up", "free some space, or raise it: `quota` shows it"},
		{syscall.EMFILE, "too_many_open_files", "this process may open no more files", "raise its limit: `ulimit -n 65536`, or LimitNOFILE= in a systemd unit"},
		{syscall.ENFILE, "too_many_open_files", "the machine has too many files open", "end what holds them (`lsof`), or raise the limit: `sysctl fs.file-max`"},
		{syscall.EIO, "disk_error", "the disk could not be read or written", "copy the data directory to another disk before anything else; `dmesg` says what the disk told"},
		{syscall.ENOLCK, "no_locks", "the file system gives no locks", "move the data directory to a disk of this machine"},
	}
}

// System says what the operating system refused, in words of its own, and what helps:
// permission_denied, read_only, disk_full, too_many_open_files, disk_error or no_locks.
// what is what was not done. It returns nil for any other error.
func System(what string, err error) *Error {
	for _, r := range refusals() {
		if !errors.Is(err, r.errno) {
			continue
		}
		text := what + ": " + r.words
		var at *fs.PathError
		if errors.As(err, &at) {
			text += " (" + at.Path + ")"
		}
		return Fail(r.code, text, r.hint)
	}
	return nil
}
