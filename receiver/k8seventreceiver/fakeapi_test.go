// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// staleAnswer is how an API server answers a watch from a resourceVersion that it no longer has. All were seen.
type staleAnswer int

const (
	goneAsStatus staleAnswer = iota // 410
	goneAsEvent                     // 200 and an event of type ERROR
	closedAtOnce                    // 200 and nothing
)

// fakeAPI is an API server that has nothing but Events, with a history that can be compacted. It is an eventsAPI, and by
// serve also an HTTP server.
type fakeAPI struct {
	onStale staleAnswer
	// closeAtOnce ends every watch at its beginning, whatever there is to tell.
	closeAtOnce bool
	// closeAfter ends every watch after so many events, unless it is zero.
	closeAfter int

	mu        sync.Mutex
	version   int
	compacted int
	history   []change
	events    map[string]*eventsv1.Event
	changed   chan struct{} // closed at the next change
	failing   error         // the answer to all requests
	lists     int
	watches   int
	open      int
	pages     []int // sizes
}

type change struct {
	version int
	what    watch.EventType
	event   *eventsv1.Event
}

func newFakeAPI() *fakeAPI {
	return &fakeAPI{version: 100, events: make(map[string]*eventsv1.Event), changed: make(chan struct{})}
}

// put creates or updates an Event.
func (a *fakeAPI) put(e *eventsv1.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what := watch.Added
	if _, ok := a.events[e.Namespace+"/"+e.Name]; ok {
		what = watch.Modified
	}
	a.record(what, e)
}

// remove deletes an Event.
func (a *fakeAPI) remove(e *eventsv1.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record(watch.Deleted, e)
}

func (a *fakeAPI) record(what watch.EventType, e *eventsv1.Event) {
	a.version++
	e = e.DeepCopy()
	e.ResourceVersion = strconv.Itoa(a.version)
	if e.CreationTimestamp.IsZero() {
		e.CreationTimestamp = metav1.NewTime(time.Now())
	}
	if what == watch.Deleted {
		delete(a.events, e.Namespace+"/"+e.Name)
	} else {
		a.events[e.Namespace+"/"+e.Name] = e
	}
	a.history = append(a.history, change{a.version, what, e})
	close(a.changed)
	a.changed = make(chan struct{})
}

// compact forgets the history, after something else in the cluster has happened.
func (a *fakeAPI) compact() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	a.history, a.compacted = nil, a.version
}

// fail makes all requests fail, until it is called with nil. Open watches end.
func (a *fakeAPI) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failing = err
	close(a.changed)
	a.changed = make(chan struct{})
}

// requests returns how many lists, by page, and watches there were.
func (a *fakeAPI) requests() (lists, watches int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lists, a.watches
}

func (a *fakeAPI) watching() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open
}

// List pages by name; the token of the next page is the last name and the resourceVersion.
func (a *fakeAPI) List(_ context.Context, opts metav1.ListOptions) (*eventsv1.EventList, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists++
	if a.failing != nil {
		return nil, a.failing
	}
	after, version, found := strings.Cut(opts.Continue, "@")
	at := a.version
	if found {
		at, _ = strconv.Atoi(version)
		if at < a.compacted {
			return nil, apierrors.NewResourceExpired("The provided continue parameter is too old")
		}
	}
	list := &eventsv1.EventList{
		TypeMeta: metav1.TypeMeta{Kind: "EventList", APIVersion: "events.k8s.io/v1"},
		ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(at)},
	}
	for _, key := range slices.Sorted(maps.Keys(a.events)) {
		if key <= after {
			continue
		}
		if len(list.Items) == int(opts.Limit) {
			list.Continue = fmt.Sprintf("%s@%d", after, at)
			break
		}
		list.Items = append(list.Items, *a.events[key].DeepCopy())
		after = key
	}
	a.pages = append(a.pages, len(list.Items))
	return list, nil
}

