// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package jaegerpluginextension // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension"

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"google.golang.org/grpc"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// backend is the storage that has the raw traces.
type backend struct {
	reader jaegerstorage.Reader
	conn   *grpc.ClientConn // nil if it is in this process
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

func (b *backend) close() error {
	if b.conn == nil {
		return nil
	}
	if err := b.conn.Close(); err != nil && !errors.Is(err, grpc.ErrClientConnClosing) {
		return fmt.Errorf("close the connection to the storage: %w", err)
	}
	return nil
}
