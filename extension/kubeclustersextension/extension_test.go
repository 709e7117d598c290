// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/metadatatest"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/readmetest"
)

func TestReadmeExamplesWork(t *testing.T) { readmetest.Examples(t, "extensions", NewFactory()) }

func TestReadmeNamesEveryOption(t *testing.T) {
	readmetest.NamesEveryOption(t, createDefaultConfig())
	readmetest.NamesEveryOption(t, &ClusterConfig{})
}

func TestShutdownIsSafeAtAnyTime(t *testing.T) {
	e := newExtension(createDefaultConfig().(*Config), settings(componenttest.NewTelemetry(), zap.NewNop()))
	require.NoError(t, e.Shutdown(t.Context()), "before Start")
	e.inCluster = func() (*rest.Config, error) { return &rest.Config{Host: "http://fake", Transport: newFakeAPI()}, nil }
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.Error(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()), "twice")
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Clusters = map[string]ClusterConfig{
		"good": {Server: configoptional.Some(ServerConfig{URL: "http://127.0.0.1:1"})},
		"bad":  {Server: configoptional.Some(ServerConfig{URL: "https://127.0.0.1:1", TLS: TLSConfig{CAPem: "no certificate"}})},
	}
	telemetry := componenttest.NewTelemetry()
	e := newExtension(config, settings(telemetry, zap.NewNop()))
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), "cluster bad: ")
	assert.Empty(t, e.Names())
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestShutdownEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, nil)
		r.api.behave(hangs)
		time.Sleep(time.Minute)
		before := time.Now()
		var all sync.WaitGroup
		all.Go(func() { r.fails(kubecluster.ErrUnavailable, "pods", "default", "a") })
		synctest.Wait()
		r.stop()
		all.Wait()
		assert.Zero(t, time.Since(before))

		assert.Contains(t, r.fails(kubecluster.ErrUnavailable, "pods", "default", "a"), "the extension has stopped")
		_, err := r.resourceOf("example.com", "Widget")
		require.Error(t, err)
		assert.Zero(t, time.Since(before))
	})
}

func TestClustersAreFoundByName(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.Clusters = map[string]ClusterConfig{}
	for _, name := range []string{"b", "a"} {
		config.Clusters[name] = ClusterConfig{Server: configoptional.Some(ServerConfig{URL: "http://127.0.0.1:1"})}
	}
	e := newExtension(config, settings(componenttest.NewTelemetry(), zap.NewNop()))
	_, err := e.Cluster("a")
	require.ErrorIs(t, err, kubecluster.ErrUnknownCluster, "before Start")
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, e.Shutdown(context.Background())) }()

	assert.Equal(t, []string{"a", "b"}, e.Names())
	a, err := e.Cluster("a")
	require.NoError(t, err)
	assert.Equal(t, "a", a.Name())
	config1 := a.RESTConfig()
	config1.QPS = 1
	assert.InDelta(t, 20, a.RESTConfig().QPS, 0, "each has a copy")
	_, err = e.Cluster("")
	require.ErrorIs(t, err, kubecluster.ErrUnknownCluster)
	require.ErrorContains(t, err, "name one of a, b")
	_, err = e.Cluster("c")
	require.ErrorIs(t, err, kubecluster.ErrUnknownCluster)
	require.ErrorContains(t, err, `"c": there is a, b`)

	host := hostWith{component.MustNewID("kube_clusters"): e}
	found, err := kubecluster.Find(host, component.MustNewID("kube_clusters"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, found.Names())
}

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

func TestOneClusterThatFailsDoesNotHideTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &statusHost{}
		s := newStatuses(host)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.run(ctx)
		report := func(cluster string, err error) (componentstatus.Status, string) {
			s.set(ctx, cluster, err)
			synctest.Wait()
			status, err := host.last()
			if err == nil {
				return status, ""
			}
			return status, err.Error()
		}
		status, _ := report("a", nil)
		assert.Equal(t, componentstatus.StatusNone, status, "the collector reports the start")
		report("b", errors.New("gone"))
		status, text := report("a", errors.New("gone, too"))
		assert.Equal(t, componentstatus.StatusRecoverableError, status)
		assert.Equal(t, "cluster a: gone, too\ncluster b: gone", text)
		report("a", errors.New("gone, too"))
		assert.Len(t, host.events, 2, "the same is not reported again")
		status, text = report("b", nil)
		assert.Equal(t, componentstatus.StatusRecoverableError, status)
		assert.Equal(t, "cluster a: gone, too", text)
		status, _ = report("a", nil)
		assert.Equal(t, componentstatus.StatusOK, status)
	})
}

