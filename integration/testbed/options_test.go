// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestZeroOptionsAreAWholeCluster(t *testing.T) {
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if !o.Components.has(ControllerManager) || !o.Components.has(Scheduler) || !o.Components.has(Kwok) || o.Nodes != 2 {
		t.Errorf("options are %+v", o)
	}
	o, err = Options{Components: APIServerOnly}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.Components.has(AllComponents) || o.Nodes != 0 {
		t.Errorf("options for kube-apiserver alone are %+v", o)
	}
}

func TestBadOptionsAreNamedAtOnce(t *testing.T) {
	_, err := Options{Pods: "slow", Audit: Audit{Level: "All"}, Users: []UserSpec{{}}}.withDefaults()
	for _, want := range []string{"Pods", "Audit.Level", "Name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestPolicyFollowsLevelAndStages(t *testing.T) {
	for _, row := range []struct {
		audit Audit
		want  string
	}{
		{Audit{Level: LevelMetadata}, "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Metadata\n"},
		{Audit{Level: LevelRequest, AllStages: true}, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Request\n"},
		{Audit{Level: LevelRequest, Policy: "own"}, "own"},
	} {
		if got := row.audit.policy(); got != row.want {
			t.Errorf("%+v gives\n%s", row.audit, got)
		}
	}
}

func TestFlagsAreOnlyThoseAskedFor(t *testing.T) {
	dir := t.TempDir()
	none, err := Audit{Level: LevelMetadata}.flags(dir)
	if err != nil || len(none) != 1 {
		t.Errorf("without webhook and file: %v, %v", none, err)
	}
	flags, err := Audit{
		Webhook: AuditWebhook{URL: "http://127.0.0.1:1/audit/a", MaxWait: time.Second, MaxBatch: 7, InitialBackoff: time.Minute, TruncateEvent: 9},
		Log:     AuditLog{Path: "audit.log", MaxSizeMB: 3, Compress: true},
	}.flags(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"--audit-webhook-batch-max-wait=1s", "--audit-webhook-batch-max-size=7", "--audit-webhook-initial-backoff=1m0s",
		"--audit-webhook-truncate-enabled", "--audit-webhook-truncate-max-event-size=9", "--audit-log-maxsize=3", "--audit-log-compress",
	} {
		if !slices.Contains(flags, want) {
			t.Errorf("no %s in %v", want, flags)
		}
	}
	if slices.ContainsFunc(flags, func(f string) bool { return strings.Contains(f, "throttle") || f == "--audit-log-path=audit.log" }) {
		t.Errorf("flags are %v", flags)
	}
	config, err := os.ReadFile(dir + "/audit-webhook.kubeconfig")
	if err != nil || !strings.Contains(string(config), "http://127.0.0.1:1/audit/a") {
		t.Errorf("webhook configuration is %s, %v", config, err)
	}
}

func TestFreePortsAreDifferent(t *testing.T) {
	ports, err := freePorts(50)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ports)
	if len(slices.Compact(ports)) != 50 {
		t.Errorf("ports are %v", ports)
	}
}
