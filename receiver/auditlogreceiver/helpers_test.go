// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/metadata"
)

// testIngester makes an ingester without a receiver around it.
func testIngester(tb testing.TB, traces consumer.Traces, logs consumer.Logs, change func(*Config)) *ingester {
	tb.Helper()
	config := createDefaultConfig().(*Config)
	if change != nil {
		change(config)
	}
	telemetry, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(tb, err)
	in, err := newIngester(config, transportWebhook, receivertest.NewNopSettings(metadata.Type), telemetry, traces, logs)
	require.NoError(tb, err)
	return in
}

func byTransport(value int64) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{Value: value, Attributes: attribute.NewSet(attribute.String("transport", "webhook"))}}
}

func filtered(reason string, value int64) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{Value: value, Attributes: attribute.NewSet(
		attribute.String("transport", "webhook"), attribute.String("reason", reason))}}
}

// requests is one request for each status.
func requests(statuses ...int) []metricdata.DataPoint[int64] {
	points := make([]metricdata.DataPoint[int64], 0, len(statuses))
	for _, status := range statuses {
		points = append(points, metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(semconv.HTTPResponseStatusCode(status))})
	}
	return points
}
