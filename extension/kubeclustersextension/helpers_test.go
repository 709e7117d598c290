// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/metadata"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// running is the extension with one cluster, "test", that has a fake API server.
type running struct {
	*clustersExtension
	kubecluster.Cluster
	t         *testing.T
	api       *fakeAPI
	host      *statusHost
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
}

func (r *running) stop() { require.NoError(r.t, r.clustersExtension.Shutdown(context.Background())) }

// testToken is the account's.
const testToken = "hush-token"

// start starts the extension with an API server, and stops it when the test ends. It is for use in a bubble of synctest:
// nothing in it uses a network.
func start(t *testing.T, api *fakeAPI, change func(*Config)) *running {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.ClusterName = "test"
	if change != nil {
		change(config)
	}
	r := &running{t: t, api: api, host: &statusHost{}, telemetry: componenttest.NewTelemetry()}
	core, logs := observer.New(zap.DebugLevel)
	r.logs = logs
	r.clustersExtension = newExtension(config, settings(r.telemetry, zap.New(core)))
	r.inCluster = func() (*rest.Config, error) {
		return &rest.Config{Host: "http://fake", Transport: api, BearerToken: testToken}, nil
	}
	require.NoError(t, r.Start(t.Context(), r.host))
	t.Cleanup(func() {
		r.stop()
		require.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	var err error
	r.Cluster, err = r.clustersExtension.Cluster("")
	require.NoError(t, err)
	return r
}

func settings(telemetry *componenttest.Telemetry, logger *zap.Logger) extension.Settings {
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.Logger = logger
	set.BuildInfo = component.BuildInfo{Command: "kelemetry", Version: "1.2.3"}
	return set
}

func (r *running) lookUp(resource, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	return r.Metadata(r.t.Context(), schema.ParseGroupResource(resource), namespace, name)
}

func (r *running) finds(resource, namespace, name, uid string) {
	r.t.Helper()
	object, err := r.lookUp(resource, namespace, name)
	require.NoError(r.t, err)
	assert.EqualValues(r.t, uid, object.UID)
}

// fails looks up what must fail in a way, and returns the error's text.
func (r *running) fails(kind error, resource, namespace, name string) string {
	r.t.Helper()
	object, err := r.lookUp(resource, namespace, name)
	require.ErrorIs(r.t, err, kind)
	assert.Nil(r.t, object)
	return err.Error()
}

// resourceOf maps a kind.
func (r *running) resourceOf(group, kind string) (string, error) {
	mapping, err := r.Mapper().RESTMapping(schema.GroupKind{Group: group, Kind: kind})
	if err != nil {
		return "", err
	}
	return mapping.Resource.GroupVersion().String() + " " + mapping.Resource.Resource, nil
}

// warnings are the messages that were logged at level warn.
func (r *running) warnings() []string {
	var all []string
	for _, entry := range r.logs.FilterLevelExact(zap.WarnLevel).All() {
		all = append(all, entry.Message)
	}
	return all
}

// statusHost remembers the statuses that were reported.
type statusHost struct {
	mu     sync.Mutex // guards events
	events []*componentstatus.Event
}

func (*statusHost) GetExtensions() map[component.ID]component.Component { return nil }

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *statusHost) last() (componentstatus.Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone, nil
	}
	e := h.events[len(h.events)-1]
	return e.Status(), e.Err()
}
