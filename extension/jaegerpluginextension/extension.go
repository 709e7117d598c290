// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/metadata"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/plugin"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/search"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/web"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// pluginExtension is the lifecycle of the extension.
type pluginExtension struct {
	config *Config
	set    extension.Settings

	mu      sync.Mutex // guards running
	running *running   // nil before Start and after Shutdown
}

// running is what Start opens.
type running struct {
	builder *metadata.TelemetryBuilder
	backend *backend
	others  []*backend // of other tracers
	health  *health.Server
	grpc    *grpc.Server
	http    *http.Server // nil if it is off

	grpcAddr, httpAddr net.Addr

	cancel context.CancelFunc // of everything that runs in the background
	work   sync.WaitGroup
}

var (
	_ extension.Extension             = (*pluginExtension)(nil)
	_ extensioncapabilities.Dependent = (*pluginExtension)(nil)
)

func newExtension(config *Config, set extension.Settings) *pluginExtension {
	return &pluginExtension{config: config, set: set}
}

// Dependencies has the extension started after the one that it reads from.
func (e *pluginExtension) Dependencies() []component.ID {
	if e.config.Backend.Extension == nil {
		return nil
	}
	return []component.ID{*e.config.Backend.Extension}
}

// Start opens the ports. It does not wait for the storage: whether that answers is in the status of the extension.
func (e *pluginExtension) Start(ctx context.Context, host component.Host) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running != nil {
		return errors.New("started twice")
	}
	background, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel}
	if err := e.open(ctx, background, host, r); err != nil {
		return errors.Join(err, r.end(ctx))
	}
	e.running = r
	return nil
}

func (e *pluginExtension) open(ctx, background context.Context, host component.Host, r *running) (err error) {
	modes, err := mode.NewSet(e.config.Config)
	if err != nil {
		return err
	}
	if r.builder, err = metadata.NewTelemetryBuilder(e.set.TelemetrySettings); err != nil {
		return fmt.Errorf("make the metrics: %w", err)
	}
	if r.backend, err = openBackend(ctx, &e.config.Backend, host, e.set.TelemetrySettings); err != nil {
		return err
	}
	tracers, others, err := openTracers(ctx, e.config.Tracers, e.config.Backend.MaxRecvMsgSizeMiB<<20, host, e.set.TelemetrySettings)
	if r.others = others; err != nil {
		return err
	}
	state := &condition{host: host, logger: e.set.Logger, answers: make(chan error, 1), probe: func(ctx context.Context) error {
		_, err := r.backend.reader.Services(ctx)
		return err
	}}
	p := e.plugin(modes, tracers, r, state)
	if err := observeSlots(r.builder, p); err != nil {
		return fmt.Errorf("make the metrics: %w", err)
	}
	if err := e.serveGRPC(ctx, host, r, p); err != nil {
		return err
	}
	if e.config.HTTP.HasValue() {
		if err := e.serveHTTP(ctx, host, r, p); err != nil {
			return err
		}
	}
	r.work.Go(func() { state.run(background) })
	return nil
}

// observeSlots makes metrics of how many requests there are.
func observeSlots(builder *metadata.TelemetryBuilder, p *plugin.Plugin) error {
	taken := func(slots chan struct{}) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(len(slots)))
			return nil
		}
	}
	return errors.Join(
		builder.RegisterExtensionJaegerPluginRequestsInFlightCallback(taken(p.Slots)),
		builder.RegisterExtensionJaegerPluginRequestsSendingCallback(taken(p.Sending)),
	)
}

