// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin

package servers

import "context"

// lock does nothing here: two processes that build the same server do the work twice, and the second one's rename fails.
func lock(context.Context, string) (unlock func(), err error) {
	return func() {}, nil
}
