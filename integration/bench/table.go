// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// measured is what one benchmark printed, and what the calibration loop took beside it.
type measured struct {
	metrics metrics
	loop    time.Duration
}

// value returns a metric.
func (m measured) value(unit string) (float64, error) {
	if value, ok := m.metrics[unit]; ok {
		return value, nil
	}
	events, counted := m.metrics["events/cpu-s"]
	size, sized := m.metrics["B/event"]
	if unit == "MB/cpu-s" && counted && sized {
		return events * size / 1e6, nil
	}
	return 0, fmt.Errorf("the benchmark has no metric %s", unit)
}

var number = message.NewPrinter(language.English)

// figure writes a number with about three digits that count.
func figure(value float64) string {
	switch {
	case value >= 100:
		return number.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

// line is a row of the table.
func (m measured) line(r row) (string, error) {
	value, err := m.value(r.unit)
	if err != nil {
		return "", fmt.Errorf("%s in %s: %w", r.name, r.folder, err)
	}
	unit, size := r.unit, value
	if r.unit == "cpu-ns/op" {
		unit, size = "µs CPU", value/1e3
	}
	unit = strings.NewReplacer("/cpu-s", " per CPU-second", "cpu-ms/op", "ms CPU", "disk-B/span", "bytes", "B/object", "bytes", "peak-", "", "heap-", "").Replace(unit)
	target := ""
	switch {
	case r.target == 0:
	case isRate(r.unit):
		target = "≥ " + number.Sprintf("%.0f", r.target) + mark(value >= r.target)
	default:
		target = "≤ " + number.Sprintf("%.0f", r.target) + mark(value <= r.target)
	}
	return fmt.Sprintf("| %s | %s | %s %s | %s | %s |", r.part, r.what, figure(size), unit, m.ratio(r.unit, value), target), nil
}

func isRate(unit string) bool { return strings.HasSuffix(unit, "/cpu-s") }

func mark(reached bool) string {
	if reached {
		return ""
	}
	return ", missed"
}

// ratio compares with the calibration loop: how much is done while it runs once, or how often it runs meanwhile. What is no time has none.
func (m measured) ratio(unit string, value float64) string {
	switch {
	case isRate(unit):
		what, _, _ := strings.Cut(unit, "/")
		return figure(value*m.loop.Seconds()) + " " + what + " a loop"
	case unit == "cpu-ms/op":
		return fmt.Sprintf("%.2g loops", value/1e3/m.loop.Seconds())
	case unit == "cpu-ns/op":
		return fmt.Sprintf("%.2g loops", value/1e9/m.loop.Seconds())
	default:
		return ""
	}
}
