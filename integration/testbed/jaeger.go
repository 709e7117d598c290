// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"text/template"

	"github.com/kelemetry/kelemetry/integration/servers"
)

// JaegerOptions say how Jaeger is to run. The zero value is right for most.
type JaegerOptions struct {
	// Dir is where Jaeger's own folder is made; the system's place for temporary files if empty.
	Dir string
	// QueryPort is where the page and the API are; any free port if zero.
	QueryPort int
	// RemoteStorage is host:port of a server of Jaeger's storage API, where traces are kept instead of in memory.
	RemoteStorage string
}

// Jaeger is a running Jaeger v2 which takes OTLP and keeps traces in memory, or in a remote storage.
type Jaeger struct {
	*bed
	// OTLPGRPC is host:port, OTLPHTTP a URL to which /v1/traces is to be added.
	OTLPGRPC, OTLPHTTP string
	// QueryURL is the address of the user interface. The published module has a placeholder for it; the API is whole.
	QueryURL string
	// Query asks the API.
	Query JaegerClient
}

// Metrics are off because they would take a fixed port, its own traces because they would go to whatever listens on 4317.
var jaegerConfig = template.Must(template.New("jaeger").Parse(`# Written by the test bed.
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [jaeger_storage_exporter]
  telemetry:
    metrics:
      level: none
extensions:
  jaeger_storage:
    backends:
      traces:
{{- if .RemoteStorage}}
        grpc:
          endpoint: {{.RemoteStorage}}
          tls:
            insecure: true
{{- else}}
        memory:
          max_traces: 100000
{{- end}}
  jaeger_query:
    enable_tracing: false
    storage:
      traces: traces
    http:
      endpoint: 127.0.0.1:{{.QueryHTTP}}
    grpc:
      endpoint: 127.0.0.1:{{.QueryGRPC}}
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{{.OTLPGRPC}}
      http:
        endpoint: 127.0.0.1:{{.OTLPHTTP}}
exporters:
  jaeger_storage_exporter:
    trace_storage: traces
`))

// StartJaeger starts Jaeger and returns when it takes traces and answers queries. The context bounds the start alone, as with StartCluster.
func StartJaeger(ctx context.Context, opts JaegerOptions) (*Jaeger, error) {
	binary, err := servers.Path(ctx, servers.Jaeger)
	if err != nil {
		return nil, fmt.Errorf("start Jaeger: %w", err)
	}
	j := &Jaeger{}
	b, err := startBed(ctx, opts.Dir, "kelemetry-jaeger-*", func(ctx context.Context, b *bed) error {
		return j.setUp(ctx, b, binary, opts)
	})
	if err != nil {
		return nil, fmt.Errorf("start Jaeger: %w", err)
	}
	j.bed = b
	return j, nil
}

func (j *Jaeger) setUp(ctx context.Context, b *bed, binary string, opts JaegerOptions) error {
	ports, err := freePorts(4)
	if err != nil {
		return err
	}
	if opts.QueryPort != 0 {
		ports[0] = opts.QueryPort
	}
	var config bytes.Buffer
	if err := jaegerConfig.Execute(&config, map[string]any{
		"QueryHTTP": ports[0], "QueryGRPC": ports[1], "OTLPGRPC": ports[2], "OTLPHTTP": ports[3], "RemoteStorage": opts.RemoteStorage,
	}); err != nil {
		return err
	}
	path := filepath.Join(b.dir, "jaeger.yaml")
	if err := os.WriteFile(path, config.Bytes(), 0o600); err != nil {
		return err
	}
	j.QueryURL, j.OTLPGRPC, j.OTLPHTTP = "http://"+addr(ports[0]), addr(ports[2]), "http://"+addr(ports[3])
	j.Query = JaegerClient{URL: j.QueryURL}
	p, err := b.run("jaeger", binary, "--config="+path)
	if err != nil {
		return err
	}
	return p.await(ctx, func(ctx context.Context) error {
		if err := getOK(ctx, http.DefaultClient, j.QueryURL+"/api/services"); err != nil {
			return err
		}
		return j.takesTraces(ctx)
	})
}

// takesTraces sends an empty request: receivers start after the extensions that answer queries.
func (j *Jaeger) takesTraces(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.OTLPHTTP+"/v1/traces", bytes.NewReader([]byte("{}")))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL, resp.Status)
	}
	return nil
}
