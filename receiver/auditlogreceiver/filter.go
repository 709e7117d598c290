// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlogreceiver // import "github.com/kelemetry/kelemetry/receiver/auditlogreceiver"

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/receiver/auditlogreceiver/internal/auditevent"
)

// verbConnect stands for all verbs of a connection into a Pod, Service or Node.
const verbConnect = "connect"

// connects are the subresources that open connections.
var connects = map[string]bool{"exec": true, "attach": true, "portforward": true, "proxy": true}

// reason says why an event becomes no span; empty when it does.
type reason string

const (
	keep              reason = ""
	reasonStage       reason = "stage"
	reasonVerb        reason = "verb"
	reasonExcluded    reason = "excluded"
	reasonNotIncluded reason = "not_included"
	reasonNoObject    reason = "no_object"
)

// filter is a compiled FilterConfig. It is immutable.
type filter struct {
	stages, verbs    patterns
	include, exclude []rule
}

func newFilter(c FilterConfig) *filter {
	return &filter{
		stages: compilePatterns(c.Stages), verbs: compilePatterns(c.Verbs),
		include: compileRules(c.Include), exclude: compileRules(c.Exclude),
	}
}

// checkRequest asks what the request alone answers.
func (f *filter) checkRequest(e *auditevent.Event) reason {
	switch {
	case !f.stages.match(string(e.Stage)):
		return reasonStage
	case !f.verbs.match(verbClass(e)):
		return reasonVerb
	}
	return keep
}

// checkObject asks what needs to know the object. One without resource is none.
func (f *filter) checkObject(e *auditevent.Event, object identity.Object) reason {
	switch {
	case object.Resource == "":
		return reasonNoObject
	case matchAny(f.exclude, e, object):
		return reasonExcluded
	case len(f.include) > 0 && !matchAny(f.include, e, object):
		return reasonNotIncluded
	}
	return keep
}

// verbClass is the verb, or "connect" for connections.
func verbClass(e *auditevent.Event) string {
	if connects[string(e.Ref.Subresource)] {
		return verbConnect
	}
	return string(e.Verb)
}

// rule is a compiled RuleConfig.
type rule struct {
	clusters, resources, namespaces, names, verbs, users, userAgents, statusCodes patterns
}

func compileRules(configs []RuleConfig) []rule {
	rules := make([]rule, 0, len(configs))
	for _, c := range configs {
		rules = append(rules, rule{
			clusters: compilePatterns(c.Clusters), resources: compilePatterns(c.Resources),
			namespaces: compilePatterns(c.Namespaces), names: compilePatterns(c.Names),
			verbs: compilePatterns(c.Verbs), users: compilePatterns(c.Users),
			userAgents: compilePatterns(c.UserAgents), statusCodes: compilePatterns(c.StatusCodes),
		})
	}
	return rules
}

func matchAny(rules []rule, e *auditevent.Event, object identity.Object) bool {
	for i := range rules {
		if rules[i].match(e, object) {
			return true
		}
	}
	return false
}

func (r *rule) match(e *auditevent.Event, object identity.Object) bool {
	return r.clusters.allows(object.Cluster) &&
		r.matchResource(e, object) &&
		r.namespaces.allows(object.Namespace) &&
		r.names.allows(object.Name) &&
		(r.verbs == nil || r.verbs.match(verbClass(e))) &&
		(r.users == nil || r.users.match(string(actor(e).Name))) &&
		(r.userAgents == nil || r.userAgents.match(string(e.UserAgent))) &&
		(r.statusCodes == nil || r.statusCodes.match(strconv.FormatInt(e.Status.Code, 10)))
}

// matchResource compares with "resource.group" and, where an entry has a slash, with "resource.group/subresource".
func (r *rule) matchResource(e *auditevent.Event, object identity.Object) bool {
	if r.resources == nil {
		return true
	}
	name := object.GroupResource()
	return r.resources.match(name) ||
		len(e.Ref.Subresource) > 0 && r.resources.match(name+"/"+string(e.Ref.Subresource))
}

// patterns is a list of which one must match; nil is no condition.
type patterns []pattern

// pattern is an exact text, or an expression when the text has a *.
type pattern struct {
	exact string
	glob  *regexp.Regexp
}

func compilePatterns(texts []string) patterns {
	if len(texts) == 0 {
		return nil
	}
	compiled := make(patterns, 0, len(texts))
	for _, text := range texts {
		if !strings.Contains(text, "*") {
			compiled = append(compiled, pattern{exact: text})
			continue
		}
		expression := strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`)
		compiled = append(compiled, pattern{glob: regexp.MustCompile(`(?s)\A` + expression + `\z`)})
	}
	return compiled
}

func (p patterns) allows(text string) bool { return p == nil || p.match(text) }

func (p patterns) match(text string) bool {
	for i := range p {
		if p[i].glob != nil && p[i].glob.MatchString(text) || p[i].glob == nil && p[i].exact == text {
			return true
		}
	}
	return false
}
