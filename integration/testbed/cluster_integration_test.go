// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package testbed_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

func TestClusterStartsAndStopsTwice(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	for range 2 {
		started := time.Now()
		c, err := testbed.StartCluster(t.Context(), testbed.Options{
			Dir:        t.TempDir(),
			Components: testbed.APIServerOnly,
			Audit:      testbed.Audit{Level: testbed.LevelMetadata, AllStages: true, Log: testbed.AuditLog{Path: log, MaxSizeMB: 1}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("started in %s", time.Since(started))
		if err := c.CreateNamespace(t.Context(), c.Alice, "hello"); err != nil {
			t.Error(err)
		}
		started = time.Now()
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		t.Logf("stopped in %s", time.Since(started))
		if err := c.Stop(); err != nil {
			t.Errorf("second stop: %v", err)
		}
		address, err := url.Parse(c.URL)
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", address.Host); err == nil {
			_ = conn.Close()
			t.Error("something still listens on the port of kube-apiserver")
		}
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.Dir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder is still there: %v", err)
		}
	}
	// Both clusters wrote to the same file, more than a megabyte: it was rotated.
	files, err := filepath.Glob(filepath.Join(filepath.Dir(log), "audit*.log"))
	if err != nil || len(files) < 2 {
		t.Errorf("audit logs are %v, %v", files, err)
	}
	created, stages := 0, make(map[string]bool)
	for _, file := range files {
		readAuditLog(t, file, func(e testbed.AuditEvent) {
			stages[e.Stage] = true
			if len(e.RequestObject) > 0 || len(e.ResponseObject) > 0 {
				t.Errorf("event %s has a body", e.AuditID)
			}
			if event("alice", "create", "namespaces", "", "")(e) {
				created++
			}
		})
	}
	if created != 2 || !stages["RequestReceived"] {
		t.Errorf("the audit logs have %d creations by alice, and stages %v", created, stages)
	}
}

func TestStartThatFailsSaysWhyAndLeavesNothingRunning(t *testing.T) {
	dir := t.TempDir()
	_, err := testbed.StartCluster(t.Context(), testbed.Options{
		Dir: dir, Components: testbed.APIServerOnly, APIServerFlags: []string{"--no-such-flag"},
	})
	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") || !strings.Contains(err.Error(), dir) {
		t.Errorf("error is %v, want one with the end of the log and its place", err)
	}
}

func readAuditLog(t *testing.T, file string, visit func(testbed.AuditEvent)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := testbed.ReadAuditLog(f, func(_ []byte, e testbed.AuditEvent) error { visit(e); return nil }); err != nil {
		t.Error(err)
	}
}

func TestEachUserIsKnownByTokenAndKubeconfig(t *testing.T) {
	for _, u := range []*testbed.User{cluster.Admin, cluster.Alice, cluster.Bob} {
		config, err := clientcmd.BuildConfigFromFlags("", u.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Errorf("%s: %v", u.Name, err)
		}
	}
	nodes, err := cluster.Admin.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 2 {
		t.Errorf("nodes are %v, %v", nodes, err)
	}
	if v, err := cluster.Version(); err != nil || v != "v1.37.2" {
		t.Errorf("version is %q, %v", v, err)
	}
}

func TestWebhookGetsBatchesAndRetriesThem(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sink.Answer(http.StatusServiceUnavailable)
	if err := cluster.CreateNamespace(ctx, cluster.Bob, "webhook"); err != nil {
		t.Fatal(err)
	}
	sink.Answer(http.StatusOK)
	e := await(ctx, t, event("bob", "create", "namespaces", "", "webhook"))
	if e.ResponseStatus.Code != http.StatusCreated || len(e.ResponseObject) == 0 || e.ObjectRef.Name != "webhook" {
		t.Errorf("event is %+v", e)
	}
	for _, b := range sink.Batches() {
		if b.Path != "/audit/bed" || len(b.Events) == 0 {
			t.Errorf("batch of %d events at %s", len(b.Events), b.Path)
		}
	}
}

// event matches completed requests. An empty name matches any.
func event(user, verb, resource, subresource, name string) func(testbed.AuditEvent) bool {
	return func(e testbed.AuditEvent) bool {
		return e.Stage == "ResponseComplete" && e.User.Username == user && e.Verb == verb &&
			e.ObjectRef.Resource == resource && e.ObjectRef.Subresource == subresource && (name == "" || e.ObjectRef.Name == name)
	}
}

func await(ctx context.Context, t *testing.T, match func(testbed.AuditEvent) bool) testbed.AuditEvent {
	t.Helper()
	e, err := sink.Await(ctx, match)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
