// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	startTimeout = 2 * time.Minute
	startTries   = 4
	tailLines    = 40
)

// bed is a group of processes with one folder, started together and stopped in the reverse order.
type bed struct {
	dir   string
	procs []*process
	// onStop runs before the processes end.
	onStop []func()

	stopOnce sync.Once
	stopErr  error
}

// newBed makes the folder. The parent may be empty: the system's place for temporary files.
func newBed(parent, pattern string) (*bed, error) {
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the servers: %w", err)
	}
	return &bed{dir: dir}, nil
}

// startBed starts a bed with setUp and starts anew, with other ports, when one of those chosen was taken meanwhile. The folder
// of a bed that could not be started stays, for its logs, unless it is tried again.
func startBed(ctx context.Context, parent, pattern string, setUp func(context.Context, *bed) error) (*bed, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for try := 1; ; try++ {
		b, err := newBed(parent, pattern)
		if err != nil {
			return nil, err
		}
		err = setUp(ctx, b)
		if err == nil {
			return b, nil
		}
		_ = b.Stop()
		if !errors.Is(err, errPortInUse) || try == startTries {
			return nil, fmt.Errorf("%w (logs are in %s)", err, b.dir)
		}
		_ = b.Remove()
	}
}

// run starts one more process of the bed.
func (b *bed) run(name, binary string, args ...string) (*process, error) {
	p, err := startProcess(b.dir, name, binary, args...)
	if err != nil {
		return nil, err
	}
	b.procs = append(b.procs, p)
	return p, nil
}

// Restart kills a server with -9, starts it again as it was, with the data that it had, and returns when it is ready. It is named as its
// log file is, for instance kube-apiserver. It is not safe for concurrent use.
func (b *bed) Restart(ctx context.Context, name string) error {
	i := slices.IndexFunc(b.procs, func(p *process) bool { return p.name == name })
	if i < 0 {
		return fmt.Errorf("restart %s: no such server here", name)
	}
	old := b.procs[i]
	old.kill()
	p, err := startProcess(b.dir, name, old.cmd.Path, old.cmd.Args[1:]...)
	if err != nil {
		return err
	}
	b.procs[i] = p
	if old.ready == nil {
		return nil
	}
	return p.await(ctx, old.ready)
}

// alive returns an error if any process has ended.
func (b *bed) alive() error {
	for _, p := range b.procs {
		select {
		case <-p.exited:
			return p.failure()
		default:
		}
	}
	return nil
}

// Dir is the folder that holds logs and data.
func (b *bed) Dir() string { return b.dir }

// Stop ends all processes within seconds and keeps the folder. Its error says which processes had ended before
// they were asked to. It is safe to call more than once.
func (b *bed) Stop() error {
	b.stopOnce.Do(func() {
		for _, f := range b.onStop {
			f()
		}
		var errs []error
		for _, p := range slices.Backward(b.procs) {
			errs = append(errs, p.stop(stopGrace))
		}
		b.stopErr = errors.Join(errs...)
	})
	return b.stopErr
}

// Remove stops what still runs and deletes the folder.
func (b *bed) Remove() error {
	return errors.Join(b.Stop(), os.RemoveAll(b.dir))
}

// WriteLogTails writes the last lines of each process's log.
func (b *bed) WriteLogTails(w io.Writer) {
	for _, p := range b.procs {
		tail, err := logTail(p.logPath, tailLines)
		if err != nil {
			tail = []byte(err.Error())
		}
		fmt.Fprintf(w, "=== %s, end of %s\n%s\n", p.name, p.logPath, tail)
	}
}

// logTail returns the last lines of a file. Lines of a server's log are short: the last 100 KiB hold them.
func logTail(path string, lines int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 100 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	all := bytes.Split(bytes.TrimRight(data, "\n"), []byte("\n"))
	return bytes.Join(all[max(0, len(all)-lines):], []byte("\n")), nil
}

func containsAny(data []byte, texts ...string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return bytes.Contains(data, []byte(s)) })
}
