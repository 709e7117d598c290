// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// finding is one thing that the doctor has to say of a component.
type finding struct {
	problem bool
	subject subject
	text    string
	advice  string
}

// rule says what there is to say of one component.
type rule func(subject, status, metrics) []finding

// rules are asked in turn about each component.
var rules = []rule{
	reportedStatus, auditRequests, auditEvents, encodedEvents, watched, readEvents, clusterReached, exported,
}

// diagnose returns what the rules say: problems first, and otherwise in the order of the components.
func diagnose(rules []rule, all map[subject]status, m metrics) []finding {
	var findings []finding
	for of, reported := range all {
		for _, rule := range rules {
			findings = append(findings, rule(of, reported, m)...)
		}
	}
	slices.SortStableFunc(findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.subject.String(), b.subject.String()))
	})
	return findings
}

func (f finding) rank() int {
	if f.problem {
		return 0
	}
	return 1
}

func problem(of subject, advice, format string, args ...any) []finding {
	return []finding{{problem: true, subject: of, text: fmt.Sprintf(format, args...), advice: advice}}
}

func healthy(of subject, format string, args ...any) []finding {
	return []finding{{subject: of, text: fmt.Sprintf(format, args...)}}
}

func is(of subject, kind component.Kind, name string) bool {
	return of.kind == kind && of.id.Type().String() == name
}

// reportedStatus tells what the component itself says: what an account may not read, what cannot be discovered.
func reportedStatus(of subject, reported status, _ metrics) []finding {
	if !componentstatus.StatusIsError(reported.status) {
		return nil
	}
	advice := ""
	if strings.Contains(reported.reason, "forbidden") {
		advice = "The account lacks rights: deploy/rbac has those that are needed. Or leave out what it may not read."
	}
	return problem(of, advice, "%s: %s", reported.status, reported.reason)
}

// answers is what to do about a webhook's answer.
var answers = map[string]string{
	"400": "The body is no EventList, or no cluster is named: the API server has to post to PATH/<cluster>, or set webhook::cluster.",
	"401": "The API server's credentials are not those that webhook::auth expects: look at its kubeconfig.",
	"403": "The peer may post for another cluster only: compare webhook::peers and the path.",
	"413": "Batches are larger than webhook::max_request_body_size.",
	"429": "More is in flight than webhook::max_in_flight_bytes: the pipeline behind is too slow.",
	"500": "The pipeline behind refuses for good: see the exporters.",
	"503": "The pipeline behind refuses for now: see the exporters.",
}

// auditRequests is about what came by webhook.
func auditRequests(of subject, _ status, m metrics) []finding {
	const requests = "otelcol_receiver_auditlog_requests"
	if !is(of, component.KindReceiver, "auditlog") {
		return nil
	}
	byCode := m.by(requests, "http_response_status_code")
	if len(byCode) == 0 && m.sum("otelcol_receiver_auditlog_events_received", "", "") == 0 {
		return problem(of, "Does the API server run with --audit-policy-file and --audit-webhook-config-file, does its kubeconfig name this address, and can it "+
			"reach it? It posts after 30 s at the latest. Of files: does files::include match any?", "no audit event ever came, and no webhook request")
	}
	var findings []finding
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		if code != "200" {
			findings = append(findings, problem(of, answers[code], "%.0f webhook requests were answered %s", byCode[code], code)...)
		}
	}
	return findings
}

// auditEvents is about what became of events.
func auditEvents(of subject, _ status, m metrics) []finding {
	if !is(of, component.KindReceiver, "auditlog") {
		return nil
	}
	return events(of, m, "otelcol_receiver_auditlog_events")
}

// encodedEvents is the same for what came by a queue.
func encodedEvents(of subject, _ status, m metrics) []finding {
	if !is(of, component.KindExtension, "auditlog_encoding") {
		return nil
	}
	invalid := m.sum("otelcol_extension_auditlog_encoding_records_invalid", "", "")
	if invalid > 0 {
		return append(problem(of, "Does the topic have the audit log in one of the forms that the extension's README lists?",
			"%.0f records held no audit event", invalid), events(of, m, "otelcol_extension_auditlog_encoding_events")...)
	}
	if m.sum("otelcol_extension_auditlog_encoding_events_received", "", "") == 0 {
		return problem(of, "Is it the encoding of a receiver, and is there anything in the receiver's topic?", "no record ever came")
	}
	return events(of, m, "otelcol_extension_auditlog_encoding_events")
}

