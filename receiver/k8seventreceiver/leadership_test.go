// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

// fakeElector calls back as the extension k8s_leader_elector does: under a lock, the start of a term from a goroutine.
type fakeElector struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	members []callbacks
	leader  bool
}

type callbacks struct {
	start func(context.Context)
	stop  func()
}

func (e *fakeElector) SetCallBackFuncs(start func(context.Context), stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.members = append(e.members, callbacks{start, stop})
	if e.leader {
		start(context.Background())
	}
}

// term makes all its members leaders and returns how to end that. The end may overtake the beginning.
func (e *fakeElector) term() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var begun sync.WaitGroup
	begun.Go(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.leader = true
		for _, m := range e.members {
			m.start(ctx)
		}
	})
	return func() {
		cancel()
		e.mu.Lock()
		e.leader = false
		for _, m := range e.members {
			m.stop()
		}
		e.mu.Unlock()
		begun.Wait()
	}
}

func withElector(c *Config) { c.LeaderElector = &electorID }

// TestLeadershipChangesTwentyTimesWithoutAGap: situation 12, with two replicas and Events in between and during terms.
func TestLeadershipChangesTwentyTimesWithoutAGap(t *testing.T) {
	api, sinks := newFakeAPI(), [2]*spans{new(spans), new(spans)}
	url := api.serve(t).URL
	var electors [2]*fakeElector
	for i := range electors {
		electors[i] = new(fakeElector)
		h := newHost(url, newMemory())
		h.extensions[electorID] = electors[i]
		t.Cleanup(start(t, newTestReceiver(t, sinks[i], eager, withElector), h))
	}
	happens := 0
	happen := func() string {
		happens++
		e := happened(fmt.Sprintf("E%03d", happens), 1)
		api.put(e)
		return e.Name + " 1"
	}
	var want []string
	for round := range 21 {
		want = append(want, happen()) // nobody leads
		end := electors[round%2].term()
		want = append(want, happen())
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Subset(c, append(sinks[0].told(), sinks[1].told()...), want)
		}, patience, time.Millisecond)
		end()
	}
	assert.Subset(t, sinks[0].told(), want[:len(want)-2], "each knows all that happened until its last term")
}

func TestTermsThatEndBeforeTheyBeginDoNoHarm(t *testing.T) {
	api, sink, elector := newFakeAPI(), new(spans), new(fakeElector)
	h := newHost(api.serve(t).URL, newMemory())
	h.extensions[electorID] = elector
	stop := start(t, newTestReceiver(t, sink, eager, withElector), h)
	defer stop()
	for range 200 {
		elector.term()()
	}
	api.put(happened("A", 1))
	require.Eventually(t, func() bool { return api.watching() == 0 }, patience, time.Millisecond)
	assert.Empty(t, sink.told(), "nobody leads")
	end := elector.term()
	sink.await(t, "A 1")
	end()
	require.Eventually(t, func() bool { return api.watching() == 0 }, patience, time.Millisecond)
}

func TestReceiverThatIsLateToTheElectionLeadsAtOnce(t *testing.T) {
	api, sink, elector := newFakeAPI(), new(spans), new(fakeElector)
	end := elector.term()
	require.Eventually(t, func() bool {
		elector.mu.Lock()
		defer elector.mu.Unlock()
		return elector.leader
	}, patience, time.Millisecond)
	h := newHost(api.serve(t).URL, newMemory())
	h.extensions[electorID] = elector
	stop := start(t, newTestReceiver(t, sink, eager, withElector), h)
	defer stop()
	api.put(happened("A", 1))
	sink.await(t, "A 1")
	end()
	stop()
	elector.term()() // the elector may outlive the receiver
}

func TestTermThatIsToldOfAfterItsEndIsNone(t *testing.T) {
	l := newLeadership()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	l.stop()
	l.start(ended)
	assert.Nil(t, l.current())
}

// TestNextTermWaitsForTheWorkOfTheLastOne: two never work at once.
func TestNextTermWaitsForTheWorkOfTheLastOne(t *testing.T) {
	l := newLeadership()
	ctx, cancel := context.WithCancel(t.Context())
	var leading sync.WaitGroup
	began, release := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	working, most := 0, 0
	leading.Go(func() {
		l.lead(ctx, func(ctx context.Context) {
			mu.Lock()
			working++
			most = max(most, working)
			mu.Unlock()
			began <- struct{}{}
			<-ctx.Done()
			<-release
			mu.Lock()
			working--
			mu.Unlock()
		})
	})
	for range 5 {
		l.start(context.Background())
		<-began
		l.stop()
		l.start(t.Context())
		release <- struct{}{}
		<-began
		l.stop()
		release <- struct{}{}
	}
	cancel()
	leading.Wait()
	assert.Equal(t, 1, most)
}
