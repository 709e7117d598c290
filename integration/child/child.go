// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package child starts processes that do not outlive this program, however it ends.
package child

import (
	"os/exec"
	"runtime"
)

// Start starts a command that, on Linux, is killed when this program dies, by a panic or a kill -9 too. Then a goroutine calls
// wait, which must return only after cmd.Wait has. If the start fails, wait is not called.
func Start(cmd *exec.Cmd, wait func()) error {
	cmd.SysProcAttr = dieWithParent()
	started := make(chan error, 1)
	go func() {
		// The kernel signals the child when the *thread* that started it ends, so this goroutine
		// keeps its thread for as long as the child runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			wait()
		}
	}()
	return <-started
}
