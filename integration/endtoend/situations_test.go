// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const namespace = "situations"

// recorded is what was exported for a namespace.
type recorded struct {
	t     *testing.T
	spans []span
}

// record runs act, which acts in the namespace, and waits for all of it to be exported.
func record(t *testing.T, b *bed, act func()) recorded {
	t.Helper()
	act()
	all := awaitExported(t, b.live.traces, idsOf(b.written(namespace)))
	return recorded{t, slices.DeleteFunc(all, func(s span) bool { return s.namespace() != namespace || s.isObject() })}
}

// on returns the audit spans on an object, in order.
func (r recorded) on(object string) []span {
	found := slices.DeleteFunc(slices.Clone(r.spans), func(s span) bool { return s.object() != object })
	slices.SortFunc(found, func(a, b span) int { return int(a.StartTimestamp()) - int(b.StartTimestamp()) })
	return found
}

// named returns the one audit span on an object with a name.
func (r recorded) named(object, name string) span {
	r.t.Helper()
	found := slices.DeleteFunc(r.on(object), func(s span) bool { return s.Name() != name })
	require.Len(r.t, found, 1, "%q on %s, which has %v", name, object, names(r.on(object)))
	return found[0]
}

func names(spans []span) []string {
	all := make([]string, 0, len(spans))
	for _, s := range spans {
		all = append(all, s.Name())
	}
	return all
}

func snapshot(s span) string {
	for _, e := range s.Events().All() {
		if e.Name() == attr.EventSnapshot {
			return text(e.Attributes(), attr.SnapshotObject)
		}
	}
	return ""
}

// TestSituations tries on a real API server what is special about single requests.
func TestSituations(t *testing.T) {
	const marker = "hunter2-marker"
	b := startBed(t, testbed.LevelRequestResponse, directly)
	ctx, alice := t.Context(), b.Alice
	require.NoError(t, b.CreateNamespace(ctx, alice, namespace))

	var generated, bound, first, second testbed.Object
	var deleted []testbed.Object
	var secrets []string
	r := record(t, b, func() {
		must := func(err error) { t.Helper(); require.NoError(t, err) }
		var err error
		generated, err = testbed.CreateGenerateName(ctx, alice, namespace, "made-")
		must(err)
		must(testbed.PatchInEveryWay(ctx, alice, namespace, "patched"))
		must(testbed.UpdateNothing(ctx, alice, namespace, "same"))
		must(testbed.CreateDryRun(ctx, alice, namespace, "dry"))
		must(testbed.UpdateStale(ctx, alice, namespace, "stale"))
		must(testbed.CreateInvalid(ctx, alice, namespace))
		must(testbed.DoForbidden(ctx, b.Mallory, namespace, "forbidden"))
		must(testbed.CreateImpersonating(ctx, alice, "carol", namespace, "impersonated"))
		first, second, err = testbed.Recreate(ctx, alice, namespace, "twice")
		must(err)
		deleted, err = testbed.DeleteConfigMaps(ctx, alice, namespace, "batch", 3)
		must(err)
		bound, err = testbed.BindPod(ctx, alice, namespace, "bound")
		must(err)
		for _, protocol := range []testbed.ExecProtocol{testbed.ExecSPDY, testbed.ExecWebSocket} {
			_, err = testbed.ExecInPod(ctx, alice, namespace, bound.Name, protocol, "print", marker+"-exec")
			must(err)
		}
		must(testbed.EvictPod(ctx, alice, namespace, bound.Name))
		secrets, err = testbed.HandleSecret(ctx, alice, namespace, "secret", marker)
		must(err)
		helm, err := testbed.InstallHelmRelease(ctx, alice, namespace, "release", marker+"-helm")
		must(err)
		token, err := testbed.RequestToken(ctx, alice, namespace)
		must(err)
		must(testbed.ReviewToken(ctx, alice, token))
		secrets = append(append(secrets, helm...), token, marker)
	})

	t.Run("generateName comes to its name", func(t *testing.T) {
		s := r.named("configmaps/"+generated.Name, "alice create")
		assert.Equal(t, "made-", s.attribute(attr.GenerateName))
		assert.Contains(t, snapshot(s), `"uid":"`+string(generated.UID)+`"`)
	})
	t.Run("patches have a result each", func(t *testing.T) {
		versions := map[string]bool{}
		for _, s := range r.on("configmaps/patched") {
			versions[s.attribute(attr.ObjectResourceVersion)] = true
		}
		assert.Len(t, versions, 5, "created, and patched in four ways: %v", names(r.on("configmaps/patched")))
		assert.NotEmpty(t, snapshot(r.named("configmaps/patched-applied", "alice patch")), "an apply that creates shows what it created")
	})
	t.Run("an update of nothing says so", func(t *testing.T) {
		assert.Equal(t, "true", r.named("configmaps/same", "alice update").attribute(attr.AuditNoop))
	})
	t.Run("a dry run is marked and tells nothing of the object", func(t *testing.T) {
		s := r.named("configmaps/dry", "alice create")
		assert.Equal(t, "true", s.attribute(attr.AuditDryRun))
		assert.Empty(t, snapshot(s))
		assert.Empty(t, text(s.resource, attr.ObjectUID))
	})
	t.Run("failures are errors with their reasons", func(t *testing.T) {
		conflict := r.named("configmaps/stale", "alice update (Conflict)")
		assert.Equal(t, ptrace.StatusCodeError, conflict.Status().Code())
		assert.Equal(t, "409", conflict.attribute(attr.HTTPResponseStatus))
		assert.NotEmpty(t, r.named("configmaps/forbidden", "mallory delete (Forbidden)").Status().Message())
		assert.Len(t, slices.DeleteFunc(slices.Clone(r.spans), func(s span) bool { return !strings.HasSuffix(s.Name(), "(Invalid)") }), 1)
	})
	t.Run("an impersonated request names both", func(t *testing.T) {
		s := r.named("configmaps/impersonated", "carol create")
		assert.Equal(t, "alice", s.attribute(attr.AuditImpersonatorName))
	})
	t.Run("two lives of one name are told apart", func(t *testing.T) {
		uids := map[string][]string{}
		for _, s := range r.on("configmaps/twice") {
			uid := text(s.resource, attr.ObjectUID)
			uids[uid] = append(uids[uid], s.Name())
		}
		assert.Equal(t, []string{"alice create", "alice delete"}, uids[string(first.UID)])
		assert.Equal(t, []string{"alice create"}, uids[string(second.UID)])
		assert.Len(t, uids, 2)
	})
	t.Run("a deletecollection shows on each object and on the collection", func(t *testing.T) {
		require.Len(t, deleted, 3)
		for _, object := range deleted {
			assert.NotEmpty(t, snapshot(r.named("configmaps/"+object.Name, "alice deletecollection")))
		}
		assert.Equal(t, "3", r.named("configmaps/", "alice deletecollection").attribute(attr.AuditDeletedCount))
	})
	t.Run("subresources are on their object", func(t *testing.T) {
		pod := "pods/" + bound.Name
		assert.Equal(t, testbed.NodeName(0), r.named(pod, "alice create binding").attribute(attr.NodeName))
		r.named(pod, "alice create eviction")
		r.named(pod, "alice create exec")
		r.named(pod, "alice get exec")
	})
	t.Run("no secret value is in any exported byte", func(t *testing.T) {
		log, err := os.ReadFile(b.auditLog)
		require.NoError(t, err)
		require.NoError(t, b.process.Stop()) // flushes
		for _, path := range []string{b.live.traces, b.live.logs} {
			exported, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, needle := range testbed.Needles(secrets...) {
				assert.NotContains(t, string(exported), needle)
			}
		}
		assert.Contains(t, string(log), marker, "the audit log itself has them")
	})
}

