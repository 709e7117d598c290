// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/objectspan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
)

func podOn(node string) string {
	return fmt.Sprintf(`{"metadata": {"name": "a"}, "spec": {"nodeName": %q}}`, node)
}

var nodeLink = []string{
	"nodes/n1 (below nodes/n1) node < pods/a (below deployments/web)",
	"pods/a (below deployments/web) node > nodes/n1 (below nodes/n1)",
}

// TestAPodIsLinkedToItsNode whatever tells of the Node, in both directions and in the place of both.
func TestAPodIsLinkedToItsNode(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("web-1"), pod("a")
	owners := []shown{
		{told: told{on: web, name: "create", owners: "[]"}},
		{told: told{on: rs, name: "create", owners: controlledBy(web)}},
	}
	unbound := shown{told: told{on: a, name: "create", owners: controlledBy(rs)}, snapshot: `{"metadata": {"name": "a"}, "spec": {}}`, version: "1"}
	at := func(s shown, after time.Duration) shown {
		s.at = noon.Add(after)
		return s
	}
	binding := at(shown{told: told{on: a, name: "binding"}, node: "n1"}, time.Minute)
	diff := at(shown{told: told{on: a, name: "updated"}, diff: map[string]string{"spec.nodeName": `null -> "n1"`, "kelemetry.diff.cut": "3"}}, time.Minute)
	for name, spans := range map[string][]shown{
		"a snapshot":            {{told: told{on: a, name: "create", owners: controlledBy(rs)}, snapshot: podOn("n1"), version: "1"}},
		"a Binding":             {unbound, binding},
		"a Binding, first":      {binding, unbound},
		"a diff":                {unbound, diff},
		"a diff, first":         {diff, unbound},
		"a Binding alone":       {binding, {told: told{on: a, name: "other", owners: controlledBy(rs)}}},
		"a diff alone":          {diff, {told: told{on: a, name: "other", owners: controlledBy(rs)}}},
		"a newer snapshot":      {diff, at(shown{told: told{on: a, name: "d", owners: controlledBy(rs)}, snapshot: podOn("n1"), version: "9"}, time.Hour-31*time.Minute)},
		"the failed is ignored": {unbound, diff, at(shown{told: told{on: a, name: "x"}, node: "n2", failed: true}, 2*time.Minute)},
		"a dry run is ignored":  {unbound, diff, at(shown{told: told{on: a, name: "x", dryRun: true}, snapshot: podOn("n2")}, 2*time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			all := slices.Concat(owners, spans)
			assert.Equal(t, nodeLink, linkPicture(t, run(newTestEngine(t), show(all...))), "in one batch")
			e := newTestEngine(t)
			var batches []ptrace.Traces
			for i, s := range all {
				if s.at.IsZero() {
					s.at = noon.Add(time.Duration(i) * time.Second)
				}
				batches = append(batches, run(e, show(s)))
			}
			batches = append(batches, run(e, show(shown{told: told{on: a, name: "later", at: noon.Add(29 * time.Minute)}})))
			got := linkPicture(t, batches...)
			for _, want := range nodeLink {
				assert.Contains(t, got, want, "in a batch each")
			}
		})
	}
}

// TestLinksAreSentOncePerWindow, and again in the next window in which the object has spans.
func TestLinksAreSentOncePerWindow(t *testing.T) {
	e := newTestEngine(t)
	count := func(td ptrace.Traces) (n int) {
		for _, s := range flatten(td) {
			if s.spanType() == attr.SpanTypeLink {
				n++
			}
		}
		return n
	}
	a := pod("a")
	assert.Equal(t, 2, count(run(e, show(shown{told: told{on: a, name: "create", owners: "[]"}, snapshot: podOn("n1")}))))
	assert.Equal(t, 0, count(run(e, receive(told{on: a, name: "patch"}, told{on: a, name: "patch again"}))))
	later := told{on: a, name: "later", at: noon.Add(time.Hour)}
	refused := clone(receive(later))
	attempt(e, refused)
	assert.Equal(t, 2, count(refused))
	assert.Equal(t, 2, count(run(e, receive(later))), "a batch that was refused counts as never sent")
	assert.Equal(t, 0, count(run(e, receive(later))))
	assert.Equal(t, 0, count(run(e, receive(told{on: resource("v1", "Node", "n1", "u"), name: "other side", at: noon.Add(2 * time.Hour)}))),
		"only activity of the object that names the other one shows the link")
}

