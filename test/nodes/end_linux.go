package nodes

import (
	"os/exec"
	"syscall"
)

// endWithUs has the kernel kill a process when ours ends. It gets a group of its
// own, so that an interrupt from the terminal reaches the test alone, which ends
// its nodes in its own order.
func endWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
