// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net"
)

// NoMetrics is for Options.Set: without it, every process wants port 8888 for its own metrics.
const NoMetrics = "service.telemetry.metrics.level=none"

// MetricsAt is for Options.Set: the process serves its own metrics at the address.
func MetricsAt(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	return fmt.Sprintf("service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: %q, port: %s}}}}]", host, port), err
}
