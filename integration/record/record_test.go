// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
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
	if err := about.check(linesOf(events)); err == nil {
		t.Error("a log with tokens passes")
	}
	if err := redact(events); err != nil {
		t.Fatal(err)
	}
	if err := about.check(linesOf(events)); err != nil {
		t.Error(err)
	}
	if string(events[2].line) != secret {
		t.Errorf("the Secret became %s", events[2].line)
	}
	if !bytes.Contains(events[0].line, []byte(`"subresource":"token"`)) {
		t.Errorf("the TokenRequest became %s", events[0].line)
	}
	if err := about.check([][]byte{[]byte(`{"userAgent":"token-of-alice"}`)}); err == nil {
		t.Error("a log with a user's token passes")
	}
}

func TestMachineIsRenamedWhereItIsNamed(t *testing.T) {
	got := rename([]byte(`{"a":"scheduler-box","b":"box","c":"box_123","d":"boxes","e":"inbox","f":"{\"g\":\"kwok-box\",\"h\":\"box\"}"}`), "box")
	want := `{"a":"scheduler-control-plane","b":"control-plane","c":"control-plane_123","d":"boxes","e":"inbox",` +
		`"f":"{\"g\":\"kwok-control-plane\",\"h\":\"control-plane\"}"}`
	if string(got) != want {
		t.Errorf("got %s", got)
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
	packed, err := pack(linesOf(parse(t, tokenRequest, secret)))
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
	const dir = "../testdata/recording"
	size := int64(0)
	for _, file := range []string{auditFile, spansFile} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 2_000_000 {
		t.Errorf("it takes %d bytes", size)
	}
	checkRecording(t, dir)
}

// checkRecording fails unless the folder holds what its README promises of Alice's Deployment, and nothing that it must not.
func checkRecording(t *testing.T, dir string) {
	t.Helper()
	checkAuditLog(t, bytes.NewReader(unpack(t, filepath.Join(dir, auditFile))))
	checkSpans(t, unpack(t, filepath.Join(dir, spansFile)))
}

func unpack(t *testing.T, path string) []byte {
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
	data, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkSpans looks for what the receivers tell of Alice's Deployment.
func checkSpans(t *testing.T, data []byte) {
	t.Helper()
	lines := slices.Collect(bytes.Lines(data))
	if err := (about{secrets: syntheticSecrets}).check(lines); err != nil {
		t.Error(err)
	}
	for _, line := range lines {
		if len(line) > 1<<20 {
			t.Errorf("a line of %d bytes is more than file receivers take", len(line))
		}
	}
	all, err := readSpans(data)
	if err != nil {
		t.Fatal(err)
	}
	counts, replicas := make(map[string]int), []string(nil)
	for _, rs := range all.ResourceSpans().All() {
		text := func(key string) string { v, _ := rs.Resource().Attributes().Get(key); return v.AsString() }
		if text(attr.Namespace) != demo {
			continue
		}
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				counts[text(attr.ObjectResource)+" "+span.Name()]++
				for _, event := range span.Events().All() {
					if change, ok := event.Attributes().Get("spec.replicas"); ok && text(attr.ObjectResource) == "deployments" {
						replicas = append(replicas, change.AsString())
					}
				}
			}
		}
	}
	for what, want := range map[string]int{
		"deployments created": 1, "deployments deleted": 1, "replicasets created": 2, "replicasets deleted": 2, "pods created": 8, "pods deleted": 8,
		"pods Scheduled": 8,
	} {
		if counts[what] != want {
			t.Errorf("%q is there %d times, want %d", what, counts[what], want)
		}
	}
	if want := []string{"2 -> 4", "4 -> 2"}; !slices.Equal(replicas, want) {
		t.Errorf("spec.replicas changed %q, want %q", replicas, want)
	}
}

func checkAuditLog(t *testing.T, log io.Reader) {
	t.Helper()
	var events []event
	steps := make(map[string]int)
	err := testbed.ReadAuditLog(log, func(line []byte, e testbed.AuditEvent) error {
		events = append(events, event{line: bytes.Clone(line), AuditEvent: e})
		if o := e.ObjectRef; e.Writes() && o.Namespace == demo {
			steps[strings.Join([]string{e.User.Username, e.Verb, o.Resource, o.Subresource}, " ")]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := (about{}).check(linesOf(events)); err != nil {
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
	about.spans = map[string]int{attr.SpanTypeEvent: 5, attr.SpanTypeWatch: 6}
	text := string(about.readme())
	for _, want := range []string{"3 of the 7 events", "has 5 spans of Events and 6 of changes", "v1.37.2", "1970-01-01, between 00:00:00 and 00:01:00", "| create | 3 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
