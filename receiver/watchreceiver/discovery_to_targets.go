// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// target is a resource to watch.
type target struct {
	schema.GroupVersionResource
	Kind       string
	Namespaced bool
}

// name is the resource with its group, as rules and metrics write it.
func (t target) name() string { return t.GroupResource().String() }

// watchKey tells watches apart. The version is not in it: an object is the same in all of them.
type watchKey struct {
	schema.GroupResource
	namespace string
}

// targetsOf returns what is to be watched of what an API server says that it serves.
func targetsOf(lists []*metav1.APIResourceList, f *filter, namespaces []string) map[watchKey]target {
	targets := map[watchKey]target{}
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			continue
		}
		for i := range l.APIResources {
			r := &l.APIResources[i]
			t := target{GroupVersionResource: gv.WithResource(r.Name), Kind: r.Kind, Namespaced: r.Namespaced}
			if r.Group != "" {
				t.Group = r.Group
			}
			if r.Version != "" {
				t.Version = r.Version
			}
			if !isWatchable(r) || !f.mayWatch(t.name()) {
				continue
			}
			for _, key := range keysOf(t, namespaces) {
				if _, known := targets[key]; !known { // the first version is the preferred one
					targets[key] = t
				}
			}
		}
	}
	return targets
}

func keysOf(t target, namespaces []string) []watchKey {
	if len(namespaces) == 0 {
		return []watchKey{{GroupResource: t.GroupResource()}}
	}
	if !t.Namespaced {
		return nil
	}
	var keys []watchKey
	for _, namespace := range namespaces {
		keys = append(keys, watchKey{GroupResource: t.GroupResource(), namespace: namespace})
	}
	return keys
}

func isWatchable(r *metav1.APIResource) bool {
	return !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch")
}
