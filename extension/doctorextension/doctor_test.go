// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/kelemetry/kelemetry/extension/doctorextension/internal/metadata"
	"github.com/kelemetry/kelemetry/internal/readmetest"
)

func TestReadme(t *testing.T) {
	readmetest.Examples(t, "extensions", NewFactory())
	readmetest.NamesEveryOption(t, createDefaultConfig())
}

func TestConfigNamesEveryMistakeAtOnce(t *testing.T) {
	config := createDefaultConfig().(*Config)
	require.NoError(t, confmap.Validate(config))
	config.NetAddr.Endpoint, config.MetricsURL, config.Timeout = "", "localhost:8888", 0
	err := confmap.Validate(config)
	for _, want := range []string{"endpoint: must be set", `metrics_url: must be an http or https URL, got "localhost:8888"`, "timeout: must be positive, got 0s"} {
		require.ErrorContains(t, err, want)
	}
}

func receiver(name string) subject { return subject{component.KindReceiver, component.MustNewID(name)} }

func TestEachDiagnosis(t *testing.T) {
	auditlog, watch := receiver("auditlog"), receiver("watch")
	encoding := subject{component.KindExtension, component.MustNewIDWithName("auditlog_encoding", "prod")}
	clusters := subject{component.KindExtension, component.MustNewID("kube_clusters")}
	exporter := subject{component.KindExporter, component.MustNewID("otlp_grpc")}
	const events = `otelcol_receiver_auditlog_events`
	for name, tt := range map[string]struct {
		of      subject
		status  status
		metrics string
		want    []string // problems with "!" in front
	}{
		"a component says what is wrong": {
			watch,
			status{componentstatus.StatusRecoverableError, "secrets is forbidden"},
			"",
			[]string{"!receiver watch: StatusRecoverableError: secrets is forbidden"},
		},
		"nothing ever came":         {auditlog, status{}, "", []string{"!receiver auditlog: no audit event ever came, and no webhook request"}},
		"another receiver is quiet": {watch, status{}, "", nil},
		"wrong credentials": {
			auditlog,
			status{},
			`otelcol_receiver_auditlog_requests{http_response_status_code="403"} 3`,
			[]string{"!receiver auditlog: 3 webhook requests were answered 403"},
		},
		"wrong in several ways": {
			auditlog,
			status{},
			`otelcol_receiver_auditlog_requests{http_response_status_code="503"} 1
otelcol_receiver_auditlog_requests{http_response_status_code="400"} 2
otelcol_receiver_auditlog_requests{http_response_status_code="200"} 4
otelcol_receiver_auditlog_requests{http_response_status_code="401"} 3`,
			[]string{
				"!receiver auditlog: 2 webhook requests were answered 400", "!receiver auditlog: 3 webhook requests were answered 401",
				"!receiver auditlog: 1 webhook requests were answered 503",
			},
		},
		"no events at all": {
			auditlog,
			status{},
			events + "_received 2\n" + events + `_invalid 2`,
			[]string{"!receiver auditlog: 2 of 2 items are no audit events"},
		},
		"all filtered": {
			auditlog,
			status{},
			events + "_received 5\n" + events + `_filtered{reason="verb",transport="webhook"} 2` + "\n" + events + `_filtered{reason="verb",transport="file"} 3`,
			[]string{"!receiver auditlog: all 5 events were filtered: 5 by verb"},
		},
		"some kept": {
			auditlog,
			status{},
			events + "_received 5\n" + events + `_invalid 1` + "\n" + events + `_filtered{reason="stage"} 1`,
			[]string{"!receiver auditlog: 1 of 5 items are no audit events", "receiver auditlog: 3 of 5 events became spans"},
		},
		"no record ever came": {encoding, status{}, "", []string{"!extension auditlog_encoding/prod: no record ever came"}},
		"records of another kind": {
			encoding,
			status{},
			"otelcol_extension_auditlog_encoding_records_invalid_total 2",
			[]string{"!extension auditlog_encoding/prod: 2 records held no audit event"},
		},
		"an API server that does not answer": {
			clusters,
			status{},
			`otelcol_extension_kube_clusters_up{k8s_cluster_name="prod"} 0`,
			[]string{"!extension kube_clusters: cluster prod cannot be discovered"},
		},
		"refused for good": {
			exporter,
			status{},
			`otelcol_exporter_send_failed_spans{exporter="otlp_grpc"} 7` + "\n" + `otelcol_exporter_send_failed_spans{exporter="other"} 9`,
			[]string{"!exporter otlp_grpc: 7 spans were refused for good and are lost"},
		},
		"nobody there": {
			exporter,
			status{},
			`otelcol_exporter_queue_size{exporter="otlp_grpc"} 700`,
			[]string{"!exporter otlp_grpc: nothing has been sent yet, and spans wait in its queue"},
		},
		"too slow": {
			exporter,
			status{},
			`otelcol_exporter_queue_size{exporter="otlp_grpc"} 90
otelcol_exporter_queue_capacity{exporter="otlp_grpc"} 100
otelcol_exporter_sent_spans{exporter="otlp_grpc"} 5
otelcol_exporter_enqueue_failed_spans{exporter="otlp_grpc"} 4`,
			[]string{"!exporter otlp_grpc: 4 spans were not taken", "!exporter otlp_grpc: its queue is 90 % full"},
		},
		"nothing is watched": {watch, status{}, "otelcol_receiver_watch_resources 0", []string{"!receiver watch: no resource is watched"}},
		"watched, but not all of it": {
			watch,
			status{},
			"otelcol_receiver_watch_resources 40\notelcol_receiver_watch_objects 900\n" + `otelcol_receiver_watch_memory_limited{kept="metadata"} 7`,
			[]string{"!receiver watch: 7 states were kept in part or not at all, for want of room", "receiver watch: 40 resources are watched, with 900 objects"},
		},
		"Events are read": {
			receiver("k8sevent"),
			status{},
			"otelcol_receiver_k8sevent_leading 1\n" + `otelcol_receiver_k8sevent_events_received{operation="list"} 2` + "\n" + `otelcol_receiver_k8sevent_events_received{operation="watch"} 3`,
			[]string{"receiver k8sevent: 5 Events were read"},
		},
		"somebody else reads Events": {
			receiver("k8sevent"),
			status{},
			"otelcol_receiver_k8sevent_leading 0",
			[]string{"receiver k8sevent: it waits to be elected: another process reads Events, or nobody yet"},
		},
		"well": {exporter, status{}, `otelcol_exporter_sent_spans{exporter="otlp_grpc"} 5`, []string{"exporter otlp_grpc: 5 spans were sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := decodeMetrics(strings.NewReader(tt.metrics+"\n"), expfmt.ResponseFormat(http.Header{"Content-Type": {"text/plain; version=0.0.4"}}))
			require.NoError(t, err)
			var got []string
			for _, f := range diagnose(rules, map[subject]status{tt.of: tt.status}, m) {
				mark := map[bool]string{true: "!"}[f.problem]
				got = append(got, mark+f.subject.String()+": "+f.text)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestThePage(t *testing.T) {
	var away atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if away.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, "otelcol_exporter_sent_spans{exporter=\"otlp_grpc\"} 5\n")
	}))
	t.Cleanup(server.Close)
	config := createDefaultConfig().(*Config)
	config.NetAddr.Endpoint, config.MetricsURL = "127.0.0.1:0", server.URL
	created, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), config)
	require.NoError(t, err)
	d := created.(*doctorExtension)
	require.NoError(t, d.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, d.Shutdown(context.Background())) })
	require.Equal(t, "Nothing is known to be wrong, and nothing has come yet.\n", get(t, d))

	d.ComponentStatusChanged(componentstatus.NewInstanceID(component.MustNewID("otlp_grpc"), component.KindExporter), componentstatus.NewEvent(componentstatus.StatusOK))
	d.ComponentStatusChanged(componentstatus.NewInstanceID(component.MustNewID("watch"), component.KindReceiver),
		componentstatus.NewRecoverableErrorEvent(errors.New("pods is forbidden")))
	assert.Equal(t, `PROBLEM  receiver watch: StatusRecoverableError: pods is forbidden
         The account lacks rights: deploy/rbac has those that are needed. Or leave out what it may not read.
ok       exporter otlp_grpc: 5 spans were sent
`, get(t, d))

	away.Store(true)
	page := get(t, d)
	assert.Contains(t, page, "PROBLEM  this collector's own metrics cannot be read: "+server.URL+" answers 404 Not Found\n")
	assert.Contains(t, page, "PROBLEM  receiver watch: StatusRecoverableError: pods is forbidden\n")
}

func get(t *testing.T, d *doctorExtension) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + d.address.String() + "/doctor")
	require.NoError(t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(page)
}
