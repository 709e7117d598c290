// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.uber.org/zap"
)

// webhook answers the API server's audit webhook back end.
//
// API servers try every failed request again, five times within 81 to 97 s, and then drop the batch; they keep all
// batches in memory meanwhile. So each request is answered before they give up on it, and no more is taken than fits
// into the budget.
type webhook struct {
	config  *WebhookConfig
	peers   peers
	ingest  *ingester
	budget  *budget
	server  *http.Server
	logger  *zap.Logger
	address net.Addr
	running sync.WaitGroup // the server, and each delivery, which may outlive its request
}

func startWebhook(
	ctx context.Context, config *WebhookConfig, host component.Host, set component.TelemetrySettings, ingest *ingester,
) (*webhook, error) {
	w := &webhook{
		config: config, peers: compilePeers(config), ingest: ingest, budget: newBudget(config.MaxInFlightBytes),
		logger: oncePerBurst(set.Logger),
	}
	server, err := config.ToServer(ctx, host.GetExtensions(), set, w.routes())
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	listener, err := config.ToListener(ctx)
	if err != nil {
		return nil, fmt.Errorf("webhook: listening on %s: %w", config.NetAddr.Endpoint, err)
	}
	w.server, w.address = server, listener.Addr()
	set.Logger.Info("Waiting for audit webhooks",
		zap.Stringer("endpoint", w.address), zap.String("path", strings.TrimSuffix(config.Path, "/")+"/<cluster>"))
	w.running.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(fmt.Errorf("webhook: %w", err)))
		}
	})
	return w, nil
}

// shutdown lets requests and deliveries finish until ctx ends.
func (w *webhook) shutdown(ctx context.Context) error {
	err := w.server.Shutdown(ctx)
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return errors.Join(err, w.server.Close(), fmt.Errorf("webhook: deliveries did not end: %w", ctx.Err()))
	}
}

func (w *webhook) routes() http.Handler {
	mux := http.NewServeMux()
	path := strings.TrimSuffix(w.config.Path, "/")
	for _, pattern := range []string{path + "/{$}", path + "/{cluster}", w.config.Path} {
		if pattern != "" && (pattern == w.config.Path || pattern != path) {
			mux.HandleFunc(http.MethodPost+" "+pattern, w.handle)
		}
	}
	return mux
}

func (w *webhook) handle(response http.ResponseWriter, request *http.Request) {
	err := w.receive(response, request)
	status := http.StatusOK
	if err != nil {
		status = w.refuse(response, err)
	}
	w.ingest.telemetry.ReceiverAuditlogRequests.Add(context.WithoutCancel(request.Context()), 1,
		metric.WithAttributeSet(attribute.NewSet(semconv.HTTPResponseStatusCode(status))))
}

// receive returns nil when the pipelines accepted the batch.
func (w *webhook) receive(response http.ResponseWriter, request *http.Request) error {
	deadline := time.Now().Add(w.config.Timeout)
	if err := http.NewResponseController(response).SetReadDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("bounding the time to read: %w", err)
	}
	cluster, err := w.peers.clusterOf(request)
	if err != nil {
		return err
	}
	body, err := w.budget.read(request)
	if err != nil {
		body.release()
		return err
	}
	return w.deliver(request.Context(), deadline, cluster, body)
}

// deliver waits for the pipelines until the deadline. Those that do not heed it keep their share of the budget, so that
// what hangs downstream cannot grow here.
func (w *webhook) deliver(ctx context.Context, deadline time.Time, cluster string, body *body) error {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	result := make(chan error, 1)
	w.running.Go(func() {
		defer cancel()
		defer body.release()
		result <- w.ingest.eventList(ctx, cluster, body.bytes())
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		select {
		case err := <-result: // it came in the same moment
			return err
		default:
			return errSlow
		}
	}
}

// Errors that the webhook itself answers with.
var (
	errBusy = errors.New("too many bytes in flight; send again later")
	errSlow = errors.New("the pipeline took too long; send again later")
)

// requestError is an error of the request, answered with its own status.
type requestError struct {
	status  int
	message string
}

func (e *requestError) Error() string { return e.message }

// refuse answers and returns the status.
func (w *webhook) refuse(response http.ResponseWriter, err error) int {
	status, retryAfter := statusOf(err)
	if retryAfter > 0 {
		response.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	http.Error(response, err.Error(), status)
	w.logger.Warn("Refused a request", zap.Int("status", status), zap.Error(err))
	return status
}

// statusOf also returns after how many seconds to try again, 0 where that makes no sense.
func statusOf(err error) (status, retryAfter int) {
	var request *requestError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &request):
		return request.status, 0
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, 0
	case errors.Is(err, errMalformed):
		return http.StatusBadRequest, 0
	case errors.Is(err, errBusy):
		return http.StatusTooManyRequests, 1
	case consumererror.IsPermanent(err):
		return http.StatusInternalServerError, 0
	default:
		return http.StatusServiceUnavailable, 5
	}
}
