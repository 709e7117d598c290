// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/semaphore"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newSource reads from a server; what went wrong is in the list that it returns.
func newSource(t *testing.T, handler http.HandlerFunc) (*source.Source, *[]error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	httpClient := server.Client()
	client, err := source.NewClient(&rest.Config{Host: server.URL}, httpClient)
	require.NoError(t, err)
	var mu sync.Mutex
	failures := &[]error{}
	return &source.Source{
		Client: client, Resource: schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}, Namespace: "shop",
		Lists: semaphore.NewWeighted(1), PageSize: 2, Stall: time.Minute,
		Read: func(text []byte, _ bool) (*source.Item, error) {
			header, err := object.Read(text)
			return &source.Item{Header: header}, err
		},
		Failed: func(err error) {
			mu.Lock()
			defer mu.Unlock()
			*failures = append(*failures, err)
		},
		Works: func() {},
	}, failures
}

func widget(i int) string {
	return fmt.Sprintf(`{"metadata":{"name":"w%d","namespace":"shop","resourceVersion":"%d"}}`, i, i)
}

func TestAListIsReadInPages(t *testing.T) {
	var asked []string
	s, failures := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("continue") == "" {
			fmt.Fprintf(w, `{"kind":"WidgetList","metadata":{"resourceVersion":"9","continue":"more"},"items":[%s,%s]}`, widget(1), widget(2))
			return
		}
		fmt.Fprintf(w, `{"kind":"WidgetList","metadata":{"resourceVersion":"9"},"items":[%s]}`, widget(3))
	})
	got, err := s.List(t.Context(), metav1.ListOptions{ResourceVersion: "0"})
	require.NoError(t, err)
	items, err := meta.ExtractList(got)
	require.NoError(t, err)
	require.Len(t, items, 3)
	accessor, err := meta.ListAccessor(got)
	require.NoError(t, err)
	assert.Equal(t, "9", accessor.GetResourceVersion())
	assert.Empty(t, accessor.GetContinue())
	const path = "/apis/example.com/v1/namespaces/shop/widgets"
	assert.Equal(t, []string{path + "?limit=2", path + "?continue=more&limit=2"}, asked)
	assert.Empty(t, *failures)
}

func TestFailuresAreToldUnlessTheReflectorKnowsBetter(t *testing.T) {
	for _, c := range []struct {
		status metav1.StatusReason
		code   int
		told   int
	}{{metav1.StatusReasonForbidden, 403, 1}, {metav1.StatusReasonExpired, 410, 0}} {
		s, failures := newSource(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.code)
			text, _ := json.Marshal(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: c.status, Code: int32(c.code)})
			_, _ = w.Write(text)
		})
		_, err := s.List(t.Context(), metav1.ListOptions{})
		require.Equal(t, c.status, apierrors.ReasonForError(err))
		_, err = s.Watch(t.Context(), metav1.ListOptions{})
		require.Equal(t, c.status, apierrors.ReasonForError(err))
		assert.Len(t, *failures, 2*c.told)
	}
}

func TestAWatchIsReadEventByEvent(t *testing.T) {
	pretty := "{\n \"type\": \"MODIFIED\",\n \"object\": " + strings.ReplaceAll(widget(2), ",", ",\n") + "\n}\n"
	long := fmt.Sprintf(`{"type":"ADDED","object":{"metadata":{"name":"long","resourceVersion":"3"},"spec":%q}}`, strings.Repeat("x", 1<<20))
	s, _ := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "true", r.URL.Query().Get("watch"))
		_, _ = io.WriteString(w, `{"type":"ADDED","object":`+widget(1)+"}\n\n"+pretty+`{"type":"ADDED","object":7}`+"\n"+long+"\n"+
			`{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4","annotations":{"k8s.io/initial-events-end":"true"}}}}`+"\n"+
			`{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","code":410}}`+"\n")
	})
	yes := true
	w, err := s.Watch(t.Context(), metav1.ListOptions{SendInitialEvents: &yes})
	require.NoError(t, err)
	defer w.Stop()
	var got []string
	for e := range w.ResultChan() {
		if e.Type == watch.Error {
			require.True(t, apierrors.IsResourceExpired(apierrors.FromObject(e.Object)))
			got = append(got, "ERROR")
			continue
		}
		accessor, err := meta.Accessor(e.Object)
		require.NoError(t, err)
		got = append(got, string(e.Type)+" "+accessor.GetName()+" "+accessor.GetResourceVersion())
		if e.Type == watch.Bookmark {
			assert.Equal(t, "true", accessor.GetAnnotations()[metav1.InitialEventsAnnotationKey])
			assert.True(t, s.Lists.TryAcquire(1), "its turn to list is over")
		}
	}
	assert.Equal(t, []string{"ADDED w1 1", "MODIFIED w2 2", "ADDED long 3", "BOOKMARK  4", "ERROR"}, got, "what is no object is left out")
}

func TestATornEventIsNotRead(t *testing.T) {
	s, _ := newSource(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"type":"ADDED","object":`+widget(1)[:20])
	})
	w, err := s.Watch(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	defer w.Stop()
	_, more := <-w.ResultChan()
	assert.False(t, more)
}

func TestAListThatDoesNotEndIsGivenUp(t *testing.T) {
	s, _ := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"type":"ADDED","object":`+widget(1)+"}\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s.Stall = 500 * time.Millisecond
	yes := true
	w, err := s.Watch(t.Context(), metav1.ListOptions{SendInitialEvents: &yes})
	require.NoError(t, err)
	defer w.Stop()
	assert.Equal(t, watch.Added, (<-w.ResultChan()).Type)
	failed := <-w.ResultChan()
	require.Equal(t, watch.Error, failed.Type)
	require.ErrorContains(t, apierrors.FromObject(failed.Object), "does not end the list")
	assert.True(t, s.Lists.TryAcquire(1))
}
