// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package watch

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

const customTypes = 500

// TestFiveHundredCustomTypes is situation 15 in large: they appear while the receiver runs, and are all watched.
func TestFiveHundredCustomTypes(t *testing.T) {
	cluster := testbed.ForTest(t, testbed.Options{Components: testbed.APIServerOnly})
	child := startChild(t, cluster.Kubeconfig)
	require.Eventually(t, func() bool { return child.last().Resources > 0 && child.last().Objects > 0 }, 2*time.Minute, childReports)
	before := child.last()

	client, err := dynamic.NewForConfig(cluster.Admin.Config)
	require.NoError(t, err)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; i < customTypes; i += 4 {
				definition := &unstructured.Unstructured{}
				err := yaml.Unmarshal([]byte(widgetCRD), &definition.Object)
				name := fmt.Sprintf("widget%ds", i)
				definition.SetName(name + ".example.com")
				err = errors.Join(err, unstructured.SetNestedStringMap(definition.Object, map[string]string{
					"kind": fmt.Sprintf("Widget%d", i), "plural": name, "singular": fmt.Sprintf("widget%d", i), "listKind": fmt.Sprintf("Widget%dList", i),
				}, "spec", "names"))
				_, createErr := client.Resource(crds).Create(t.Context(), definition, metav1.CreateOptions{})
				if err = errors.Join(err, createErr); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	assert.Eventually(t, func() bool { return child.last().Resources >= before.Resources+customTypes }, 3*time.Minute, childReports)
	after := child.last()
	t.Logf("%d resources: %s; before, with %d: %s; CPU %s", after.Resources, describe(after), before.Resources, describe(before), after.CPU-before.CPU)
	assert.Less(t, after.Peak, int64(2*maxResident))
}
