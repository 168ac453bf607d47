//go:build !linux && !darwin

package store

// freeSpace does not know on this system.
func freeSpace(string) (free uint64, known bool, err error) { return 0, false, nil }
