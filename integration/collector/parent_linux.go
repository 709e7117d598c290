// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "syscall"

// dieWithParent makes the kernel kill the child when this program dies, however it does. A process group of its own keeps
// a Ctrl-C in the terminal from the child, which is stopped in order instead.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