// TestLinksFollowTheirEnds: when the owner of a target becomes known, the link leads there under the same ID.
func TestLinksFollowTheirEnds(t *testing.T) {
	e := newTestEngine(t)
	hpa := resource("autoscaling/v2", "HorizontalPodAutoscaler", "web", "u")
	snapshot := `{"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}`
	first := run(e, show(shown{told: told{on: hpa, name: "create", owners: "[]"}, snapshot: snapshot}))
	assert.Equal(t, []string{
		"deployments/web (below deployments/web) scales < horizontalpodautoscalers/web (below horizontalpodautoscalers/web)",
		"horizontalpodautoscalers/web (below horizontalpodautoscalers/web) scales > deployments/web (below deployments/web)",
	}, linkPicture(t, first))
	app := resource("example.com/v1", "App", "shop", "u")
	owned := run(e, receive(told{on: deployment("web"), name: "create", owners: controlledBy(app)}))
	second := run(e, receive(told{on: hpa, name: "patch", at: noon.Add(time.Minute)}))
	assert.Contains(t, linkPicture(t, first, owned, second),
		"horizontalpodautoscalers/web (below horizontalpodautoscalers/web) scales > deployments/web (below apps/shop)")
}

// TestParentsPlace: what a link places is under its target, with all that it owns, unless it has an owner.
func TestParentsPlace(t *testing.T) {
	place := func(c *Config) { c.Links.PlaceParents = true }
	annotated := func(on objectspan.Resource, parent, owners string) shown {
		value, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
			"kelemetry.kubewharf.io/parent-link": parent,
		}}})
		require.NoError(t, err)
		return shown{told: told{on: on, name: "create " + on.Name, owners: owners}, snapshot: string(value)}
	}
	web, rs, app := deployment("web"), replicaSet("web-1"), resource("example.com/v1", "App", "shop", "u")
	toApp := `{"group": "example.com", "version": "v1", "resource": "apps", "namespace": "default", "name": "shop"}`
	toWeb := `{"group": "apps", "version": "v1", "resource": "deployments", "namespace": "default", "name": "web"}`
	roots := func(batches ...ptrace.Traces) map[string]bool {
		set := map[string]bool{}
		for _, s := range flatten(batches...) {
			if s.spanType() == attr.SpanTypeObject && s.ParentSpanID().IsEmpty() {
				set[s.Name()] = true
			}
		}
		return set
	}

	e := newTestEngine(t, place)
	first := run(e, show(annotated(web, toApp, "[]"), shown{told: told{on: rs, name: "create", owners: controlledBy(web)}}))
	assert.Equal(t, map[string]bool{"apps/shop": true}, roots(first))
	assert.Equal(t, []string{
		"apps/shop (below apps/shop) child < deployments/web (below apps/shop)",
		"deployments/web (below apps/shop) parent > apps/shop (below apps/shop)",
	}, linkPicture(t, first))
	alone := run(e, receive(told{on: pod("a"), name: "create", owners: controlledBy(rs)}))
	assert.NotContains(t, picture(first, alone), "(lost)")
	assert.Equal(t, map[string]bool{"apps/shop": true}, roots(first, alone), "an ancestor that is not in the batch is placed too")

	assert.Equal(t, map[string]bool{"deployments/web": true, "apps/shop": true},
		roots(run(newTestEngine(t), show(annotated(web, toApp, "[]")))), "only when the user says so")
	assert.Equal(t, map[string]bool{"deployments/web": true, "apps/shop": true},
		roots(run(newTestEngine(t, place), show(annotated(rs, toApp, controlledBy(web))))), "not when there is an owner")

	circle := run(newTestEngine(t, place), show(annotated(web, toApp, "[]"), annotated(app, toWeb, "[]")))
	assert.Len(t, roots(circle), 1, "a circle has one root")
	assert.NotContains(t, picture(circle), "(lost)")
}

