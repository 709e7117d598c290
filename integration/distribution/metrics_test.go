// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package distribution

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// TestMetricsExample: what Prometheus scrapes is what one counts in the recording by other means, reads included; and no read is stored.
func TestMetricsExample(t *testing.T) {
	jaeger := testbed.JaegerForTest(t, testbed.JaegerOptions{})
	webhook, scraped := testbed.FreeAddress(t), testbed.FreeAddress(t)
	startExample(t, "metrics.yaml", []string{
		"KELEMETRY_STATE=" + filepath.Join(t.TempDir(), "state"), "KELEMETRY_HEALTH=" + testbed.FreeAddress(t), "KELEMETRY_WEBHOOK=" + webhook,
		"KELEMETRY_METRICS=" + scraped, "JAEGER_OTLP=" + jaeger.OTLPGRPC,
	})

	want := map[string]float64{}
	made := []string{
		readEvent("slow", "list", "alice", "labelSelector=a%3Db&timeout=2s", 2500*time.Millisecond, 200),
		readEvent("timed-out", "list", "alice", "labelSelector=a%3Db", time.Minute, 504),
		readEvent("in-time", "list", "alice", "labelSelector=a%3Db&timeout=2s", time.Second, 200),
		readEvent("short", "watch", "system:node:n1", "timeoutSeconds=300&timeout=5m0s&watch=true", time.Second, 200),
		readEvent("shorter", "watch", "system:node:n2", "timeoutSeconds=300&watch=true", 0, 200),
		readEvent("whole", "watch", "system:node:n2", "timeoutSeconds=300&watch=true", 300*time.Second, 200),
		readEvent("refused", "watch", "system:node:n2", "timeoutSeconds=300&watch=true", 0, 410),
	}
	recorded, err := os.Open(filepath.Join(root, "integration", "testdata", "recording", "audit.json.gz"))
	require.NoError(t, err)
	defer recorded.Close()
	unzipped, err := gzip.NewReader(recorded)
	require.NoError(t, err)
	batches := [][]string{nil}
	text := io.MultiReader(strings.NewReader(strings.Join(made, "\n")+"\n"), unzipped)
	require.NoError(t, testbed.ReadAuditLog(text, func(line []byte, e testbed.AuditEvent) error {
		count(want, e)
		if len(batches[len(batches)-1]) == 200 {
			batches = append(batches, nil)
		}
		last := &batches[len(batches)-1]
		*last = append(*last, string(line))
		return nil
	}))
	// Of the events above, of which the recording need not have any:
	const deployments = `k8s_cluster_name="prod",k8s_object_group="apps",k8s_object_resource="deployments"}`
	require.InDelta(t, 2, want[`k8s_audit_list_timeouts_total{k8s_audit_read_selector="label",k8s_audit_user_class="alice",`+deployments], 0)
	require.InDelta(t, 2, want[`k8s_audit_watch_early_ends_total{k8s_audit_user_class="system:nodes",`+deployments], 0)
	for _, batch := range batches {
		post(t, webhook, "prod", batch)
	}

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		got := scrape(c, "http://"+scraped+"/metrics")
		assert.Equal(c, want, got)
	}, patience, 500*time.Millisecond)

	awaitTree(t, jaeger, "prod", "deployments/demo", "replicasets/demo-", "pods/demo-")
	stored, err := jaeger.Query.FindTraces(t.Context(), testbed.TraceQuery{Service: "prod", Start: time.Unix(0, 0), Limit: 10_000})
	require.NoError(t, err)
	for _, trace := range stored {
		for _, span := range trace.Spans {
			assert.NotContains(t, span.Tags, attr.AuditReadVersion)
			assert.NotEqual(t, "leases", span.Process[attr.ObjectResource])
		}
	}
}

