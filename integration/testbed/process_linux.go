// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import "syscall"

// dieWithParent makes the kernel kill the child when this program dies, by a panic or a kill -9 too. A process group of its
// own keeps a Ctrl-C in the terminal from reaching the child before this program has stopped it in order.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