func TestObjectSpansCarryTagsAndTraceContexts(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	e := newTestEngine(t)
	a := pod("a")
	content := `{"metadata": {"annotations": {"tracing.k8s.io/traceparent": "` + parent + `"}}, "spec": {"nodeName": "n1"}}`
	for name, td := range map[string]ptrace.Traces{
		"with the content": run(e, show(shown{told: told{on: a, name: "create", owners: "[]"}, snapshot: content})),
		"and later":        run(e, receive(told{on: a, name: "later", at: noon.Add(time.Hour)})),
	} {
		object := objectSpanOf(t, td, "pods/a")
		assert.Equal(t, "n1", text(object.Attributes(), attr.NodeName), name)
		assert.Equal(t, parent, text(object.Attributes(), attr.TraceContextPrefix+"tracing.k8s.io/traceparent"), name)
		require.Equal(t, 1, object.Links().Len(), name)
		assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", object.Links().At(0).TraceID().String(), name)
		assert.Equal(t, "b7ad6b7169203331", object.Links().At(0).SpanID().String(), name)
	}

	known := run(e, receive(told{on: a, name: "even later", at: noon.Add(2 * time.Hour)}))
	second := newTestEngine(t)
	assert.Equal(t, "n1", text(objectSpanOf(t, run(second, clone(known)), "pods/a").Attributes(), attr.NodeName),
		"a k8slink behind another one keeps what it does not know")

	run(second, show(shown{told: told{on: pod("b"), name: "create", owners: "[]"}, snapshot: `{"spec": {}}`, version: "1"}))
	bound := run(second, show(shown{told: told{on: pod("b"), name: "bind", at: noon.Add(time.Minute)}, node: "n2"}))
	assert.Equal(t, "n2", text(objectSpanOf(t, bound, "pods/b").Attributes(), attr.NodeName), "an object span comes again with a new tag")
}

func objectSpanOf(t *testing.T, td ptrace.Traces, name string) flatSpan {
	t.Helper()
	for _, s := range flatten(td) {
		if s.spanType() == attr.SpanTypeObject && s.Name() == name {
			return s
		}
	}
	t.Fatalf("no object span %s", name)
	return flatSpan{}
}

// TestTheLinkOfAnEventLeadsToItsSecondObject, where that really is.
func TestTheLinkOfAnEventLeadsToItsSecondObject(t *testing.T) {
	web, rs := deployment("web"), replicaSet("web-1")
	event := func() ptrace.Traces {
		batch := objectspan.NewBatch(window, "receiver", "")
		span := batch.Append(web, attr.SpanTypeEvent, noon.Add(time.Minute), noon.Add(time.Minute))
		span.SetSpanID(identity.EventSpanID(span.TraceID(), "e", 1))
		attrs := span.Attributes()
		attrs.PutStr(attr.RelatedID, identity.ObjectID(rs.Object).String())
		attrs.PutStr(attr.RelatedGroup, rs.Group)
		attrs.PutStr(attr.RelatedResource, rs.Object.Resource)
		attrs.PutStr(attr.RelatedNamespace, rs.Namespace)
		attrs.PutStr(attr.RelatedName, rs.Name)
		attrs.PutStr(attr.RelatedUID, rs.UID)
		link := span.Links().AppendEmpty()
		link.SetTraceID(identity.TraceID(rs.Object, noon))
		link.SetSpanID(identity.ObjectSpanID(link.TraceID(), identity.ObjectID(rs.Object)))
		return batch.Traces()
	}
	linkOf := func(td ptrace.Traces) ptrace.SpanLink {
		for _, s := range flatten(td) {
			if s.spanType() == attr.SpanTypeEvent {
				return s.Links().At(0)
			}
		}
		t.Fatal("no event")
		return ptrace.SpanLink{}
	}
	own := identity.TraceID(rs.Object, noon)
	assert.Equal(t, own, linkOf(run(newTestEngine(t), event())).TraceID(), "whose owner is not known")

	e := newTestEngine(t)
	run(e, receive(told{on: web, name: "create", owners: "[]"}, told{on: rs, name: "create", owners: controlledBy(web)}))
	led := linkOf(run(e, event()))
	want := identity.TraceID(web.Object, noon)
	assert.Equal(t, want, led.TraceID())
	assert.Equal(t, identity.ObjectSpanID(want, identity.ObjectID(rs.Object)), led.SpanID())

	placed := run(e, event())
	assert.Equal(t, want, linkOf(run(newTestEngine(t), placed)).TraceID(), "a k8slink that knows nothing does not undo it")
}