// Watch sends the history behind a resourceVersion, and what comes.
func (a *fakeAPI) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watches++
	if a.failing != nil {
		return nil, a.failing
	}
	from, err := strconv.Atoi(opts.ResourceVersion)
	if err != nil {
		return nil, apierrors.NewBadRequest("no resourceVersion")
	}
	gone := apierrors.NewResourceExpired("too old resource version")
	stale := from < a.compacted
	if stale && a.onStale == goneAsStatus {
		return nil, gone
	}
	w := &fakeWatch{results: make(chan watch.Event), stopped: make(chan struct{})}
	switch {
	case a.closeAtOnce || stale && a.onStale == closedAtOnce:
		close(w.results)
	case stale:
		go func() {
			defer close(w.results)
			w.send(ctx, watch.Event{Type: watch.Error, Object: &gone.ErrStatus})
		}()
	default:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(*opts.TimeoutSeconds)*time.Second)
		a.open++
		go func() {
			defer cancel()
			defer close(w.results)
			a.feed(ctx, w, from)
		}()
	}
	return w, nil
}

func (a *fakeAPI) feed(ctx context.Context, w *fakeWatch, from int) {
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.open--
	}()
	for sent := 0; ; {
		a.mu.Lock()
		failing, changed, history := a.failing, a.changed, a.history
		a.mu.Unlock()
		if failing != nil {
			return
		}
		for _, c := range history {
			if c.version <= from {
				continue
			}
			if a.closeAfter > 0 && sent == a.closeAfter || !w.send(ctx, watch.Event{Type: c.what, Object: c.event.DeepCopy()}) {
				return
			}
			from = c.version
			sent++
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		case <-w.stopped:
			return
		}
	}
}

type fakeWatch struct {
	results chan watch.Event
	stopped chan struct{}
	once    sync.Once
}

func (w *fakeWatch) ResultChan() <-chan watch.Event { return w.results }

func (w *fakeWatch) Stop() { w.once.Do(func() { close(w.stopped) }) }

func (w *fakeWatch) send(ctx context.Context, e watch.Event) bool {
	select {
	case w.results <- e:
		return true
	case <-ctx.Done():
		return false
	case <-w.stopped:
		return false
	}
}

// serve makes it an HTTP server.
func (a *fakeAPI) serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(server.Close)
	return server
}

func (a *fakeAPI) answer(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	opts := metav1.ListOptions{ResourceVersion: query.Get("resourceVersion"), Continue: query.Get("continue")}
	opts.Limit, _ = strconv.ParseInt(query.Get("limit"), 10, 64)
	w.Header().Set("Content-Type", "application/json")
	if query.Get("watch") == "" {
		list, err := a.List(r.Context(), opts)
		reply(w, list, err)
		return
	}
	seconds, _ := strconv.ParseInt(query.Get("timeoutSeconds"), 10, 64)
	opts.TimeoutSeconds = &seconds
	results, err := a.Watch(r.Context(), opts)
	if err != nil {
		reply(w, nil, err)
		return
	}
	defer results.Stop()
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	for e := range results.ResultChan() {
		if event, ok := e.Object.(*eventsv1.Event); ok {
			event.TypeMeta = metav1.TypeMeta{Kind: "Event", APIVersion: "events.k8s.io/v1"}
		}
		object, err := json.Marshal(e.Object)
		if err != nil {
			return
		}
		if json.NewEncoder(w).Encode(metav1.WatchEvent{Type: string(e.Type), Object: runtime.RawExtension{Raw: object}}) != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

func reply(w http.ResponseWriter, body any, err error) {
	if err != nil {
		status := apierrors.NewInternalError(err)
		if answer, ok := err.(apierrors.APIStatus); ok {
			s := answer.Status()
			status = &apierrors.StatusError{ErrStatus: s}
		}
		status.ErrStatus.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		w.WriteHeader(int(status.ErrStatus.Code))
		body = status.ErrStatus
	}
	_ = json.NewEncoder(w).Encode(body)
}
