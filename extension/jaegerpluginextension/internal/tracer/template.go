// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package tracer // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Template is a text with names of attributes in braces: "{k8s.audit.id}".
type Template struct {
	parts []part
}

// part is a text, and the attribute behind it if there is one.
type part struct{ text, attribute string }

// ParseTemplate reads a template. It must name at least one attribute: else it would be the same for everything.
func ParseTemplate(text string) (t Template, err error) {
	for rest := text; rest != ""; {
		before, after, opened := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return t, fmt.Errorf("%q closes a brace that is not open", text)
		}
		if !opened {
			t.parts = append(t.parts, part{text: before})
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.Contains(name, "{") {
			return t, fmt.Errorf("%q must have the name of an attribute in each pair of braces, such as {k8s.audit.id}", text)
		}
		t.parts = append(t.parts, part{before, name})
		rest = behind
	}
	if !strings.Contains(text, "{") {
		return t, fmt.Errorf("%q names no attribute: put one in braces, such as {k8s.audit.id}", text)
	}
	return t, nil
}

// Fill puts in the values of attributes, of the span or else of its resource. It reports false if one is missing or empty.
func (t Template) Fill(span, resource pcommon.Map) (string, bool) {
	return t.fill(func(name string) string { return attribute(span, resource, name) })
}

// fill puts in what value returns for each name. It reports false if that is nothing.
func (t Template) fill(value func(name string) string) (string, bool) {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.attribute == "" {
			continue
		}
		text := value(p.attribute)
		if text == "" {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

func attribute(span, resource pcommon.Map, name string) string {
	v, ok := span.Get(name)
	if !ok {
		v, ok = resource.Get(name)
	}
	if !ok {
		return ""
	}
	return v.AsString()
}

func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "it took too long"
	}
	return err.Error()
}
