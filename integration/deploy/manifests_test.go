// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const folder = "../../deploy"

// kustomization is the part of a kustomization that the shipped ones use. A field that is not here fails the tests.
type kustomization struct {
	APIVersion         string   `json:"apiVersion"`
	Kind               string   `json:"kind"`
	Namespace          string   `json:"namespace"`
	Resources          []string `json:"resources"`
	ConfigMapGenerator []struct {
		Name  string   `json:"name"`
		Files []string `json:"files"`
	} `json:"configMapGenerator"`
}

// build returns the objects of a kustomization in the order in which they are to be created, namespaces first.
func build(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	var k kustomization
	require.NoError(t, yaml.UnmarshalStrict(read(t, dir, "kustomization.yaml"), &k), dir)
	var objects []*unstructured.Unstructured
	for _, resource := range k.Resources {
		if filepath.Ext(resource) == "" {
			objects = append(objects, build(t, filepath.Join(dir, resource))...)
			continue
		}
		objects = append(objects, parse(t, read(t, dir, resource)))
	}
	for _, generated := range k.ConfigMapGenerator {
		data := map[string]any{}
		for _, file := range generated.Files {
			data[file] = string(read(t, dir, file))
		}
		objects = append(objects, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": generated.Name, "namespace": k.Namespace}, "data": data,
		}})
	}
	return objects
}

func parse(t *testing.T, data []byte) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal(data, &object.Object), "%s", data)
	return object
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return data
}

// TestOneConfiguration: the operator's resource must hold the configuration that the manifests have in a file of its own.
func TestOneConfiguration(t *testing.T) {
	config, found, err := unstructured.NestedMap(parse(t, read(t, folder, "operator/collector.yaml")).Object, "spec", "config")
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, parse(t, read(t, folder, "kubernetes/kelemetry.yaml")).Object, config)
}

// TestOnePod: whatever makes the Pod, it runs with the same account, volumes and security.
func TestOnePod(t *testing.T) {
	ours := parse(t, read(t, folder, "kubernetes/statefulset.yaml")).Object
	template, _, err := unstructured.NestedMap(ours, "spec", "template", "spec")
	require.NoError(t, err)
	container := template["containers"].([]any)[0].(map[string]any)
	claims, _, err := unstructured.NestedSlice(ours, "spec", "volumeClaimTemplates")
	require.NoError(t, err)
	podSecurity := template["securityContext"].(map[string]any)
	delete(podSecurity, "fsGroupChangePolicy") // saves time only

	operator, _, err := unstructured.NestedMap(parse(t, read(t, folder, "operator/collector.yaml")).Object, "spec")
	require.NoError(t, err)
	helm := parse(t, read(t, folder, "helm/values.yaml")).Object
	statefulset := helm["statefulset"].(map[string]any)
	for name, other := range map[string]struct{ podSecurity, security, resources, claims, account any }{
		"operator": {operator["podSecurityContext"], operator["securityContext"], operator["resources"], operator["volumeClaimTemplates"], operator["serviceAccount"]},
		"helm":     {helm["podSecurityContext"], helm["securityContext"], helm["resources"], statefulset["volumeClaimTemplates"], helm["serviceAccount"].(map[string]any)["name"]},
	} {
		assert.Equal(t, any(podSecurity), other.podSecurity, name)
		assert.Equal(t, container["securityContext"], other.security, name)
		assert.Equal(t, container["resources"], other.resources, name)
		assert.Equal(t, any(claims), other.claims, name)
		assert.Equal(t, template["serviceAccountName"], other.account, name)
	}
	assert.Equal(t, container["image"], operator["image"])
	image := helm["image"].(map[string]any)
	assert.Equal(t, container["image"], image["repository"].(string)+":"+image["tag"].(string))
}
