// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// fakeAPI is as much of an API server as the extension uses. It is an HTTP handler, and a transport without a network, so
// that time can be faked around it.
type fakeAPI struct {
	mu       sync.Mutex // guards what follows
	served   map[string][]metav1.APIResource
	objects  map[string]*metav1.PartialObjectMetadata
	bodies   map[string]string // of whole objects, in place of objects
	denied   string            // paths that begin with it are forbidden
	behavior behavior
	gate     chan struct{} // with gated: what objects wait for
	requests []string
	tokens   map[string]bool // header Authorization of requests
}

type behavior int

const (
	answers behavior = iota
	refuses          // connections
	hangs
	fails // with 500
	gated
	unauthorized
	blank // is some other server
)

func newFakeAPI() *fakeAPI {
	f := &fakeAPI{served: map[string][]metav1.APIResource{}, objects: map[string]*metav1.PartialObjectMetadata{}, bodies: map[string]string{}, tokens: map[string]bool{}}
	f.serve("v1", resource("pods", "Pod", true), resource("namespaces", "Namespace", false), resource("configmaps", "ConfigMap", true))
	f.add("/api/v1/namespaces/kube-system", "uid-of-the-cluster")
	return f
}

func resource(plural, kind string, namespaced bool) metav1.APIResource {
	return metav1.APIResource{Name: plural, Kind: kind, Namespaced: namespaced, Verbs: metav1.Verbs{"get", "list", "watch"}}
}

func (f *fakeAPI) serve(groupVersion string, resources ...metav1.APIResource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served[groupVersion] = resources
}

func (f *fakeAPI) remove(groupVersion string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.served, groupVersion)
}

func (f *fakeAPI) add(path, uid string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[path] = &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
		ObjectMeta: metav1.ObjectMeta{
			Name: path[strings.LastIndex(path, "/")+1:], UID: types.UID(uid), Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "me"}},
		},
	}
}

// addWhole adds an object as JSON.
func (f *fakeAPI) addWhole(path, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bodies[path] = body
}

func (f *fakeAPI) forget(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, path)
}

func (f *fakeAPI) behave(b behavior) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behavior = b
	if b == gated {
		f.gate = make(chan struct{})
	}
}

func (f *fakeAPI) deny(prefix string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.denied = prefix
}

// asked counts the requests whose path has that prefix.
func (f *fakeAPI) asked(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, path := range f.requests {
		if strings.HasPrefix(path, prefix) {
			n++
		}
	}
	return n
}

// refreshes counts how often discovery was refreshed.
func (f *fakeAPI) refreshes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(f.requests), func(path string) bool { return path != "/api" }))
}

// RoundTrip implements http.RoundTripper.
func (f *fakeAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	behavior, gate := f.behavior, f.gate
	f.mu.Unlock()
	switch {
	case behavior == refuses:
		f.note(r)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case behavior == hangs, behavior == gated && strings.Count(r.URL.Path, "/") > 3:
		f.note(r)
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-gate:
		}
		w := httptest.NewRecorder()
		f.answer(w, r)
		return w.Result(), nil
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Result(), nil
}

// CloseIdleConnections is what a transport has.
func (*fakeAPI) CloseIdleConnections() {}

func (f *fakeAPI) note(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.URL.Path)
	f.tokens[r.Header.Get("Authorization")] = true
}

// authorizations are the headers of this name that requests had.
func (f *fakeAPI) authorizations() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.tokens))
}

// ServeHTTP implements http.Handler.
func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	f.answer(w, r)
}

func (f *fakeAPI) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := r.URL.Path
	switch {
	case f.behavior == fails:
		status(w, http.StatusInternalServerError, metav1.StatusReasonInternalError, "etcd is gone")
	case f.behavior == unauthorized:
		status(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
	case f.behavior == blank:
		reply(w, http.StatusOK, struct{}{})
	case f.denied != "" && strings.HasPrefix(path, f.denied):
		status(w, http.StatusForbidden, metav1.StatusReasonForbidden, "you may not")
	case path == "/api":
		reply(w, http.StatusOK, metav1.APIVersions{Versions: []string{"v1"}})
	case path == "/apis":
		reply(w, http.StatusOK, f.groups())
	case f.list(path) != nil:
		reply(w, http.StatusOK, f.list(path))
	case f.bodies[path] != "" && f.isObject(path):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, f.bodies[path])
	case f.objects[path] != nil && f.isObject(path):
		reply(w, http.StatusOK, f.objects[path])
	case f.isObject(path):
		status(w, http.StatusNotFound, metav1.StatusReasonNotFound, path+" not found")
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeAPI) groups() metav1.APIGroupList {
	byName := map[string][]string{}
	for groupVersion := range f.served {
		if group, version, ok := strings.Cut(groupVersion, "/"); ok {
			byName[group] = append(byName[group], version)
		}
	}
	var list metav1.APIGroupList
	for name, versions := range byName {
		group := metav1.APIGroup{Name: name}
		slices.Sort(versions)
		for _, v := range versions {
			group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: name + "/" + v, Version: v})
		}
		group.PreferredVersion = group.Versions[0]
		list.Groups = append(list.Groups, group)
	}
	return list
}

func (f *fakeAPI) list(path string) *metav1.APIResourceList {
	groupVersion := strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")
	if resources, ok := f.served[groupVersion]; ok {
		return &metav1.APIResourceList{GroupVersion: groupVersion, APIResources: resources}
	}
	return nil
}

// isObject says whether the path is one at which there could be an object.
func (f *fakeAPI) isObject(path string) bool {
	for groupVersion, resources := range f.served {
		prefix := "/apis/" + groupVersion + "/"
		if !strings.Contains(groupVersion, "/") {
			prefix = "/api/" + groupVersion + "/"
		}
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		parts := strings.Split(rest, "/")
		for _, r := range resources {
			if r.Namespaced && len(parts) == 4 && parts[0] == "namespaces" && parts[2] == r.Name || !r.Namespaced && len(parts) == 2 && parts[0] == r.Name {
				return true
			}
		}
	}
	return false
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

func status(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	reply(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
		Code: int32(code), Reason: reason, Message: fmt.Sprintf("%s (%d)", message, code),
	})
}
