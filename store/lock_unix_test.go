//go:build unix

package store

import (
	"errors"
	"syscall"
	"testing"
)

// A process that is just being started has the open file too, until it runs its
// program: that must not keep the store locked.
func TestUnlockWhileFileIsShared(t *testing.T) {
	dir := t.TempDir()
	f, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(shared) }()
	if _, err := lockDir(dir); !errors.Is(err, ErrLocked) {
		t.Fatalf("a second lock: %v", err)
	}
	unlockDir(f)
	again, err := lockDir(dir)
	if err != nil {
		t.Fatalf("after unlocking: %v", err)
	}
	unlockDir(again)
}
