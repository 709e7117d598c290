// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kelemetry/kelemetry/internal/auditlog/auditevent"
)

// request describes an audit event by what filters look at.
type request struct {
	stage, verb, group, resource, subresource, namespace, name, user, agent string
	code                                                                    int64
}

func (r request) event() *auditevent.Event {
	if r.stage == "" {
		r.stage = auditevent.StageResponseComplete
	}
	return &auditevent.Event{
		Stage: []byte(r.stage), Verb: []byte(r.verb), UserAgent: []byte(r.agent),
		User:   auditevent.User{Name: []byte(r.user)},
		Status: auditevent.Status{Code: r.code},
		Ref: auditevent.ObjectRef{
			Group: []byte(r.group), Resource: []byte(r.resource), Subresource: []byte(r.subresource),
			Namespace: []byte(r.namespace), Name: []byte(r.name),
		},
	}
}

func (r request) check(c FilterConfig) Reason {
	f, e := newFilter(c), r.event()
	if why := f.checkRequest(e); why != keep {
		return why
	}
	return f.checkObject(e, subjectOf(e, "prod").Object)
}

func TestDefaultFilterKeepsWritesAndConnections(t *testing.T) {
	for _, tt := range []struct {
		request
		want Reason
	}{
		{request{verb: "create", resource: "pods"}, keep},
		{request{verb: "update", group: "apps", resource: "deployments", subresource: "status"}, keep},
		{request{verb: "patch", resource: "nodes"}, keep},
		{request{verb: "delete", resource: "pods"}, keep},
		{request{verb: "deletecollection", resource: "pods"}, keep},
		{request{verb: "create", resource: "pods", stage: "Panic"}, keep},
		{request{verb: "create", resource: "pods", subresource: "exec"}, keep},
		{request{verb: "get", resource: "pods", subresource: "exec"}, keep},
		{request{verb: "get", resource: "pods", subresource: "attach"}, keep},
		{request{verb: "get", resource: "pods", subresource: "portforward"}, keep},
		{request{verb: "get", resource: "services", subresource: "proxy"}, keep},

		{request{verb: "get", resource: "pods"}, reasonVerb},
		{request{verb: "get", resource: "pods", subresource: "log"}, reasonVerb},
		{request{verb: "list", resource: "pods"}, reasonVerb},
		{request{verb: "watch", resource: "pods"}, reasonVerb},
		{request{verb: "create", resource: "pods", stage: "RequestReceived"}, reasonStage},
		{request{verb: "create", resource: "pods", stage: "ResponseStarted"}, reasonStage},
		{request{verb: "create", resource: "events"}, reasonExcluded},
		{request{verb: "patch", group: "events.k8s.io", resource: "events"}, reasonExcluded},
		{request{verb: "update", group: "coordination.k8s.io", resource: "leases"}, reasonExcluded},
		{request{verb: "create", group: "authentication.k8s.io", resource: "tokenreviews"}, reasonExcluded},
		{request{verb: "create", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews"}, reasonExcluded},
		{request{verb: "create", group: "rbac.authorization.k8s.io", resource: "clusterroles"}, keep},
		{request{verb: "create"}, reasonNoObject},
	} {
		assert.Equal(t, tt.want, tt.check(defaultFilterConfig()), "%+v", tt.request)
	}
}

func TestRuleMatchesWhenEachOfItsListsDoes(t *testing.T) {
	patch := request{
		verb: "patch", group: "apps", resource: "deployments", subresource: "status", namespace: "team-a", name: "web-1",
		user: "system:node:n1", agent: "kubelet/v1.37 (linux/amd64)", code: 409,
	}
	for name, tt := range map[string]struct {
		rule RuleConfig
		want bool
	}{
		"empty matches all":             {RuleConfig{}, true},
		"exact":                         {RuleConfig{Names: []string{"web-1"}}, true},
		"glob":                          {RuleConfig{Users: []string{"system:node:*"}, UserAgents: []string{"kubelet/*"}}, true},
		"glob in the middle":            {RuleConfig{Namespaces: []string{"t*-a"}}, true},
		"dots are not wild":             {RuleConfig{Resources: []string{"deploymentsXapps"}}, false},
		"resource":                      {RuleConfig{Resources: []string{"deployments.apps"}}, true},
		"resource without group":        {RuleConfig{Resources: []string{"deployments"}}, false},
		"subresource":                   {RuleConfig{Resources: []string{"deployments.apps/status"}}, true},
		"another subresource":           {RuleConfig{Resources: []string{"deployments.apps/scale"}}, false},
		"group by glob":                 {RuleConfig{Resources: []string{"*.apps"}}, true},
		"one of several":                {RuleConfig{StatusCodes: []string{"5*", "409"}}, true},
		"all lists must match":          {RuleConfig{Names: []string{"web-1"}, Verbs: []string{"create"}}, false},
		"cluster":                       {RuleConfig{Clusters: []string{"prod"}}, true},
		"another cluster":               {RuleConfig{Clusters: []string{"staging"}}, false},
		"connect is not any other verb": {RuleConfig{Verbs: []string{"connect"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			config := defaultFilterConfig()
			config.Exclude = []RuleConfig{tt.rule}
			assert.Equal(t, tt.want, patch.check(config) == reasonExcluded)

			config.Exclude, config.Include = nil, []RuleConfig{tt.rule}
			assert.Equal(t, tt.want, patch.check(config) == keep)
		})
	}
}

func TestImpersonatedUserIsTheOneThatRulesSee(t *testing.T) {
	e := request{verb: "create", resource: "pods", user: "admin"}.event()
	e.Impersonated.Name = []byte("alice")
	config := defaultFilterConfig()
	config.Include = []RuleConfig{{Users: []string{"alice"}}}
	assert.Equal(t, keep, newFilter(config).checkObject(e, subjectOf(e, "prod").Object))
}
