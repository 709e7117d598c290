// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kelemetry/kelemetry/internal/retry"
)

// eventsAPI is the part of client-go's typed client that a follower uses.
type eventsAPI interface {
	List(ctx context.Context, opts metav1.ListOptions) (*eventsv1.EventList, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

// outcome is how a request ended, in metrics.
type outcome string

const (
	outcomeOK outcome = "ok"
	// outcomeSilent is a watch that ended as it should, but early or late, without anything in it. For Events the API
	// server has no watch cache, and answers a watch from a resourceVersion that is gone like this as well.
	outcomeSilent  outcome = "silent"
	outcomeExpired outcome = "expired"
	outcomeError   outcome = "error"
)

// follower reads the Events of a namespace, or of all: from the stored position on by a watch, and by a list where a
// watch does not lead there. It belongs to one goroutine.
//
// None of client-go's loops fits. A reflector starts with a list, in which states between the stored position and now are
// not told, and keeps all Events in memory. A RetryWatcher asks for the same resourceVersion every second for ever when
// the API server closes the watch without an error, and it stops for good when the resourceVersion has expired.
type follower struct {
	*reader
	api       eventsAPI
	clusterID func(context.Context) (types.UID, error)
	positions positions
	key       string
	health    *health
	timing    timing
	maxAge    time.Duration
	batchSize int

	at position
	// signs counts watches in a row that make it doubtful whether the resourceVersion is still there.
	signs int
}

// maxSigns leads to a list.
const maxSigns = 2

// follow reads until the context ends. It always comes back to the API server, but at a bounded rate: without a pause only
// after a watch that lived for some time.
func (f *follower) follow(ctx context.Context) {
	f.restore(ctx)
	pauses := f.timing.newPauses()
	list := f.at.ResourceVersion == ""
	for ctx.Err() == nil {
		if list {
			if err := f.list(ctx); err != nil {
				f.failed(ctx, "List of Events failed; trying again", err)
				retry.Sleep(ctx, pauses.NextBackOff())
				continue
			}
		}
		began := time.Now()
		how, err := f.watch(ctx)
		healthy := how != outcomeError && time.Since(began) >= f.timing.healthyAfter
		list = f.needsList(how, err, healthy)
		if how == outcomeError {
			f.failed(ctx, "Watch of Events failed; trying again", err)
		}
		if healthy {
			pauses.Reset()
			continue
		}
		retry.Sleep(ctx, pauses.NextBackOff())
	}
}

// needsList is false as long as the next watch may go on from the position, because a list passes over states. Short
// watches without anything in them, and answers with an error that is not the one for it, are only signs that the
// resourceVersion is gone: an API server that starts or stops gives them too.
func (f *follower) needsList(how outcome, err error, healthy bool) bool {
	if how == outcomeOK {
		f.signs = 0
		return false
	}
	var answer apierrors.APIStatus
	if how == outcomeError && !errors.As(err, &answer) {
		return false // the API server does not answer
	}
	f.signs++
	if how == outcomeExpired || how == outcomeSilent && healthy || f.signs >= maxSigns {
		f.signs = 0
		return true
	}
	return false
}

func (f *follower) failed(ctx context.Context, message string, err error) {
	if ctx.Err() != nil || errors.Is(err, retry.ErrStopped) {
		return
	}
	f.health.set(f.key, err)
	f.logger.Warn(message, zap.Error(err))
}

// restore begins at the stored position, unless that is of another cluster.
func (f *follower) restore(ctx context.Context) {
	stored := f.at // of the last time this one led
	if stored.ResourceVersion == "" {
		var err error
		if stored, err = f.positions.load(ctx, f.key); err != nil {
			f.telemetry.ReceiverK8seventStateErrors.Add(ctx, 1)
			f.logger.Error("Could not read the stored position; starting max_age ago", zap.Error(err))
		}
	}
	lookUp, cancel := context.WithTimeout(ctx, f.timing.lookUp)
	defer cancel()
	uid, err := f.clusterID(lookUp)
	switch {
	case err != nil:
		f.logger.Info("Could not ask for the cluster's UID; trusting its name", zap.Error(err))
	case stored.ClusterUID != "" && stored.ClusterUID != string(uid):
		f.logger.Warn("The stored position is of another cluster of this name; starting max_age ago")
		stored = position{ClusterUID: string(uid)}
	default:
		stored.ClusterUID = string(uid)
	}
	f.at = stored
}

// moveTo stores a position, also while the receiver stops: what is behind it was accepted.
func (f *follower) moveTo(ctx context.Context, p position) {
	if p == f.at {
		return
	}
	f.at = p
	ctx = context.WithoutCancel(ctx)
	if err := f.positions.save(ctx, f.key, p); err != nil {
		f.telemetry.ReceiverK8seventStateErrors.Add(ctx, 1)
		f.logger.Error("Could not store the position; trying again with the next Events", zap.Error(err))
	}
}

func (f *follower) refused(err error) { f.health.set(f.key+" pipeline", err) }

func (f *follower) count(by operation, how outcome) {
	f.telemetry.ReceiverK8seventRequests.Add(context.Background(), 1, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("operation", string(by)), attribute.String("outcome", string(how)),
	)))
}

// outcomeOf tells an expired resourceVersion, or token of a list, from other errors.
func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return outcomeOK
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return outcomeExpired
	default:
		return outcomeError
	}
}

// later returns the latest time of what was read and p.
func (p position) later(items []item) position {
	for _, it := range items {
		if at := occurrenceOf(it.Event).end; at.After(p.LastObserved) {
			p.LastObserved = at
		}
	}
	return p
}
