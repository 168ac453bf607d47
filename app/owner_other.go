//go:build !unix

package app

import (
	"io/fs"
	"strconv"
)

// uidOf does not know on this system.
func uidOf(fs.FileInfo) (int, bool) { return 0, false }

func userName(uid int) string { return strconv.Itoa(uid) }
