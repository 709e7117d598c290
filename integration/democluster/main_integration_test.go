// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package main

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

const limit = 2 * time.Minute

// TestADeploymentCreatedByThePrintedLineIsShownByThePrintedLine, both of which a shell runs as they stand there, and nothing stays.
func TestADeploymentCreatedByThePrintedLineIsShownByThePrintedLine(t *testing.T) {
	o := options{
		root: "../..", webhook: testbed.FreeAddress(t), pages: testbed.FreeAddress(t), plugin: testbed.FreeAddress(t),
		store: testbed.FreeAddress(t), health: testbed.FreeAddress(t), doctor: testbed.FreeAddress(t), metrics: testbed.FreeAddress(t), nodes: 1,
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, ended := &output{}, make(chan error, 1)
	go func() { ended <- run(ctx, o, out) }()
	require.Eventually(t, func() bool {
		select {
		case err := <-ended:
			ended <- err
			return true
		default:
			return strings.Contains(out.String(), "until Ctrl-C")
		}
	}, limit, 100*time.Millisecond)
	require.Empty(t, ended, "it ended: %s", out)

	kubeconfig := regexp.MustCompile(`export KUBECONFIG=(\S+)`).FindStringSubmatch(out.String())
	require.NotNil(t, kubeconfig)
	require.FileExists(t, kubeconfig[1])
	require.Contains(t, shell(t, out.String(), "  curl -k https"), `"uid"`)
	var tree string
	require.Eventually(t, func() bool {
		tree = shell(t, out.String(), "  curl 'http://"+o.pages)
		for _, want := range []string{
			"Deployment default/hello", "alice", "ScalingReplicaSet", "─ ReplicaSet hello-", "─ Pod hello-", `phase "Pending" → "Running"`, "readyReplicas 2",
		} {
			if !strings.Contains(tree, want) {
				return false
			}
		}
		return true
	}, limit, time.Second, "%s", out)
	t.Log("\n" + tree)
	found := shell(t, out.String(), "  curl http://"+o.doctor)
	assert.NotContains(t, found, "PROBLEM")
	for _, source := range []string{"auditlog", "k8sevent", "watch"} {
		assert.Contains(t, found, "ok       receiver "+source+": ")
	}

	stop()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(limit):
		t.Fatal("it does not stop")
	}
	assert.NoFileExists(t, kubeconfig[1])
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", o.pages)
	assert.Error(t, err, "it still listens")
}

// shell runs the command that begins so, with the lines that continue it, and returns what it prints.
func shell(t *testing.T, text, begin string) string {
	t.Helper()
	_, command, found := strings.Cut(text, begin)
	require.True(t, found, "no %q in\n%s", begin, text)
	command, _, _ = strings.Cut(begin+command, "\n\n")
	printed, err := exec.CommandContext(t.Context(), "bash", "-c", command).Output()
	require.NoError(t, err, command)
	return string(printed)
}

// output is written by one goroutine and read by another.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
