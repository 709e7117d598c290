// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

func TestLookUpsAreAnsweredFromTheLastStates(t *testing.T) {
	r := newRig(t, createDefaultConfig().(*Config), deployments)
	text := strings.Replace(deployment("web", "1", `{"template":{"spec":{"containers":[{"env":[{"name":"A","value":"hush"}]}]}}}`), `"uid"`,
		`"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","a":"b"},"ownerReferences":[{"apiVersion":"example.com/v1","kind":"App","name":"shop","uid":"u"}],"uid"`, 1)
	r.list(t, text)
	o := newOffered(r.maker.unmarked)
	apps := schema.GroupResource{Group: "apps", Resource: "deployments"}
	key := watchKey{GroupResource: apps}

	_, ok := o.Metadata(apps, "shop", "web")
	assert.False(t, ok, "not offered yet")
	o.add(key, deployments, r.table)
	object, ok := o.Metadata(apps, "shop", "web")
	require.True(t, ok)
	assert.Equal(t, "apps/v1/Deployment u-web", object.APIVersion+"/"+object.Kind+" "+string(object.UID))
	assert.Equal(t, map[string]string{"a": "b"}, object.Annotations)
	assert.Equal(t, []metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: "App", Name: "shop", UID: "u"}}, object.OwnerReferences)

	whole, ok := o.Object(apps, "shop", "web")
	require.True(t, ok)
	assert.Contains(t, string(whole), `"value":"<redacted>"`, "without the receiver's own marks")

	_, ok = o.Object(apps, "shop", "other")
	assert.False(t, ok)
	_, ok = o.Metadata(schema.GroupResource{Resource: "pods"}, "shop", "web")
	assert.False(t, ok)

	r.table.Remove("shop/web")
	_, ok = o.Metadata(apps, "shop", "web")
	assert.False(t, ok)
	o.remove(key)
	assert.Empty(t, o.tables)
}

func TestOfWatchesOfSomeNamespacesTheRightOneAnswers(t *testing.T) {
	budget := states.NewBudget(1 << 20)
	apps := schema.GroupResource{Group: "apps", Resource: "deployments"}
	o := newOffered(strings.Clone)
	for _, namespace := range []string{"a", "b"} {
		table := budget.NewTable()
		table.Put(namespace+"/web", "uid-"+namespace, "1", []byte(`{"metadata":{"uid":"uid-`+namespace+`"}}`))
		o.add(watchKey{GroupResource: apps, namespace: namespace}, deployments, table)
	}
	object, ok := o.Metadata(apps, "b", "web")
	require.True(t, ok)
	assert.EqualValues(t, "uid-b", object.UID)
	_, ok = o.Metadata(apps, "c", "web")
	assert.False(t, ok)
}

func TestClusterScopedObjectsHaveNoNamespaceHoweverTheyAreAskedFor(t *testing.T) {
	table := states.NewBudget(1 << 20).NewTable()
	table.Put("n1", "uid", "1", []byte(`{"metadata":{"name":"n1"}}`))
	nodes := target{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, Kind: "Node"}
	o := newOffered(strings.Clone)
	o.add(watchKey{GroupResource: nodes.GroupResource()}, nodes, table)
	_, ok := o.Metadata(nodes.GroupResource(), "default", "n1")
	assert.True(t, ok)
}

func TestOfWhatIsKeptInPartOnlyTheMetadataIsOffered(t *testing.T) {
	const limit = 1 << 20
	table := states.NewBudget(limit).NewTable()
	var name string
	for i := 0; ; i++ {
		name = strings.Repeat("x", i+1)
		if table.Put("shop/"+name, "uid", "1", []byte(`{"metadata":{"uid":"uid"},"spec":"`+noise(uint64(i))+`"}`)) == states.Metadata {
			break
		}
	}
	o := newOffered(strings.Clone)
	o.add(watchKey{GroupResource: deployments.GroupResource()}, deployments, table)
	_, ok := o.Metadata(deployments.GroupResource(), "shop", name)
	assert.True(t, ok)
	_, ok = o.Object(deployments.GroupResource(), "shop", name)
	assert.False(t, ok)
}
