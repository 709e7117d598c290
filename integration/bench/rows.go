// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

// row is a line of the table.
type row struct {
	part, what string
	// folder and name are of the benchmark.
	folder, name string
	// unit is that of its metric that is shown; MB/cpu-s is made of two.
	unit string
	// target is what it should reach, in the unit: at least for a rate, at most for all else. 0 if nobody has said.
	target float64
}

const (
	ingest  = "receiver/auditlogreceiver"
	binary  = "integration/pipeline"
	k8slink = "processor/k8slinkprocessor"
	watch   = "receiver/watchreceiver"
	compare = "internal/diff"
	store   = "extension/tracestoreextension/internal/spanstore"
	plugin  = "extension/jaegerpluginextension/internal/plugin"
)

// rows are the table. A benchmark that has several rows runs once.
var rows = []row{
	{"whole path", "webhook to OTLP exporter, the binary alone, batches of 400, no compression", binary, "WebhookToOTLP/compression=none/batch=400/gogc=100", "events/cpu-s", 100_000},
	{"whole path", "the same, bytes of audit log", binary, "WebhookToOTLP/compression=none/batch=400/gogc=100", "MB/cpu-s", 0},
	{"whole path", "the same, peak memory", binary, "WebhookToOTLP/compression=none/batch=400/gogc=100", "peak-MiB", 200},
	{"whole path", "the same as the manifests run it, with GOGC=200", binary, "WebhookToOTLP/compression=none/batch=400/gogc=200", "events/cpu-s", 100_000},
	{"whole path", "the same, peak memory", binary, "WebhookToOTLP/compression=none/batch=400/gogc=200", "peak-MiB", 200},
	{"whole path", "with gzip, the exporter's default, and GOGC=100", binary, "WebhookToOTLP/compression=gzip/batch=400/gogc=100", "events/cpu-s", 0},
	{"ingest", "body to spans: RequestResponse, all verbs as recorded", ingest, "Mix/level=RequestResponse/verbs=recorded", "events/cpu-s", 0},
	{"ingest", "the same, bytes of audit log", ingest, "Mix/level=RequestResponse/verbs=recorded", "MB/cpu-s", 0},
	{"ingest", "RequestResponse, writes alone", ingest, "Mix/level=RequestResponse/verbs=writes", "events/cpu-s", 0},
	{"ingest", "RequestResponse, reads alone, which are filtered", ingest, "Mix/level=RequestResponse/verbs=reads", "events/cpu-s", 0},
	{"ingest", "Metadata, all verbs as recorded", ingest, "Mix/level=Metadata/verbs=recorded", "events/cpu-s", 0},
	{"ingest", "Metadata, bytes of audit log", ingest, "Mix/level=Metadata/verbs=recorded", "MB/cpu-s", 0},
	{"k8slink", "owners known, 100,000 Pods in the cache", k8slink, "Warm/cached=100000,told=false", "spans/cpu-s", 300_000},
	{"k8slink", "nothing known", k8slink, "Cold", "spans/cpu-s", 0},
	{"k8slink", "memory of a cached object", k8slink, "Memory/linked=false", "B/object", 1024},
	{"watch", "an update: read, redacted, compared, packed, made a span of", watch, "Update", "cpu-ns/op", 0},
	{"watch", "comparing two states", compare, "Compare", "cpu-ns/op", 0},
	{"watch", "memory of an object, of 5,000 Pods as recorded", watch, "Memory/objects=5000", "B/object", 0},
	{"watch", "what is kept of 5,000 of them, without the process around it", watch, "Memory/objects=5000", "heap-MiB", 0},
	{"watch", "what is kept of 50,000", watch, "Memory/objects=50000", "heap-MiB", 0},
	{"store", "writing", store, "Store/write", "spans/cpu-s", 50_000},
	{"store", "how many spans were written for these figures", store, "Store/write", "spans", 0},
	{"store", "disk for a span, compacted", store, "Store/write", "disk-B/span", 200},
	{"store", "opening a trace of 2,000 spans", store, "Store/open", "cpu-ms/op", 50},
	{"store", "finding an object", store, "Store/search=object", "cpu-ms/op", 100},
	{"plugin", "listing a roll-out of 500 stored spans", plugin, "Root/summary/spans=500", "cpu-ms/op", 0},
	{"plugin", "of 2,000", plugin, "Root/summary/spans=2000", "cpu-ms/op", 0},
	{"plugin", "of 8,000", plugin, "Root/summary/spans=8000", "cpu-ms/op", 0},
	{"plugin", "opening one of 500 stored spans", plugin, "Root/open/spans=500", "cpu-ms/op", 0},
	{"plugin", "of 2,000", plugin, "Root/open/spans=2000", "cpu-ms/op", 50},
	{"plugin", "of 8,000", plugin, "Root/open/spans=8000", "cpu-ms/op", 0},
}
