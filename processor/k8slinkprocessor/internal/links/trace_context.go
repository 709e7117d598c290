// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// readTraceContext reads the value of an annotation: a traceparent as W3C defines it, or a JSON object that has one, as
// Tekton writes it.
func readTraceContext(annotation, text string) (TraceContext, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var carrier struct {
			TraceParent string `json:"traceparent"`
		}
		if err := json.Unmarshal([]byte(text), &carrier); err != nil {
			return TraceContext{}, fmt.Errorf("reading the trace context: %w", err)
		}
		text = carrier.TraceParent
	}
	c := TraceContext{Annotation: annotation, Parent: strings.TrimSpace(text)}
	// version-traceid-spanid-flags; later versions may add to it.
	parts := strings.SplitN(c.Parent, "-", 5)
	if len(c.Parent) > 2*55 || len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" ||
		!decodeHex(c.Trace[:], parts[1]) || !decodeHex(c.Span[:], parts[2]) || c.Trace.IsEmpty() || c.Span.IsEmpty() {
		return TraceContext{}, fmt.Errorf("no trace context: must be like 00-<32 hex digits>-<16 hex digits>-01, got %d bytes", len(text))
	}
	return c, nil
}

func decodeHex(dst []byte, text string) bool {
	if len(text) != hex.EncodedLen(len(dst)) {
		return false
	}
	_, err := hex.Decode(dst, []byte(text))
	return err == nil
}
