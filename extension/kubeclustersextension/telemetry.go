// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/metadata"
)

// The values of attributes, as in metadata.yaml.
const (
	operationDiscovery = "discovery"
	operationLookup    = "lookup"

	outcomeComplete = "complete"
	outcomePartial  = "partial"
	outcomeFailed   = "failed"

	formMetadata = "metadata"
	formObject   = "object"
)

// telemetry is the metrics of all clusters.
type telemetry struct {
	builder *metadata.TelemetryBuilder
}

// clusterTelemetry is told what happens in a cluster.
type clusterTelemetry struct {
	builder *metadata.TelemetryBuilder
	cluster attribute.KeyValue
	logger  *zap.Logger

	mu     sync.Mutex // guards denied
	denied map[schema.GroupResource]bool
}

// lookupTelemetry is told what happens with look-ups of one form.
type lookupTelemetry struct {
	*clusterTelemetry
	form string
}

var _ lookup.Observer = lookupTelemetry{}

func (t *telemetry) of(c *cluster) *clusterTelemetry {
	return &clusterTelemetry{
		builder: t.builder, cluster: attribute.String("k8s.cluster.name", c.name), logger: c.logger,
		denied: map[schema.GroupResource]bool{},
	}
}

func (t *clusterTelemetry) with(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(more, t.cluster)...))
}

// LookedUp implements lookup.Observer.
func (t lookupTelemetry) LookedUp(result lookup.Result, source lookup.Source) {
	t.builder.ExtensionKubeClustersLookups.Add(context.Background(), 1,
		t.with(attribute.String("form", t.form), attribute.String("result", string(result)), attribute.String("source", string(source))))
}

// Asked implements lookup.Observer.
func (t lookupTelemetry) Asked(took time.Duration, err error) {
	t.builder.ExtensionKubeClustersLookupDuration.Record(context.Background(), took.Seconds(), t.with(attribute.String("form", t.form)))
	if err != nil {
		t.failed(operationLookup, err)
	}
}

// Denied implements lookup.Observer: it says once for each resource what right is missing. There are no more resources
// than the API server serves.
func (t *clusterTelemetry) Denied(resource schema.GroupResource, err error) {
	t.mu.Lock()
	known := t.denied[resource]
	t.denied[resource] = true
	t.mu.Unlock()
	if known {
		return
	}
	t.logger.Warn("Objects cannot be looked up: give the account the verb get on this resource, by RBAC",
		zap.String("apiGroup", resource.Group), zap.String("resource", resource.Resource), zap.String("verb", "get"), zap.Error(err))
}

func (t *clusterTelemetry) refreshed(why trigger, outcome string) {
	t.builder.ExtensionKubeClustersDiscoveryRefreshes.Add(context.Background(), 1,
		t.with(attribute.String("trigger", string(why)), attribute.String("outcome", outcome)))
}

func (t *clusterTelemetry) failed(operation string, err error) {
	t.builder.ExtensionKubeClustersAPIErrors.Add(context.Background(), 1,
		t.with(attribute.String("operation", operation), attribute.String("reason", string(reasonOf(err)))))
}

// observe registers what is read off the clusters when somebody collects metrics.
func (t *telemetry) observe(clusters map[string]*cluster) error {
	each := func(value func(*cluster) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			for _, c := range clusters {
				o.Observe(value(c), c.telemetry.with())
			}
			return nil
		}
	}
	eachCache := func(value func(lookup.Usage) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			for _, c := range clusters {
				o.Observe(value(c.lookups.Usage()), c.telemetry.with(attribute.String("form", formMetadata)))
				o.Observe(value(c.objects.Usage()), c.telemetry.with(attribute.String("form", formObject)))
			}
			return nil
		}
	}
	return errors.Join(
		t.builder.RegisterExtensionKubeClustersCacheObjectsCallback(eachCache(func(u lookup.Usage) int64 { return u.Entries })),
		t.builder.RegisterExtensionKubeClustersCacheSizeCallback(eachCache(func(u lookup.Usage) int64 { return u.Bytes })),
		t.builder.RegisterExtensionKubeClustersCacheEvictionsCallback(eachCache(func(u lookup.Usage) int64 { return u.Evicted })),
		t.builder.RegisterExtensionKubeClustersUpCallback(each(func(c *cluster) int64 {
			if state, _ := c.connection.current(); state != up {
				return 0
			}
			return 1
		})),
		t.builder.RegisterExtensionKubeClustersInfoCallback(func(_ context.Context, o metric.Int64Observer) error {
			for _, c := range clusters {
				attributes := c.telemetry.with()
				if uid := c.uid.Load(); uid != nil {
					attributes = c.telemetry.with(attribute.String("k8s.cluster.uid", string(*uid)))
				}
				o.Observe(1, attributes)
			}
			return nil
		}),
	)
}
