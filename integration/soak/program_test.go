// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package soak

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/collector"
)

const root = "../.."

// program is one of the examples, running.
type program struct {
	t *testing.T
	*collector.Collector
}

// start runs an example of config-examples until the test ends.
func start(t *testing.T, config string, env, set []string) *program {
	t.Helper()
	return &program{t, collector.ForTest(t, collector.Options{Root: root, Config: filepath.Join("config-examples", config), Env: env, Set: set})}
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, syscall.Kill(p.Pid(), s))
}
