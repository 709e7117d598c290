// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package soak

import (
	"context"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

const (
	// loadCluster and liveCluster are where the two kinds of audit events are told to come from.
	loadCluster, liveCluster = "load", "live"
	// maxTraces is more than the tests make.
	maxTraces = 1_000_000
)

// stored is what the store holds of the audit log.
type stored struct {
	load map[int]int    // spans by number of the event
	live map[string]int // spans by audit ID
	// watched counts spans of the watch by object.
	watched map[string]int
}

// readStore reads all that the store at the address holds.
func readStore(ctx context.Context, t require.TestingT, address string) stored {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	s := stored{load: map[int]int{}, live: map[string]int{}, watched: map[string]int{}}
	for _, cluster := range []string{loadCluster, liveCluster} {
		query := jaegerstorage.NewQuery()
		query.Service, query.Limit = cluster, maxTraces
		for td, err := range jaegerstorage.NewClient(conn).FindTraces(ctx, query) {
			require.NoError(t, err)
			for _, resource := range td.ResourceSpans().All() {
				object, _ := resource.Resource().Attributes().Get(attr.ObjectName)
				for _, scope := range resource.ScopeSpans().All() {
					for _, span := range scope.Spans().All() {
						kind, _ := span.Attributes().Get(attr.SpanType)
						id, _ := span.Attributes().Get(attr.AuditID)
						switch kind.Str() {
						case attr.SpanTypeWatch:
							s.watched[object.Str()]++
						case attr.SpanTypeAudit:
							if n, ok := number(id.Str()); ok {
								s.load[n]++
							} else {
								s.live[id.Str()]++
							}
						}
					}
				}
			}
		}
	}
	return s
}

// assertAllStored says how much of what was acknowledged is missing, and what is there twice.
func assertAllStored(t assert.TestingT, s stored, l *load, live []string) {
	missing := 0
	l.mu.Lock()
	for n, ok := range l.acknowledged {
		if ok && s.load[n] == 0 {
			missing++
		}
	}
	l.mu.Unlock()
	assert.Zero(t, missing, "acknowledged events of the load that are not in the store")
	for _, id := range live {
		assert.Equal(t, 1, s.live[id], "%s is not once in the store", id)
	}
	twice := 0
	for _, n := range s.load {
		if n > 1 {
			twice++
		}
	}
	assert.Zero(t, twice, "events of the load that are in the store more than once")
}
