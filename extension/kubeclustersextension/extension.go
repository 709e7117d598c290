// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/metadata"
	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
)

// clustersExtension is the lifecycle of the extension.
type clustersExtension struct {
	config    *Config
	set       extension.Settings
	inCluster func() (*rest.Config, error)

	mu       sync.RWMutex // guards what follows
	life     *lifetime    // nil before Start and after Shutdown
	builder  *metadata.TelemetryBuilder
	clusters map[string]*cluster
}

var (
	_ extension.Extension  = (*clustersExtension)(nil)
	_ kubecluster.Clusters = (*clustersExtension)(nil)
)

func newExtension(config *Config, set extension.Settings) *clustersExtension {
	return &clustersExtension{config: config, set: set, inCluster: rest.InClusterConfig}
}

// Start reads the files that the configuration names and makes the clients. It waits for no API server: whether one
// answers is in the status of the extension.
func (e *clustersExtension) Start(_ context.Context, host component.Host) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.life != nil {
		return errors.New("started twice")
	}
	found, err := targets(e.config, e.inCluster)
	if err != nil {
		return err
	}
	builder, err := metadata.NewTelemetryBuilder(e.set.TelemetrySettings)
	if err != nil {
		return fmt.Errorf("make the metrics: %w", err)
	}
	life, statuses, t := newLifetime(), newStatuses(host), &telemetry{builder}
	clusters := make(map[string]*cluster, len(found))
	for _, target := range found {
		logger := e.set.Logger.With(zap.String("cluster", target.name))
		target.rest.UserAgent = e.userAgent()
		target.rest.WarningHandler = rest.NoWarnings{} // that a type is deprecated is for its users
		changed := statusLogger(logger)
		c, clusterErr := newCluster(target, e.config, logger, t, life, func(err error) {
			changed(err)
			statuses.set(life.ctx, target.name, err)
		})
		if clusterErr != nil {
			err = errors.Join(err, clusterErr)
			continue
		}
		if target.nameFrom != "" {
			logger.Warn("Nobody named this cluster: set cluster_name before a second one reports to the same place", zap.String("name is from", target.nameFrom))
		}
		clusters[target.name] = c
	}
	if err = errors.Join(err, t.observe(clusters)); err != nil {
		builder.Shutdown()
		life.cancel()
		return err
	}
	life.start(statuses.run)
	for _, c := range clusters {
		life.start(c.connection.run)
	}
	e.life, e.builder, e.clusters = life, builder, clusters
	return nil
}

// Shutdown ends what is under way, and waits for that until ctx ends. Clusters can still be asked, but not their servers.
func (e *clustersExtension) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	life, builder := e.life, e.builder
	clusters := slices.Collect(maps.Values(e.clusters))
	e.life = nil
	e.mu.Unlock()
	if life == nil {
		return nil
	}
	err := life.end(ctx)
	builder.Shutdown()
	for _, c := range clusters {
		c.disconnect()
	}
	return err
}

// Cluster implements kubecluster.Clusters.
func (e *clustersExtension) Cluster(name string) (kubecluster.Cluster, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if c, ok := e.clusters[name]; ok {
		return c, nil
	}
	known := slices.Sorted(maps.Keys(e.clusters))
	if name == "" && len(known) == 1 {
		return e.clusters[known[0]], nil
	}
	if name == "" {
		return nil, fmt.Errorf("%w: name one of %s", kubecluster.ErrUnknownCluster, strings.Join(known, ", "))
	}
	return nil, fmt.Errorf("%w %q: there is %s", kubecluster.ErrUnknownCluster, name, strings.Join(known, ", "))
}

// Names implements kubecluster.Clusters.
func (e *clustersExtension) Names() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Sorted(maps.Keys(e.clusters))
}

// userAgent is how Kelemetry's own requests show in an audit log.
func (e *clustersExtension) userAgent() string {
	return fmt.Sprintf("%s/%s (%s/%s)", e.set.BuildInfo.Command, e.set.BuildInfo.Version, runtime.GOOS, runtime.GOARCH)
}

// statusLogger logs when a cluster fails in another way than before, and when it is well again.
func statusLogger(logger *zap.Logger) func(error) {
	last, first := "", true
	return func(err error) {
		switch {
		case err == nil && first:
			logger.Info("The API server answers")
		case err == nil && last != "":
			logger.Info("The API server answers again")
		case err != nil && err.Error() != last:
			logger.Warn("The cluster cannot be used as it should be; trying again", zap.Error(err))
		}
		first = false
		if last = ""; err != nil {
			last = err.Error()
		}
	}
}
