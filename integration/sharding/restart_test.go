// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package sharding

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/internal/attr"
)

// The load of the test: an API server's batches of 100, ten a second.
const (
	eventsPerBatch = 100
	pace           = 100 * time.Millisecond
	loadBatches    = 80
	namespaces     = 40
	killAt         = 20
	restartAt      = 40
)

// TestAReplicaIsKilledUnderLoad: one of three that place is killed with -9 at 1,000 events a second, and comes back two seconds
// later. Every event arrives, what arrives twice is the same, and Jaeger's page shows each once.
func TestAReplicaIsKilledUnderLoad(t *testing.T) {
	for name, startTier := range map[string]func(t *testing.T) *tier{
		"by namespace": func(t *testing.T) *tier { return startBalanced(t) },
		"by object":    func(t *testing.T) *tier { return startBalanced(t, byObject...) },
		"Kafka":        startKafka,
	} {
		t.Run(name, func(t *testing.T) {
			b := startTier(t)
			sent := map[string]bool{}
			restarted := make(chan func() (*collector.Collector, error), 1)
			ticker := time.NewTicker(pace)
			defer ticker.Stop()
			for n := range loadBatches {
				switch n {
				case killAt:
					require.NoError(t, syscall.Kill(b.link[1].Pid(), syscall.SIGKILL))
					<-b.link[1].Exited()
				case restartAt:
					go func() {
						c, err := run(t.Context(), nil, b.example, b.linkSet, b.linkEnv[1]...)
						restarted <- func() (*collector.Collector, error) { return c, err }
					}()
				}
				b.post(t, "prod", load(n, sent))
				<-ticker.C
			}
			again, err := (<-restarted)()
			require.NoError(t, err)
			defer func() { assert.NoError(t, again.Stop()) }()
			b.sink.awaitAudits(t, 0, sent)

			all := b.sink.spans(0)
			first := map[pair]string{}
			for _, s := range all {
				id, content := pair{s.TraceID(), s.SpanID()}, contentOf(t, s)
				if before, ok := first[id]; ok {
					require.Equal(t, before, content, "one ID, two contents")
				}
				first[id] = content
			}
			t.Logf("%d events, %d spans, %d of them delivered again", len(sent), len(first), len(all)-len(first))

			shown := b.sink.shown(t, namespaces)
			assert.Len(t, shown, len(sent))
			for id := range sent {
				require.Equal(t, 1, shown[id], "%s", id)
			}
		})
	}
}

type pair struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

// contentOf is all that a span says. An object's span may tell its owners or not, and lead to where the object was before they were
// known, depending on what its process knew then.
func contentOf(t *testing.T, s span) string {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	s.resource.CopyTo(rs.Resource().Attributes())
	copied := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.CopyTo(copied)
	if s.isObject() {
		copied.Attributes().Remove(attr.Owners)
		copied.Attributes().Remove(attr.OwnersSeen)
		copied.Attributes().Remove(attr.OwnTrace)
		copied.Links().RemoveIf(func(ptrace.SpanLink) bool { return true })
	}
	text, err := new(ptrace.JSONMarshaler).MarshalTraces(td)
	require.NoError(t, err)
	return string(text)
}

// load makes a batch of events: Deployments in many namespaces, their ReplicaSets and Pods are made and patched.
func load(batch int, sent map[string]bool) [][]byte {
	now := time.Now().UTC()
	var events [][]byte
	for i := range eventsPerBatch {
		n := batch*eventsPerBatch + i
		group := n / 10 % namespaces // ten events in a row are of one Deployment
		namespace, id := fmt.Sprintf("ns-%d", group), fmt.Sprintf("audit-%d", n)
		sent[id] = true
		deployment := object{"apps/v1", "Deployment", "deployments", namespace, "web", nil}
		replicaSet := object{"apps/v1", "ReplicaSet", "replicasets", namespace, "web-1", &deployment}
		o := deployment
		if n%10 > 0 {
			o = replicaSet
		}
		if n%10 > 1 {
			o = object{"v1", "Pod", "pods", namespace, fmt.Sprintf("web-1-%d", n%10), &replicaSet}
		}
		events = append(events, o.patched(id, n, now.Add(time.Duration(i)*time.Microsecond)))
	}
	return events
}

type object struct {
	apiVersion, kind, resource, namespace, name string
	owner                                       *object
}

func (o *object) uid() string { return o.kind + "-" + o.namespace + "-" + o.name }

// patched is the audit event of a patch of the object.
func (o *object) patched(id string, version int, at time.Time) []byte {
	owners := ""
	if o.owner != nil {
		owners = fmt.Sprintf(`,"ownerReferences":[{"apiVersion":%q,"kind":%q,"name":%q,"uid":%q,"controller":true}]`,
			o.owner.apiVersion, o.owner.kind, o.owner.name, o.owner.uid())
	}
	group := ""
	if o.apiVersion == "apps/v1" {
		group = `,"apiGroup":"apps"`
	}
	time := at.Format("2006-01-02T15:04:05.000000Z")
	return fmt.Appendf(nil, `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":%q,"stage":"ResponseComplete","verb":"patch",`+
		`"requestURI":"/x","user":{"username":"alice"},"objectRef":{"resource":%q,"namespace":%q,"name":%q%s,"apiVersion":"v1"},"responseStatus":{"code":200},`+
		`"responseObject":{"kind":%q,"apiVersion":%q,"metadata":{"name":%q,"namespace":%q,"uid":%q,"resourceVersion":"%d"%s}},`+
		`"requestReceivedTimestamp":%q,"stageTimestamp":%q}`,
		id, o.resource, o.namespace, o.name, group, o.kind, o.apiVersion, o.name, o.namespace, o.uid(), version, owners, time, time)
}
