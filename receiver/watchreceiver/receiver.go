// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/metric"
	"golang.org/x/sync/semaphore"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/metadata"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/source"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/states"
)

// watchReceiver is the lifecycle of the receiver.
type watchReceiver struct {
	config *Config
	set    receiver.Settings
	next   consumer.Traces

	start, stop sync.Once
	startErr    error
	stopErr     error

	telemetry *metadata.TelemetryBuilder
	client    *http.Client
	emitter   *emitter
	// withdraw ends that look-ups are answered from here. It is nil before Start.
	withdraw func()
	// stopWatches and stopEmitter end what runs, in this order; watching and emitting wait for its end.
	stopWatches, stopEmitter context.CancelFunc
	watching, emitting       sync.WaitGroup
}

// Start finds the cluster and begins to watch it, in the background: it does not wait for the API server.
func (r *watchReceiver) Start(_ context.Context, host component.Host) error {
	r.start.Do(func() {
		if r.startErr = r.open(host); r.startErr != nil {
			r.close()
		}
	})
	return r.startErr
}

// Shutdown ends the watches, and hands on what they have observed until ctx ends.
func (r *watchReceiver) Shutdown(ctx context.Context) error {
	r.stop.Do(func() {
		if r.stopWatches != nil {
			r.stopErr = r.end(ctx)
		}
		r.close()
	})
	return r.stopErr
}

// end returns an error if a watch does not end in time. The queue then stays open, because the watch may still use it.
func (r *watchReceiver) end(ctx context.Context) error {
	defer r.stopEmitter()
	r.stopWatches()
	ended := make(chan struct{})
	go func() {
		r.watching.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("ending the watches: %w", ctx.Err())
	}
	close(r.emitter.queue)
	tooLate := context.AfterFunc(ctx, r.stopEmitter)
	r.emitting.Wait()
	tooLate()
	return nil
}

func (r *watchReceiver) close() {
	if r.withdraw != nil {
		r.withdraw()
	}
	if r.client != nil {
		utilnet.CloseIdleConnectionsFor(r.client.Transport)
	}
	if r.telemetry != nil {
		r.telemetry.Shutdown()
	}
}

func (r *watchReceiver) open(host component.Host) (err error) {
	clusters, err := kubecluster.Find(host, r.config.KubeClusters)
	if err != nil {
		return fmt.Errorf("kube_clusters: %w", err)
	}
	cluster, err := clusters.Cluster(r.config.Cluster)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	if r.telemetry, err = metadata.NewTelemetryBuilder(r.set.TelemetrySettings); err != nil {
		return err
	}
	redactor, ownMarks, err := newRedactor(r.config.Redaction)
	if err != nil {
		return fmt.Errorf("redaction: %w", err)
	}
	client, err := r.newClient(cluster.RESTConfig())
	if err != nil {
		return fmt.Errorf("making a client for cluster %s: %w", cluster.Name(), err)
	}
	maker := &spanMaker{
		cluster: cluster.Name(), diff: r.config.Diff, snapshots: r.config.Snapshots, redactor: redactor, ownMarks: ownMarks,
	}
	if err := r.openEmitter(maker); err != nil {
		return err
	}
	w := &watches{
		comparer: &comparer{
			redactor: redactor, differ: newDiffer(r.config.Diff), verbose: r.config.Diff.Verbose, started: time.Now(), now: time.Now,
			telemetry: r.telemetry, emit: r.emitter.emit,
		},
		config: r.config, filter: newFilter(r.config.Include, r.config.Exclude), discovery: cluster.Discovery(), client: client,
		lists: semaphore.NewWeighted(int64(r.config.Lists.MaxConcurrent)), budget: states.NewBudget(r.config.Memory.MaxStateSize),
		offered: newOffered(maker.unmarked),
		health:  newHealth(func(e *componentstatus.Event) { componentstatus.ReportStatus(host, e) }, r.set.Logger, len(r.config.Include) > 0),
		logger:  r.set.Logger,
		running: map[watchKey]*running{}, nudge: make(chan struct{}, 1),
	}
	if err := r.observe(w); err != nil {
		return err
	}
	r.withdraw = cluster.Offer(w.offered)
	r.run(w)
	return nil
}

// newClient makes the one client of all watches, so that they share a limit on requests.
func (r *watchReceiver) newClient(config *rest.Config) (rest.Interface, error) {
	config.Timeout = 0 // a watch has no end; lists have a time-out of their own
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	r.client = client
	return source.NewClient(config, client)
}

// newRedactor makes a redactor that marks what it redacts, to see that a secret changed. Unless the user has a key for
// such marks, they are made with one that nobody knows, and taken off again before anything leaves.
func newRedactor(config redact.Config) (redactor *redact.Redactor, ownMarks bool, err error) {
	if ownMarks = config.HashKey == ""; ownMarks {
		config.HashKey = configopaque.String(rand.Text())
	}
	redactor, err = redact.New(config)
	return redactor, ownMarks, err
}

func newDiffer(config DiffConfig) *diff.Differ {
	return diff.New(diff.Options{MaxChanges: config.MaxChanges, Noise: config.Noise})
}

func (r *watchReceiver) openEmitter(maker *spanMaker) error {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "watch", LongLivedCtx: true, ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return err
	}
	r.emitter = &emitter{
		maker: maker, window: identity.Window(r.config.Window), version: r.set.BuildInfo.Version, next: r.next, retry: r.config.Retry,
		obs: obs, telemetry: r.telemetry, logger: r.set.Logger,
	}
	r.emitter.open(r.config.Memory.MaxQueueSize)
	return nil
}

func (r *watchReceiver) observe(w *watches) error {
	for _, register := range []func() error{
		func() error {
			return r.telemetry.RegisterReceiverWatchObjectsCallback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(w.budget.Objects())
				return nil
			})
		},
		func() error {
			return r.telemetry.RegisterReceiverWatchStateSizeCallback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(w.budget.Used())
				return nil
			})
		},
		func() error {
			return r.telemetry.RegisterReceiverWatchResourcesCallback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(w.count.Load())
				return nil
			})
		},
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}

func (r *watchReceiver) run(w *watches) {
	watchCtx, stopWatches := context.WithCancel(context.Background())
	emitCtx, stopEmitter := context.WithCancel(context.Background())
	r.stopWatches, r.stopEmitter = stopWatches, stopEmitter
	r.emitting.Go(func() { r.emitter.run(emitCtx) })
	r.watching.Go(func() { w.run(watchCtx) })
}
