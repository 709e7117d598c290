// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package compare measures ways to read recorded audit events, and shows what each takes for JSON. It is a module of its own, so
// that what it compares does not become a dependency.
//
//	cd internal/jsonscan/compare && go test -bench . -v
package compare
