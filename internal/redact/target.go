// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"regexp"
	"strings"
)

// Target is what a request concerns.
type Target struct {
	// Group is empty for the core group.
	Group, Version string
	// Resource is the lower-case plural.
	Resource, Subresource string
	// Namespace is empty for cluster-scoped objects, Name for collections and where it is not known yet.
	Namespace, Name string
	// Sensitive redacts everything but metadata. It is for callers that know more than one body shows, see
	// [Redactor.Labeled].
	Sensitive bool
}

// DropsBody reports whether request and response bodies must not leave at all. If one is given to AppendObject
// nevertheless, only its metadata survives.
func (r *Redactor) DropsBody(t Target) bool {
	return r.rules.tokens && isTokenOrReview(t) || matchesAny(r.dropBodies, t)
}

// isTokenOrReview also covers types of others that are tokens by their name, such as tokens.management.cattle.io, because
// in those the token is a plain field.
func isTokenOrReview(t Target) bool {
	switch t.Group {
	case "authentication.k8s.io", "authorization.k8s.io", "oauth.openshift.io":
		return true
	case "imagepolicy.k8s.io":
		return t.Resource == "imagereviews"
	case "certificates.k8s.io":
		return t.Resource == "certificatesigningrequests"
	case "":
		return t.Resource == "serviceaccounts" && t.Subresource == "token"
	default:
		return strings.HasSuffix(t.Resource, "tokens") || strings.HasSuffix(t.Resource, "tokenrequests") ||
			strings.HasSuffix(t.Resource, "accessreviews")
	}
}

// root returns what the body of a target is taken for.
func (r *Redactor) root(t Target) place {
	switch {
	case t.Sensitive || matchesAny(r.objects, t) || r.DropsBody(t):
		return closedObject
	case r.rules.secrets && t.Group == "" && t.Resource == "secrets":
		return secretObject
	case r.rules.configMaps && t.Group == "" && t.Resource == "configmaps":
		return configMapObject
	default:
		return object
	}
}

// rulesOf returns the rules for the body of a target. A schema has keys such as env and args, but no containers.
func (r *Redactor) rulesOf(t Target) *rules {
	if t.Group == "apiextensions.k8s.io" && t.Resource == "customresourcedefinitions" {
		return &r.schemaRules
	}
	return &r.rules
}

// quotesSecrets reports whether an error message about a target may quote a redacted value: the API server quotes the
// values that it refuses.
func (r *Redactor) quotesSecrets(t Target) bool {
	return r.root(t) != object || len(r.paths.of(t)) > 0
}

// matchesAny is given the target of a request, or that with the name that its body shows.
func matchesAny(expressions []*regexp.Regexp, t Target) bool {
	if len(expressions) == 0 {
		return false
	}
	key := strings.Join([]string{t.Group, t.Version, t.Resource, t.Namespace, t.Name}, "/")
	for _, re := range expressions {
		if re.MatchString(key) {
			return true
		}
	}
	return false
}
