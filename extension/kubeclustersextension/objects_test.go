// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/metadatatest"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

func (r *running) object(resource, namespace, name string) (string, error) {
	text, err := r.Object(r.t.Context(), schema.ParseGroupResource(resource), namespace, name)
	return string(text), err
}

func TestAnObjectIsWholeButForSecretsAndManagedFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.addWhole(podA, `{"kind":"Pod","metadata":{"name":"a","managedFields":[{"manager":"me"}]},"spec":{"nodeName":"n1","containers":[{"name":"c","env":[{"name":"TOKEN","value":"hush"}]}]}}`)
		r.api.serve("v1", resource("pods", "Pod", true), resource("secrets", "Secret", true))
		r.api.addWhole("/api/v1/namespaces/default/secrets/s", `{"kind":"Secret","metadata":{"name":"s"},"data":{"password":"aHVzaA=="}}`)
		time.Sleep(time.Minute)
		text, err := r.object("pods", "default", "a")
		require.NoError(t, err)
		assert.Contains(t, text, `"nodeName":"n1"`)
		assert.NotContains(t, text, "managedFields")
		assert.NotContains(t, text, "hush")
		text, err = r.object("secrets", "default", "s")
		require.NoError(t, err)
		assert.Contains(t, text, "password")
		assert.NotContains(t, text, "aHVzaA==")
	})
}

func TestObjectsAreCachedForTheirOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.addWhole(podA, `{"metadata":{"name":"a"}}`)
		for range 5 {
			_, err := r.object("pods", "default", "a")
			require.NoError(t, err)
			_, err = r.object("pods", "default", "b")
			require.ErrorIs(t, err, kubecluster.ErrNotFound)
		}
		assert.Equal(t, 1, r.api.asked(podA))
		assert.Equal(t, 1, r.api.asked("/api/v1/namespaces/default/pods/b"))
		time.Sleep(31 * time.Second)
		_, err := r.object("pods", "default", "a")
		require.NoError(t, err)
		assert.Equal(t, 2, r.api.asked(podA))
	})
}

func TestALargeObjectIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, func(c *Config) { c.Lookups.Objects.MaxSize = 1000 })
		r.api.addWhole(podA, fmt.Sprintf(`{"metadata":{"name":"a"},"spec":%q}`, strings.Repeat("x", 1000)))
		for range 3 {
			_, err := r.object("pods", "default", "a")
			require.ErrorIs(t, err, kubecluster.ErrUnavailable)
			require.ErrorContains(t, err, "lookups::objects::max_size")
		}
		assert.Equal(t, 1, r.api.asked(podA), "which is remembered")
	})
}

func TestWhatIsNoObjectIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.addWhole(podA, `{"metadata":`)
		_, err := r.object("pods", "default", "a")
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
	})
}

func TestFewObjectsAreUnderWayAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, func(c *Config) { c.Lookups.Objects.MaxConcurrent = 2 })
		r.api.behave(gated)
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				_, err := r.object("pods", "default", fmt.Sprint("gated-", i))
				assert.ErrorIs(t, err, kubecluster.ErrNotFound)
			})
		}
		synctest.Wait()
		assert.Equal(t, 2, r.api.asked("/api/v1/namespaces/default/pods/gated-"))
		close(r.api.gate)
		all.Wait()
		assert.Equal(t, 10, r.api.asked("/api/v1/namespaces/default/pods/gated-"))
	})
}

func TestBothFormsShareTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, func(c *Config) { c.Lookups.QPS, c.Lookups.Burst = 0.001, 2 }) // the cluster's UID took one
		r.finds("pods", "default", "a", "uid-a")
		_, err := r.object("pods", "default", "a")
		require.ErrorContains(t, err, "lookups::qps")
	})
}

// knowing is a source that knows one Pod.
type knowing struct{ uid string }

func (k knowing) Metadata(r schema.GroupResource, _, name string) (*metav1.PartialObjectMetadata, bool) {
	if r.Resource != "pods" || name != "a" {
		return nil, false
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(k.uid)}}, true
}

func (k knowing) Object(r schema.GroupResource, namespace, name string) ([]byte, bool) {
	_, ok := k.Metadata(r, namespace, name)
	return []byte(k.uid), ok
}

func TestWhoKnowsIsAskedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		withdraw := r.Offer(knowing{"first"})
		withdrawOther := r.Offer(knowing{"second"})
		r.finds("pods", "default", "a", "first")
		object, ok := r.Known(schema.GroupResource{Resource: "pods"}, "default", "a")
		require.True(t, ok)
		assert.EqualValues(t, "first", object.UID)
		text, err := r.object("pods", "default", "a")
		require.NoError(t, err)
		assert.Equal(t, "first", text)
		r.fails(kubecluster.ErrNotFound, "pods", "default", "b")
		assert.Zero(t, r.api.asked(podA))

		withdraw()
		withdraw()
		r.finds("pods", "default", "a", "second")
		withdrawOther()
		_, ok = r.Known(schema.GroupResource{Resource: "pods"}, "default", "a")
		assert.False(t, ok)
		r.finds("pods", "default", "a", "uid-a")
		assert.Equal(t, 1, r.api.asked(podA))

		point := func(n int64, form, result, source string) metricdata.DataPoint[int64] {
			return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String("k8s.cluster.name", "test"),
				attribute.String("form", form), attribute.String("result", result), attribute.String("source", source))}
		}
		metadatatest.AssertEqualExtensionKubeClustersLookups(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(3, "metadata", "found", "offer"), point(1, "object", "found", "offer"),
			point(2, "metadata", "found", "api"), point(1, "metadata", "not_found", "api"), // with the cluster's UID
		}, metricdatatest.IgnoreTimestamp())
	})
}

// TestOffersComeAndGoMeanwhile is for the race detector.
func TestOffersComeAndGoMeanwhile(t *testing.T) {
	o := &offers{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				withdraw := o.add(knowing{"x"})
				_, ok := o.metadata(schema.GroupResource{Resource: "pods"}, "", "a")
				assert.True(t, ok)
				withdraw()
			}
		})
	}
	all.Wait()
	assert.Empty(t, o.all())
}