// TestLinkSpansPassAnotherProcessor: a second k8slink, which knows other owners or none, leaves one span of each link.
func TestLinkSpansPassAnotherProcessor(t *testing.T) {
	web, rs, a := deployment("web"), replicaSet("web-1"), pod("a")
	knows := newTestEngine(t)
	out := run(knows, show(
		shown{told: told{on: web, name: "create", owners: "[]"}},
		shown{told: told{on: rs, name: "create", owners: controlledBy(web)}},
		shown{told: told{on: a, name: "create", owners: controlledBy(rs)}, snapshot: podOn("n1")},
	))
	assert.Equal(t, nodeLink, linkPicture(t, run(newTestEngine(t), clone(out))), "a new one")
	assert.Equal(t, nodeLink, linkPicture(t, run(knows, clone(out)), out), "one that knows")

	lone := run(newTestEngine(t), show(shown{told: told{on: a, name: "create"}, snapshot: podOn("n1")}))
	later := newTestEngine(t)
	run(later, receive(told{on: web, name: "create", owners: "[]"}, told{on: rs, name: "create", owners: controlledBy(web)},
		told{on: a, name: "get", owners: controlledBy(rs)}))
	assert.Contains(t, linkPicture(t, run(later, lone), out), nodeLink[1], "one that knows better")
}

// TestLinksDoNotDependOnOrder: random contents and changes of some Pods, in any order and in any batches, end in the same.
func TestLinksDoNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		var spans []shown
		for i := range 3 {
			on := pod(fmt.Sprint("p", i))
			for n := range 1 + r.IntN(5) {
				s := shown{told: told{on: on, name: fmt.Sprint(n), at: noon.Add(time.Duration(n) * time.Second)}, version: fmt.Sprint(n)}
				switch r.IntN(4) {
				case 0:
					s.snapshot = fmt.Sprintf(`{"spec": {"nodeName": "n%d", "volumes": [{"persistentVolumeClaim": {"claimName": "c%d"}}]}}`, r.IntN(3), r.IntN(3))
				case 1:
					s.diff = map[string]string{"spec.nodeName": fmt.Sprintf(`null -> "n%d"`, r.IntN(3)), "status.phase": `null -> "Running"`}
				case 2:
					s.diff = map[string]string{"spec.volumes": fmt.Sprintf(`null -> [{"persistentVolumeClaim":{"claimName":"c%d"}}]`, r.IntN(3))}
				case 3:
					s.node = fmt.Sprint("n", r.IntN(3))
				}
				spans = append(spans, s)
			}
		}
		var first []string
		for range 4 {
			r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
			e := newTestEngine(t)
			for rest := spans; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				run(e, show(rest[:n]...))
				rest = rest[n:]
			}
			var last []told
			for i := range 3 {
				last = append(last, told{on: pod(fmt.Sprint("p", i)), name: "last", at: noon.Add(time.Hour)})
			}
			got := linkPicture(t, run(e, receive(last...)))
			if first == nil {
				first = append([]string{""}, got...)
			}
			require.Equal(t, first[1:], append([]string{}, got...))
		}
	}
}

