// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"context"
	"crypto/x509"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	grpcmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// TestTracesAreForThoseWhoMay: with TLS and an authenticator, nobody else writes to trace_store or reads from it, and nobody else gets a view
// from jaeger_plugin.
func TestTracesAreForThoseWhoMay(t *testing.T) {
	dir, ca := t.TempDir(), newAuthority(t)
	server := ca.issue(t, dir, "server", "kelemetry")
	store, plugin, pages := testbed.FreeAddress(t), testbed.FreeAddress(t), testbed.FreeAddress(t)
	secured := func(address string) string {
		return `{ endpoint: "` + address + `", auth: { authenticator: bearertokenauth }, tls: { cert_file: "` + server.cert + `", key_file: "` + server.key + `" } }`
	}
	collector.ForTest(t, collector.Options{Root: root, Config: write(t, dir, "secured.yaml", `
extensions:
  trace_store: { directory: "`+filepath.Join(dir, "traces")+`", grpc: `+secured(store)+` }
  jaeger_plugin: { grpc: `+secured(plugin)+`, http: `+secured(pages)+`, backend: { extension: trace_store } }
  bearertokenauth: { token: right-token }
receivers:
  otlp: { protocols: { grpc: { endpoint: "`+testbed.FreeAddress(t)+`" } } }
exporters:
  debug:
service:
  telemetry: { metrics: { level: none } }
  extensions: [trace_store, jaeger_plugin, bearertokenauth]
  pipelines:
    traces: { receivers: [otlp], exporters: [debug] }
`)})

	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	withTLS := credentials.NewClientTLSFromCert(pool, "")
	calls := map[string]struct {
		address string
		do      func(context.Context, *grpc.ClientConn) error
	}{
		"write to the store": {store, func(ctx context.Context, conn *grpc.ClientConn) error {
			_, err := ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequest())
			return err
		}},
		"read from the store": {store, services},
		"read from the views": {plugin, services},
		"ask for its health": {plugin, func(ctx context.Context, conn *grpc.ClientConn) error {
			_, err := healthgrpc.NewHealthClient(conn).Check(ctx, &healthgrpc.HealthCheckRequest{})
			return err
		}},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			as := func(transport credentials.TransportCredentials, authorization ...string) codes.Code {
				conn, err := grpc.NewClient(call.address, grpc.WithTransportCredentials(transport))
				require.NoError(t, err)
				defer func() { assert.NoError(t, conn.Close()) }()
				ctx := t.Context()
				for _, text := range authorization {
					ctx = grpcmetadata.AppendToOutgoingContext(ctx, "authorization", text)
				}
				return status.Code(call.do(ctx, conn))
			}
			assert.Equal(t, codes.OK, as(withTLS, "Bearer right-token"))
			assert.Equal(t, codes.Unauthenticated, as(withTLS))
			assert.Equal(t, codes.Unauthenticated, as(withTLS, "Bearer wrong-token"))
			assert.Equal(t, codes.Unavailable, as(insecure.NewCredentials(), "Bearer right-token"))
		})
	}
	for path, want := range map[string]int{
		"/redirect?cluster=prod&kind=Pod&namespace=default&name=a": http.StatusFound,
		"/trace?cluster=prod&kind=Pod&namespace=default&name=a":    http.StatusNotFound,
		"/trace/ff200000000a050008e726c07781d009":                  http.StatusNotFound,
	} {
		t.Run(path, func(t *testing.T) {
			client := ca.client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			as := func(address string, authorization ...string) int {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+pages+path, nil)
				require.NoError(t, err)
				request.Header["Authorization"] = authorization
				response, err := client.Do(request)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				return response.StatusCode
			}
			assert.Equal(t, want, as("https://", "Bearer right-token"))
			assert.Equal(t, http.StatusUnauthorized, as("https://"))
			assert.Equal(t, http.StatusUnauthorized, as("https://", "Bearer wrong-token"))
			assert.Equal(t, http.StatusBadRequest, as("http://", "Bearer right-token"), "without TLS")
		})
	}
}

func services(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := jaegerstorage.NewClient(conn).Services(ctx)
	return err
}
