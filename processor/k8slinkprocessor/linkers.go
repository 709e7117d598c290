// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8slinkprocessor // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/linker"
)

// boundLinker is an extension that finds links, kept within bounds: of time, and of the number of calls under way.
type boundLinker struct {
	name    string
	linker  linker.Linker
	timeout time.Duration
	// slots has room for the calls that may be under way. One that does not return in time keeps its slot until it does.
	slots chan struct{}
	calls *sync.WaitGroup
}

// maxCalls is how many calls of a linker may be under way.
const maxCalls = 16

// findLinkers gets the extensions that the configuration names.
func findLinkers(host component.Host, ids []component.ID, timeout time.Duration, calls *sync.WaitGroup) ([]*boundLinker, error) {
	var (
		found []*boundLinker
		errs  error
	)
	for i, id := range ids {
		extension, declared := host.GetExtensions()[id]
		l, ok := extension.(linker.Linker)
		switch {
		case !declared:
			errs = errors.Join(errs, fmt.Errorf(
				"links::linkers[%d]: extension %q is not declared: add it to extensions and to service::extensions", i, id))
		case !ok:
			errs = errors.Join(errs, fmt.Errorf(
				"links::linkers[%d]: extension %q finds no links: name one that implements linker.Linker of k8slink", i, id))
		default:
			found = append(found, &boundLinker{
				name: "linker " + id.String(), linker: l, timeout: timeout, slots: make(chan struct{}, maxCalls), calls: calls,
			})
		}
	}
	return found, errs
}

var (
	errBusy = fmt.Errorf("%d of its calls have not come back", maxCalls)
	errSlow = errors.New("it did not answer in time")
)

type answer struct {
	links []linker.Link
	err   error
}

// ask returns what the linker gives for an object, or an error; it takes no longer than the timeout.
func (l *boundLinker) ask(object linker.Object) ([]linker.Link, error) {
	select {
	case l.slots <- struct{}{}:
	default:
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	answers := make(chan answer, 1)
	l.calls.Go(func() {
		defer func() { <-l.slots }()
		answers <- l.call(ctx, object)
	})
	select {
	case a := <-answers:
		return a.links, a.err
	case <-ctx.Done():
		return nil, errSlow
	}
}

// call contains a panic of the linker.
func (l *boundLinker) call(ctx context.Context, object linker.Object) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{err: fmt.Errorf("it panicked: %v", r)}
		}
	}()
	found, err := l.linker.Links(ctx, object)
	return answer{found, err}
}

// askLinkers asks all linkers for links of an object that was seen whole.
func (b *batch) askLinkers(g *group, content []byte) []links.Link {
	e, from := b.engine, objectOf(&g.object)
	_, version := identity.GroupVersion(g.object.APIVersion)
	object := linker.Object{
		Cluster: from.Cluster, Group: from.Group, Version: version, Kind: g.object.Kind, Resource: from.Object.Resource,
		Namespace: from.Namespace, Name: from.Name, UID: from.UID, JSON: content,
	}
	var all []links.Link
	for _, l := range e.linkers {
		given, err := l.ask(object)
		outcome := links.Absent
		for i := range given {
			made, ok, failed := links.Given(&from, linkFrom(l.name, &given[i]))
			switch {
			case failed != nil:
				err = errors.Join(err, failed)
			case ok && len(all) == e.maxLinks:
				e.report(l.name, links.Cut, nil)
				return all
			case ok:
				all, outcome = append(all, made), links.Found
			}
		}
		if err != nil {
			outcome = links.Failed
		}
		e.report(l.name, outcome, err)
	}
	return all
}

func linkFrom(rule string, l *linker.Link) links.Link {
	made := links.Link{
		Target: links.Target{
			Object: identity.Object{Cluster: l.Cluster, Group: l.Group, Resource: l.Resource, Namespace: l.Namespace, Name: l.Name},
			Kind:   l.Kind, UID: l.UID,
		},
		Role: l.Role, Class: l.Class, Rule: rule, Place: l.Place,
	}
	if l.Version != "" {
		made.APIVersion = identity.APIVersion(l.Group, l.Version)
	}
	return made
}
