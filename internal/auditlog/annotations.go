// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
	"github.com/kelemetry/kelemetry/internal/redact"
)

// Audit annotations that Kubernetes documents.
const (
	annotationTruncated = "audit.k8s.io/truncated"
	annotationLatency   = "apiserver.latency.k8s.io/"
	annotationMutation  = "mutation.webhook.admission.k8s.io/"
	// annotationPatch holds what a webhook changed, values included; the span says only that it did.
	annotationPatch = "patch.webhook.admission.k8s.io/"
)

// maxAnnotations bounds the annotations of other kinds.
const maxAnnotations = 32

// quotesNothing is true of annotations that Kubernetes itself makes of what it knows beside the object. Those of admission
// policies and webhooks are messages about the object.
func quotesNothing(key string) bool {
	for _, prefix := range []string{"authorization.k8s.io/", annotationLatency, annotationMutation, "audit.k8s.io/", "k8s.io/"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func (m *spanMaker) putAnnotations(attrs pcommon.Map, e *auditevent.Event, target redact.Target) {
	var called, mutated []string
	others := 0
	e.EachAnnotation(func(name, value []byte) {
		key := share(e, name)
		switch {
		case key == annotationTruncated:
			attrs.PutBool(attr.AuditTruncated, string(text(value)) == "true")
		case strings.HasPrefix(key, annotationLatency):
			putLatency(attrs, e, name[len(annotationLatency):], text(value))
		case strings.HasPrefix(key, annotationMutation):
			if name, changed := mutatingWebhook(text(value)); name != "" {
				called = append(called, name)
				if changed {
					mutated = append(mutated, name)
				}
			}
		case strings.HasPrefix(key, annotationPatch):
		case others < maxAnnotations:
			others++
			text := limitText(e.Strings.Unquoted(value), maxMessage)
			if !quotesNothing(key) {
				target.Sensitive = target.Sensitive || hidden(m.redactor, e)
				text, _ = m.redactor.Message(target, text)
			}
			attrs.PutStr(e.Strings.Join(attr.AuditAnnotationPrefix, key), cut(text))
		}
	})
	putNames(attrs, attr.AuditMutatingWebhooks, called)
	putNames(attrs, attr.AuditMutatedBy, mutated)
}

// text unquotes what hardly ever comes twice.
func text(quoted []byte) []byte {
	s := jsonscan.New(quoted)
	value, _ := s.Bytes() // it is a valid string, or null
	return value
}

// putLatency writes a duration such as "1.5ms" in seconds.
func putLatency(attrs pcommon.Map, e *auditevent.Event, name, value []byte) {
	if d, err := time.ParseDuration(string(value)); err == nil {
		attrs.PutDouble(e.Strings.Join(attr.AuditLatencyPrefix, share(e, name)), d.Seconds())
	}
}

// mutatingWebhook reads {"configuration":"c","webhook":"w","mutated":true}; the name is empty for anything else.
func mutatingWebhook(value []byte) (name string, changed bool) {
	var call struct {
		Configuration, Webhook string
		Mutated                bool
	}
	if json.Unmarshal(value, &call) != nil || call.Webhook == "" {
		return "", false
	}
	return cut(call.Configuration + "/" + call.Webhook), call.Mutated
}

// putNames writes each name once: a webhook is called again when a later one changed the object.
func putNames(attrs pcommon.Map, key string, names []string) {
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	names = slices.Compact(names)
	slice := attrs.PutEmptySlice(key)
	for _, name := range names[:min(len(names), maxTexts)] {
		slice.AppendEmpty().SetStr(name)
	}
}
