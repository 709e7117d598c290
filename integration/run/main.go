// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command run shows Kelemetry at work: it starts a real Jaeger and bin/kelemetry, feeds it a recorded audit log, prints what
// came out as a tree, and keeps both running, with the webhook open, until Ctrl-C. `make run` calls it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/kelemetry/kelemetry/integration/collector"
	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/attr"
)

const (
	config = "config-examples/jaeger.yaml"
	// settle is how long a trace must not grow to be called whole.
	settle    = 2 * time.Second
	findLimit = time.Minute
)

type options struct {
	// root is the folder of the repository.
	root string
	// recording is the audit log to read, relative to root.
	recording string
	// cluster is the name that the recording's cluster gets, object the one whose trace is shown.
	cluster, object string
	// webhook and pages are the addresses of Kelemetry's webhook and of the trees as text.
	webhook, pages string
	// jaeger and otlp are the query URL and the OTLP address of a Jaeger that runs already; one is started if jaeger is empty.
	jaeger, otlp string
	// jaegerPort is the port of the started Jaeger's page.
	jaegerPort int
	// started is true when that Jaeger was started here.
	started bool
	// once prints the tree and ends.
	once bool
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "`folder` of the repository")
	flag.StringVar(&o.recording, "recording", "integration/testdata/recording/audit.json.gz", "audit log `file` to read, relative to root")
	flag.StringVar(&o.cluster, "cluster", "recorded", "`name` for the cluster of the recording")
	flag.StringVar(&o.object, "object", "deployments/demo", "`resource/name` of the object to show")
	flag.StringVar(&o.webhook, "webhook", "127.0.0.1:8080", "`address` of the audit webhook")
	flag.StringVar(&o.pages, "trees", "127.0.0.1:8081", "`address` that serves traces as text")
	flag.StringVar(&o.jaeger, "jaeger", "", "`URL` of a Jaeger that runs already, such as http://localhost:16686")
	flag.StringVar(&o.otlp, "otlp", "localhost:4317", "`address` at which that Jaeger takes OTLP over gRPC")
	flag.IntVar(&o.jaegerPort, "jaeger-port", 16686, "`port` for the page of the Jaeger that is started; 0 for any")
	flag.BoolVar(&o.once, "once", false, "print the tree and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	recording, err := filepath.Abs(filepath.Join(o.root, o.recording))
	if err != nil {
		return err
	}
	if _, err := os.Stat(recording); err != nil {
		return fmt.Errorf("the recording: %w", err)
	}
	if o.jaeger == "" {
		fmt.Fprintln(out, "starting Jaeger (the first time it is built, which takes minutes)")
		jaeger, err := testbed.StartJaeger(ctx, testbed.JaegerOptions{QueryPort: o.jaegerPort})
		if err != nil {
			return err
		}
		defer func() { _ = jaeger.Remove() }()
		o.jaeger, o.otlp, o.started = jaeger.QueryURL, jaeger.OTLPGRPC, true
	}
	fmt.Fprintln(out, "starting bin/kelemetry with", config)
	kelemetry, err := collector.Start(ctx, collector.Options{
		Root:   o.root,
		Config: config,
		Set:    []string{"service.telemetry.metrics.level=none"}, // or it takes port 8888
		Env: []string{
			"KELEMETRY_AUDIT_FILES=" + recording, "KELEMETRY_CLUSTER=" + o.cluster,
			"KELEMETRY_WEBHOOK=" + o.webhook, "JAEGER_OTLP=" + o.otlp,
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kelemetry.Stop()) }()

	query := testbed.JaegerClient{URL: o.jaeger}
	fmt.Fprintln(out, "waiting for the trace in Jaeger")
	trace, err := awaitTrace(ctx, query, o.cluster, o.object)
	if err != nil {
		return fmt.Errorf("%w\nthe end of kelemetry's log:\n%s", err, kelemetry.Tail())
	}
	fmt.Fprintf(out, "\n%s\n\n", summarize(trace))
	writeTree(out, trace)
	if o.once {
		return nil
	}
	return serve(ctx, o, query, trace, kelemetry, out)
}

// awaitTrace returns the largest trace whose root is the object, once it no longer grows.
func awaitTrace(ctx context.Context, query testbed.JaegerClient, cluster, object string) (testbed.Trace, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, findLimit, fmt.Errorf("no trace of %s in Jaeger after %s", object, findLimit))
	defer cancel()
	poll := time.NewTicker(settle / 4)
	defer poll.Stop()
	var best testbed.Trace
	grown := time.Now()
	for {
		traces, err := query.FindTraces(ctx, testbed.TraceQuery{Service: cluster, Operation: object, Start: time.Unix(0, 0)})
		if err != nil && ctx.Err() == nil {
			return testbed.Trace{}, err
		}
		for _, trace := range traces {
			if roots := trace.Roots(); len(trace.Spans) > len(best.Spans) && roots[0].Operation == object {
				best, grown = trace, time.Now()
			}
		}
		if best.ID != "" && time.Since(grown) >= settle {
			return best, nil
		}
		select {
		case <-ctx.Done():
			return testbed.Trace{}, context.Cause(ctx)
		case <-poll.C:
		}
	}
}

// allTraces returns every trace that has an object, the largest first.
func allTraces(ctx context.Context, query testbed.JaegerClient) ([]testbed.Trace, error) {
	services, err := query.Services(ctx)
	if err != nil {
		return nil, err
	}
	var found []testbed.Trace
	for _, service := range services {
		traces, err := query.FindTraces(ctx, testbed.TraceQuery{
			Service: service, Start: time.Unix(0, 0), Tags: map[string]string{attr.SpanType: attr.SpanTypeObject},
		})
		if err != nil {
			return nil, err
		}
		found = append(found, traces...)
	}
	slices.SortFunc(found, func(a, b testbed.Trace) int {
		return cmp.Or(cmp.Compare(len(b.Spans), len(a.Spans)), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}
