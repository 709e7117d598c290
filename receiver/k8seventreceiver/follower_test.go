// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

var eventsResource = schema.GroupResource{Group: "events.k8s.io", Resource: "events"}

// bubble is a follower at work on a fake clock.
type bubble struct {
	t      *testing.T
	api    *fakeAPI
	stored *memory
	spans  *spans
}

func newBubble(t *testing.T) *bubble {
	return &bubble{t: t, api: newFakeAPI(), stored: newMemory(), spans: new(spans)}
}

// follow starts a follower, as a new process would, and returns how to stop it.
func (b *bubble) follow(change ...func(*Config)) (stop func()) {
	b.t.Helper()
	f := newTestFollower(b.t, b.api, b.stored, b.spans, func(c *Config) {
		for _, change := range change {
			change(c)
		}
	})
	return b.lead(f)
}

func (b *bubble) lead(f *follower) (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var following sync.WaitGroup
	following.Go(func() { f.follow(ctx) })
	return func() {
		cancel()
		following.Wait()
	}
}

// settle lets everything happen that needs no more than a moment.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func (b *bubble) requireTold(want ...string) {
	b.t.Helper()
	settle()
	require.Equal(b.t, append([]string{}, want...), b.spans.told())
}

// inBubble runs a test on a fake clock: sleeping costs no time there.
func inBubble(t *testing.T, test func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newBubble(t)) })
}

func TestEachStateOfAnEventIsOneSpan(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.api.put(happened("Before", 1))
		stop := b.follow()
		b.requireTold("Before 1")

		b.api.put(happened("Pulled", 1))
		b.api.put(happened("BackOff", 3))
		settle()
		b.api.put(happened("BackOff", 9))
		b.api.put(happened("Pulled", 1)) // written again: nothing has occurred
		b.api.remove(happened("Before", 1))
		b.requireTold("Before 1", "Pulled 1", "BackOff 3", "BackOff 9")
		increase, ok := b.spans.all[3].Attributes().Get("k8s.event.increase")
		require.True(b.t, ok)
		assert.EqualValues(b.t, 6, increase.Int())
		stop()
	})
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	inBubble(t, func(b *bubble) {
		stop := b.follow()
		b.api.put(happened("A", 1))
		b.requireTold("A 1")
		stop()

		b.api.put(happened("A", 2))
		b.api.put(happened("A", 3))
		b.api.put(happened("B", 1))
		b.api.remove(happened("B", 1))
		stop = b.follow()
		b.requireTold("A 1", "A 2", "A 3", "B 1")
		stop()
		lists, watches := b.api.requests()
		assert.Equal(b.t, 1, lists, "the second start needs no list")
		assert.Equal(b.t, 2, watches)
	})
}

func TestRestartAfterTheHistoryIsGoneListsWhatIsNew(t *testing.T) {
	for name, answer := range map[string]staleAnswer{"410": goneAsStatus, "200 with an error": goneAsEvent, "200 with nothing": closedAtOnce} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.api.onStale = answer
				stop := b.follow()
				b.api.put(happened("A", 1))
				b.api.put(happened("B", 1))
				b.requireTold("A 1", "B 1")
				stop()

				time.Sleep(3 * time.Hour) // much longer than max_age
				b.api.put(happened("B", 5))
				b.api.put(happened("C", 1))
				time.Sleep(90 * time.Minute)
				b.api.compact()
				stop = b.follow()
				time.Sleep(time.Minute)
				b.requireTold("A 1", "B 1", "B 5", "C 1")
				b.api.put(happened("C", 2))
				b.requireTold("A 1", "B 1", "B 5", "C 1", "C 2")
				stop()
			})
		})
	}
}

// TestIdleWatchThatBecomesStaleIsReplacedWithoutABusyLoop: situation 7.
func TestIdleWatchThatBecomesStaleIsReplacedWithoutABusyLoop(t *testing.T) {
	for name, answer := range map[string]staleAnswer{"410": goneAsStatus, "200 with an error": goneAsEvent, "200 with nothing": closedAtOnce} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.api.onStale = answer
				stop := b.follow()
				b.api.put(happened("A", 1))
				b.requireTold("A 1")
				for range 18 { // 90 minutes without an Event, while the rest of the cluster lives
					time.Sleep(5 * time.Minute)
					b.api.compact()
				}
				lists, watches := b.api.requests()
				assert.LessOrEqual(b.t, lists, 20)
				assert.LessOrEqual(b.t, watches, 40)
				b.api.put(happened("A", 2))
				b.requireTold("A 1", "A 2")
				stop()
			})
		})
	}
}

