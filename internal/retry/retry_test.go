// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/configretry"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPausesGrowAndEnd(t *testing.T) {
	config := configretry.BackOffConfig{
		Enabled: true, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 4 * time.Second, MaxElapsedTime: 12 * time.Second,
	}
	pauses := NewBackOff(config)
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second, backoff.Stop} {
		assert.Equal(t, want, pauses.NextBackOff())
	}

	config.MaxElapsedTime = 0
	pauses = NewBackOff(config)
	for range 1000 {
		assert.NotEqual(t, backoff.Stop, pauses.NextBackOff())
	}

	config.Enabled = false
	assert.Equal(t, backoff.Stop, NewBackOff(config).NextBackOff())
}

func TestSleepEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		assert.True(t, Sleep(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.False(t, Sleep(ctx, time.Hour))
		assert.Equal(t, time.Minute+time.Second, time.Since(began))
	})
}
