// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// metrics are counters and gauges by name, without the suffix that marks counters.
type metrics map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// sum adds the samples whose label has the value; all of them if the label is empty.
func (m metrics) sum(name, label, value string) float64 {
	total := 0.0
	for _, s := range m[name] {
		if label == "" || s.labels[label] == value {
			total += s.value
		}
	}
	return total
}

// by adds the samples for each value of a label.
func (m metrics) by(name, label string) map[string]float64 {
	totals := make(map[string]float64)
	for _, s := range m[name] {
		if s.value != 0 {
			totals[s.labels[label]] += s.value
		}
	}
	return totals
}

// maxMetrics is far more than a collector has of its own.
const maxMetrics = 16 << 20

// readMetrics asks a Prometheus endpoint.
func readMetrics(ctx context.Context, client *http.Client, address string) (metrics, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, response.Status)
	}
	return decodeMetrics(io.LimitReader(response.Body, maxMetrics), expfmt.ResponseFormat(response.Header))
}

func decodeMetrics(text io.Reader, format expfmt.Format) (metrics, error) {
	decoder, all := expfmt.NewDecoder(text, format), make(metrics)
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("no metrics of Prometheus: %w", err)
		}
		name := strings.TrimSuffix(family.GetName(), "_total")
		for _, metric := range family.GetMetric() {
			labels := make(map[string]string, len(metric.GetLabel()))
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			all[name] = append(all[name], sample{
				labels: labels, value: metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + metric.GetUntyped().GetValue(),
			})
		}
	}
}
