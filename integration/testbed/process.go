// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kelemetry/kelemetry/integration/child"
)

// process is one running server. It never outlives this program on Linux, however this program ends.
type process struct {
	name, logPath string
	cmd           *exec.Cmd
	stopping      atomic.Bool
	exited        chan struct{}
	ready         func(context.Context) error // nil if nobody waits for it
}

// startProcess runs a binary with both outputs in <dir>/<name>.log and nothing of this program's environment but the way to
// temporary files: no proxy, no kubeconfig and no telemetry setting of the developer's reaches a server.
func startProcess(dir, name, binary string, args ...string) (*process, error) {
	p := &process{name: name, logPath: filepath.Join(dir, name+".log"), exited: make(chan struct{})}
	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Dir = dir
	p.cmd.Env = []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH")}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := child.Start(p.cmd, func() {
		_ = p.cmd.Wait() // what it says, ProcessState says too
		_ = log.Close()
		close(p.exited)
	}); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// failure says that the process ended, with the end of its log. It is for use after exited was closed.
func (p *process) failure() error {
	tail, _ := logTail(p.logPath, 5)
	err := fmt.Errorf("%s ended by itself (%s):\n%s", p.name, p.cmd.ProcessState, tail)
	if whole, _ := logTail(p.logPath, 200); containsAny(whole, "address already in use") {
		return errors.Join(errPortInUse, err)
	}
	return err
}

// terminate asks the process to end, without waiting for it.
func (p *process) terminate() {
	p.stopping.Store(true)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
}

// stop ends the process: by request, and by force once the grace is over. It returns an error if the process had already
// ended by itself. A second call returns the same.
func (p *process) stop(grace time.Duration) error {
	select {
	case <-p.exited:
		if !p.stopping.Load() {
			return p.failure()
		}
		return nil
	default:
	}
	p.terminate()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	return nil
}

// kill ends the process with -9.
func (p *process) kill() {
	p.stopping.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// await polls a condition until it holds, and keeps it for another start of the process. It gives up when the context ends, with the
// condition's last error, or when the process does.
func (p *process) await(ctx context.Context, ready func(context.Context) error) error {
	p.ready = ready
	poll := time.NewTicker(25 * time.Millisecond)
	defer poll.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; last: %w", p.name, context.Cause(ctx), err)
		case <-poll.C:
		}
	}
}
