package main

import "golang.org/x/sys/unix"

// noEcho keeps a terminal from showing what is typed, already before a question for a
// secret is on the screen: people type ahead.
func noEcho(fd int) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return // then it is as without this
	}
	t.Lflag &^= unix.ECHO
	_ = unix.IoctlSetTermios(fd, unix.TCSETS, t)
}
