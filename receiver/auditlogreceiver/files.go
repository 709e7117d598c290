// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/kelemetry/kelemetry/internal/retry"
)

// files reads audit log files with the collector's file consumer, which follows rotation and keeps the offsets.
//
// The file consumer moves an offset on whatever comes of the lines before it. Therefore emit does not return before the
// pipelines accepted them; when it has to, because the receiver stops, no offsets are stored any more, and the next
// start reads those lines again. Span IDs are computed from the events, so reading twice shows nothing twice.
type files struct {
	config  *FilesConfig
	ingest  *ingester
	logger  *zap.Logger
	manager *fileconsumer.Manager
	storage storage.Client
	offsets *offsets
	stopped context.Context
	stop    context.CancelFunc
}

func startFiles(
	ctx context.Context, config *FilesConfig, host component.Host, set receiver.Settings, storageID *component.ID, ingest *ingester,
) (*files, error) {
	f := &files{config: config, ingest: ingest, logger: set.Logger}
	f.stopped, f.stop = context.WithCancel(context.Background())
	manager, err := config.Build(set.TelemetrySettings, f.emit)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	if f.storage, err = storageClient(ctx, host, storageID, set.ID); err != nil {
		return nil, err
	}
	f.offsets = &offsets{Client: f.storage}
	if err := manager.Start(f.offsets); err != nil {
		return nil, errors.Join(fmt.Errorf("files: %w", err), f.storage.Close(ctx))
	}
	f.manager = manager
	return f, nil
}

// shutdown stops reading. A batch that the pipeline has not accepted yet is read again at the next start.
func (f *files) shutdown(ctx context.Context) error {
	f.stop()
	return errors.Join(f.manager.Stop(), f.storage.Close(ctx))
}

// emit delivers lines, again and again while the pipeline refuses them for the time being.
func (f *files) emit(_ context.Context, lines [][]byte, _ map[string]any, _ int64, _ []int64) error {
	err := retry.Do(f.stopped, f.config.Retry, func() error {
		return f.ingest.lines(f.stopped, f.config.Cluster, lines)
	}, func(err error, pause time.Duration) {
		f.logger.Warn("The pipeline refused audit events; trying again", zap.Duration("after", pause), zap.Error(err))
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, retry.ErrStopped):
		f.offsets.freeze()
		return fmt.Errorf("%d lines: %w", len(lines), err)
	default:
		f.logger.Error("The pipeline refused audit events for good; they are lost", zap.Int("events", len(lines)), zap.Error(err))
		return nil
	}
}
