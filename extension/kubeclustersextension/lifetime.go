// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"fmt"
	"sync"
)

// lifetime bounds everything that the extension has under way.
type lifetime struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex // guards ended, and with it that nothing is added once somebody waits
	ended bool
	work  sync.WaitGroup
}

func newLifetime() *lifetime {
	l := &lifetime{}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// start runs a function in a goroutine.
func (l *lifetime) start(work func(context.Context)) { l.work.Go(func() { work(l.ctx) }) }

// run runs a function here, unless the end has come.
func (l *lifetime) run(work func(context.Context)) bool {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return false
	}
	l.work.Add(1)
	l.mu.Unlock()
	defer l.work.Done()
	work(l.ctx)
	return true
}

// end cancels everything and waits for it, until the context ends. It may be called again.
func (l *lifetime) end(ctx context.Context) error {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.cancel()
	done := make(chan struct{})
	go func() {
		l.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("requests to API servers did not end in time: %w", ctx.Err())
	}
}
