// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package apitypes // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension/internal/apitypes"

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Source is where a Mapper has its types from.
type Source interface {
	// Types returns what is known now. It does not wait.
	Types() *Types
	// Renew has the types discovered anew, unless that was done only just now or is of no use, and returns when that ended
	// or took too long. It says whether it ended.
	Renew() bool
	// Unavailable returns why the types may not be all there are; nil if they are.
	Unavailable() error
}

// Mapper maps kinds to resources by the types that its source has at the time, and has them renewed when it does not find
// what it is asked for.
type Mapper struct{ source Source }

var _ meta.RESTMapper = (*Mapper)(nil)

// NewMapper returns a mapper.
func NewMapper(source Source) *Mapper { return &Mapper{source: source} }

func find[T any](m *Mapper, in func(meta.RESTMapper) (T, error)) (T, error) {
	found, err := in(m.source.Types().mapper)
	if !meta.IsNoMatchError(err) {
		return found, err
	}
	if m.source.Renew() {
		if found, err = in(m.source.Types().mapper); !meta.IsNoMatchError(err) {
			return found, err
		}
	}
	if cause := m.source.Unavailable(); cause != nil {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return found, err
}

// KindFor implements meta.RESTMapper.
func (m *Mapper) KindFor(resource schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	return find(m, func(in meta.RESTMapper) (schema.GroupVersionKind, error) { return in.KindFor(resource) })
}

// KindsFor implements meta.RESTMapper.
func (m *Mapper) KindsFor(resource schema.GroupVersionResource) ([]schema.GroupVersionKind, error) {
	return find(m, func(in meta.RESTMapper) ([]schema.GroupVersionKind, error) { return in.KindsFor(resource) })
}

// ResourceFor implements meta.RESTMapper.
func (m *Mapper) ResourceFor(input schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	return find(m, func(in meta.RESTMapper) (schema.GroupVersionResource, error) { return in.ResourceFor(input) })
}

// ResourcesFor implements meta.RESTMapper.
func (m *Mapper) ResourcesFor(input schema.GroupVersionResource) ([]schema.GroupVersionResource, error) {
	return find(m, func(in meta.RESTMapper) ([]schema.GroupVersionResource, error) { return in.ResourcesFor(input) })
}

// RESTMapping implements meta.RESTMapper.
func (m *Mapper) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	return find(m, func(in meta.RESTMapper) (*meta.RESTMapping, error) { return in.RESTMapping(kind, versions...) })
}

// RESTMappings implements meta.RESTMapper.
func (m *Mapper) RESTMappings(kind schema.GroupKind, versions ...string) ([]*meta.RESTMapping, error) {
	return find(m, func(in meta.RESTMapper) ([]*meta.RESTMapping, error) { return in.RESTMappings(kind, versions...) })
}

// ResourceSingularizer implements meta.RESTMapper. It has nothing renewed: it is for words that people type.
func (m *Mapper) ResourceSingularizer(resource string) (string, error) {
	return m.source.Types().mapper.ResourceSingularizer(resource)
}
