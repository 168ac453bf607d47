package signer

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"golang.org/x/sys/unix"
)

// allowed says whether the process at the other end may ask, by its user as the
// kernel knows it.
func allowed(c net.Conn, users []uint32) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return errors.New("not a Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return fmt.Errorf("look who asks: %w", err)
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return fmt.Errorf("look who asks: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("look who asks: %w", failed)
	}
	if !slices.Contains(users, cred.Uid) {
		return fmt.Errorf("user %d is not among those allowed", cred.Uid)
	}
	return nil
}
