// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore // import "github.com/kelemetry/kelemetry/extension/tracestoreextension/internal/spanstore"

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	stdslices "slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// Services implements jaegerstorage.Reader.
func (s *Store) Services(ctx context.Context) ([]string, error) {
	found := map[string]struct{}{}
	err := s.read(func(v *view) error {
		for _, in := range s.slices.between(time.Time{}, time.Time{}) {
			names, err := v.services(ctx, in)
			if err != nil {
				return err
			}
			for _, name := range names {
				found[name] = struct{}{}
			}
		}
		return nil
	})
	return stdslices.Sorted(maps.Keys(found)), err
}

// services are those of one slice.
func (v *view) services(ctx context.Context, in slice) ([]string, error) {
	var names []string
	prefix := in.prefix(kindService)
	for ok := v.it.SeekGE(prefix); ok && bytes.HasPrefix(v.it.Key(), prefix); ok = v.it.Next() {
		names = append(names, string(v.it.Key()[prefixLen:]))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if err := v.it.Error(); err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	return names, nil
}

// Operations implements jaegerstorage.Reader. There are at most MaxOperations, those of the newest slices.
func (s *Store) Operations(ctx context.Context, service, spanKind string) ([]jaegerstorage.Operation, error) {
	found := map[jaegerstorage.Operation]struct{}{}
	err := s.read(func(v *view) error {
		for _, in := range s.slices.between(time.Time{}, time.Time{}) {
			prefix := append(append(in.prefix(kindOperation), service...), 0)
			for ok := v.it.SeekGE(prefix); ok && bytes.HasPrefix(v.it.Key(), prefix); ok = v.it.Next() {
				rest := v.it.Key()[len(prefix):]
				operation := jaegerstorage.Operation{Name: string(rest[1:]), SpanKind: kindName(ptrace.SpanKind(rest[0]))}
				if spanKind != "" && operation.SpanKind != spanKind {
					continue
				}
				if found[operation] = struct{}{}; len(found) >= s.o.MaxOperations {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			if err := v.it.Error(); err != nil {
				return fmt.Errorf("list operations: %w", err)
			}
		}
		return nil
	})
	return stdslices.SortedFunc(maps.Keys(found), func(a, b jaegerstorage.Operation) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.SpanKind, b.SpanKind))
	}), err
}

// kindName is how Jaeger writes a kind of span; it has no name for an unknown one.
func kindName(kind ptrace.SpanKind) string {
	if kind == ptrace.SpanKindUnspecified {
		return ""
	}
	return strings.ToLower(kind.String())
}
