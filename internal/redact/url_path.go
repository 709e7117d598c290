// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Path returns the path of a request without what is addressed to a proxied service, which is not the API server's, and
// without a query. Control characters, invisible ones and invalid UTF-8 are percent-encoded.
func (r *Redactor) Path(t Target, path string) string {
	path, _, _ = strings.Cut(path, "?")
	return printable(cutProxied(path, t.Subresource == "proxy"))
}

// cutProxied cuts a path behind the segment proxy, if that is the subresource:
// /api/v1/namespaces/<namespace>/services/<name>/proxy/<path of the service>.
func cutProxied(path string, isProxy bool) string {
	if !isProxy && !strings.Contains(path, "/proxy") && !strings.Contains(path, "%") {
		return path // as nearly all: there is no such segment, nor one that is written otherwise
	}
	segments := strings.Split(path, "/")
	if at := subresource(segments); at < len(segments) && isProxySegment(segments[at]) {
		return strings.Join(segments[:at+1], "/")
	}
	if !isProxy {
		return path
	}
	for i, segment := range segments {
		if isProxySegment(segment) {
			return strings.Join(segments[:i+1], "/")
		}
	}
	return "/" + redactedParameter
}

// subresource returns the index that the subresource has in the path of an API: behind a resource and a name.
func subresource(segments []string) int {
	resource := 1
	switch {
	case len(segments) < 4:
		return len(segments)
	case segments[1] == "api": // /api/<version>
		resource = 3
	case segments[1] == "apis": // /apis/<group>/<version>
		resource = 4
	}
	if resource+2 < len(segments) && segments[resource] == "namespaces" {
		resource += 2
	}
	return resource + 2
}

func isProxySegment(segment string) bool {
	name, err := url.PathUnescape(segment)
	return err == nil && name == "proxy"
}

func printable(text string) string {
	if isPrintableASCII(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if piece := text[i : i+size]; unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(piece)
		} else {
			for _, c := range []byte(piece) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		i += size
	}
	return b.String()
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
