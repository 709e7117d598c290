// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func TestDoTriesUntilThereIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := configretry.BackOffConfig{Enabled: true, InitialInterval: time.Second, Multiplier: 2, MaxInterval: time.Minute, MaxElapsedTime: 4 * time.Second}
		busy, broken := errors.New("busy"), consumererror.NewPermanent(errors.New("broken"))
		for name, tt := range map[string]struct {
			answers []error
			want    error
			pauses  []time.Duration
		}{
			"accepted at once":         {[]error{nil}, nil, nil},
			"accepted later":           {[]error{busy, busy, nil}, nil, []time.Duration{time.Second, 2 * time.Second}},
			"refused for good":         {[]error{busy, broken}, broken, []time.Duration{time.Second}},
			"refused for too long":     {[]error{busy, busy, busy}, busy, []time.Duration{time.Second, 2 * time.Second}},
			"stopped while it retries": {[]error{busy, errors.New("the context ends here")}, ErrStopped, []time.Duration{time.Second, 2 * time.Second}},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			var pauses []time.Duration
			tries := 0
			err := Do(ctx, config, func() error {
				tries++
				return tt.answers[tries-1]
			}, func(err error, pause time.Duration) {
				assert.Equal(t, tt.answers[tries-1], err, name)
				pauses = append(pauses, pause)
				if errors.Is(tt.want, ErrStopped) && tries == len(tt.answers) {
					cancel()
				}
			})
			require.ErrorIs(t, err, tt.want, name)
			assert.Equal(t, tt.pauses, pauses, name)
			assert.Len(t, tt.answers, tries, name)
			cancel()
		}
	})
}

func TestDoTriesOnceIfThatIsAsked(t *testing.T) {
	busy := errors.New("busy")
	require.ErrorIs(t, Do(t.Context(), configretry.BackOffConfig{}, func() error { return busy }, func(error, time.Duration) { t.Error("it waits") }), busy)
}

func TestDoTriesForeverWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := configretry.BackOffConfig{Enabled: true, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 4 * time.Second}
		began, tries := time.Now(), 0
		require.NoError(t, Do(t.Context(), config, func() error {
			if tries++; tries == 1000 {
				return nil
			}
			return errors.New("busy")
		}, func(error, time.Duration) {}))
		assert.Equal(t, (1+2+997*4)*time.Second, time.Since(began))
	})
}

// TestDoIsStoppedByATryThatEndsWithTheContext, as those are that use it themselves.
func TestDoIsStoppedByATryThatEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Do(ctx, configretry.NewDefaultBackOffConfig(), func() error {
		cancel()
		return ctx.Err()
	}, func(error, time.Duration) { t.Error("it waits") })
	require.ErrorIs(t, err, ErrStopped)
	require.ErrorIs(t, err, context.Canceled)
}
