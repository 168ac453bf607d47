//go:build unix

package ops

import "syscall"

// apart starts a process that no terminal's end or interrupt reaches.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