func TestLinksAcrossClusters(t *testing.T) {
	e := newTestEngine(t, func(c *Config) {
		c.Links.Presets = []string{"karmada"}
		c.Links.PresetSettings = map[string]links.PresetSettings{"karmada": {Cluster: "host"}}
	})
	web := deployment("web")
	template := web
	template.Cluster, template.UID = "host", "t"
	app := resource("example.com/v1", "App", "shop", "u")
	app.Cluster = "host"
	td := run(e, show(
		shown{told: told{on: template, name: "create", owners: controlledBy(app)}},
		shown{told: told{on: web, name: "create", owners: "[]"}, snapshot: `{"metadata": {"annotations": {"resourcetemplate.karmada.io/uid": "t"}}}`},
	))
	assert.Equal(t, []string{
		"deployments/web (below apps/shop) template < deployments/web (below deployments/web)",
		"deployments/web (below deployments/web) template > deployments/web (below apps/shop)",
	}, linkPicture(t, td))
	clusters := map[string]bool{}
	for _, s := range flatten(td) {
		if s.spanType() == attr.SpanTypeLink {
			clusters[text(s.resource, attr.ClusterName)+" to "+text(s.Attributes(), attr.LinkTargetCluster)+" "+text(s.Attributes(), attr.LinkTargetUID)] = true
		}
	}
	assert.Equal(t, map[string]bool{"prod to host t": true, "host to prod " + web.UID: true}, clusters)
}

func TestSnapshotsThatAreNoObjectsAreCounted(t *testing.T) {
	e := newTestEngine(t)
	for _, snapshot := range []string{"[]", "{", `"x"`, "null", strings.Repeat("[", 20000)} {
		td := show(shown{told: told{on: pod("a"), name: "create"}, snapshot: snapshot})
		b := attempt(e, td)
		assert.EqualValues(t, 1, b.stats.unreadable, "%.20s", snapshot)
	}
}

// TestTwoShardsTellOneLink: what two processes make of spans on one object, each of other spans, is the same link, with the same IDs on
// both sides, when both know the owners. One that does not know an owner tells the link in the trace that the object then has.
func TestTwoShardsTellOneLink(t *testing.T) {
	rs, a := replicaSet("web-1"), pod("web-1-a")
	tell := func(name, owners string) ptrace.Traces {
		return run(newTestEngine(t), show(shown{told: told{on: a, name: name, owners: owners}, version: "1", snapshot: podOn("n1")}))
	}
	links := func(td ptrace.Traces) map[idTriple]string {
		found := map[idTriple]string{}
		for _, s := range flatten(td) {
			if s.spanType() == attr.SpanTypeLink {
				link := s.Links().At(0)
				found[idTriple{s.TraceID(), s.SpanID(), s.ParentSpanID()}] = fmt.Sprint(s.Name(), link.TraceID(), link.SpanID(), s.Attributes().AsRaw())
			}
		}
		return found
	}
	one, other := tell("create", controlledBy(rs)), tell("patch", controlledBy(rs))
	assert.Equal(t, links(one), links(other))
	assert.Len(t, links(one), 2)
	assert.Equal(t, linkPicture(t, one), linkPicture(t, one, other))

	assert.Equal(t, []string{
		"nodes/n1 (below nodes/n1) node < pods/web-1-a (below replicasets/web-1)",
		"pods/web-1-a (below pods/web-1-a) node > nodes/n1 (below nodes/n1)",
		"pods/web-1-a (below replicasets/web-1) node > nodes/n1 (below nodes/n1)",
	}, linkPicture(t, tell("unknown", ""), one), "the Node's side is one in any case")
}
