// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package doctorextension // import "github.com/kelemetry/kelemetry/extension/doctorextension"

import (
	"maps"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// statuses keeps the last status of each component. There are as many as the configuration has.
type statuses struct {
	mu   sync.Mutex // guards last
	last map[subject]status
}

// subject is a component of the configuration, whatever pipelines it is in.
type subject struct {
	kind component.Kind
	id   component.ID
}

// String is "receiver auditlog".
func (s subject) String() string {
	kinds := map[component.Kind]string{
		component.KindReceiver: "receiver", component.KindProcessor: "processor", component.KindExporter: "exporter",
		component.KindConnector: "connector", component.KindExtension: "extension",
	}
	return kinds[s.kind] + " " + s.id.String()
}

// status is what a component said of itself.
type status struct {
	status componentstatus.Status
	reason string
}

func newStatuses() *statuses { return &statuses{last: make(map[subject]status)} }

func (s *statuses) set(source *componentstatus.InstanceID, event *componentstatus.Event) {
	now := status{status: event.Status()}
	if err := event.Err(); err != nil {
		now.reason = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[subject{source.Kind(), source.ComponentID()}] = now
}

func (s *statuses) all() map[subject]status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.last)
}
