// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kelemetry/kelemetry/internal/attr"
)

// about is what there is to say about a recording.
type about struct {
	version        string
	started, ended time.Time
	// secrets must not be in it: of this cluster and of this machine.
	secrets []string
	kept    []event
	of      int
	// spans counts those of Events and of the watch by type.
	spans map[string]int
}

// check refuses a recording that would give away a credential, or the machine that it was made on.
func (a about) check(lines [][]byte) error {
	forbidden := append([]string{"PRIVATE KEY", "eyJhbGciOi"}, a.secrets...)
	for _, line := range lines {
		for _, text := range forbidden {
			if at := bytes.Index(line, []byte(text)); at >= 0 {
				return fmt.Errorf("%.20q… is in …%s…", text, line[max(0, at-200):at])
			}
		}
	}
	return nil
}

func (a about) readme() []byte {
	var b bytes.Buffer
	bytesOf := 0
	for _, e := range a.kept {
		bytesOf += len(e.line) + 1
	}
	fmt.Fprintf(&b, `# What a real control plane told

A recording of a control plane (kube-apiserver %s, kube-controller-manager, kube-scheduler; nodes simulated by kwok), from three
sides at once. It was written by

    make record        # go run ./integration/record

on %s, between %s and %s UTC, and is not edited by hand.

- %s is the audit log at level RequestResponse: one audit.k8s.io/v1 Event in JSON a line, stage RequestReceived
  omitted, in the order in which kube-apiserver wrote them. It has %d of the %d events that were logged, %d bytes unpacked, %d an event.
- %s is what the receivers k8sevent and watch sent meanwhile: OTLP in JSON, some spans a line, in order of time. It
  has %d spans of Events and %d of changes.

The cluster was synthetic and is gone. Nothing in the audit log is redacted, Secrets included, except that the bodies of TokenRequests and
TokenReviews are left out, and that the machine is called %s: the recorder refuses to write a log with a token, a private
key or the machine's name in it. The spans are redacted, as the receivers always do, and hold no value of a Secret.

## What happens in it

- alice rolls out the Deployment demo in the namespace demo: created with 2 replicas, scaled to 4, given another image, scaled
  to 2, deleted.
- bob does the same with cart, checkout (deleted in the foreground) and web in the namespace shop, all at once.
- In the namespace lab: a conflict, requests without rights (mallory), an invalid one, generateName, a no-op update, a dry run,
  deletecollection, the same name deleted and created again, impersonation (admin as carol), every kind of patch, exec in both
  protocols, eviction, binding by hand, a Job, a Secret in every way, a Helm release's Secret, TokenRequest, TokenReview.
- dashboard lists all the time. The controllers, the scheduler and kwok (as the kubelets of 3 nodes) do their work.

Every write, Event and change in these namespaces is in it. Of leases, of kube-apiserver's own requests and of requests that are about no
resource a part is left out of the audit log, chosen by a hash of the audit ID, and so is everything that Kelemetry itself read.

## What the audit log consists of

| verb | events |
|---|---|
`, a.version, a.started.UTC().Format("2006-01-02"), a.started.UTC().Format("15:04:05"), a.ended.UTC().Format("15:04:05"),
		auditFile, len(a.kept), a.of, bytesOf, bytesOf/max(1, len(a.kept)),
		spansFile, a.spans[attr.SpanTypeEvent], a.spans[attr.SpanTypeWatch], renamed)
	a.table(&b, func(e event) string { return e.Verb })
	b.WriteString("\n| user | events |\n|---|---|\n")
	a.table(&b, func(e event) string {
		if strings.HasPrefix(e.User.Username, "system:serviceaccount:") {
			return "controllers' service accounts"
		}
		return e.User.Username
	})
	return b.Bytes()
}

// table counts the events by a key, the most frequent first.
func (a about) table(b *bytes.Buffer, key func(event) string) {
	counts := make(map[string]int)
	for _, e := range a.kept {
		counts[key(e)]++
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y))
	})
	for _, k := range keys {
		fmt.Fprintf(b, "| %s | %d |\n", k, counts[k])
	}
}
