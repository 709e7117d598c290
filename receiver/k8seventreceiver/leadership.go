// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// elector is what the extension k8s_leader_elector gives to receivers.
type elector interface {
	SetCallBackFuncs(onStartLeading func(context.Context), onStopLeading func())
}

func findElector(host component.Host, id component.ID) (elector, error) {
	extension, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("k8s_leader_elector: extension %q is not declared: add it to extensions and to service::extensions", id)
	}
	found, ok := extension.(elector)
	if !ok {
		return nil, fmt.Errorf("k8s_leader_elector: extension %q elects nobody: name one of type k8s_leader_elector", id)
	}
	return found, nil
}

// leadership is what the elector said last. The elector calls back while it holds a lock, and may tell of the start of a
// term after its end: so callbacks only note the term, and the goroutine in lead acts.
type leadership struct {
	changed chan struct{} // has room for one

	mu   sync.Mutex      // guards term
	term context.Context // nil while another one leads; may have ended
}

func newLeadership() *leadership { return &leadership{changed: make(chan struct{}, 1)} }

// start is called when a term begins, with a context that ends with it or never.
func (l *leadership) start(term context.Context) { l.note(term) }

// stop is called when the term has ended.
func (l *leadership) stop() {
	var none context.Context
	l.note(none)
}

func (l *leadership) note(term context.Context) {
	l.mu.Lock()
	l.term = term
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default: // it is told already that there is something to see
	}
}

func (l *leadership) current() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.term == nil || l.term.Err() != nil {
		return nil
	}
	return l.term
}

// lead calls work in each term, until ctx ends. The context of work ends with the term; the next term's work begins only
// when that of the one before has returned.
func (l *leadership) lead(ctx context.Context, work func(context.Context)) {
	for {
		if term := l.current(); term != nil {
			l.serve(ctx, term, work)
		}
		if ctx.Err() != nil {
			return
		}
		if l.current() != nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-l.changed:
		}
	}
}

// serve works until the term ends or another one has begun.
func (l *leadership) serve(ctx, term context.Context, work func(context.Context)) {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	release := context.AfterFunc(term, cancel)
	defer release()
	var done sync.WaitGroup
	defer done.Wait()
	done.Go(func() { work(working) })
	for l.current() == term {
		select {
		case <-working.Done():
			return
		case <-l.changed:
		}
	}
	cancel()
}
