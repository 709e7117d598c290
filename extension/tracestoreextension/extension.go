// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracestoreextension // import "github.com/kelemetry/kelemetry/extension/tracestoreextension"

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// storeExtension is the lifecycle of the extension.
type storeExtension struct {
	config *Config
	set    extension.Settings

	mu   sync.RWMutex // guards open
	open *openStore   // nil before Start and after Shutdown
}

// openStore is what Start made.
type openStore struct {
	store     *spanstore.Store
	telemetry *telemetry
	listener  net.Listener
	server    *grpc.Server
	serving   sync.WaitGroup
}

var (
	_ extension.Extension    = (*storeExtension)(nil)
	_ jaegerstorage.Provider = (*storeExtension)(nil)
)

func newExtension(config *Config, set extension.Settings) *storeExtension {
	return &storeExtension{config: config, set: set}
}

// Start opens the store, and serves it.
func (e *storeExtension) Start(ctx context.Context, host component.Host) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open != nil {
		return errors.New("started twice")
	}
	o := &openStore{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close(ctx))
		}
	}()
	if o.telemetry, err = newTelemetry(e.set.TelemetrySettings, host); err != nil {
		return err
	}
	if o.store, err = spanstore.Open(e.options(o.telemetry)); err != nil {
		return err
	}
	if err := o.telemetry.observe(o.store); err != nil {
		return err
	}
	if o.listener, err = e.config.GRPC.NetAddr.Listen(ctx); err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	if o.server, err = e.config.GRPC.ToServer(ctx, host.GetExtensions(), e.set.TelemetrySettings,
		configgrpc.WithGrpcServerOption(grpc.ForceServerCodecV2(newCodec()))); err != nil {
		return fmt.Errorf("grpc: %w", err)
	}
	serve(o)
	o.serving.Go(func() {
		if err := o.server.Serve(o.listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("serve gRPC: %w", err)))
		}
	})
	e.open = o
	e.set.Logger.Info("The trace store is open", zap.String("directory", e.config.Directory), zap.Stringer("endpoint", o.listener.Addr()))
	return nil
}

// serve registers OTLP for writing, which is how Jaeger writes to a storage too, and Jaeger's storage API for reading.
func serve(o *openStore) {
	w := &writer{store: o.store, telemetry: o.telemetry}
	o.server.RegisterService(w.traceService(), w)
	jaegerstorage.Register(o.server, counted{o.store, o.telemetry}, jaegerstorage.Capabilities{WithoutServiceName: true, SameSpanConjunction: true})
}

// Shutdown lets requests that are under way end, and closes the files.
func (e *storeExtension) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	o := e.open
	e.open = nil
	e.mu.Unlock()
	if o == nil {
		return nil
	}
	return o.close(ctx)
}

// close undoes as much as was done, until the context ends.
func (o *openStore) close(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		var err error
		switch {
		case o.server != nil:
			o.server.GracefulStop()
			o.serving.Wait()
		case o.listener != nil:
			err = o.listener.Close()
		}
		if o.store != nil {
			err = errors.Join(err, o.store.Close())
		}
		if o.telemetry != nil {
			o.telemetry.builder.Shutdown()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if o.server != nil {
		o.server.Stop() // and with it whoever reads
	}
	return fmt.Errorf("the store did not close in time, and recovers when it is opened: %w", ctx.Err())
}

// JaegerStorage implements jaegerstorage.Provider.
func (e *storeExtension) JaegerStorage() jaegerstorage.Reader { return inProcess{e} }

func (e *storeExtension) options(t *telemetry) spanstore.Options {
	return spanstore.Options{
		Directory:     e.config.Directory,
		MaxAge:        e.config.Retention.MaxAge,
		MaxSize:       e.config.Retention.MaxSize,
		CheckInterval: e.config.Retention.CheckInterval,
		MinFree:       e.config.MinFree,
		CacheSize:     e.config.Memory.ReadCache,
		BufferSize:    e.config.Memory.WriteBuffer,
		Indexed:       e.config.IndexedAttributes,
		MaxRead:       e.config.Search.MaxTracesRead,
		MaxOperations: e.config.Search.MaxOperations,
		Observer:      t,
		Logger:        e.set.Logger,
	}
}
