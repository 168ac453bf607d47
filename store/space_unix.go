//go:build linux || darwin

package store

import "golang.org/x/sys/unix"

// freeSpace returns the bytes that this user may still write below dir.
func freeSpace(dir string) (free uint64, known bool, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false, err
	}
	return st.Bavail * uint64(st.Bsize), true, nil
}
