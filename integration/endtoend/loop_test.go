// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package endtoend

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// Situation 14: a controller patches one object 50,000 times. A thousand of these are made on the API server, and the rest is the
// API server's own record of the last one, again and again with another audit ID and time, because it would take minutes to make
// them. Jaeger's API returns a small trace that says how many there were, to the last one.
func TestFiftyThousandPatchesStayLoadable(t *testing.T) {
	const made, patches = 1000, 50_000
	const name, looper = "hot", "system:serviceaccount:" + namespace + ":default"
	var webhook string
	b := startBed(t, testbed.LevelRequestResponse, func(url string) testbed.AuditWebhook {
		webhook = url
		return directly(url)
	})
	ctx := t.Context()
	require.NoError(t, b.CreateNamespace(ctx, b.Alice, namespace))
	controller := serviceAccount(t, b)
	_, err := b.Alice.Client.CoreV1().ConfigMaps(namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for i := range made {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"loop":"%d"}}}`, i)
		_, err := controller.CoreV1().ConfigMaps(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
		require.NoError(t, err)
	}
	line, record := lastBy(t, b, looper)
	again(t, webhook, line, record, patches-made)

	object := identity.Object{Cluster: "live", Resource: "configmaps", Namespace: namespace, Name: name}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		traces, err := b.jaeger.Query.FindTraces(ctx, testbed.TraceQuery{
			Service: "live", Tags: map[string]string{attr.ObjectID: identity.ObjectID(object).String()},
		})
		require.NoError(c, err)
		told, own := map[string]int64{}, map[string]int64{}
		for _, trace := range traces { // two if a window ended meanwhile
			assert.Less(c, len(trace.Spans), 2000, "with all copies of those that stand for many")
			for _, s := range trace.Spans {
				n, _ := s.Tags[attr.FoldedCount].(int64)
				switch id := s.TraceID + s.ID; {
				case s.Tags[attr.SpanType] == attr.SpanTypeObject:
					own[id] = max(own[id], n)
				case s.Tags[attr.UserName] == looper:
					told[id] = max(told[id], n, 1)
				}
			}
		}
		var all, folded int64
		for _, n := range told {
			all += n
			if n > 1 {
				folded += n
			}
		}
		assert.EqualValues(c, patches, all, "each patch counts, and once")
		var said int64
		for _, n := range own {
			said += n
		}
		assert.Equal(c, folded, said, "the object says how many were folded")
	}, 2*patience, time.Second)
}

// serviceAccount returns a client of the namespace's service account, which may do anything there.
func serviceAccount(t *testing.T, b *bed) kubernetes.Interface {
	t.Helper()
	ctx := t.Context()
	_, err := b.Admin.Client.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	if err != nil {
		require.ErrorContains(t, err, "already exists") // the controller manager was faster
	}
	_, err = b.Admin.Client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "controller"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "default"}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	token, err := testbed.RequestToken(ctx, b.Admin, namespace)
	require.NoError(t, err)
	config := rest.AnonymousClientConfig(b.Admin.Config)
	config.BearerToken, config.QPS, config.Burst = token, -1, 0
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	return client
}

// lastBy returns the API server's last record of a patch by a user.
func lastBy(t *testing.T, b *bed, user string) (line []byte, last testbed.AuditEvent) {
	t.Helper()
	file, err := os.Open(b.auditLog)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, testbed.ReadAuditLog(file, func(text []byte, e testbed.AuditEvent) error {
		if e.User.Username == user && e.Verb == "patch" && e.Stage == "ResponseComplete" {
			line, last = bytes.Clone(text), e
		}
		return nil
	}))
	require.NotNil(t, line)
	return line, last
}

// again posts copies of a record, each with an audit ID of its own, at times around it that are in its window.
func again(t *testing.T, webhook string, line []byte, record testbed.AuditEvent, copies int) {
	t.Helper()
	const form = "2006-01-02T15:04:05.000000Z"
	const apart, batch = 10 * time.Millisecond, 400
	at := record.RequestReceivedTimestamp
	step := apart
	if at.Sub(windowOf(at)) > 15*time.Minute {
		step = -apart
	}
	received, complete := []byte(at.UTC().Format(form)), []byte(record.StageTimestamp.UTC().Format(form))
	require.Contains(t, string(line), string(received))
	require.Contains(t, string(line), string(complete))
	for first := 0; first < copies; first += batch {
		var items [][]byte
		for i := first; i < min(first+batch, copies); i++ {
			moved := time.Duration(i+1) * step
			item := bytes.ReplaceAll(line, []byte(record.AuditID), fmt.Appendf(nil, "00000000-0000-4000-8000-%012d", i))
			item = bytes.ReplaceAll(item, received, []byte(at.Add(moved).UTC().Format(form)))
			items = append(items, bytes.ReplaceAll(item, complete, []byte(record.StageTimestamp.Add(moved).UTC().Format(form))))
		}
		body := eventList(items)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			response, err := http.Post(webhook, "application/json", bytes.NewReader(body))
			require.NoError(c, err)
			defer response.Body.Close()
			assert.Equal(c, http.StatusOK, response.StatusCode)
		}, patience, 100*time.Millisecond)
	}
}

// eventList makes an EventList.
func eventList(items [][]byte) []byte {
	return slices.Concat([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[`), bytes.Join(items, []byte(",")), []byte("]}"))
}
