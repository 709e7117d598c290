// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/collect"

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sync/errgroup"

	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/model"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/tracer"
	"github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"
	"github.com/kelemetry/kelemetry/internal/attr"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jaegerstorage"
)

// ErrNotFound says that the storage has nothing on an object in the time range.
var ErrNotFound = errors.New("nothing is known of the object in this time range")

// What can be left out of a view.
const (
	LeftTraces  = "traces"
	LeftSpans   = "spans"
	LeftObjects = "objects"
	LeftFailed  = "failed"
	LeftTracers = "tracers"
)

// Limits bound what one request reads.
type Limits struct {
	// Traces of one object in one cluster, and those that owned objects of the view had before their owners were known.
	Traces int
	// Spans that are read, and kept, altogether.
	Spans int
	// Objects that are read besides the first one.
	Objects int
	// View is what a view can show; what it cannot is not read.
	View view.Limits
	// Concurrency of queries.
	Concurrency int
}

// Collector reads a storage. It is safe for concurrent use.
type Collector struct {
	Storage jaegerstorage.Reader
	// Clusters returns the clusters that the storage has.
	Clusters func(context.Context) ([]string, error)
	// Window is the length of the windows that stored traces are cut into.
	Window time.Duration
	Limits Limits
	// Tracers are other tracers by name, for modes that show their spans.
	Tracers map[string]*tracer.Tracer
	// LeftOut is told what was left out, one of the above.
	LeftOut func(ctx context.Context, what string, n int)
}

// Request says what to gather.
type Request struct {
	Object identity.ID
	// Cluster is where the object is. Empty if that is not known.
	Cluster    string
	Start, End time.Time
	Mode       mode.Mode
}

// Collect gathers. The error is ErrNotFound, or why the storage could not be asked.
func (c *Collector) Collect(ctx context.Context, r Request) (*model.Graph, error) {
	g := &gathering{
		Collector: c, request: r, graph: model.NewGraph(model.Limits{MaxSpans: c.Limits.Spans}), asked: map[identity.ID]bool{},
		ownTraces: c.Limits.Traces,
	}
	g.left.Store(int64(c.Limits.Spans))
	clusters := []string{r.Cluster}
	if r.Cluster == "" {
		var err error
		if clusters, err = c.Clusters(ctx); err != nil {
			return nil, fmt.Errorf("list the clusters: %w", err)
		}
	}
	var fetches []fetch
	for _, cluster := range clusters {
		fetches = append(fetches, fetch{cluster: cluster, object: r.Object})
	}
	g.asked[r.Object] = true
	errs := g.run(ctx, fetches)
	if _, ok := g.graph.Object(r.Object); !ok {
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		return nil, ErrNotFound
	}
	g.lookAround(ctx)
	g.askTracers(ctx)
	return g.graph, nil
}

// gathering is one request under way. Queries run side by side; what they return is added by one goroutine.
type gathering struct {
	*Collector
	request   Request
	graph     *model.Graph
	asked     map[identity.ID]bool
	others    int          // objects asked for besides the first
	ownTraces int          // traces of owned objects alone that may still be asked for
	left      atomic.Int64 // spans that may still be read
}

// fetch is one query: the traces that an object occurs in.
type fetch struct {
	cluster string
	object  identity.ID
	what    string // of the object, for a warning
	found   []ptrace.Traces
	traces  int
	cut     bool // there are more spans than may be read
	err     error
}

// run carries out queries, adds what they find, and returns why some failed.
func (g *gathering) run(ctx context.Context, fetches []fetch) (errs []error) {
	var group errgroup.Group
	group.SetLimit(g.Limits.Concurrency)
	for i := range fetches {
		group.Go(func() error {
			g.fetch(ctx, &fetches[i])
			return nil
		})
	}
	_ = group.Wait() // each fetch has its own error
	for _, f := range fetches {
		for _, td := range f.found {
			g.graph.Add(td)
		}
		what := f.what
		if what == "" {
			what = "the object"
		}
		switch {
		case f.err != nil:
			g.LeftOut(ctx, LeftFailed, 1)
			errs = append(errs, fmt.Errorf("read %s in cluster %s: %w", what, f.cluster, f.err))
			g.graph.Warn(fmt.Sprintf("cluster %s could not be asked for %s: %s", f.cluster, what, Reason(f.err)))
		case f.cut:
			g.tooMany(ctx)
		case f.traces >= g.Limits.Traces:
			g.LeftOut(ctx, LeftTraces, 1)
			g.graph.Warn(fmt.Sprintf("%s occurs in more than %d stored traces, of which as many were read: ask for a shorter time range", what, f.traces))
		}
	}
	return errs
}

