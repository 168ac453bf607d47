//go:build unix

package app

import (
	"io/fs"
	"os/user"
	"strconv"
	"syscall"
)

// uidOf is the owner of a file.
func uidOf(fi fs.FileInfo) (int, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

// userName is the name of a user, or the number where there is none: sudo takes it
// as #NUMBER.
func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "'#" + id + "'"
}