// plugin puts the parts together.
func (e *pluginExtension) plugin(modes *mode.Set, tracers map[string]*tracer.Tracer, r *running, state *condition) *plugin.Plugin {
	limits := e.config.Limits
	storage := &observed{storage: r.backend.reader, tell: func(ctx context.Context, call string, spans int, took time.Duration, err error) {
		state.heard(err)
		r.builder.ExtensionJaegerPluginBackendDuration.Record(ctx, took.Seconds(), metric.WithAttributeSet(attribute.NewSet(
			attribute.String("call", call), attribute.String("outcome", string(plugin.OutcomeOf(err))))))
		if spans > 0 {
			r.builder.ExtensionJaegerPluginBackendSpans.Add(ctx, int64(spans), metric.WithAttributeSet(attribute.NewSet(attribute.String("call", call))))
		}
	}}
	leftOut := func(ctx context.Context, what string, n int) {
		r.builder.ExtensionJaegerPluginLeftOut.Add(ctx, int64(n), metric.WithAttributeSet(attribute.NewSet(attribute.String("what", what))))
	}
	clusters := plugin.ClustersOf(storage, e.config.Clusters)
	shown := view.Limits{MaxObjects: limits.Objects, MaxLinked: limits.Linked, MaxEntries: limits.Entries}
	return &plugin.Plugin{
		Storage: storage, Clusters: clusters, Modes: modes, Limits: shown,
		Collect: &collect.Collector{
			Storage: storage, Clusters: clusters, Window: e.config.Window, LeftOut: leftOut, Tracers: tracers,
			Limits: collect.Limits{Traces: limits.Traces, Spans: limits.Spans, Objects: limits.Lookups, View: shown, Concurrency: limits.Concurrency},
		},
		Search: &search.Finder{
			Storage: storage, Clusters: clusters, Window: e.config.Window, LeftOut: leftOut,
			Limits: search.Limits{Traces: e.config.Search.MaxTraces, Spans: limits.Spans, Concurrency: limits.Concurrency},
		},
		Lookback: e.config.Search.Lookback, MaxResults: e.config.Search.MaxResults, Concurrency: limits.Concurrency,
		Slots: make(chan struct{}, limits.Requests), Sending: make(chan struct{}, limits.Sending), Timeout: limits.Timeout,
		Observe: func(ctx context.Context, kind plugin.Kind, outcome plugin.Outcome, took time.Duration) {
			r.builder.ExtensionJaegerPluginRequestDuration.Record(ctx, took.Seconds(), metric.WithAttributeSet(attribute.NewSet(
				attribute.String("request", string(kind)), attribute.String("outcome", string(outcome)))))
		},
	}
}

func (e *pluginExtension) serveGRPC(ctx context.Context, host component.Host, r *running, p *plugin.Plugin) error {
	server, err := e.config.GRPC.ToServer(ctx, host.GetExtensions(), e.set.TelemetrySettings,
		configgrpc.WithGrpcServerOption(grpc.ChainStreamInterceptor(endStalled(e.config.Limits.SendTimeout))))
	if err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	jaegerstorage.Register(server, p, jaegerstorage.Capabilities{WithoutServiceName: true, SameSpanConjunction: true})
	r.health = health.NewServer()
	for _, name := range jaegerstorage.ServiceNames() {
		r.health.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_SERVING)
	}
	grpc_health_v1.RegisterHealthServer(server, r.health)
	reflection.Register(server)
	listener, err := e.config.GRPC.NetAddr.Listen(ctx)
	if err != nil {
		return fmt.Errorf("grpc: listening on %s: %w", e.config.GRPC.NetAddr.Endpoint, err)
	}
	r.grpc, r.grpcAddr = server, listener.Addr()
	e.set.Logger.Info("Waiting for Jaeger", zap.Stringer("endpoint", r.grpcAddr))
	r.work.Go(func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("grpc: %w", err)))
		}
	})
	return nil
}

func (e *pluginExtension) serveHTTP(ctx context.Context, host component.Host, r *running, p *plugin.Plugin) error {
	config := e.config.HTTP.Get()
	handler := (&web.Server{
		Plugin: p, JaegerURL: strings.TrimSuffix(config.JaegerURL, "/"), Range: config.Range,
	}).Handler()
	server, err := config.ToServer(ctx, host.GetExtensions(), e.set.TelemetrySettings, handler)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	listener, err := config.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("http: listening on %s: %w", config.NetAddr.Endpoint, err)
	}
	r.http, r.httpAddr = server, listener.Addr()
	e.set.Logger.Info("Waiting for requests for views", zap.Stringer("endpoint", r.httpAddr))
	r.work.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("http: %w", err)))
		}
	})
	return nil
}

// Shutdown lets requests finish until ctx ends.
func (e *pluginExtension) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	r := e.running
	e.running = nil
	e.mu.Unlock()
	if r == nil {
		return nil
	}
	return r.end(ctx)
}

// end closes what was opened, in the reverse order.
func (r *running) end(ctx context.Context) error {
	r.cancel()
	var errs []error
	if r.health != nil {
		r.health.Shutdown()
	}
	if r.http != nil {
		if err := r.http.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("http: requests did not end in time: %w", err), r.http.Close())
		}
	}
	if r.grpc != nil {
		errs = append(errs, r.stopGRPC(ctx))
	}
	r.work.Wait() // servers have stopped, and the context of the rest has ended
	if r.backend != nil {
		errs = append(errs, r.backend.close())
	}
	for _, other := range r.others {
		errs = append(errs, other.close())
	}
	if r.builder != nil {
		r.builder.Shutdown()
	}
	return errors.Join(errs...)
}

func (r *running) stopGRPC(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		r.grpc.GracefulStop()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		r.grpc.Stop() // which ends GracefulStop too
		<-stopped
		return fmt.Errorf("grpc: requests did not end in time: %w", ctx.Err())
	}
}
