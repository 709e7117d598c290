// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"net/url"
	"strings"
)

// redactedParameter is what the semantic conventions of OpenTelemetry put for a parameter of url.query.
const redactedParameter = "REDACTED"

// harmlessParameters are those of the Kubernetes API that carry no contents of objects and no credentials.
var harmlessParameters = map[string]bool{
	"allowWatchBookmarks": true, "container": true, "dryRun": true, "fieldManager": true, "fieldSelector": true,
	"fieldValidation": true, "follow": true, "force": true, "gracePeriodSeconds": true,
	"includeObject": true, "includeUninitialized": true, "insecureSkipTLSVerifyBackend": true, "labelSelector": true,
	"limit": true, "limitBytes": true, "orphanDependents": true, "ports": true, "pretty": true, "previous": true,
	"propagationPolicy": true, "resourceVersion": true, "resourceVersionMatch": true, "sendInitialEvents": true,
	"sinceSeconds": true, "sinceTime": true, "stderr": true, "stdin": true, "stdout": true, "stream": true,
	"tailLines": true, "timeout": true, "timeoutSeconds": true, "timestamps": true, "tty": true, "watch": true,
}

// Query returns the query of a request with the values of harmless parameters only. Of the others, such as the command of
// exec, it shows that they were there, once each: command=REDACTED.
func (r *Redactor) Query(rawQuery string) string {
	var kept []string
	seen := make(map[string]bool)
	for parameter := range strings.SplitSeq(rawQuery, "&") {
		if parameter == "" {
			continue
		}
		text := cleanParameter(parameter)
		if strings.HasSuffix(text, redactedParameter) && seen[text] {
			continue
		}
		seen[text] = true
		kept = append(kept, text)
	}
	return strings.Join(kept, "&")
}

func cleanParameter(parameter string) string {
	rawName, rawValue, hasValue := strings.Cut(parameter, "=")
	name, err := url.QueryUnescape(rawName)
	switch {
	case err != nil || !isParameterName(name):
		return redactedParameter
	case !harmlessParameters[name] && hasValue:
		return name + "=" + redactedParameter
	case !harmlessParameters[name]:
		return redactedParameter // it may as well be a value
	case !hasValue:
		return name
	}
	value, err := url.QueryUnescape(rawValue)
	if err != nil {
		return name + "=" + redactedParameter
	}
	return name + "=" + url.QueryEscape(strings.ToValidUTF8(value, "\uFFFD"))
}

// maxParameterName is longer than the name of any parameter of the Kubernetes API.
const maxParameterName = 64

func isParameterName(name string) bool {
	for i := range len(name) {
		if !isWord(name[i]) && name[i] != '-' && name[i] != '.' {
			return false
		}
	}
	return name != "" && len(name) <= maxParameterName
}
