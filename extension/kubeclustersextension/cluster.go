// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"go.uber.org/zap"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/lookup"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// cluster is one cluster: clients, what they found out, and who keeps that up to date.
type cluster struct {
	name      string
	config    *Config
	rest      *rest.Config
	logger    *zap.Logger
	telemetry *clusterTelemetry

	httpClient *http.Client
	discovery  *discovery.DiscoveryClient
	cached     discovery.CachedDiscoveryInterface
	metadata   metadata.Interface

	types      atomic.Pointer[apitypes.Types]
	uid        atomic.Pointer[types.UID]
	connection *connection
	mapper     *apitypes.Mapper
	offers     offers
	lookups    *lookup.Lookups[*metav1.PartialObjectMetadata]
	objects    *lookup.Lookups[[]byte]
	// alive ends when the extension stops.
	alive context.Context
}

var _ kubecluster.Cluster = (*cluster)(nil)

// newCluster makes the clients, which read what files are left to read. It asks no server.
func newCluster(t target, config *Config, logger *zap.Logger, telemetry *telemetry, life *lifetime, report func(error)) (*cluster, error) {
	c := &cluster{name: t.name, config: config, rest: t.rest, logger: logger, alive: life.ctx}
	c.telemetry = telemetry.of(c)
	if err := c.connect(); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", t.name, err)
	}
	c.types.Store(apitypes.Offline())
	c.connection = newConnection(&config.Discovery, c.discover, c.identify, report)
	c.mapper = apitypes.NewMapper(mapperSource{c})
	if err := c.openLookups(&config.Lookups, life); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", t.name, err)
	}
	return c, nil
}

// openLookups makes the look-ups of both forms, which share one limit.
func (c *cluster) openLookups(config *LookupsConfig, life *lifetime) error {
	limit := rate.NewLimiter(rate.Limit(config.QPS), config.Burst)
	settings := lookup.Settings{
		Timeout: config.Timeout, CacheSize: config.CacheSize, TTL: config.TTL, NegativeTTL: config.NegativeTTL,
	}
	c.lookups = lookup.New(metadataForm(c), settings, limit, lookupServer{c}, lookupTelemetry{c.telemetry, formMetadata}, life.run)

	settings.CacheSize, settings.TTL = config.Objects.CacheSize, config.Objects.TTL
	form, err := objectForm(c, &config.Objects)
	if err != nil {
		return err
	}
	c.objects = lookup.New(form, settings, limit, lookupServer{c}, lookupTelemetry{c.telemetry, formObject}, life.run)
	return nil
}

// connect makes the extension's own clients. They have no limit in client-go, where requests queue for it: look-ups and
// refreshes each have a limit that refuses.
func (c *cluster) connect() (err error) {
	unlimited := rest.CopyConfig(c.rest)
	unlimited.QPS, unlimited.Burst = -1, 0
	if c.httpClient, err = rest.HTTPClientFor(unlimited); err != nil {
		return err
	}
	// Others use discovery too, mostly without a context that would end.
	bounded := &http.Client{Transport: c.httpClient.Transport, Timeout: c.config.Discovery.Timeout}
	if c.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(unlimited, bounded); err != nil {
		return err
	}
	if c.metadata, err = metadata.NewForConfigAndClient(unlimited, c.httpClient); err != nil {
		return err
	}
	c.cached = memory.NewMemCacheClient(c.discovery)
	return nil
}

// disconnect closes the connections that nobody uses any more.
func (c *cluster) disconnect() { utilnet.CloseIdleConnectionsFor(c.httpClient.Transport) }

// Name implements kubecluster.Cluster.
func (c *cluster) Name() string { return c.name }

// RESTConfig implements kubecluster.Cluster.
func (c *cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.rest) }

// Discovery implements kubecluster.Cluster.
func (c *cluster) Discovery() discovery.CachedDiscoveryInterface { return c.cached }

// Mapper implements kubecluster.Cluster.
func (c *cluster) Mapper() meta.RESTMapper { return c.mapper }

// Metadata implements kubecluster.Cluster.
func (c *cluster) Metadata(ctx context.Context, resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	object, err := c.lookups.Get(ctx, resource, namespace, name)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.name, err)
	}
	return object, nil
}

// Known implements kubecluster.Cluster.
func (c *cluster) Known(resource schema.GroupResource, namespace, name string) (*metav1.PartialObjectMetadata, bool) {
	return c.lookups.Known(resource, namespace, name)
}

// Object implements kubecluster.Cluster.
func (c *cluster) Object(ctx context.Context, resource schema.GroupResource, namespace, name string) ([]byte, error) {
	text, err := c.objects.Get(ctx, resource, namespace, name)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.name, err)
	}
	return text, nil
}

// Offer implements kubecluster.Cluster.
func (c *cluster) Offer(source kubecluster.Source) (withdraw func()) { return c.offers.add(source) }

// UID implements kubecluster.Cluster.
func (c *cluster) UID(ctx context.Context) (types.UID, error) {
	if known := c.uid.Load(); known != nil {
		return *known, nil
	}
	// Past the cache: a new cluster has no such namespace yet, but will have it soon.
	namespace, err := c.lookups.Fresh(ctx, schema.GroupResource{Resource: "namespaces"}, "", metav1.NamespaceSystem)
	switch {
	case errors.Is(err, kubecluster.ErrNotFound):
		return "", fmt.Errorf("cluster %s: read its UID: %w: there is no namespace %s", c.name, kubecluster.ErrUnavailable, metav1.NamespaceSystem)
	case err != nil:
		return "", fmt.Errorf("cluster %s: read its UID: %w", c.name, err)
	}
	c.uid.Store(&namespace.UID)
	return namespace.UID, nil
}

// mapperSource is what the mapper sees of a cluster. Who asks a mapper has no context to stop it with, so it waits no
// longer than a look-up may take.
type mapperSource struct{ *cluster }

func (s mapperSource) Types() *apitypes.Types { return s.types.Load() }

func (s mapperSource) Renew() bool {
	ctx, cancel := context.WithTimeout(s.alive, s.config.Lookups.Timeout)
	defer cancel()
	return s.connection.renew(ctx)
}

func (s mapperSource) Unavailable() error { return s.unavailable() }

// lookupServer is what look-ups see of a cluster.
type lookupServer struct{ *cluster }

func (s lookupServer) Resource(of schema.GroupResource) (apitypes.Resource, bool) {
	return s.types.Load().Resource(of)
}

func (s lookupServer) Renew(ctx context.Context) bool { return s.connection.renew(ctx) }

func (s lookupServer) Unavailable() error { return s.unavailable() }

func (s lookupServer) Down() error { return s.unreachable() }

// Suspect has discovery tried anew when an error looks as if the API server were gone, or the account.
func (s lookupServer) Suspect(err error) {
	switch reasonOf(err) {
	case reasonUnreachable, reasonTimeout, reasonUnauthorized, reasonServer:
		s.connection.demand()
	}
}