// readEvent is a read of deployments.
func readEvent(id, verb, user, query string, lasted time.Duration, code int) string {
	start := time.Now().UTC()
	const form = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":%q,"stage":"ResponseComplete","verb":%q,` +
		`"requestURI":%q,"user":{"username":%q},"objectRef":{"resource":"deployments","namespace":"default","apiGroup":"apps","apiVersion":"v1"},` +
		`"responseStatus":{"code":%d},"requestReceivedTimestamp":%q,"stageTimestamp":%q}`
	return fmt.Sprintf(form, id, verb, "/apis/apps/v1/namespaces/default/deployments?"+query, user, code,
		start.Format(time.RFC3339Nano), start.Add(lasted).Format(time.RFC3339Nano))
}

// count adds an event to the metrics, as their descriptions say.
func count(metrics map[string]float64, e testbed.AuditEvent) {
	if e.Stage != "ResponseComplete" || e.ObjectRef.Resource == "" {
		return
	}
	user := e.User.Username
	if e.ImpersonatedUser != nil {
		user = e.ImpersonatedUser.Username
	}
	if strings.HasPrefix(user, "system:node:") {
		user = "system:nodes"
	}
	_, rawQuery, _ := strings.Cut(e.RequestURI, "?")
	query, _ := url.ParseQuery(rawQuery)
	var selectors []string
	for _, kind := range []string{"label", "field"} {
		if query.Get(kind+"Selector") != "" {
			selectors = append(selectors, kind)
		}
	}
	selector := cmp.Or(strings.Join(selectors, ","), "none")
	lasted, code := e.StageTimestamp.Sub(e.RequestReceivedTimestamp), e.ResponseStatus.Code
	object := fmt.Sprintf(`k8s_cluster_name="prod",k8s_object_group=%q,k8s_object_resource=%q}`, e.ObjectRef.APIGroup, e.ObjectRef.Resource)
	served := strings.TrimSuffix(object, "}") + `,server_address="127.0.0.1"}`

	if long := regexp.MustCompile("^(log|exec|attach|portforward|proxy)$"); e.Verb != "watch" && !long.MatchString(e.ObjectRef.Subresource) {
		metrics[fmt.Sprintf(`k8s_audit_request_duration_seconds_count{k8s_audit_verb=%q,%s`, e.Verb, served)]++
	}
	if code >= 400 {
		metrics[fmt.Sprintf(`k8s_audit_request_errors_total{error_type=%q,http_response_status_code="%d",k8s_audit_user_class=%q,k8s_audit_verb=%q,%s`,
			cmp.Or(e.ResponseStatus.Reason, strconv.Itoa(code)), code, user, e.Verb, served)]++
	}
	newest := query.Get("resourceVersion")+query.Get("continue") == ""
	if (e.Verb == "get" || e.Verb == "list") && newest && e.ObjectRef.Subresource == "" && code == 200 {
		metrics[fmt.Sprintf(`k8s_audit_read_cache_bypasses_total{k8s_audit_read_selector=%q,k8s_audit_user_class=%q,k8s_audit_verb=%q,%s`,
			selector, user, e.Verb, object)]++
	}
	limit, err := time.ParseDuration(query.Get("timeout"))
	if e.Verb == "list" && (err == nil && lasted >= limit || code == 504) {
		metrics[fmt.Sprintf(`k8s_audit_list_timeouts_total{k8s_audit_read_selector=%q,k8s_audit_user_class=%q,%s`, selector, user, object)]++
	}
	seconds, err := strconv.Atoi(query.Get("timeoutSeconds"))
	if e.Verb == "watch" && err == nil && code == 200 && 100*lasted < time.Duration(seconds)*time.Second {
		metrics[fmt.Sprintf(`k8s_audit_watch_early_ends_total{k8s_audit_user_class=%q,%s`, user, object)]++
	}
}

// scrape returns the series of audit metrics, without the buckets and sums of histograms.
func scrape(c *assert.CollectT, address string) map[string]float64 {
	response, err := http.Get(address)
	require.NoError(c, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(c, err)
	series := map[string]float64{}
	for _, match := range regexp.MustCompile(`(?m)^(k8s_audit_\S+{.*}) (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.ParseFloat(match[2], 64)
		require.NoError(c, err)
		if name, _, _ := strings.Cut(match[1], "{"); !strings.HasSuffix(name, "_bucket") && !strings.HasSuffix(name, "_sum") {
			series[match[1]] = value
		}
	}
	return series
}
