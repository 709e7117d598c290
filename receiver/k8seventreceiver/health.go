// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver // import "github.com/kelemetry/kelemetry/receiver/k8seventreceiver"

import (
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// health reports the status of the receiver: OK when nothing fails any more.
type health struct {
	host component.Host

	mu sync.Mutex // guards failing
	// failing has the last error of each part that fails.
	failing map[string]error
}

func newHealth(host component.Host) *health {
	return &health{host: host, failing: make(map[string]error)}
}

// set keeps the error of a part, and reports what changed. The reports are in order, hence under the lock; hosts only take
// note of them.
func (h *health) set(part string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, failed := h.failing[part]
	switch {
	case err == nil && !failed, err != nil && failed && before.Error() == err.Error():
		return
	case err != nil:
		h.failing[part] = err
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(err))
		return
	}
	delete(h.failing, part)
	if len(h.failing) == 0 {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	first := slices.Sorted(maps.Keys(h.failing))[0]
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(h.failing[first]))
}

// forget leaves out all parts, which stop.
func (h *health) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.failing) > 0 {
		clear(h.failing)
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
