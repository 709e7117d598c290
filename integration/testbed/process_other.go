// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package testbed

import "syscall"

// dieWithParent has no equivalent here: servers are stopped by Stop alone, or by a Ctrl-C that reaches them too.
func dieWithParent() *syscall.SysProcAttr { return nil }
