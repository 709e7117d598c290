// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration

package plugin

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

// told is what the API server itself wrote down: the measure of what views show.
type told struct {
	events []testbed.AuditEvent
	lines  [][]byte
}

func (b *bed) readAuditLog(t *testing.T) (all told) {
	t.Helper()
	file, err := os.Open(b.auditLog)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, testbed.ReadAuditLog(file, func(line []byte, e testbed.AuditEvent) error {
		all.events, all.lines = append(all.events, e), append(all.lines, bytes.Clone(line))
		return nil
	}))
	return all
}

// writes returns the IDs of the requests that wrote to an object, or tried to, in the order of the IDs.
func (a told) writes(resource, namespace, name string) (ids []string) {
	for _, e := range a.events {
		if e.Writes() && e.ObjectRef.Resource == resource && e.ObjectRef.Namespace == namespace && nameIn(e) == name {
			ids = append(ids, e.AuditID)
		}
	}
	slices.Sort(ids)
	return ids
}

// nameIn is the object's name, which only the answer has if the API server made it up.
func nameIn(e testbed.AuditEvent) string {
	var object struct{ Metadata struct{ Name string } }
	if e.ObjectRef.Name == "" && json.Unmarshal(e.ResponseObject, &object) == nil {
		return object.Metadata.Name
	}
	return e.ObjectRef.Name
}
