// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package child

import "syscall"

// dieWithParent has a process group of its own keep a Ctrl-C in the terminal from the child, which is stopped in order instead.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
