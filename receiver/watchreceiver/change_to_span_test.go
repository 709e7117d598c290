// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kelemetry/kelemetry/internal/diff"
	"github.com/kelemetry/kelemetry/receiver/watchreceiver/internal/object"
)

func TestTimeIsThatOfTheObservationUnlessThatIsLate(t *testing.T) {
	const managed = `[{"manager":"m","time":"2026-11-23T11:59:00Z","fieldsV1":{"f:a":{}}},{"manager":"other","time":"2026-11-23T11:00:00Z","fieldsV1":{"f:b":{}}}]`
	changes, err := diff.New(diff.Options{}).Compare([]byte("{}"), []byte(`{"a":1}`), nil)
	require.NoError(t, err)
	removal, err := diff.New(diff.Options{}).Compare([]byte(`{"c":1}`), []byte("{}"), nil)
	require.NoError(t, err)
	told := epoch.Add(-time.Minute)
	for _, c := range []struct {
		name   string
		change change
		want   time.Time
	}{
		{"close", change{changeType: updated, observed: told.Add(20 * time.Second), diff: changes}, told.Add(20 * time.Second)},
		{"late", change{changeType: updated, observed: epoch, diff: changes}, told},
		{"late, but the object does not tell", change{changeType: updated, observed: epoch, diff: removal}, epoch},
		{"found in a list", change{changeType: updated, observed: told.Add(5 * time.Second), inferred: true, diff: changes}, told},
		{"before it was made, by a clock that is behind", change{changeType: updated, observed: told.Add(-time.Hour), inferred: true, diff: changes}, told.Add(-time.Hour)},
		{"created", change{changeType: created, observed: epoch, header: object.Header{Created: epoch.Add(-time.Second)}}, epoch},
		{"created, found in a list", change{changeType: created, observed: epoch, inferred: true, header: object.Header{Created: told}}, told},
		{"deleted", change{changeType: deleted, observed: epoch, inferred: true}, epoch},
		{"deleted before its successor", change{changeType: deleted, observed: epoch, inferred: true, by: told}, told},
	} {
		c.change.header.ManagedFields = []byte(managed)
		assert.Equal(t, c.want, timeOf(&c.change, managersOf(&c.change)), c.name)
	}
}
