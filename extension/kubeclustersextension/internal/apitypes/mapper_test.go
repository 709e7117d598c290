// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package apitypes

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// source has one type more once it is renewed.
type source struct {
	renewable   bool
	renewals    int
	unavailable error
}

func (s *source) Types() *Types {
	if s.renewals == 0 || !s.renewable {
		return Offline()
	}
	return Discovered([]*metav1.APIGroup{group("example.com", "v1")}, []*metav1.APIResourceList{
		listOf("example.com/v1", resource("widgets", "Widget", "get")),
	}, nil, nil)
}

func (s *source) Renew() bool {
	s.renewals++
	return s.renewable
}

func (s *source) Unavailable() error { return s.unavailable }

var widget = schema.GroupKind{Group: "example.com", Kind: "Widget"}

func TestMapperRenewsForWhatItDoesNotKnowOnly(t *testing.T) {
	s := &source{renewable: true}
	m := NewMapper(s)
	_, err := m.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	require.NoError(t, err)
	assert.Zero(t, s.renewals)

	mapping, err := m.RESTMapping(widget)
	require.NoError(t, err)
	assert.Equal(t, "widgets", mapping.Resource.Resource)
	assert.Equal(t, 1, s.renewals)
}

func TestEveryQuestionThatFindsNothingRenews(t *testing.T) {
	plural := schema.GroupVersionResource{Group: "example.com", Resource: "widgets"}
	for name, ask := range map[string]func(meta.RESTMapper) error{
		"KindFor":      func(m meta.RESTMapper) error { _, err := m.KindFor(plural); return err },
		"KindsFor":     func(m meta.RESTMapper) error { _, err := m.KindsFor(plural); return err },
		"ResourceFor":  func(m meta.RESTMapper) error { _, err := m.ResourceFor(plural); return err },
		"ResourcesFor": func(m meta.RESTMapper) error { _, err := m.ResourcesFor(plural); return err },
		"RESTMapping":  func(m meta.RESTMapper) error { _, err := m.RESTMapping(widget); return err },
		"RESTMappings": func(m meta.RESTMapper) error { _, err := m.RESTMappings(widget); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{renewable: true}
			require.NoError(t, ask(NewMapper(s)))
			assert.Equal(t, 1, s.renewals)
			assert.Error(t, ask(NewMapper(&source{})))
		})
	}
}

func TestMapperSaysWhenItCouldNotAsk(t *testing.T) {
	cause := errors.New("no answer")
	_, err := NewMapper(&source{unavailable: cause}).RESTMapping(widget)
	assert.True(t, meta.IsNoMatchError(err))
	require.ErrorIs(t, err, cause)

	_, err = NewMapper(&source{renewable: false}).RESTMapping(widget)
	assert.True(t, meta.IsNoMatchError(err))
	assert.NotErrorIs(t, err, cause)
}
