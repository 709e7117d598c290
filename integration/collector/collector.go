// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector runs the built distribution, bin/kelemetry, for tests and for `make run`.
//
//	c, err := collector.Start(ctx, collector.Options{Config: "config-examples/jaeger.yaml", Env: []string{"JAEGER_OTLP=" + jaeger.OTLPGRPC}})
//	defer c.Stop()
package collector

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kelemetry/kelemetry/integration/child"
)

// Watching is what the watch receiver logs when all objects have been listed, so that whatever happens to them then is told.
const Watching = "Everything has been listed"

const (
	started      = "Everything is ready" // when all components have started
	startTimeout = 30 * time.Second
	stopGrace    = 15 * time.Second
	keptLines    = 60
)

// Options say what to run.
type Options struct {
	// Root is the folder of the repository; the working directory if empty.
	Root string
	// Binary is another program to run that is a Collector, such as Jaeger; bin/kelemetry if empty.
	Binary string
	// Config is the configuration file, relative to Root.
	Config string
	// Over are further configuration files, each of which is merged over what comes before.
	Over []string
	// Set are single settings that win over the file, such as NoMetrics.
	Set []string
	// Env is added to what the process needs from this one's environment.
	Env []string
	// Ready is in the log line for which Start waits; that all components have started, if empty.
	Ready string
	// Log gets what the process logs; nothing if nil. The last lines are in the errors anyway.
	Log io.Writer
}

// Collector is a running process.
type Collector struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // valid once exited is closed

	mu       sync.Mutex // guards what follows
	tail     []string
	stopping bool
}

// Start runs the binary and returns when its pipelines run. The context bounds the start alone.
func Start(ctx context.Context, o Options) (*Collector, error) {
	binary, err := filepath.Abs(cmp.Or(o.Binary, filepath.Join(o.Root, "bin", "kelemetry")))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w: build it with make build", err)
	}
	var args []string
	for _, config := range append([]string{o.Config}, o.Over...) {
		args = append(args, "--config", config)
	}
	for _, set := range o.Set {
		args = append(args, "--set", set)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = o.Root
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, o.Env...)
	logs, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	c := &Collector{cmd: cmd, exited: make(chan struct{})}
	isReady := make(chan struct{})
	if err := child.Start(cmd, func() { c.follow(logs, o.Log, cmp.Or(o.Ready, started), isReady) }); err != nil {
		return nil, fmt.Errorf("start kelemetry: %w", err)
	}

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case <-isReady:
		return c, nil
	case <-c.exited:
		return nil, c.failure()
	case <-ctx.Done():
		_ = c.Stop()
		return nil, fmt.Errorf("start kelemetry: %w\n%s", context.Cause(ctx), c.Tail())
	}
}

// follow copies the log and notices readiness and the end. It is the only goroutine that waits for the process.
func (c *Collector) follow(logs io.Reader, to io.Writer, ready string, isReady chan<- struct{}) {
	lines := bufio.NewReader(logs)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			if to != nil {
				_, _ = io.WriteString(to, line)
			}
			c.keep(line)
			if isReady != nil && strings.Contains(line, ready) {
				close(isReady)
				isReady = nil
			}
		}
		if err != nil {
			break
		}
	}
	c.err = c.cmd.Wait()
	close(c.exited)
}

func (c *Collector) keep(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tail = append(c.tail, line)
	if len(c.tail) > keptLines {
		c.tail = c.tail[1:]
	}
}

// Tail returns the last lines of the log.
func (c *Collector) Tail() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.tail, "")
}

// Exited is closed when the process has ended.
func (c *Collector) Exited() <-chan struct{} { return c.exited }

// Wait returns nil when the context ends, and an error if the process ends before.
func (c *Collector) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-c.exited:
		return c.failure()
	}
}

// Pid is the process ID, for measuring and for killing it.
func (c *Collector) Pid() int { return c.cmd.Process.Pid }

// Stop asks the process to end and waits, by force in the end. It returns an error if the process had
// already ended or did not end well. A second call returns the same.
func (c *Collector) Stop() error {
	c.mu.Lock()
	first := !c.stopping
	c.stopping = true
	c.mu.Unlock()
	select {
	case <-c.exited:
	default:
		if first {
			_ = c.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-c.exited:
	case <-grace.C:
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
	if c.err != nil {
		return c.failure()
	}
	return nil
}

func (c *Collector) failure() error {
	err := c.err
	if err == nil {
		err = errors.New("it ended by itself")
	}
	return fmt.Errorf("kelemetry: %w\n%s", err, c.Tail())
}
