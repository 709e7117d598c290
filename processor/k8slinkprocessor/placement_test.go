// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
)

// TestPlacement: each row is what receivers tell, batch by batch, and the picture of all that comes out.
func TestPlacement(t *testing.T) {
	var (
		web   = deployment("web")
		rs    = replicaSet("web-1")
		a, b  = pod("web-1-a"), pod("web-1-b")
		job   = resource("batch/v1", "Job", "job", "uid-job")
		crons = resource("batch/v1", "CronJob", "cron", "uid-cron")
		none  = "[]"
	)
	inCluster := func(r objectspan.Resource, cluster string) objectspan.Resource {
		r.Cluster = cluster
		return r
	}
	withUID := func(r objectspan.Resource, uid string) objectspan.Resource {
		r.UID = uid
		return r
	}
	refs := func(owners ...objectspan.Resource) string {
		var list []identity.OwnerReference
		for _, o := range owners {
			list = append(list, reference(o))
		}
		return identity.FormatOwners(list)
	}

	for _, tt := range []struct {
		name    string
		config  func(*Config)
		batches []ptrace.Traces
		want    string
	}{
		{
			name: "a roll-out in one batch is one tree, whatever the order",
			batches: []ptrace.Traces{receive(
				told{on: b, name: "create b", owners: controlledBy(rs)},
				told{on: a, name: "create a", owners: controlledBy(rs)},
				told{on: rs, name: "create rs", owners: controlledBy(web)},
				told{on: web, name: "create web", owners: none},
			)},
			want: `
				deployments/web
				  create web
				  replicasets/web-1
				    create rs
				    pods/web-1-a
				      create a
				    pods/web-1-b
				      create b`,
		},
		{
			name: "owners are remembered from batch to batch",
			batches: []ptrace.Traces{
				receive(told{on: rs, name: "create rs", owners: controlledBy(web)}),
				receive(told{on: a, name: "create a", owners: controlledBy(rs)}),
				receive(told{on: a, name: "patch a"}),
			},
			want: `
				deployments/web
				  replicasets/web-1
				    create rs
				    pods/web-1-a
				      create a
				      patch a`,
		},
		{
			name: "an object of unknown owner is its own root until the owner is known",
			batches: []ptrace.Traces{
				receive(told{on: a, name: "early"}),
				receive(told{on: a, name: "late", owners: controlledBy(rs)}),
			},
			want: `
				pods/web-1-a
				  early

				replicasets/web-1
				  pods/web-1-a -> 712c91b3f5776a2fa2fa989b01276489/0d03e97be3811dde
				    late`,
		},
		{
			name: "a span goes into the window that it starts in",
			batches: []ptrace.Traces{receive(
				told{on: a, name: "before", at: noon.Add(-time.Nanosecond), owners: controlledBy(rs)},
				told{on: a, name: "after", at: noon},
			)},
			want: `
				replicasets/web-1
				  pods/web-1-a
				    after

				replicasets/web-1 11:30
				  pods/web-1-a 11:30
				    before`,
		},
		{
			name: "the controller owns, whatever other owners there are",
			batches: []ptrace.Traces{receive(told{on: a, name: "create", owners: identity.FormatOwners([]identity.OwnerReference{
				reference(job), {APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-1", Controller: true},
			})})},
			want: `
				replicasets/web-1
				  pods/web-1-a
				    create`,
		},
		{
			name:    "a single owner owns even if it is no controller",
			batches: []ptrace.Traces{receive(told{on: a, name: "create", owners: refs(job)})},
			want: `
				jobs/job
				  pods/web-1-a
				    create`,
		},
		{
			name:    "of several owners without a controller none owns",
			batches: []ptrace.Traces{receive(told{on: a, name: "create", owners: refs(job, rs)})},
			want: `
				pods/web-1-a
				  create`,
		},
		{
			name: "an object that lost its owner is a root again",
			batches: []ptrace.Traces{
				receive(told{on: a, name: "create", at: noon, owners: controlledBy(rs)}),
				receive(told{on: a, name: "orphan", at: noon.Add(time.Minute), owners: none}),
				receive(told{on: a, name: "patch", at: noon.Add(2 * time.Minute)}),
			},
			want: `
				pods/web-1-a
				  orphan
				  patch

				replicasets/web-1
				  pods/web-1-a
				    create`,
		},
		{
			name: "the newest span counts, not the last to arrive",
			batches: []ptrace.Traces{
				receive(told{on: a, name: "orphan", at: noon.Add(time.Minute), owners: none}),
				receive(told{on: a, name: "create", at: noon, owners: controlledBy(rs)}),
			},
			want: `
				pods/web-1-a
				  create
				  orphan`,
		},
		{
			name: "a new life does not inherit the owner of the old one, nor the other way round",
			batches: []ptrace.Traces{
				receive(told{on: withUID(a, "old"), name: "create", owners: controlledBy(job)}),
				receive(told{on: withUID(a, "new"), name: "patch new"}),
				receive(told{on: withUID(a, "new"), name: "create again", at: noon.Add(time.Hour), owners: controlledBy(rs)}),
				receive(told{on: withUID(a, "old"), name: "late news"}),
			},
			want: `
				jobs/job
				  pods/web-1-a
				    create
				    late news

				pods/web-1-a
				  patch new

				replicasets/web-1 13:00
				  pods/web-1-a 13:00
				    create again`,
		},
		{
			name: "without a UID the newest life is meant",
			batches: []ptrace.Traces{
				receive(
					told{on: withUID(a, "old"), name: "create", at: noon, owners: controlledBy(job)},
					told{on: withUID(a, "new"), name: "create again", at: noon.Add(time.Minute), owners: controlledBy(rs)},
				),
				receive(told{on: withUID(a, ""), name: "patch"}),
			},
			want: `
				jobs/job
				  pods/web-1-a
				    create

				replicasets/web-1
				  pods/web-1-a
				    create again
				    patch`,
		},
		{
			name: "an owner reference by UID does not take another life's owner",
			batches: []ptrace.Traces{receive(
				told{on: withUID(rs, "other"), name: "create rs", owners: controlledBy(web)},
				told{on: a, name: "create a", owners: controlledBy(rs)},
			)},
			want: `
				deployments/web
				  replicasets/web-1
				    create rs

				replicasets/web-1
				  pods/web-1-a
				    create a`,
		},
		{
			name: "a dry run teaches nothing",
			batches: []ptrace.Traces{receive(
				told{on: a, name: "would create", owners: controlledBy(rs), dryRun: true},
			)},
			want: `
				pods/web-1-a
				  would create`,
		},
		{
			name: "owner references that cannot be read are no knowledge",
			batches: []ptrace.Traces{receive(
				told{on: a, name: "create", owners: controlledBy(rs)},
				told{on: a, name: "garbage", owners: `[{"kind":`},
				told{on: b, name: "no kind", owners: `[{"name":"web-1"}]`},
			)},
			want: `
				pods/web-1-b
				  no kind

				replicasets/web-1
				  pods/web-1-a
				    create
				    garbage`,
		},
		{
			name: "clusters do not mix",
			batches: []ptrace.Traces{receive(
				told{on: rs, name: "create", owners: controlledBy(web)},
				told{on: inCluster(rs, "test"), name: "create there", owners: controlledBy(job)},
				told{on: a, name: "create a", owners: controlledBy(rs)},
				told{on: inCluster(a, "test"), name: "create a there", owners: controlledBy(rs)},
			)},
			want: `
				deployments/web
				  replicasets/web-1
				    create
				    pods/web-1-a
				      create a

				jobs/job of test
				  replicasets/web-1 of test
				    create there
				    pods/web-1-a of test
				      create a there`,
		},
		{
			name: "a custom owner is found by what other spans say of its type",
			batches: []ptrace.Traces{
				receive(told{on: a, name: "guessed", owners: controlledBy(resource("example.com/v1", "Bus", "b", "uid-b"))}),
				receive(told{on: objectspan.Resource{
					Object: identity.Object{Cluster: "prod", Group: "example.com", Resource: "omnibuses", Name: "other"},
					Kind:   "Bus", APIVersion: "example.com/v1",
				}, name: "create bus"}),
				receive(told{on: a, name: "learned"}),
			},
			want: `
				buses/b
				  pods/web-1-a
				    guessed

				omnibuses/b
				  pods/web-1-a
				    learned

				omnibuses/other
				  create bus`,
		},
		{
			name: "the owner of a namespaced object may be cluster-scoped",
			batches: []ptrace.Traces{receive(
				told{on: a, name: "create", owners: controlledBy(resource("v1", "Node", "n1", "uid-n1"))},
				told{on: resource("v1", "Node", "n1", "uid-n1"), name: "create node", owners: none},
			)},
			want: `
				nodes/n1
				  create node
				  pods/web-1-a
				    create`,
		},
		{
			name: "who owns himself is a root",
			batches: []ptrace.Traces{receive(
				told{on: a, name: "create", owners: controlledBy(a)},
			)},
			want: `
				pods/web-1-a
				  create`,
		},
		{
			name: "a chain ends at the limit",
			config: func(c *Config) {
				c.MaxDepth = 2
			},
			batches: []ptrace.Traces{receive(
				told{on: web, name: "create web", owners: none},
				told{on: rs, name: "create rs", owners: controlledBy(web)},
				told{on: a, name: "create a", owners: controlledBy(rs)},
			)},
			want: `
				deployments/web
				  create web
				  replicasets/web-1
				    create rs

				replicasets/web-1
				  pods/web-1-a
				    create a`,
		},
		{
			name: "two lives in one trace have one object span: under the owner of the later one",
			batches: []ptrace.Traces{receive(
				told{on: withUID(a, "new"), name: "create again", at: noon.Add(time.Minute), owners: controlledBy(replicaSet("web-2"))},
				told{on: withUID(a, "old"), name: "create", at: noon, owners: controlledBy(rs)},
				told{on: replicaSet("web-2"), name: "create rs 2", owners: controlledBy(web)},
				told{on: rs, name: "create rs 1", owners: controlledBy(web)},
			)},
			want: `
				deployments/web
				  replicasets/web-1
				    create rs 1
				  replicasets/web-2
				    create rs 2
				    pods/web-1-a
				      create
				      create again`,
		},
		{
			name: "a collection has no owner",
			batches: []ptrace.Traces{receive(
				told{on: resource("v1", "Pod", "", ""), name: "deletecollection"},
				told{on: resource("batch/v1", "Job", "job", "uid-job"), name: "create", owners: controlledBy(crons)},
			)},
			want: `
				cronjobs/cron
				  jobs/job
				    create

				pods/*
				  deletecollection`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config == nil {
				tt.config = func(*Config) {}
			}
			e := newTestEngine(t, tt.config)
			for _, td := range tt.batches {
				run(e, td)
			}
			assert.Equal(t, trimPicture(tt.want), picture(tt.batches...))
		})
	}
}