func TestWatchThatAlwaysClosesIsNotABusyLoop(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.api.closeAtOnce = true
		stop := b.follow()
		for i := range 60 {
			b.api.put(happened(fmt.Sprintf("E%02d", i), 1))
			time.Sleep(time.Minute)
		}
		time.Sleep(3 * time.Minute)
		lists, watches := b.api.requests()
		b.t.Logf("%d lists and %d watches in an hour", lists, watches)
		assert.Less(b.t, lists+watches, 400)
		assert.Len(b.t, b.spans.told(), 60, "lists tell what the watch does not")
		stop()
	})
}

func TestWatchThatClosesAfterEachEventLosesNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.api.closeAfter = 1
		stop := b.follow()
		settle()
		var want []string
		for i := range int32(20) {
			b.api.put(happened("A", i+1))
			want = append(want, fmt.Sprintf("A %d", i+1))
		}
		time.Sleep(20 * time.Minute)
		b.requireTold(want...)
		stop()
	})
}

func TestAPIServerThatFailsIsAskedAgainAndReported(t *testing.T) {
	for name, err := range map[string]error{
		"connection": errors.New("connection refused"),
		"forbidden":  apierrors.NewForbidden(eventsResource, "", errors.New("no")),
		"overloaded": apierrors.NewTooManyRequests("later", 1),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.api.fail(err)
				stop := b.follow()
				time.Sleep(10 * time.Minute)
				lists, watches := b.api.requests()
				assert.Zero(b.t, watches)
				assert.Greater(b.t, lists, 15)
				assert.Less(b.t, lists, 60)
				b.api.fail(nil)
				b.api.put(happened("A", 1))
				time.Sleep(time.Minute)
				b.requireTold("A 1")

				b.api.fail(err) // the watch ends, and the next ones fail
				settle()
				b.api.put(happened("A", 2))
				b.api.put(happened("A", 3))
				time.Sleep(3 * time.Second)
				b.api.fail(nil)
				time.Sleep(time.Minute)
				told := b.spans.told()
				assert.Equal(b.t, "A 3", told[len(told)-1])
				if name == "connection" {
					assert.Equal(b.t, []string{"A 1", "A 2", "A 3"}, told, "the watch goes on where it was")
				}
				stop()
			})
		})
	}
}

// TestErrorThatHidesAnExpiredVersionLeadsToAList: etcd's own words reach clients as status 500.
func TestErrorThatHidesAnExpiredVersionLeadsToAList(t *testing.T) {
	inBubble(t, func(b *bubble) {
		stop := b.follow()
		b.api.put(happened("A", 1))
		b.requireTold("A 1")
		stop()
		b.api.put(happened("A", 2))
		b.api.compact()
		f := newTestFollower(b.t, failingWatch{b.api}, b.stored, b.spans, nil)
		stop = b.lead(f)
		time.Sleep(time.Minute)
		b.requireTold("A 1", "A 2")
		stop()
	})
}

// failingWatch answers each watch of stale versions with 500.
type failingWatch struct{ *fakeAPI }

func (a failingWatch) Watch(context.Context, metav1.ListOptions) (w watch.Interface, err error) {
	return nil, apierrors.NewGenericServerResponse(http.StatusInternalServerError, "get", eventsResource, "",
		"etcdserver: mvcc: required revision has been compacted", 0, true)
}

func TestFirstStartTakesWhatIsNotTooOld(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.api.put(happened("Old", 1))
		b.api.put(happened("Recurring", 1))
		time.Sleep(50 * time.Minute)
		recurring := happened("Recurring", 7)
		b.api.put(recurring)
		b.api.put(happened("New", 1))
		time.Sleep(20 * time.Minute)
		stop := b.follow(func(c *Config) { c.MaxAge = time.Hour })
		b.requireTold("New 1", "Recurring 7")
		stop()
	})
}