// TestServersAreReachedAsConfigured uses a network, and TLS.
func TestServersAreReachedAsConfigured(t *testing.T) {
	certificate := httptest.NewTLSServer(nil)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate().Raw})) // the same for all
	certificate.Close()
	for name, c := range map[string]struct {
		server ServerConfig
		token  string
	}{
		"a token and a CA": {ServerConfig{Token: "here", TLS: TLSConfig{CAPem: configopaque.String(ca)}}, "Bearer here"},
		"files":            {ServerConfig{TokenFile: write(t, "token", "from-a-file"), TLS: TLSConfig{CAFile: write(t, "ca", ca)}}, "Bearer from-a-file"},
		"another name":     {ServerConfig{TLS: TLSConfig{CAPem: configopaque.String(ca), ServerName: "example.com"}}, ""},
		"insecure":         {ServerConfig{TLS: TLSConfig{InsecureSkipVerify: true}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFakeAPI()
			api.add(podA, "uid-a")
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, c.token, r.Header.Get("Authorization"))
				assert.Contains(t, r.UserAgent(), "kelemetry/1.2.3 (")
				api.ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that Shutdown cuts off
			server.StartTLS()
			defer server.Close()

			config := createDefaultConfig().(*Config)
			c.server.URL = server.URL
			config.Clusters = map[string]ClusterConfig{"test": {Server: configoptional.Some(c.server)}}
			telemetry := componenttest.NewTelemetry()
			e := newExtension(config, settings(telemetry, zap.NewNop()))
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			found, err := e.Cluster("")
			require.NoError(t, err)
			object, err := found.Metadata(t.Context(), schema.GroupResource{Resource: "pods"}, "default", "a")
			require.NoError(t, err)
			assert.EqualValues(t, "uid-a", object.UID)
			require.NoError(t, e.Shutdown(t.Context()))
			require.NoError(t, telemetry.Shutdown(t.Context()))
		})
	}
}

// tokens remembers what each request was authorized with.
type tokens struct {
	*fakeAPI
	last atomic.Value
}

func (k *tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	k.last.Store(r.Header.Get("Authorization"))
	return k.fakeAPI.RoundTrip(r)
}

func TestATokenFileThatIsReplacedIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &tokens{fakeAPI: newFakeAPI()}
		file := write(t, "token", "first")
		e := newExtension(createDefaultConfig().(*Config), settings(componenttest.NewTelemetry(), zap.NewNop()))
		e.inCluster = func() (*rest.Config, error) {
			return &rest.Config{Host: "http://fake", Transport: api, BearerTokenFile: file}, nil
		}
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
		synctest.Wait()
		assert.Equal(t, "Bearer first", api.last.Load())
		require.NoError(t, os.WriteFile(file, []byte("second"), 0o600))
		time.Sleep(31 * time.Minute)
		synctest.Wait()
		assert.Equal(t, "Bearer second", api.last.Load())
		require.NoError(t, e.Shutdown(t.Context()))
	})
}

func TestMetricsTellWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withPod(t, func(c *Config) { c.Lookups.QPS, c.Lookups.Burst = 0.001, 4 })
		r.finds("pods", "default", "a", "uid-a")
		r.finds("pods", "default", "a", "uid-a")
		r.fails(kubecluster.ErrNotFound, "pods", "default", "b")
		r.api.deny("/api/v1/namespaces/default/configmaps")
		r.fails(kubecluster.ErrUnavailable, "configmaps", "default", "c")
		r.fails(kubecluster.ErrUnavailable, "pods", "default", "d")

		text := attribute.String
		set := func(more ...attribute.KeyValue) attribute.Set {
			return attribute.NewSet(append(more, text("k8s.cluster.name", "test"))...)
		}
		point := func(n int64, more ...attribute.KeyValue) metricdata.DataPoint[int64] {
			return metricdata.DataPoint[int64]{Value: n, Attributes: set(more...)}
		}
		ignore := metricdatatest.IgnoreTimestamp()
		metadatatest.AssertEqualExtensionKubeClustersLookups(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(2, text("form", "metadata"), text("result", "found"), text("source", "api")), // with the cluster's UID
			point(1, text("form", "metadata"), text("result", "found"), text("source", "cache")),
			point(1, text("form", "metadata"), text("result", "not_found"), text("source", "api")),
			point(1, text("form", "metadata"), text("result", "forbidden"), text("source", "api")),
			point(1, text("form", "metadata"), text("result", "limited"), text("source", "none")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersAPIErrors(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(1, text("operation", "lookup"), text("reason", "forbidden")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersDiscoveryRefreshes(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(1, text("trigger", "start"), text("outcome", "complete")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersInfo(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(1, text("k8s.cluster.uid", "uid-of-the-cluster")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersUp(t, r.telemetry, []metricdata.DataPoint[int64]{point(1)}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersCacheObjects(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(4, text("form", "metadata")), point(0, text("form", "object")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersCacheSize(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(r.clusters["test"].lookups.Usage().Bytes, text("form", "metadata")), point(0, text("form", "object")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersCacheEvictions(t, r.telemetry, []metricdata.DataPoint[int64]{
			point(0, text("form", "metadata")), point(0, text("form", "object")),
		}, ignore)
		metadatatest.AssertEqualExtensionKubeClustersLookupDuration(t, r.telemetry, []metricdata.HistogramDataPoint[float64]{{Attributes: set(text("form", "metadata")), Count: 4}},
			ignore, metricdatatest.IgnoreValue())
	})
}

func TestReasonsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for how, want := range map[behavior]reason{
			refuses: reasonUnreachable, hangs: reasonTimeout, fails: reasonServer, unauthorized: reasonUnauthorized,
		} {
			r := withPod(t, nil)
			r.api.behave(how)
			_, err := r.lookUp("pods", "default", "a")
			assert.Equal(t, want, reasonOf(err))
		}
	})
	assert.Equal(t, reasonOther, reasonOf(context.Canceled))
	assert.Equal(t, reasonOther, reasonOf(errors.New("x")))
}
