// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
)

// doctorExtension is the lifecycle of the extension.
type doctorExtension struct {
	config   *Config
	set      extension.Settings
	statuses *statuses

	address net.Addr
	client  *http.Client
	server  *http.Server
	serving sync.WaitGroup
}

var (
	_ extension.Extension     = (*doctorExtension)(nil)
	_ componentstatus.Watcher = (*doctorExtension)(nil)
)

// ComponentStatusChanged implements componentstatus.Watcher.
func (d *doctorExtension) ComponentStatusChanged(source *componentstatus.InstanceID, event *componentstatus.Event) {
	d.statuses.set(source, event)
}

// Start opens the port.
func (d *doctorExtension) Start(ctx context.Context, host component.Host) error {
	listener, err := d.config.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	d.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: d.config.Timeout}
	d.server, err = d.config.ToServer(ctx, host.GetExtensions(), d.set.TelemetrySettings, http.HandlerFunc(d.serve))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d.address = listener.Addr()
	d.serving.Go(func() {
		if err := d.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("doctor: %w", err)))
		}
	})
	return nil
}

// Shutdown waits for pages that are being made until ctx ends.
func (d *doctorExtension) Shutdown(ctx context.Context) error {
	if d.server == nil {
		return nil
	}
	err := d.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, d.server.Close())
	}
	d.serving.Wait()
	return err
}

func (d *doctorExtension) serve(response http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		http.Error(response, "only GET", http.StatusMethodNotAllowed)
		return
	}
	response.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(response, d.page(request.Context()))
}

func (d *doctorExtension) page(ctx context.Context) string {
	m, err := readMetrics(ctx, d.client, d.config.MetricsURL)
	asked := rules
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "PROBLEM  this collector's own metrics cannot be read: %s\n         Set metrics_url to where service::telemetry::metrics has them. "+
			"Without them only what components report is known.\n", err)
		asked = []rule{reportedStatus}
	}
	write(&b, diagnose(asked, d.statuses.all(), m))
	if b.Len() == 0 {
		return "Nothing is known to be wrong, and nothing has come yet.\n"
	}
	return b.String()
}

func write(b *strings.Builder, findings []finding) {
	for _, f := range findings {
		word := "ok"
		if f.problem {
			word = "PROBLEM"
		}
		fmt.Fprintf(b, "%-8s %s: %s\n", word, f.subject, f.text)
		if f.advice != "" {
			fmt.Fprintf(b, "%-8s %s\n", "", f.advice)
		}
	}
}