func TestStorageOfTheAPIServerThatWentBackIsNoticed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.api.version = 5000
		stop := b.follow()
		b.api.put(happened("A", 1))
		b.requireTold("A 1")
		stop()

		time.Sleep(2 * time.Hour)
		b.api = newFakeAPI() // restored from a copy: resourceVersions start far behind
		b.api.put(happened("B", 1))
		time.Sleep(2 * time.Hour)
		b.api.put(happened("C", 1))
		stop = b.follow()
		time.Sleep(15 * time.Minute) // the watch from the future stays silent until it ends
		b.requireTold("A 1", "B 1", "C 1")
		stop()
	})
}

func TestPositionOfAnotherClusterDoesNotCount(t *testing.T) {
	inBubble(t, func(b *bubble) {
		stop := b.follow()
		b.api.put(happened("A", 1))
		b.requireTold("A 1")
		stop()

		b.api.put(happened("B", 1))
		f := newTestFollower(b.t, b.api, b.stored, b.spans, nil)
		f.clusterID = (&fakeCluster{uid: "uid-of-another"}).UID
		stop = b.lead(f)
		b.requireTold("A 1", "A 1", "B 1")
		stop()
	})
}

// TestRefusedEventsAreTriedAgainAndNothingIsReadMeanwhile: memory stays bounded.
func TestRefusedEventsAreTriedAgainAndNothingIsReadMeanwhile(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var refuse bool
		b.spans.answer = func() error {
			if refuse {
				return errors.New("queue is full")
			}
			return nil
		}
		stop := b.follow(func(c *Config) { c.BatchSize = 10 })
		settle()
		refuse = true
		var want []string
		for i := range 100 {
			name := fmt.Sprintf("E%02d", i)
			b.api.put(happened(name, 1))
			want = append(want, name+" 1")
		}
		time.Sleep(time.Minute)
		require.Empty(b.t, b.spans.told())
		before, err := positions{b.stored}.load(b.t.Context(), "prod/")
		require.NoError(b.t, err)
		assert.Equal(b.t, "100", before.ResourceVersion, "the position has not moved")
		b.spans.mu.Lock()
		refuse = false
		b.spans.mu.Unlock()
		b.requireTold(want...)
		stop()
	})
}

func TestStopWhileThePipelineRefusesLosesNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		stop := b.follow()
		settle()
		b.spans.answer = func() error { return errors.New("queue is full") }
		b.api.put(happened("A", 1))
		b.requireTold()
		stop()
		b.spans.answer = nil
		stop = b.follow()
		b.requireTold("A 1")
		stop()
	})
}

func TestRefusedForGoodIsLeftBehind(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.spans.answer = func() error { return consumererror.NewPermanent(errors.New("too large")) }
		stop := b.follow()
		b.api.put(happened("A", 1))
		b.requireTold()
		b.spans.answer = nil
		b.api.put(happened("B", 1))
		b.requireTold("B 1")
		stop()
	})
}

func TestListComesInPagesAndStartsAgainWhenItsTokenExpires(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for i := range 25 {
			b.api.put(happened(fmt.Sprintf("E%02d", i), 1))
		}
		compact := sync.OnceFunc(b.api.compact)
		b.spans.answer = func() error {
			compact() // while the first page is delivered
			return nil
		}
		stop := b.follow(func(c *Config) { c.BatchSize = 10 })
		time.Sleep(time.Minute)
		settle()
		told := b.spans.told()
		assert.Len(b.t, told, 25, "each once")
		assert.Equal(b.t, []int{10, 10, 10, 5}, b.api.pages)
		stop()
	})
}

func TestStorageThatFailsIsNoReasonToStop(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.stored.err = errors.New("disk is full")
		stop := b.follow()
		b.api.put(happened("A", 1))
		b.requireTold("A 1")
		b.stored.err = nil
		b.api.put(happened("B", 1))
		b.requireTold("A 1", "B 1")
		stop()
		stop = b.follow()
		b.requireTold("A 1", "B 1")
		stop()
	})
}
