// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/rest"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/redact"
	"github.com/kelemetry/kelemetry/receiver/k8seventreceiver/internal/metadata"
)

// k8sEventReceiver is the lifecycle of the receiver.
type k8sEventReceiver struct {
	config *Config
	set    receiver.Settings
	next   consumer.Traces
	timing timing

	telemetry  *metadata.TelemetryBuilder
	positions  positions
	httpClient *http.Client
	leadership *leadership
	health     *health
	followers  []*follower

	// stopReading ends everything but calls to the pipeline that are under way; stopConsuming ends those.
	stopReading, stopConsuming context.CancelFunc
	working                    sync.WaitGroup
}

func newReceiver(set receiver.Settings, config *Config, next consumer.Traces, timing timing) *k8sEventReceiver {
	return &k8sEventReceiver{config: config, set: set, next: next, timing: timing}
}

// Start begins to read. The API server need not answer yet. After an error nothing is open.
func (r *k8sEventReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.open(ctx, host); err != nil {
		return errors.Join(err, r.close(ctx))
	}
	return nil
}

func (r *k8sEventReceiver) open(ctx context.Context, host component.Host) error {
	cluster, err := r.findCluster(host)
	if err != nil {
		return err
	}
	if r.positions, err = openPositions(ctx, host, r.config.Storage, r.set.ID); err != nil {
		return err
	}
	if r.telemetry, err = metadata.NewTelemetryBuilder(r.set.TelemetrySettings); err != nil {
		return err
	}
	client, err := r.newClient(cluster)
	if err != nil {
		return err
	}
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	consuming, stopConsuming := context.WithCancel(context.WithoutCancel(ctx))
	r.stopReading, r.stopConsuming = stopReading, stopConsuming
	reader, err := r.newReader(consuming, cluster)
	if err != nil {
		return err
	}
	r.health = newHealth(host)
	r.addFollowers(reader, client, cluster)
	return r.elect(reading, host)
}

func (r *k8sEventReceiver) findCluster(host component.Host) (kubecluster.Cluster, error) {
	clusters, err := kubecluster.Find(host, r.config.KubeClusters)
	if err != nil {
		return nil, fmt.Errorf("kube_clusters: %w", err)
	}
	cluster, err := clusters.Cluster(r.config.Cluster)
	if err != nil {
		return nil, fmt.Errorf("cluster %q of extension %q, which has %q: %w",
			r.config.Cluster, r.config.KubeClusters, clusters.Names(), err)
	}
	return cluster, nil
}

// newClient makes a client that asks for protobuf, which costs the API server and this process less than JSON.
func (r *k8sEventReceiver) newClient(cluster kubecluster.Cluster) (eventsclient.EventsV1Interface, error) {
	config := cluster.RESTConfig()
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	var err error
	if r.httpClient, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("client for cluster %q: %w", cluster.Name(), err)
	}
	client, err := eventsclient.NewForConfigAndClient(config, r.httpClient)
	if err != nil {
		return nil, fmt.Errorf("client for cluster %q: %w", cluster.Name(), err)
	}
	return client, nil
}

func (r *k8sEventReceiver) newReader(consuming context.Context, cluster kubecluster.Cluster) (*reader, error) {
	redactor, err := redact.New(r.config.Redaction)
	if err != nil {
		return nil, fmt.Errorf("redaction: %w", err)
	}
	tracked, err := lru.New[types.UID, uint64](r.config.TrackedEvents)
	if err != nil {
		return nil, fmt.Errorf("tracked_events: %w", err)
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "http", LongLivedCtx: true, ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return nil, err
	}
	return &reader{
		maker: spanMaker{
			objects: objects{cluster: cluster.Name(), mapper: cluster.Mapper()}, redactor: redactor,
			window: identity.Window(r.config.Window), warningsAsErrors: r.config.WarningsAsErrors,
		},
		filter: newFilter(r.config.Filter), next: r.next, retry: r.config.Retry, obs: obs, telemetry: r.telemetry,
		logger:  r.set.Logger.With(zap.String("cluster", cluster.Name())),
		version: r.set.BuildInfo.Version, tracked: tracked, consuming: consuming,
	}, nil
}

func (r *k8sEventReceiver) addFollowers(reader *reader, client eventsclient.EventsV1Interface, cluster kubecluster.Cluster) {
	namespaces := r.config.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		r.followers = append(r.followers, &follower{
			reader: reader, api: client.Events(namespace), clusterID: cluster.UID, positions: r.positions,
			key: positionKey(cluster.Name(), namespace), health: r.health, timing: r.timing,
			maxAge: r.config.MaxAge, batchSize: r.config.BatchSize,
		})
	}
}

// elect reads in every term of this receiver, and always when nobody is elected.
func (r *k8sEventReceiver) elect(reading context.Context, host component.Host) error {
	r.leadership = newLeadership()
	if r.config.LeaderElector == nil {
		r.leadership.start(reading)
	} else {
		elector, err := findElector(host, *r.config.LeaderElector)
		if err != nil {
			return err
		}
		elector.SetCallBackFuncs(r.leadership.start, r.leadership.stop)
	}
	r.working.Go(func() {
		r.leadership.lead(reading, func(ctx context.Context) {
			r.read(ctx)
			if reading.Err() == nil {
				r.health.forget() // another one leads: what failed here does not matter any more
			}
		})
	})
	return nil
}

// read follows Events until the context ends.
func (r *k8sEventReceiver) read(ctx context.Context) {
	r.telemetry.ReceiverK8seventLeading.Add(context.WithoutCancel(ctx), 1)
	defer r.telemetry.ReceiverK8seventLeading.Add(context.WithoutCancel(ctx), -1)
	var following sync.WaitGroup
	for _, f := range r.followers {
		following.Go(func() { f.follow(ctx) })
	}
	following.Wait()
}

// Shutdown stops reading, and waits for the pipeline to accept what it was given until ctx ends. It is safe to call twice,
// and before Start.
func (r *k8sEventReceiver) Shutdown(ctx context.Context) error { return r.close(ctx) }

func (r *k8sEventReceiver) close(ctx context.Context) error {
	if r.stopReading == nil {
		return r.release(ctx)
	}
	r.stopReading()
	defer r.stopConsuming()
	stopped := make(chan struct{})
	go func() {
		r.working.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		return r.release(ctx)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the pipeline to take what was read: %w", ctx.Err())
	}
}

// release closes what no goroutine uses any more.
func (r *k8sEventReceiver) release(ctx context.Context) error {
	if r.httpClient != nil {
		utilnet.CloseIdleConnectionsFor(r.httpClient.Transport)
	}
	if r.telemetry != nil {
		r.telemetry.Shutdown()
	}
	if r.positions.client == nil {
		return nil
	}
	err := r.positions.client.Close(ctx)
	r.positions.client = nil
	return err
}