// TestCycleHasOneRoot: whichever object of a circle, or that leads into it, is seen first, alone or with the others.
func TestCycleHasOneRoot(t *testing.T) {
	a, b, c, tail := pod("a"), pod("b"), pod("c"), pod("tail")
	spans := []told{
		{on: a, name: "on a", owners: controlledBy(b), at: noon},
		{on: b, name: "on b", owners: controlledBy(c), at: noon},
		{on: c, name: "on c", owners: controlledBy(a), at: noon},
		{on: tail, name: "on tail", owners: controlledBy(a), at: noon},
	}
	// The smallest object id of the three is the root.
	want := trimPicture(`
		pods/a
		  on a
		  pods/c
		    on c
		    pods/b
		      on b
		  pods/tail
		    on tail`)
	if id := identity.ObjectID; id(a.Object).String() > id(b.Object).String() || id(a.Object).String() > id(c.Object).String() {
		t.Fatal("the picture is drawn for another object")
	}
	assert.Equal(t, want, picture(run(newTestEngine(t), receive(spans...))))

	for first := range spans {
		e := newTestEngine(t)
		for i := range spans {
			run(e, receive(spans[(first+i)%len(spans)]))
		}
		again := make([]ptrace.Traces, len(spans))
		for i := range spans {
			again[i] = run(e, receive(spans[i]))
		}
		again = append(again, run(newTestEngine(t), receive(spans...)))
		assert.Equal(t, want, picture(again...), "first %s", spans[first].name)
	}
}

// trimPicture takes the indentation of the source off.
func trimPicture(s string) string {
	s = strings.TrimPrefix(s, "\n")
	indent := s[:len(s)-len(strings.TrimLeft(s, "\t"))]
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n") + "\n"
}
