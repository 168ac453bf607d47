//go:build !unix

package ops

import "syscall"

func apart() *syscall.SysProcAttr { return nil }