func (g *gathering) tooMany(ctx context.Context) {
	g.LeftOut(ctx, LeftSpans, 1)
	g.graph.Warn(fmt.Sprintf("not all of what happened was read, because a view has at most %d spans: ask for a shorter time range", g.Limits.Spans))
}

// fetch stops reading when there are more spans than a view can have.
func (g *gathering) fetch(ctx context.Context, f *fetch) {
	if err := ctx.Err(); err != nil {
		f.err = err
		return
	}
	query := jaegerstorage.NewQuery()
	query.Service = f.cluster
	query.Attributes.PutStr(attr.ObjectID, f.object.String())
	// An object's span starts with its window.
	query.StartMin, query.StartMax = g.request.Start.Add(-g.Window), g.request.End
	query.Limit = g.Limits.Traces
	var counter TraceCounter
	for td, err := range g.Storage.FindTraces(ctx, query) {
		if err != nil {
			f.err = err
			return
		}
		f.traces = counter.Count(td)
		f.found = append(f.found, td)
		if g.left.Add(-int64(td.SpanCount())) <= 0 {
			f.cut = true
			return
		}
	}
}

// lookAround asks for the objects that the view takes in, until they lead to nothing new. An owner, and what a link leads to, has
// traces of its own; what is owned is in the traces of its owners, but for what was before they were known.
func (g *gathering) lookAround(ctx context.Context) {
	for range maxRounds {
		var fetches []fetch
		var skipped []string
		wants := view.Wanted(g.graph, g.request.Object, g.request.Mode, g.Limits.View)
		for _, want := range wants {
			ref := want.Ref
			if g.asked[ref.ID] || want.Relation == view.Owned && want.Have {
				continue
			}
			g.asked[ref.ID] = true
			if g.others >= g.Limits.Objects || g.left.Load() <= 0 {
				skipped = append(skipped, describe(ref))
				continue
			}
			g.others++
			fetches = append(fetches, fetch{cluster: ref.Cluster, object: ref.ID, what: describe(ref)})
		}
		if len(skipped) > 0 {
			g.LeftOut(ctx, LeftObjects, len(skipped))
			g.graph.Warn(leftOut(skipped))
		}
		read := g.left.Load() > 0 && g.readOwnTraces(ctx, wants)
		if len(fetches) == 0 && !read {
			return
		}
		g.run(ctx, fetches)
	}
}

// askTracers adds what other tracers have on the objects of the view.
func (g *gathering) askTracers(ctx context.Context) {
	if len(g.request.Mode.Scope.Tracers) == 0 {
		return
	}
	var objects []identity.ID
	for _, want := range view.Wanted(g.graph, g.request.Object, g.request.Mode, g.Limits.View) {
		if want.Have {
			objects = append(objects, want.Ref.ID)
		}
	}
	for _, name := range g.request.Mode.Scope.Tracers {
		if left := g.Tracers[name].Extend(ctx, g.graph, objects, g.request.Start, g.request.End); left > 0 {
			g.LeftOut(ctx, LeftTracers, left)
		}
	}
}

// maxRounds is more than any scope goes in any direction, one after the other.
const maxRounds = 64

func describe(ref model.Ref) string {
	parts := []string{ref.Object.SpanName()}
	if ref.Namespace != "" {
		parts = append(parts, "in namespace "+ref.Namespace)
	}
	return strings.Join(parts, " ")
}

// maxNamed is how many objects a warning names.
const maxNamed = 5

func leftOut(objects []string) string {
	slices.Sort(objects)
	text := strings.Join(objects[:min(len(objects), maxNamed)], ", ")
	if more := len(objects) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return "what happened to these related objects was not looked up, because a view has a limit: " + text
}

// TraceCounter counts the traces in chunks, of which those of one trace follow one another.
type TraceCounter struct {
	last  [16]byte
	count int
}

// Count takes a chunk and returns how many traces there were so far.
func (c *TraceCounter) Count(td ptrace.Traces) int {
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if id := span.TraceID(); c.count == 0 || id != c.last {
					c.count++
					c.last = id
				}
				return c.count
			}
		}
	}
	return c.count
}

// Reason is an error for people: without the way that it came.
func Reason(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	case errors.Is(err, context.Canceled):
		return "the request was canceled"
	default:
		return err.Error()
	}
}
