// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health reports the receiver's status: recoverable as long as anything cannot be watched.
type health struct {
	report func(*componentstatus.Event)
	logger *zap.Logger

	mu      sync.Mutex // guards failing, and keeps reports in order: it is held while one is made
	failing map[string]error
}

func newHealth(report func(*componentstatus.Event), logger *zap.Logger) *health {
	return &health{report: report, logger: logger, failing: map[string]error{}}
}

// failed says that something does not work. It is tried again by whoever says so.
func (h *health) failed(what string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, known := h.failing[what]
	h.failing[what] = err
	if known {
		return // reported, and logged, when it began
	}
	h.logger.Warn("Cannot watch. It is tried again.", zap.String("resource", what), zap.Error(err))
	h.report(componentstatus.NewRecoverableErrorEvent(h.summary()))
}

// works says that something works, again or from the beginning.
func (h *health) works(what string) { h.settle(what, true) }

// gone says that something is no longer wanted.
func (h *health) gone(what string) { h.settle(what, false) }

func (h *health) settle(what string, tell bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, known := h.failing[what]
	delete(h.failing, what)
	if !known {
		return
	}
	if tell {
		h.logger.Info("Watching again.", zap.String("resource", what))
	}
	if len(h.failing) == 0 {
		h.report(componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	h.report(componentstatus.NewRecoverableErrorEvent(h.summary()))
}

// summary names what is failing. The caller holds the lock.
func (h *health) summary() error {
	var names []string
	for name := range h.failing {
		names = append(names, name)
	}
	slices.Sort(names)
	const most = 10
	rest := ""
	if len(names) > most {
		rest = fmt.Sprintf(" and %d more", len(names)-most)
	}
	return fmt.Errorf("cannot watch %s%s: %w", strings.Join(names[:min(len(names), most)], ", "), rest, h.failing[names[0]])
}