// Situation 1: the webhook is down for longer than an API server waits, then recovers.
func TestAnOutageLosesNothingAndShowsNothingTwice(t *testing.T) {
	var down atomic.Bool
	var refused atomic.Int64
	b := startBed(t, testbed.LevelRequestResponse, func(target string) testbed.AuditWebhook {
		proxy := outage(t, target, &down, &refused)
		return testbed.AuditWebhook{URL: proxy, InitialBackoff: 2 * time.Second} // tries for 16 s
	})
	ctx := t.Context()
	require.NoError(t, b.CreateNamespace(ctx, b.Alice, namespace))
	down.Store(true)
	for _, prefix := range []string{"a-", "b-", "c-"} {
		for range 20 {
			_, err := testbed.CreateGenerateName(ctx, b.Alice, namespace, prefix)
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return refused.Load() >= 3 }, patience, 10*time.Millisecond)
	down.Store(false)

	writes := b.written(namespace)
	spans := awaitExported(t, b.live.traces, idsOf(writes))
	seen := map[ids]bool{}
	created := 0
	for _, s := range spans {
		if strings.HasPrefix(s.object(), "configmaps/") && s.attribute(attr.UserName) == "alice" {
			assert.False(t, seen[s.ids()], "%s twice", s.object())
			seen[s.ids()] = true
			created++
		}
	}
	assert.Equal(t, 60, created)
}

// outage puts a proxy in front of the webhook that answers 500 while it is down: before the request reached the
// webhook, or after, so that the API server repeats what was taken.
func outage(t *testing.T, target string, down *atomic.Bool, refused *atomic.Int64) string {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			refused.Add(1)
			http.Error(w, "down", http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + to.Path
}

// Situation 16: two clusters with the same objects post to one webhook.
func TestTwoClustersDoNotMix(t *testing.T) {
	dir := t.TempDir()
	address := testbed.FreeAddress(t)
	path := dir + "/traces.jsonl"
	startCollector(t, "live.yaml", "WEBHOOK="+address, "JAEGER_OTLP="+testbed.FreeAddress(t), "TRACES="+path, "LOGS="+dir+"/logs.jsonl")

	uids := map[string]string{}
	for _, name := range []string{"one", "two"} {
		cluster := testbed.ForTest(t, testbed.Options{
			Components: testbed.APIServerOnly,
			Audit:      testbed.Audit{Webhook: testbed.AuditWebhook{URL: "http://" + address + "/audit/" + name}},
		})
		require.NoError(t, testbed.UpdateNothing(t.Context(), cluster.Alice, "default", "twin"))
		object, err := cluster.Alice.Client.CoreV1().ConfigMaps("default").Get(t.Context(), "twin", metav1.GetOptions{})
		require.NoError(t, err)
		uids[name] = string(object.UID)
	}
	require.NotEqual(t, uids["one"], uids["two"])
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, seen := map[string]string{}, map[string]string{}
		for _, s := range exported(t, path) {
			if s.object() != "configmaps/twin" || s.isObject() {
				continue
			}
			cluster := text(s.resource, attr.ClusterName)
			traces[s.TraceID().String()] = cluster
			seen[cluster] = text(s.resource, attr.ObjectUID)
		}
		assert.Equal(c, uids, seen)
		assert.GreaterOrEqual(c, len(traces), 2, "each has traces of its own")
	}, patience, 100*time.Millisecond)
}
