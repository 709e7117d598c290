// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver // import "github.com/kelemetry/kelemetry/receiver/watchreceiver"

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// health reports the receiver's status: recoverable as long as something cannot be watched that is meant to be. What the
// account may not watch is not, unless the user has said what to include: of everything that there is, an account is often
// not to see all. That is logged once, and a failure only if it is true of all there is. It also says in the log when
// everything has been listed for the first time.
type health struct {
	report func(*componentstatus.Event)
	logger *zap.Logger
	// explicit is set if the user has said what to include.
	explicit bool

	mu        sync.Mutex // guards what follows, and keeps reports in order: it is held while one is made
	wanted    map[string]bool
	failing   map[string]error
	forbidden map[string]error
	reported  string
	// unlisted is what has not been listed yet, until all is; then it is nil.
	unlisted map[string]bool
}

func newHealth(report func(*componentstatus.Event), logger *zap.Logger, explicit bool) *health {
	return &health{
		report: report, logger: logger, explicit: explicit,
		wanted: map[string]bool{}, failing: map[string]error{}, forbidden: map[string]error{}, unlisted: map[string]bool{},
	}
}

// wants says that something is to be watched.
func (h *health) wants(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unlisted != nil && !h.wanted[what] {
		h.unlisted[what] = true
	}
	h.wanted[what] = true
}

// listed says that all objects of something are known, so that from now on every change of them is told.
func (h *health) listed(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.needNotList(what)
}

// failed says that something does not work. It is tried again by whoever says so.
func (h *health) failed(what string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if apierrors.IsForbidden(err) && !h.explicit {
		if h.forbidden[what] == nil {
			h.logger.Warn("The account may not watch a resource: allow list and watch, or exclude it. It is tried again from time to time.",
				zap.String("resource", what), zap.Error(err))
		}
		h.forbidden[what] = err
		delete(h.failing, what)
		h.needNotList(what)
		h.tell()
		return
	}
	if h.failing[what] != nil {
		return // reported, and logged, when it began
	}
	h.logger.Warn("Cannot watch. It is tried again.", zap.String("resource", what), zap.Error(err))
	h.failing[what] = err
	h.tell()
}

// works says that something works, again or from the beginning.
func (h *health) works(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing[what] == nil && h.forbidden[what] == nil {
		return
	}
	h.logger.Info("Watching again.", zap.String("resource", what))
	h.settle(what)
}

// gone says that something is no longer wanted.
func (h *health) gone(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.wanted, what)
	h.needNotList(what)
	h.settle(what)
}

// needNotList and what follows is for callers that hold the lock.
func (h *health) needNotList(what string) {
	delete(h.unlisted, what)
	if h.unlisted != nil && len(h.unlisted) == 0 && len(h.wanted) > len(h.forbidden) {
		h.unlisted = nil
		h.logger.Info("Everything has been listed. Changes are told from now on.", zap.Int("resources", len(h.wanted)-len(h.forbidden)))
	}
}

func (h *health) settle(what string) {
	delete(h.failing, what)
	delete(h.forbidden, what)
	h.tell()
}

// tell reports the status if it is another one.
func (h *health) tell() {
	err, text := h.status(), ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == h.reported:
	case err == nil:
		h.report(componentstatus.NewEvent(componentstatus.StatusOK))
	default:
		h.report(componentstatus.NewRecoverableErrorEvent(err))
	}
	h.reported = text
}

func (h *health) status() error {
	switch {
	case len(h.failing) > 0:
		return summary(h.failing)
	case len(h.forbidden) > 0 && len(h.forbidden) == len(h.wanted):
		return errors.Join(errors.New("the account may not watch anything"), summary(h.forbidden))
	default:
		return nil
	}
}

// summary names what does not work.
func summary(broken map[string]error) error {
	names := slices.Sorted(maps.Keys(broken))
	const most = 10
	rest := ""
	if len(names) > most {
		rest = fmt.Sprintf(" and %d more", len(names)-most)
	}
	return fmt.Errorf("cannot watch %s%s: %w", strings.Join(names[:min(len(names), most)], ", "), rest, broken[names[0]])
}
