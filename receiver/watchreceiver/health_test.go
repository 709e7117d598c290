// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package watchreceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// statuses keeps what health reports.
type statuses struct {
	*health
	reported []string
	errors   []string
	logged   *observer.ObservedLogs
}

func newStatuses(explicit bool, wanted ...string) *statuses {
	core, logged := observer.New(zapcore.InfoLevel)
	s := &statuses{logged: logged}
	s.health = newHealth(func(e *componentstatus.Event) {
		if e.Err() != nil {
			s.errors = append(s.errors, e.Err().Error())
		}
		s.reported = append(s.reported, e.Status().String())
	}, zap.New(core), explicit)
	for _, what := range wanted {
		s.wants(what)
	}
	return s
}

var (
	errForbidden = apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New("not for you"))
	errDown      = errors.New("connection refused")
)

const (
	statusOK       = "StatusOK"
	statusDegraded = "StatusRecoverableError"
)

func TestWhatIsForbiddenIsWarnedOfOnceAndIsNoFailure(t *testing.T) {
	s := newStatuses(false, "pods", "secrets")
	for range 3 {
		s.failed("secrets", errForbidden)
	}
	assert.Empty(t, s.reported)
	assert.Equal(t, 1, s.logged.FilterLevelExact(zapcore.WarnLevel).Len())
	s.works("secrets")
	s.failed("secrets", errForbidden)
	assert.Empty(t, s.reported)
	assert.Equal(t, 2, s.logged.FilterLevelExact(zapcore.WarnLevel).Len(), "it was allowed meanwhile")
}

func TestWhatIsIncludedAndForbiddenIsAFailure(t *testing.T) {
	s := newStatuses(true, "pods", "secrets")
	s.failed("secrets", errForbidden)
	s.works("secrets")
	assert.Equal(t, []string{statusDegraded, statusOK}, s.reported)
}

func TestThatNothingMayBeWatchedIsAFailure(t *testing.T) {
	s := newStatuses(false, "pods", "secrets")
	s.failed("pods", errForbidden)
	s.failed("secrets", errForbidden)
	assert.Equal(t, []string{statusDegraded}, s.reported)
	s.works("pods")
	assert.Equal(t, []string{statusDegraded, statusOK}, s.reported)
	s.gone("pods")
	assert.Equal(t, []string{statusDegraded, statusOK, statusDegraded}, s.reported)
}

func TestWhatFailsIsAFailureUntilItWorksOrIsGone(t *testing.T) {
	s := newStatuses(false, "pods", "secrets", "nodes")
	s.failed("pods", errDown)
	s.failed("pods", errDown)
	assert.Equal(t, []string{statusDegraded}, s.reported)
	s.failed("nodes", errors.New("no answer"))
	s.failed("secrets", errForbidden)
	s.works("pods")
	s.gone("nodes")
	assert.Equal(t, []string{statusDegraded, statusDegraded, statusDegraded, statusOK}, s.reported)
	assert.Equal(t, []string{
		"cannot watch pods: connection refused", "cannot watch nodes, pods: no answer", "cannot watch nodes: no answer",
	}, s.errors)
	s.wants("nodes")
	s.failed("nodes", errDown)
	s.failed("nodes", errForbidden)
	assert.Equal(t, statusOK, s.reported[len(s.reported)-1], "it answers, and refuses")
}

func TestThatEverythingIsListedIsSaidOnce(t *testing.T) {
	s := newStatuses(false, "pods", "secrets", "nodes", "widgets")
	said := func() int { return s.logged.FilterMessageSnippet("Everything has been listed").Len() }
	s.listed("pods")
	s.failed("secrets", errForbidden)
	s.gone("widgets")
	s.wants("nodes")
	assert.Zero(t, said())
	s.listed("nodes")
	assert.Equal(t, 1, said())
	s.wants("widgets")
	s.listed("widgets")
	s.listed("pods")
	assert.Equal(t, 1, said())
}

func TestThatNothingMayBeListedIsNotTakenForAllOfIt(t *testing.T) {
	s := newStatuses(false, "pods")
	said := func() int { return s.logged.FilterMessageSnippet("Everything has been listed").Len() }
	s.failed("pods", errForbidden)
	assert.Zero(t, said())
	s.works("pods")
	s.listed("pods")
	assert.Equal(t, 1, said())
}