func events(of subject, m metrics, prefix string) []finding {
	received, invalid, filtered := m.sum(prefix+"_received", "", ""), m.sum(prefix+"_invalid", "", ""), m.sum(prefix+"_filtered", "", "")
	var findings []finding
	if invalid > 0 {
		findings = append(findings, problem(of, "The log says what they lack.", "%.0f of %.0f items are no audit events", invalid, received)...)
	}
	switch kept := received - invalid - filtered; {
	case received == invalid: // there is nothing else to say
	case kept <= 0:
		var reasons []string
		for reason, count := range m.by(prefix+"_filtered", "reason") {
			reasons = append(reasons, fmt.Sprintf("%.0f by %s", count, reason))
		}
		slices.Sort(reasons)
		findings = append(findings, problem(of, "By verb: only writes become spans unless filter::verbs says otherwise. By stage: the audit policy must not omit "+
			"ResponseComplete. Excluded or not_included: see filter.", "all %.0f events were filtered: %s", filtered, strings.Join(reasons, ", "))...)
	default:
		findings = append(findings, healthy(of, "%.0f of %.0f events became spans", kept, received)...)
	}
	return findings
}

// watched is about what the watch receiver looks at.
func watched(of subject, _ status, m metrics) []finding {
	const resources = "otelcol_receiver_watch_resources"
	if !is(of, component.KindReceiver, "watch") || len(m[resources]) == 0 {
		return nil
	}
	if m.sum(resources, "", "") == 0 {
		return problem(of, "Can the API server be reached, do include and exclude leave anything, and does the resource exist?", "no resource is watched")
	}
	var findings []finding
	if limited := m.sum("otelcol_receiver_watch_memory_limited", "", ""); limited > 0 {
		findings = problem(of, "Raise memory::max_state_size, or exclude what nobody looks at.", "%.0f states were kept in part or not at all, for want of room", limited)
	}
	return append(findings, healthy(of, "%.0f resources are watched, with %.0f objects", m.sum(resources, "", ""), m.sum("otelcol_receiver_watch_objects", "", ""))...)
}

// readEvents is about Kubernetes Events.
func readEvents(of subject, _ status, m metrics) []finding {
	const leading = "otelcol_receiver_k8sevent_leading"
	switch {
	case !is(of, component.KindReceiver, "k8sevent") || len(m[leading]) == 0:
		return nil
	case m.sum(leading, "", "") == 0:
		return healthy(of, "it waits to be elected: another process reads Events, or nobody yet")
	default:
		return healthy(of, "%.0f Events were read", m.sum("otelcol_receiver_k8sevent_events_received", "", ""))
	}
}

// clusterReached is about API servers that do not answer.
func clusterReached(of subject, _ status, m metrics) []finding {
	if !is(of, component.KindExtension, "kube_clusters") {
		return nil
	}
	var findings []finding
	for _, s := range m["otelcol_extension_kube_clusters_up"] {
		if s.value == 0 {
			findings = append(findings, problem(of, "Is the API server's address right, and is the account known to it?",
				"cluster %s cannot be discovered", s.labels["k8s_cluster_name"])...)
		}
	}
	failed := m.by("otelcol_extension_kube_clusters_api_errors", "reason")
	for _, reason := range slices.Sorted(maps.Keys(failed)) {
		findings = append(findings, problem(of, "", "%.0f requests to API servers failed: %s", failed[reason], reason)...)
	}
	return findings
}

// exported is about what exporters sent, could not send, or have not sent yet.
func exported(of subject, _ status, m metrics) []finding {
	if of.kind != component.KindExporter {
		return nil
	}
	sum := func(name string) float64 { return m.sum("otelcol_exporter_"+name, "exporter", of.id.String()) }
	sent, failed, refused, queued, capacity := sum("sent_spans"), sum("send_failed_spans"), sum("enqueue_failed_spans"), sum("queue_size"), sum("queue_capacity")
	const advice = "Is there anybody at its endpoint who takes OTLP, and with the same TLS? The log has the error."
	var findings []finding
	if failed > 0 {
		findings = append(findings, problem(of, advice, "%.0f spans were refused for good and are lost", failed)...)
	}
	if refused > 0 {
		findings = append(findings, problem(of, "The queue is full: what sends to this collector is told to try again.", "%.0f spans were not taken", refused)...)
	}
	switch {
	case queued > 0 && sent == 0:
		findings = append(findings, problem(of, advice, "nothing has been sent yet, and spans wait in its queue")...)
	case capacity > 0 && queued > 0.8*capacity:
		findings = append(findings, problem(of, advice, "its queue is %.0f %% full", 100*queued/capacity)...)
	case sent > 0:
		findings = append(findings, healthy(of, "%.0f spans were sent", sent)...)
	}
	return findings
}
