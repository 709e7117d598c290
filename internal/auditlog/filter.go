// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"

import (
	"strconv"

	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
	"github.com/kelemetry/kelemetry/internal/glob"
	"github.com/kelemetry/kelemetry/internal/identity"
)

// verbConnect stands for all verbs of a connection into a Pod, Service or Node.
const verbConnect = "connect"

// connects are the subresources that open connections.
var connects = map[string]bool{"exec": true, "attach": true, "portforward": true, "proxy": true}

// Reason says why an event becomes no span; empty when it does.
type Reason string

const (
	keep              Reason = ""
	reasonStage       Reason = "stage"
	reasonVerb        Reason = "verb"
	reasonExcluded    Reason = "excluded"
	reasonNotIncluded Reason = "not_included"
	reasonNoObject    Reason = "no_object"
)

// filter is a compiled FilterConfig. It is immutable.
type filter struct {
	stages, verbs    glob.Patterns
	include, exclude []rule
}

func newFilter(c FilterConfig) *filter {
	return &filter{
		stages: glob.Compile(c.Stages), verbs: glob.Compile(c.Verbs),
		include: compileRules(c.Include), exclude: compileRules(c.Exclude),
	}
}

// checkRequest asks what the request alone answers.
func (f *filter) checkRequest(e *auditevent.Event) Reason {
	switch {
	case !f.stages.Match(e.Strings.Of(e.Stage)):
		return reasonStage
	case !f.verbs.Match(verbClass(e)):
		return reasonVerb
	}
	return keep
}

// checkObject asks what needs to know the object. One without resource is none.
func (f *filter) checkObject(e *auditevent.Event, object identity.Object) Reason {
	name := object.GroupResource()
	switch {
	case object.Resource == "":
		return reasonNoObject
	case matchAny(f.exclude, e, object, name):
		return reasonExcluded
	case len(f.include) > 0 && !matchAny(f.include, e, object, name):
		return reasonNotIncluded
	}
	return keep
}

// verbClass is the verb, or "connect" for connections.
func verbClass(e *auditevent.Event) string {
	if connects[string(e.Ref.Subresource)] {
		return verbConnect
	}
	return e.Strings.Of(e.Verb)
}

// rule is a compiled RuleConfig.
type rule struct {
	clusters, resources, namespaces, names, verbs, users, userAgents, statusCodes glob.Patterns
}

func compileRules(configs []RuleConfig) []rule {
	rules := make([]rule, 0, len(configs))
	for _, c := range configs {
		rules = append(rules, rule{
			clusters: glob.Compile(c.Clusters), resources: glob.Compile(c.Resources),
			namespaces: glob.Compile(c.Namespaces), names: glob.Compile(c.Names),
			verbs: glob.Compile(c.Verbs), users: glob.Compile(c.Users),
			userAgents: glob.Compile(c.UserAgents), statusCodes: glob.Compile(c.StatusCodes),
		})
	}
	return rules
}

func matchAny(rules []rule, e *auditevent.Event, object identity.Object, resource string) bool {
	for i := range rules {
		if rules[i].match(e, object, resource) {
			return true
		}
	}
	return false
}

func (r *rule) match(e *auditevent.Event, object identity.Object, resource string) bool {
	return r.clusters.Allows(object.Cluster) &&
		r.matchResource(e, resource) &&
		r.namespaces.Allows(object.Namespace) &&
		r.names.Allows(object.Name) &&
		(r.verbs == nil || r.verbs.Match(verbClass(e))) &&
		(r.users == nil || r.users.Match(string(actor(e).Name))) &&
		(r.userAgents == nil || r.userAgents.Match(string(e.UserAgent))) &&
		(r.statusCodes == nil || r.statusCodes.Match(strconv.FormatInt(e.Status.Code, 10)))
}

// matchResource compares with "resource.group" and, where an entry has a slash, with "resource.group/subresource".
func (r *rule) matchResource(e *auditevent.Event, name string) bool {
	if r.resources == nil {
		return true
	}
	return r.resources.Match(name) ||
		len(e.Ref.Subresource) > 0 && r.resources.Match(name+"/"+string(e.Ref.Subresource))
}
