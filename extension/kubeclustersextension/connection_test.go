// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// In a bubble of synctest, time passes only when everything waits: time.Sleep waits for what happens by then.

func TestWithoutAnAnswerTheBuiltInTypesAreKnownAndWithOneTheServedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.behave(refuses)
		api.serve("example.com/v1", resource("widgets", "Widget", true))
		r := start(t, api, nil)
		synctest.Wait()

		status, err := r.host.last()
		assert.Equal(t, componentstatus.StatusRecoverableError, status)
		require.ErrorContains(t, err, "cluster test: ask what the API server serves: ")
		require.ErrorContains(t, err, "connection refused")
		plural, err := r.resourceOf("apps", "Deployment")
		require.NoError(t, err)
		assert.Equal(t, "apps/v1 deployments", plural)
		_, err = r.resourceOf("example.com", "Widget")
		assert.True(t, meta.IsNoMatchError(err))
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)

		api.behave(answers)
		time.Sleep(2 * time.Second)
		status, _ = r.host.last()
		assert.Equal(t, componentstatus.StatusOK, status)
		plural, err = r.resourceOf("example.com", "Widget")
		require.NoError(t, err)
		assert.Equal(t, "example.com/v1 widgets", plural)
		_, err = r.resourceOf("apps", "Deployment")
		assert.True(t, meta.IsNoMatchError(err), "this API server has no such group")
		assert.NotErrorIs(t, err, kubecluster.ErrUnavailable)
	})
}

func TestAnAPIServerThatIsAwayIsTriedForEverButNotOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.behave(refuses)
		r := start(t, api, nil)
		time.Sleep(24 * time.Hour)
		tries := api.refreshes()
		assert.Greater(t, tries, 24*60, "at least every 45 s")
		assert.Less(t, tries, 24*60*4+20, "at most every 15 s in the end")
		assert.Len(t, r.warnings(), 1, "it is told once")

		api.behave(answers)
		time.Sleep(46 * time.Second)
		status, _ := r.host.last()
		assert.Equal(t, componentstatus.StatusOK, status)
		assert.Len(t, r.host.events, 2)
	})
}

func TestAnUnknownKindIsAskedForAtOnceButNotAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		r := start(t, api, nil)
		time.Sleep(time.Minute)
		assert.Equal(t, 1, api.refreshes())

		api.serve("example.com/v1", resource("widgets", "Widget", true))
		_, err := r.resourceOf("example.com", "Widget")
		require.NoError(t, err)
		assert.Equal(t, 2, api.refreshes())

		for range 999 {
			_, err = r.resourceOf("example.com", "Gear")
			assert.True(t, meta.IsNoMatchError(err))
			time.Sleep(time.Millisecond)
		}
		assert.Equal(t, 2, api.refreshes(), "not within 10 s")
		time.Sleep(10 * time.Second)
		_, err = r.resourceOf("example.com", "Gear")
		assert.True(t, meta.IsNoMatchError(err))
		assert.Equal(t, 3, api.refreshes())
	})
}

func TestDiscoveryIsRefreshedByTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		r := start(t, api, nil)
		synctest.Wait()
		groups, err := r.Discovery().ServerGroups()
		require.NoError(t, err)
		assert.Len(t, groups.Groups, 1)
		api.serve("example.com/v1", resource("widgets", "Widget", true))
		groups, err = r.Discovery().ServerGroups()
		require.NoError(t, err)
		assert.Len(t, groups.Groups, 1, "cached")

		time.Sleep(31 * time.Minute)
		before := api.refreshes()
		_, err = r.resourceOf("example.com", "Widget")
		require.NoError(t, err)
		assert.Equal(t, before, api.refreshes(), "it was known already")
		groups, err = r.Discovery().ServerGroups()
		require.NoError(t, err)
		assert.Len(t, groups.Groups, 2)
	})
}

func TestAFailedRefreshForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.serve("example.com/v1", resource("widgets", "Widget", true))
		r := start(t, api, nil)
		synctest.Wait()
		_, err := r.Discovery().ServerGroups()
		require.NoError(t, err)

		for _, how := range []behavior{refuses, hangs, fails, unauthorized} {
			api.behave(how)
			time.Sleep(31 * time.Minute)
			status, _ := r.host.last()
			assert.Equal(t, componentstatus.StatusRecoverableError, status)
			_, err = r.resourceOf("example.com", "Widget")
			require.NoError(t, err)
			_, err = r.Discovery().ServerGroups()
			require.NoError(t, err)
		}
		api.behave(answers)
		api.deny("/apis/example.com") // as when the server behind an aggregated API is away
		time.Sleep(31 * time.Minute)
		status, _ := r.host.last()
		assert.Equal(t, componentstatus.StatusOK, status)
		_, err = r.resourceOf("example.com", "Widget")
		require.NoError(t, err)
	})
}

func TestAServerThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.behave(hangs)
		r := start(t, api, nil)
		began := time.Now()
		_, err := r.resourceOf("apps", "Deployment")
		require.NoError(t, err)
		assert.Zero(t, time.Since(began), "what is known offline takes no time")
		_, err = r.resourceOf("example.com", "Widget")
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
		assert.LessOrEqual(t, time.Since(began), 2*time.Second)

		time.Sleep(15 * time.Second)
		began = time.Now()
		_, err = r.resourceOf("example.com", "Widget")
		require.ErrorIs(t, err, kubecluster.ErrUnavailable)
		r.fails(kubecluster.ErrUnavailable, "pods", "default", "a")
		assert.Zero(t, time.Since(began), "once it is known to hang, nobody waits")
	})
}

func TestForbiddenDiscoverySaysWhatToAddAndStillLooksUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.deny("/apis")
		api.add("/api/v1/namespaces/default/pods/a", "uid-a")
		r := start(t, api, nil)
		synctest.Wait()
		status, err := r.host.last()
		assert.Equal(t, componentstatus.StatusRecoverableError, status)
		require.ErrorContains(t, err, "the account needs the verb get on the non-resource URLs /api, /api/*, /apis and /apis/*, as ClusterRole system:discovery gives it")
		r.finds("pods", "default", "a", "uid-a")
	})
}

func TestSomeOtherServerIsNoCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFakeAPI()
		api.behave(blank)
		r := start(t, api, nil)
		synctest.Wait()
		_, err := r.host.last()
		require.ErrorContains(t, err, "is it a Kubernetes API server?")
		_, err = r.resourceOf("apps", "Deployment")
		require.NoError(t, err, "the built-in types are known all the same")
	})
}
