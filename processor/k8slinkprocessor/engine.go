// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/folding"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/joins"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"
)

// engine rewrites batches. It is safe for concurrent use. Without look-ups it does no I/O, and what it does to a batch
// depends on the batch and on what earlier ones taught; the clock says only what may be forgotten.
type engine struct {
	window         identity.Window
	maxDepth       int
	defaultCluster string
	scopeName      string
	scopeVersion   string

	knowledge  *hierarchy.Knowledge
	sent       *sentSpans
	orphans    *orphans
	joins      *joins.Table // nil if they are off
	hold       time.Duration
	clock      func() time.Time
	several    hierarchy.Several
	ownerCache *ownerCache
	// done are batches whose space can be used again.
	done sync.Pool
	// lookups is nil if there are none.
	lookups *lookup.Lookups

	rules        *links.Rules
	linkers      []*boundLinker
	maxLinks     int
	asksForLinks bool
	placesByLink bool
	profiles     *profiles
	sentLinks    *sentSpans

	folds    *folding.Table // nil if nothing is folded
	likeSeed maphash.Seed
	// report is told of each evaluation of a rule.
	report links.Report
}

func newEngine(cfg *Config, scopeName, scopeVersion string) (*engine, error) {
	knowledge, err := hierarchy.NewKnowledge(hierarchy.Bounds{
		Objects: cfg.MaxObjects, Depth: cfg.MaxDepth, Retention: cfg.DeletedRetention,
	}, time.Now)
	if err != nil {
		return nil, err
	}
	sent, err := newSentSpans(cfg.MaxObjects)
	if err != nil {
		return nil, err
	}
	rules, err := cfg.rules()
	if err != nil {
		return nil, err
	}
	profiles, err := newProfiles(cfg.MaxObjects)
	if err != nil {
		return nil, err
	}
	sentLinks, err := newSentSpans(sentLinksEach * cfg.MaxObjects)
	if err != nil {
		return nil, err
	}
	folds, err := cfg.foldTable()
	if err != nil {
		return nil, err
	}
	orphans, err := newOrphans(cfg.MaxObjects)
	if err != nil {
		return nil, err
	}
	return &engine{
		window: identity.Window(cfg.Window), maxDepth: cfg.MaxDepth, defaultCluster: cfg.DefaultCluster,
		scopeName: scopeName, scopeVersion: scopeVersion,
		knowledge: knowledge, sent: sent, orphans: orphans, several: hierarchy.Several(cfg.MultipleOwners),
		ownerCache: newOwnerCache(hierarchy.Several(cfg.MultipleOwners), cfg.MaxObjects),
		joins:      cfg.Joins.table(), hold: cfg.Joins.Hold, clock: time.Now,
		rules: rules, maxLinks: cfg.Links.MaxPerObject, asksForLinks: cfg.Links.Lookup, placesByLink: rules.Placing() || len(cfg.Links.Linkers) > 0,
		profiles: profiles, sentLinks: sentLinks,
		folds: folds, likeSeed: maphash.MakeSeed(),
		report: func(string, links.Outcome, error) {},
	}, nil
}

// sentLinksEach is how many sent links are remembered for each object in the other tables.
const sentLinksEach = 2

// link rewrites td. When the next consumer has accepted it, the caller reports so to accepted; until then the object
// spans in td count as never emitted, so that a second attempt emits them again. It returns an error, and leaves td as it
// was, if the sender gave up while owners were looked up: it will send again, and then they can be had.
func (e *engine) link(ctx context.Context, td ptrace.Traces) (*batch, error) {
	b := newBatch(e, td)
	err := b.link(ctx)
	return b, err
}

func (b *batch) link(ctx context.Context) error {
	b.read()             // which spans are on which objects
	b.plant()            // needs all types that the batch shows; collects what it tells of owners
	b.readContents()     // finds links and tags; needs the true types of the objects
	b.foster()           // has links place objects; needs what was found
	b.findAncestors(ctx) // finds all ancestors; needs all owners that the batch shows
	b.lookUpObjects(ctx) // looks up objects for links that no span has shown; owners come first
	if err := b.abandoned(); err != nil {
		return err
	}
	b.place()          // computes traces and parents; needs all ancestors
	b.connect()        // link spans that are due; needs the places of the objects, and finds those of the other ends
	b.move()           // writes them; needs the places of all spans to know which parents come along
	b.join()           // needs only the objects; changes only what audit spans carry
	b.fold()           // makes one span of many; needs their places, and the diffs that were joined
	b.relink()         // links of Events to where their objects are
	b.emit()           // object spans that go out
	b.emitLinks()      // link spans that go out
	b.removeConsumed() // object spans that came in; after emit, so that their resources can stay
	return nil
}

// accepted remembers the object spans and link spans of a batch as emitted, and the diffs on its audit spans as delivered.
func (e *engine) accepted(b *batch) {
	e.sent.add(b.emitted)
	e.sentLinks.add(b.emittedLinks)
	e.profiles.connect(b.connected)
	e.orphans.add(b.orphaned)
	if e.folds != nil {
		e.folds.Commit(b.folded.loads, b.folded.decisions, b.folded.spans)
	}
	for _, c := range b.joining.joined {
		e.joins.Deliver(c.object, c.span)
	}
}
