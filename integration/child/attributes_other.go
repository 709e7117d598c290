// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package child

import "syscall"

// dieWithParent has no equivalent here: the child ends when it is stopped, or by a Ctrl-C that reaches it too.
func dieWithParent() *syscall.SysProcAttr { return nil }
