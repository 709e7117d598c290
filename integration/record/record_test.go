// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse makes events of lines, as they come from a file.
func parse(t *testing.T, lines ...string) []event {
	t.Helper()
	var events []event
	err := testbed.ReadAuditLog(strings.NewReader(strings.Join(lines, "\n")), func(line []byte, e testbed.AuditEvent) error {
		events = append(events, event{line: bytes.Clone(line), AuditEvent: e})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

const (
	tokenRequest = `{"auditID":"1","verb":"create","objectRef":{"resource":"serviceaccounts","subresource":"token","namespace":"lab"},"responseObject":{"status":{"token":"eyJhbGciOiJ"}}}`
	tokenReview  = `{"auditID":"2","verb":"create","objectRef":{"resource":"tokenreviews"},"requestObject":{"spec":{"token":"eyJhbGciOiJ"}}}`
	secret       = `{"auditID":"3","verb":"create","objectRef":{"resource":"secrets","namespace":"lab"},"requestObject":{"data":{"password":"c3ludGhldGlj"}}}`
)

func TestCredentialsAreTakenOutAndSyntheticSecretsStay(t *testing.T) {
	events := parse(t, tokenRequest, tokenReview, secret)
	about := about{secrets: []string{"token-of-alice"}}
	if err := about.check(events); err == nil {
		t.Error("a log with tokens passes")
	}
	if err := redact(events); err != nil {
		t.Fatal(err)
	}
	if err := about.check(events); err != nil {
		t.Error(err)
	}
	if string(events[2].line) != secret {
		t.Errorf("the Secret became %s", events[2].line)
	}
	if !bytes.Contains(events[0].line, []byte(`"subresource":"token"`)) {
		t.Errorf("the TokenRequest became %s", events[0].line)
	}
	if err := about.check(parse(t, `{"userAgent":"token-of-alice"}`)); err == nil {
		t.Error("a log with a user's token passes")
	}
}

func TestMachineIsRenamedWhereItIsNamed(t *testing.T) {
	events := parse(t, `{"annotations":{"a":"scheduler-box","b":"box","c":"box_123","d":"boxes","e":"inbox"}}`)
	rename(events, "box", "control-plane")
	want := `{"annotations":{"a":"scheduler-control-plane","b":"control-plane","c":"control-plane_123","d":"boxes","e":"inbox"}}`
	if string(events[0].line) != want {
		t.Errorf("got %s", events[0].line)
	}
}

func TestWhatDoesNotFitIsReadsNotTheScenariosWrites(t *testing.T) {
	var lines []string
	for i := range 500 {
		lines = append(lines,
			fmt.Sprintf(`{"auditID":"w%d","verb":"update","objectRef":{"resource":"deployments","namespace":"demo"}}`, i),
			fmt.Sprintf(`{"auditID":"r%d","verb":"get","objectRef":{"resource":"deployments","namespace":"demo"}}`, i),
		)
	}
	events := parse(t, lines...)
	all, packed, err := fit(events, 1<<20)
	if err != nil || len(all) != 1000 {
		t.Fatalf("%d events fit, %v", len(all), err)
	}
	some, smaller, err := fit(events, len(packed)*3/4)
	if err != nil {
		t.Fatal(err)
	}
	writes := 0
	for _, e := range some {
		if e.Writes() {
			writes++
		}
	}
	if writes != 500 || len(some) == 500 || len(smaller) > len(packed)*3/4 {
		t.Errorf("%d events in %d bytes, of them %d writes", len(some), len(smaller), writes)
	}
	again, _, err := fit(events, len(packed)*3/4)
	if err != nil || len(again) != len(some) {
		t.Errorf("the second time %d events, %v", len(again), err)
	}
	if _, _, err := fit(events, 100); err == nil {
		t.Error("writes were left out")
	}
}

func TestPackedEventsAreTheLines(t *testing.T) {
	packed, err := pack(parse(t, tokenRequest, secret))
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(zip)
	if err != nil || string(data) != tokenRequest+"\n"+secret+"\n" {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestShippedRecordingIsSmallAndWhole(t *testing.T) {
	const path = "../testdata/recording/audit.json.gz"
	if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
		t.Fatalf("%+v, %v", info, err)
	}
	checkRecording(t, path)
}

// checkRecording fails unless the file holds what the README beside it promises of Alice's Deployment, and nothing that it must not.
func checkRecording(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	steps := make(map[string]int)
	err = testbed.ReadAuditLog(zip, func(line []byte, e testbed.AuditEvent) error {
		events = append(events, event{line: bytes.Clone(line), AuditEvent: e})
		if o := e.ObjectRef; e.Writes() && o.Namespace == demo {
			steps[strings.Join([]string{e.User.Username, e.Verb, o.Resource, o.Subresource}, " ")]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := (about{}).check(events); err != nil {
		t.Error(err)
	}
	const controllers = "system:serviceaccount:kube-system:"
	for step, want := range map[string]int{
		"alice create deployments ":                               1,
		"alice update deployments scale":                          2,
		"alice patch deployments ":                                1,
		"alice delete deployments ":                               1,
		controllers + "deployment-controller create replicasets ": 2,
		controllers + "replicaset-controller create pods ":        8,
		"system:kube-scheduler create pods binding":               8,
	} {
		if steps[step] != want {
			t.Errorf("%q is there %d times, want %d", step, steps[step], want)
		}
	}
}

func TestReadmeCounts(t *testing.T) {
	about := about{version: "v1.37.2", started: time.Unix(0, 0), ended: time.Unix(60, 0), kept: parse(t, tokenRequest, tokenReview, secret), of: 7}
	text := string(about.readme("audit.json.gz"))
	for _, want := range []string{"3 of the 7 events", "v1.37.2", "1970-01-01, between 00:00:00 and 00:01:00", "| create | 3 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
