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
)

// about is what there is to say about a recording.
type about struct {
	version        string
	started, ended time.Time
	// secrets must not be in it: of this cluster and of this machine.
	secrets []string
	kept    []event
	of      int
}

// check refuses a recording that would give away a credential, or the machine that it was made on.
func (a about) check(events []event) error {
	forbidden := append([]string{"PRIVATE KEY", "eyJhbGciOi"}, a.secrets...)
	for _, e := range events {
		for _, text := range forbidden {
			if bytes.Contains(e.line, []byte(text)) {
				return fmt.Errorf("%s %s of %s (audit ID %s) contains %.20q…", e.User.Username, e.Verb, e.RequestURI, e.AuditID, text)
			}
		}
	}
	return nil
}

func (a about) readme(file string) []byte {
	var b bytes.Buffer
	bytesOf := 0
	for _, e := range a.kept {
		bytesOf += len(e.line) + 1
	}
	fmt.Fprintf(&b, `# A recorded audit log

%s is the audit log of a real control plane (kube-apiserver %s, kube-controller-manager, kube-scheduler; nodes
simulated by kwok) at level RequestResponse: one audit.k8s.io/v1 Event in JSON a line, stage RequestReceived omitted, in the order
in which kube-apiserver wrote them. It was written by

    make record        # go run ./integration/record

on %s, between %s and %s UTC, and is not edited by hand. It has %d of the %d events that were logged, %d bytes
unpacked, %d an event.

The cluster was synthetic and is gone. Nothing in the log is redacted, Secrets included, except that the bodies of TokenRequests and
TokenReviews are left out, and that the machine is called control-plane: the recorder refuses to write a log with a token, a private
key or the machine's name in it.

## What happens in it

- alice rolls out the Deployment demo in the namespace demo: created with 2 replicas, scaled to 4, given another image, scaled
  to 2, deleted.
- bob does the same with cart, checkout (deleted in the foreground) and web in the namespace shop, all at once.
- In the namespace lab: a conflict, requests without rights (mallory), an invalid one, generateName, a no-op update, a dry run,
  deletecollection, the same name deleted and created again, impersonation (admin as carol), every kind of patch, exec in both
  protocols, eviction, binding by hand, a Job, a Secret in every way, a Helm release's Secret, TokenRequest, TokenReview.
- dashboard lists all the time. The controllers, the scheduler and kwok (as the kubelets of 3 nodes) do their work.

Every write in these namespaces is in it. Of leases, of kube-apiserver's own requests and of requests that are about no resource
a part is left out, chosen by a hash of the audit ID.

## What it consists of

| verb | events |
|---|---|
`, file, a.version, a.started.UTC().Format("2006-01-02"), a.started.UTC().Format("15:04:05"), a.ended.UTC().Format("15:04:05"),
		len(a.kept), a.of, bytesOf, bytesOf/max(1, len(a.kept)))
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
