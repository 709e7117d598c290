// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

const podA = "/api/v1/namespaces/default/pods/a"

// withPod starts with a Pod "a" of UID "uid-a" in namespace "default", and waits for discovery.
func withPod(t *testing.T, change func(*Config)) *running {
	t.Helper()
	api := newFakeAPI()
	api.add(podA, "uid-a")
	r := start(t, api, change)
	synctest.Wait()
	return r
}

func TestMetadataIsWhatIdentifiesTheObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		object, err := r.lookUp("pods", "default", "a")
		require.NoError(t, err)
		assert.Equal(t, "v1/Pod", object.APIVersion+"/"+object.Kind)
		assert.Empty(t, object.ManagedFields)
		assert.Equal(t, map[string]string{"a": "b"}, object.Annotations, "without the last applied configuration")

		object.Annotations["a"] = "changed"
		again, err := r.lookUp("pods", "default", "a")
		require.NoError(t, err)
		assert.Equal(t, "b", again.Annotations["a"], "each caller has a copy")
	})
}

func TestAnswersAreCachedForTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		for range 10 {
			r.finds("pods", "default", "a", "uid-a")
			r.fails(kubecluster.ErrNotFound, "pods", "default", "b")
		}
		assert.Equal(t, 1, r.api.asked(podA))
		assert.Equal(t, 1, r.api.asked("/api/v1/namespaces/default/pods/b"))

		r.api.add("/api/v1/namespaces/default/pods/b", "uid-b")
		time.Sleep(29 * time.Second)
		r.fails(kubecluster.ErrNotFound, "pods", "default", "b")
		time.Sleep(2 * time.Second)
		r.finds("pods", "default", "b", "uid-b")

		r.api.add(podA, "uid-of-the-next-life")
		time.Sleep(4 * time.Minute)
		r.finds("pods", "default", "a", "uid-a")
		time.Sleep(time.Minute)
		r.finds("pods", "default", "a", "uid-of-the-next-life")
	})
}

func TestTheCacheIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, func(c *Config) { c.Lookups.CacheSize, c.Lookups.QPS, c.Lookups.Burst = 1<<20, 1e6, 1e6 })
		c := r.clusters["test"]
		for i := range 5000 {
			r.fails(kubecluster.ErrNotFound, "pods", "default", fmt.Sprint("pod-", i))
		}
		usage := c.lookups.Usage()
		assert.LessOrEqual(t, usage.Bytes, int64(1<<20))
		assert.Greater(t, usage.Bytes, int64(1<<20-1000))
		assert.EqualValues(t, 5000+1, usage.Entries+usage.Evicted, "with the cluster's UID")
	})
}

func TestWhoAsksForTheSameAsksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.behave(gated)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { r.finds("pods", "default", "a", "uid-a") })
		}
		impatient, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			_, err := r.Metadata(impatient, schema.GroupResource{Resource: "pods"}, "default", "a")
			assert.True(t, errors.Is(err, kubecluster.ErrUnavailable) && errors.Is(err, context.Canceled), "%v", err)
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(r.api.gate)
		all.Wait()
		assert.Equal(t, 1, r.api.asked(podA))
	})
}

func TestWhoeverAskedFirstMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.behave(gated)
		first, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := r.Metadata(first, schema.GroupResource{Resource: "pods"}, "default", "a")
			assert.ErrorIs(t, err, kubecluster.ErrUnavailable)
		})
		synctest.Wait()
		all.Go(func() { r.finds("pods", "default", "a", "uid-a") })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(r.api.gate)
		all.Wait()
	})
}

func TestLookUpsBeyondTheRateFailAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, func(c *Config) { c.Lookups.QPS, c.Lookups.Burst = 1, 3 })
		time.Sleep(time.Minute) // the cluster's UID took one
		before := time.Now()
		for i := range 3 {
			r.fails(kubecluster.ErrNotFound, "pods", "default", fmt.Sprint("b", i))
		}
		assert.Contains(t, r.fails(kubecluster.ErrUnavailable, "pods", "default", "b3"), "lookups::qps")
		assert.Zero(t, time.Since(before))
		assert.Zero(t, r.api.asked("/api/v1/namespaces/default/pods/b3"))
		r.fails(kubecluster.ErrNotFound, "pods", "default", "b0") // is cached

		time.Sleep(time.Second)
		r.fails(kubecluster.ErrNotFound, "pods", "default", "b3")
		r.fails(kubecluster.ErrUnavailable, "pods", "default", "b4")
	})
}

func TestALookUpTakesNoLongerThanItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.behave(hangs)
		before := time.Now()
		assert.Contains(t, r.fails(kubecluster.ErrUnavailable, "pods", "default", "a"), context.DeadlineExceeded.Error())
		assert.Equal(t, 2*time.Second, time.Since(before))
	})
}

func TestForbiddenSaysOnceWhatToAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.serve("apps/v1", resource("deployments", "Deployment", true))
		r.api.deny("/apis/apps/v1/namespaces")
		time.Sleep(time.Minute)
		for range 5 {
			assert.Contains(t, r.fails(kubecluster.ErrUnavailable, "deployments.apps", "default", "d"), "the account needs the verb get on deployments.apps")
			r.fails(kubecluster.ErrUnavailable, "deployments.apps", "default", "e")
		}
		assert.Equal(t, 2, r.api.asked("/apis/apps/v1/namespaces"), "each object is asked for once")
		told := r.logs.FilterMessageSnippet("give the account the verb get").All()
		require.Len(t, told, 1)
		assert.Equal(t, map[string]any{"cluster": "test", "apiGroup": "apps", "resource": "deployments", "verb": "get", "error": "you may not (403)"}, told[0].ContextMap())

		r.api.deny("")
		r.api.add("/apis/apps/v1/namespaces/default/deployments/d", "uid-d")
		time.Sleep(time.Minute)
		r.finds("deployments.apps", "default", "d", "uid-d")
	})
}

func TestWhenTheAPIServerIsGoneLookUpsFailAtOnceUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		time.Sleep(time.Minute)
		r.api.behave(refuses)
		r.fails(kubecluster.ErrUnavailable, "pods", "default", "a")
		synctest.Wait() // which has discovery tried, too
		status, _ := r.host.last()
		assert.Equal(t, componentstatus.StatusRecoverableError, status)
		before := r.api.asked("")
		for range 100 {
			r.fails(kubecluster.ErrUnavailable, "pods", "default", "a")
		}
		assert.Equal(t, before, r.api.asked(""), "nobody is asked")

		r.api.behave(answers)
		time.Sleep(45 * time.Second)
		status, _ = r.host.last()
		assert.Equal(t, componentstatus.StatusOK, status)
		r.finds("pods", "default", "a", "uid-a")
		assert.Len(t, r.warnings(), 1)
		assert.Len(t, r.logs.FilterMessage("The API server answers again").All(), 1)
	})
}

func TestATypeThatIsServedInAnotherVersionByNowIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.serve("example.com/v1alpha1", resource("widgets", "Widget", true))
		time.Sleep(time.Minute)
		r.fails(kubecluster.ErrNotFound, "widgets.example.com", "default", "w")

		r.api.remove("example.com/v1alpha1")
		r.api.serve("example.com/v1", resource("widgets", "Widget", true))
		r.api.add("/apis/example.com/v1/namespaces/default/widgets/w", "uid-w")
		time.Sleep(time.Minute)
		r.finds("widgets.example.com", "default", "w", "uid-w")

		r.api.remove("example.com/v1")
		time.Sleep(6 * time.Minute)
		r.fails(kubecluster.ErrNotFound, "widgets.example.com", "default", "w")
	})
}

func TestWhatIsNotKnownForSureIsNotDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		// The discovery at the start was only just now: too soon to ask again.
		r.fails(kubecluster.ErrUnavailable, "widgets.example.com", "default", "w")
		time.Sleep(10 * time.Second)
		assert.Contains(t, r.fails(kubecluster.ErrNotFound, "widgets.example.com", "default", "w"), "the API server has no such resource")
		refreshes := r.api.refreshes()
		time.Sleep(20 * time.Second)
		r.fails(kubecluster.ErrNotFound, "widgets.example.com", "default", "w")
		assert.Equal(t, refreshes, r.api.refreshes(), "which is cached, too")
	})
}

func TestNamespacesMatterWhereTheyDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.finds("namespaces", "default", "kube-system", "uid-of-the-cluster")
		r.finds("namespaces", "", "kube-system", "uid-of-the-cluster")
		r.fails(kubecluster.ErrNotFound, "pods", "", "a")
	})
}

func TestNamesLeadNowhereElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		before := r.api.asked("")
		for _, name := range []string{"", ".", "..", "../pods/a", "a/status", "a%2f"} {
			r.fails(kubecluster.ErrNotFound, "pods", "default", name)
			r.fails(kubecluster.ErrNotFound, "pods", "../"+name, "a")
		}
		assert.Equal(t, before, r.api.asked(""))
	})
}

func TestTheUIDIsThatOfKubeSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.forget("/api/v1/namespaces/kube-system") // as in a cluster that only just starts
		r := start(t, api, nil)
		synctest.Wait()
		_, err := r.UID(t.Context())
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
		status, err := r.host.last()
		assert.Equal(t, componentstatus.StatusRecoverableError, status)
		require.ErrorContains(t, err, "there is no namespace kube-system")

		api.add("/api/v1/namespaces/kube-system", "uid-of-the-cluster")
		time.Sleep(3 * time.Second)
		status, _ = r.host.last()
		assert.Equal(t, componentstatus.StatusOK, status)
		assert.Equal(t, 1, api.refreshes(), "discovery is not tried again with it")
		asked := api.asked("")
		uid, err := r.UID(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, "uid-of-the-cluster", uid)
		assert.Equal(t, asked, api.asked(""))
	})
}

// TestNoSecretIsLogged, though each request that fails has a token.
func TestNoSecretIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.behave(unauthorized)
		r := start(t, api, nil)
		time.Sleep(time.Hour)
		require.Contains(t, api.authorizations(), "Bearer "+testToken)
		for _, entry := range r.logs.All() {
			assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), testToken)
		}
		assert.Len(t, r.warnings(), 1)
	})
}
