// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package clusters

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/kinds"
)

func TestTheTableForWithoutAServerIsWhatAServerSays(t *testing.T) {
	offline := startExtension(t, map[string]any{"server": map[string]any{"url": "https://127.0.0.1:1"}}, nil)
	online := startExtension(t, asUser(shared.Admin), nil).connected()
	served := 0
	for _, want := range kinds.All() {
		kind := schema.GroupKind{Group: want.Group, Kind: want.Kind}
		guess, err := offline.Mapper().RESTMapping(kind)
		require.NoError(t, err)
		mapping, err := online.Mapper().RESTMapping(kind)
		if meta.IsNoMatchError(err) {
			continue // not every API of the table is switched on
		}
		require.NoError(t, err)
		served++
		assert.Equal(t, want.Resource, mapping.Resource.Resource)
		assert.Equal(t, mapping, guess)
	}
	assert.Greater(t, served, 60)
}

func TestTheUIDIsThatOfKubeSystem(t *testing.T) {
	e := startExtension(t, asUser(shared.Alice), nil).connected()
	namespace, err := shared.Admin.Client.CoreV1().Namespaces().Get(t.Context(), "kube-system", metav1.GetOptions{})
	require.NoError(t, err)
	uid, err := e.UID(t.Context())
	require.NoError(t, err)
	assert.Equal(t, namespace.UID, uid)
	assert.NotEmpty(t, uid)
}

const widgetCRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  names: { kind: Widget, plural: widgets, singular: widget, listKind: WidgetList }
  scope: Namespaced
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
`

// TestATypeThatIsMadeWhileItRunsIsFound, also its objects, and not found once it is gone.
func TestATypeThatIsMadeWhileItRunsIsFound(t *testing.T) {
	e := startExtension(t, asUser(shared.Alice), map[string]any{
		"discovery": map[string]any{"min_interval": "200ms"}, "lookups": map[string]any{"ttl": "1ms", "negative_ttl": "1ms"},
	}).connected()
	widget := schema.GroupKind{Group: "example.com", Kind: "Widget"}
	_, err := e.Mapper().RESTMapping(widget)
	require.True(t, meta.IsNoMatchError(err))

	client, err := dynamic.NewForConfig(shared.Admin.Config)
	require.NoError(t, err)
	definition := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(widgetCRD), &definition.Object))
	crds := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	_, err = crds.Create(t.Context(), definition, metav1.CreateOptions{})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		mapping, err := e.Mapper().RESTMapping(widget)
		if assert.NoError(c, err) {
			assert.Equal(c, schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}, mapping.Resource)
		}
	}, patience, 10*time.Millisecond)

	widgets := client.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}).Namespace("default")
	var made *unstructured.Unstructured
	require.EventuallyWithT(t, func(c *assert.CollectT) { // until it is served
		made, err = widgets.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{
				"name": "w", "ownerReferences": []any{map[string]any{"apiVersion": "example.com/v1", "kind": "Widget", "name": "parent", "uid": "u"}},
			},
		}}, metav1.CreateOptions{})
		assert.NoError(c, err)
	}, patience, 50*time.Millisecond)
	object, err := e.Metadata(t.Context(), schema.GroupResource{Group: "example.com", Resource: "widgets"}, "default", "w")
	require.NoError(t, err)
	assert.Equal(t, made.GetUID(), object.UID)
	assert.Equal(t, "example.com/v1/Widget", object.APIVersion+"/"+object.Kind)
	assert.Equal(t, "parent", object.OwnerReferences[0].Name)

	require.NoError(t, crds.Delete(t.Context(), "widgets.example.com", metav1.DeleteOptions{}))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := e.lookUp("widgets.example.com", "default", "w")
		assert.ErrorIs(c, err, kubecluster.ErrNotFound)
		assert.ErrorContains(c, err, "the API server has no such resource")
	}, patience, 50*time.Millisecond)
}

func configMap(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	made, err := shared.Alice.Client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"a": "b"},
			Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: `{"data":{"secret":"hush"}}`, "kelemetry.example.com/x": "y"},
		},
		Data: map[string]string{"secret": "hush"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, shared.Alice.Client.CoreV1().ConfigMaps("default").Delete(context.Background(), name, metav1.DeleteOptions{}))
	})
	return made
}

func gets(name string) func(testbed.AuditEvent) bool {
	return func(e testbed.AuditEvent) bool {
		return e.Verb == "get" && e.ObjectRef.Resource == "configmaps" && e.ObjectRef.Name == name
	}
}

// TestLookUpsOfTheSameObjectAreOneRequest, as the API server's own audit log tells.
func TestLookUpsOfTheSameObjectAreOneRequest(t *testing.T) {
	made := configMap(t, "asked-once")
	e := startExtension(t, asUser(shared.Alice), nil).connected()
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			uid, err := e.lookUp("configmaps", "default", "asked-once")
			assert.Equal(t, string(made.UID), uid, "%v", err)
		})
	}
	all.Wait()
	agent := e.RESTConfig().UserAgent
	assert.Contains(t, agent, "kelemetry/of-a-test-")
	assert.Equal(t, 1, requests(t, agent, gets("asked-once")))

	object, err := e.Metadata(t.Context(), schema.GroupResource{Resource: "configmaps"}, "default", "asked-once")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"kelemetry.example.com/x": "y"}, object.Annotations)
	assert.Equal(t, map[string]string{"a": "b"}, object.Labels)
	assert.Empty(t, object.ManagedFields)
}

func TestThatThereIsNoObjectIsRememberedForATime(t *testing.T) {
	e := startExtension(t, asUser(shared.Alice), map[string]any{"lookups": map[string]any{"negative_ttl": "1s"}}).connected()
	asked := time.Now()
	for range 50 {
		_, err := e.lookUp("configmaps", "default", "not-yet")
		require.ErrorIs(t, err, kubecluster.ErrNotFound)
	}
	made := configMap(t, "not-yet")
	if _, err := e.lookUp("configmaps", "default", "not-yet"); time.Since(asked) < time.Second {
		require.ErrorIs(t, err, kubecluster.ErrNotFound, "as remembered")
		assert.Equal(t, 1, requests(t, e.RESTConfig().UserAgent, gets("not-yet")))
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		uid, err := e.lookUp("configmaps", "default", "not-yet")
		assert.NoError(c, err)
		assert.Equal(c, string(made.UID), uid)
	}, patience, 50*time.Millisecond)
}

func TestTokensAreReadFromTheirFile(t *testing.T) {
	dir := t.TempDir()
	token, ca := filepath.Join(dir, "token"), filepath.Join(dir, "ca.crt")
	require.NoError(t, os.WriteFile(token, []byte(shared.Alice.Token), 0o600))
	require.NoError(t, os.WriteFile(ca, shared.Admin.Config.CAData, 0o600))
	e := startExtension(t, map[string]any{"server": map[string]any{
		"url": shared.URL, "token_file": token, "tls": map[string]any{"ca_file": ca},
	}}, nil).connected()
	_, err := e.lookUp("namespaces", "", "default")
	require.NoError(t, err)
}

// TestClientsOfOthersWork: with the configuration, discovery and mapper that other components get.
func TestClientsOfOthersWork(t *testing.T) {
	e := startExtension(t, asUser(shared.Alice), nil).connected()
	client, err := dynamic.NewForConfig(e.RESTConfig())
	require.NoError(t, err)
	mapping, err := e.Mapper().RESTMapping(schema.GroupKind{Kind: "Namespace"})
	require.NoError(t, err)
	list, err := client.Resource(mapping.Resource).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.NotEmpty(t, list.Items)
	resources, err := e.Discovery().ServerPreferredResources()
	require.NoError(t, err)
	assert.Greater(t, len(resources), 15)
}

func TestAnAccountThatIsNotKnownIsToldFrom(t *testing.T) {
	e := startExtension(t, asToken(shared, "no-such-token"), nil)
	assert.Contains(t, e.is(recoverable), "the server has asked for the client to provide credentials")
	_, err := e.lookUp("namespaces", "", "default")
	require.ErrorIs(t, err, kubecluster.ErrUnavailable)
	assert.False(t, apierrors.IsNotFound(err))
}

// TestMalloryIsToldWhatToAdd: an account with no rights but those that every account has by default.
func TestMalloryIsToldWhatToAdd(t *testing.T) {
	e := startExtension(t, asUser(shared.Mallory), nil)
	assert.Contains(t, e.is(recoverable), "forbidden: the account needs the verb get on namespaces")
	for range 3 {
		_, err := e.lookUp("deployments.apps", "default", "d")
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
		require.ErrorContains(t, err, "forbidden: the account needs the verb get on deployments.apps")
	}
	told := e.logs.FilterMessageSnippet("give the account the verb get").FilterField(zap.String("resource", "deployments")).All()
	require.Len(t, told, 1)
	assert.Equal(t, "apps", told[0].ContextMap()["apiGroup"])
	assert.Contains(t, told[0].ContextMap()["error"], `User "mallory" cannot get resource "deployments" in API group "apps" in the namespace "default"`)
}

func TestALookUpThatIsNotWantedAnyMoreEnds(t *testing.T) {
	e := startExtension(t, asUser(shared.Alice), nil).connected()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.Metadata(ctx, schema.GroupResource{Resource: "configmaps"}, "default", "x")
	require.ErrorIs(t, err, kubecluster.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}
