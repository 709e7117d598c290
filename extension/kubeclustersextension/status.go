// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// statuses makes the status of the extension of those of its clusters. run is the one goroutine that reports it, so that
// reports come in order.
type statuses struct {
	host    component.Host
	changes chan change
}

type change struct {
	cluster string
	err     error
}

func newStatuses(host component.Host) *statuses {
	return &statuses{host: host, changes: make(chan change)}
}

// set says how a cluster is. It returns when that is taken or the context ends.
func (s *statuses) set(ctx context.Context, cluster string, err error) {
	select {
	case s.changes <- change{cluster, err}:
	case <-ctx.Done():
	}
}

// run returns when the context ends.
func (s *statuses) run(ctx context.Context) {
	failed := map[string]error{}
	last := ""
	for {
		var c change
		select {
		case c = <-s.changes:
		case <-ctx.Done():
			return
		}
		if delete(failed, c.cluster); c.err != nil {
			failed[c.cluster] = fmt.Errorf("cluster %s: %w", c.cluster, c.err)
		}
		err := joined(failed)
		switch {
		case err == nil && last != "":
			componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
			last = ""
		case err != nil && err.Error() != last:
			componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(err))
			last = err.Error()
		}
	}
}

func joined(errs map[string]error) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		all = append(all, errs[name])
	}
	return errors.Join(all...)
}
