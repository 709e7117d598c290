// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// backend is a storage, or what else has traces.
type backend struct {
	reader jaegerstorage.Reader // nil if it is an HTTP server
	conn   *grpc.ClientConn     // nil if it is in this process, or an HTTP server
	client *http.Client         // nil if it is none
}

// openBackend makes the client, or finds the extension. It waits for no answer.
func openBackend(ctx context.Context, config *BackendConfig, host component.Host, set component.TelemetrySettings) (*backend, error) {
	if config.Extension == nil {
		conn, err := config.GRPC.Get().ToClientConn(ctx, host.GetExtensions(), set)
		if err != nil {
			return nil, fmt.Errorf("backend::grpc: %w", err)
		}
		return &backend{reader: jaegerstorage.NewClient(conn, grpc.MaxCallRecvMsgSize(config.MaxRecvMsgSizeMiB<<20)), conn: conn}, nil
	}
	found, ok := host.GetExtensions()[*config.Extension]
	if !ok {
		return nil, fmt.Errorf("backend::extension: there is no extension %q: list it in service::extensions, before this one", config.Extension)
	}
	provider, ok := found.(jaegerstorage.Provider)
	if !ok {
		return nil, fmt.Errorf("backend::extension: %q has no traces: name one that does, such as trace_store", config.Extension)
	}
	return &backend{reader: provider.JaegerStorage()}, nil
}

// openTracers makes the clients of other tracers.
func openTracers(ctx context.Context, configs map[string]TracerConfig, maxMessage int, host component.Host, set component.TelemetrySettings) (map[string]*tracer.Tracer, []*backend, error) {
	tracers := make(map[string]*tracer.Tracer, len(configs))
	var opened []*backend
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		config := configs[name]
		open := openStorage
		if config.HTTP.HasValue() {
			open = openEndpoint
		}
		source, b, err := open(ctx, &config, maxMessage, host, set)
		if b != nil {
			opened = append(opened, b)
		}
		if err != nil {
			return nil, opened, fmt.Errorf("tracers::%s::%w", name, err)
		}
		tracers[name] = &tracer.Tracer{Name: name, Source: source, Limits: tracer.Limits{
			Queries: config.Limits.Queries, Traces: config.Limits.Traces, Spans: config.Limits.Spans,
			Concurrency: config.Limits.Concurrency, Timeout: config.Limits.Timeout,
		}}
	}
	return tracers, opened, nil
}

func openStorage(ctx context.Context, config *TracerConfig, maxMessage int, host component.Host, set component.TelemetrySettings) (tracer.Source, *backend, error) {
	tags := make(map[string]tracer.Template, len(config.Tags))
	for key, text := range config.Tags {
		template, err := tracer.ParseTemplate(text)
		if err != nil {
			return nil, nil, fmt.Errorf("tags::%s: %w", key, err)
		}
		tags[key] = template
	}
	conn, err := config.GRPC.ToClientConn(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, nil, fmt.Errorf("grpc: %w", err)
	}
	b := &backend{reader: jaegerstorage.NewClient(conn, grpc.MaxCallRecvMsgSize(maxMessage)), conn: conn}
	return &tracer.Storage{Reader: b.reader, Service: config.Service, Tags: tags}, b, nil
}

func openEndpoint(ctx context.Context, config *TracerConfig, maxMessage int, host component.Host, set component.TelemetrySettings) (tracer.Source, *backend, error) {
	address, err := tracer.ParseURL(config.HTTP.Get().Endpoint)
	if err != nil {
		return nil, nil, fmt.Errorf("http::endpoint: %w", err)
	}
	client, err := config.HTTP.Get().ToClient(ctx, host.GetExtensions(), set)
	if err != nil {
		return nil, nil, fmt.Errorf("http: %w", err)
	}
	return &tracer.Endpoint{Client: client, URL: address, MaxBytes: int64(maxMessage)}, &backend{client: client}, nil
}

func (b *backend) close() error {
	if b.client != nil {
		b.client.CloseIdleConnections()
	}
	if b.conn == nil {
		return nil
	}
	if err := b.conn.Close(); err != nil && status.Code(err) != codes.Canceled { // it is closed already

		return fmt.Errorf("close the connection to the storage: %w", err)
	}
	return nil
}
