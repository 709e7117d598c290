// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// request is one object to ask an API server for, and the questions that it answers.
type request struct {
	cluster   kubecluster.Cluster
	object    identity.Object
	questions []int

	found *metav1.PartialObjectMetadata
	err   error
}

// Owners implements hierarchy.Finder: it asks who knows the objects in this process, and the API server for the others.
func (b *Batch) Owners(ctx context.Context, wanted []hierarchy.Question) []hierarchy.Answer {
	var answers []hierarchy.Answer
	var requests []*request
	byObject := map[identity.Object]*request{}
	for i := range wanted {
		q := &wanted[i]
		if b.misses.has(missOf(q), b.now()) {
			b.observe(hierarchy.SourceUnknown, Remembered)
			continue
		}
		if r, ok := byObject[q.Object]; ok {
			r.questions = append(r.questions, i)
			continue
		}
		cluster, err := b.clusters.Cluster(q.Cluster)
		if err != nil {
			b.observe(hierarchy.SourceUnknown, NoCluster)
			continue
		}
		if known, ok := cluster.Known(groupResource(q.Object), q.Namespace, q.Name); ok {
			if a, ok := b.answer(i, q, known, hierarchy.SourceWatch); ok {
				answers = append(answers, a)
				continue
			}
		}
		r := &request{cluster: cluster, object: q.Object, questions: []int{i}}
		byObject[q.Object] = r
		requests = append(requests, r)
	}
	if len(requests) > 0 {
		b.spend(ctx, func(ctx context.Context) { b.ask(ctx, requests) })
	}
	for _, r := range requests {
		answers = b.judge(answers, wanted, r)
	}
	return answers
}

// errLate is the error of what was not asked because the batch had no more time.
var errLate = errors.New("no time left")

func (b *Batch) ask(ctx context.Context, requests []*request) {
	b.each(ctx, len(requests), func(i int) {
		r := requests[i]
		r.found, r.err = r.cluster.Metadata(ctx, groupResource(r.object), r.object.Namespace, r.object.Name)
		if r.err != nil && ctx.Err() != nil {
			r.err = errLate // the extension goes on, and has the answer for the next batch
		}
	}, func(i int) { requests[i].err = errLate })
}

// judge makes answers of what a request found out, and remembers what it did not.
func (b *Batch) judge(answers []hierarchy.Answer, wanted []hierarchy.Question, r *request) []hierarchy.Answer {
	for _, i := range r.questions {
		q := &wanted[i]
		switch {
		case r.err == nil:
			if a, ok := b.answer(i, q, r.found, hierarchy.SourceLookup); ok {
				answers = append(answers, a)
			} else {
				b.misses.add(missOf(q), b.now().Add(b.settings.NegativeTTL))
			}
		case errors.Is(r.err, errLate):
			b.observe(hierarchy.SourceLookup, b.late())
		case errors.Is(r.err, kubecluster.ErrNotFound):
			b.observe(hierarchy.SourceLookup, NotFound)
			b.misses.add(missOf(q), b.now().Add(b.settings.NegativeTTL))
		default:
			b.observe(hierarchy.SourceLookup, Unavailable)
			b.misses.add(missOf(q), b.now().Add(min(failedTTL, b.settings.NegativeTTL)))
		}
	}
	return answers
}

// answer makes an answer of an object, if it is the one that was asked for.
func (b *Batch) answer(i int, q *hierarchy.Question, found *metav1.PartialObjectMetadata, source hierarchy.Source) (hierarchy.Answer, bool) {
	if !isLife(q, found) {
		b.observe(source, OtherLife)
		return hierarchy.Answer{}, false
	}
	b.observe(source, Found)
	refs := make([]identity.OwnerReference, 0, len(found.OwnerReferences))
	for j := range found.OwnerReferences {
		ref := &found.OwnerReferences[j]
		refs = append(refs, identity.OwnerReference{
			APIVersion: ref.APIVersion, Kind: ref.Kind, Name: ref.Name, UID: string(ref.UID), Controller: ref.Controller != nil && *ref.Controller,
		})
	}
	return hierarchy.Answer{
		Question: i, UID: string(found.UID), Owners: hierarchy.NewOwners(refs, b.settings.Several), At: b.now(), Source: source,
	}, true
}

// isLife reports whether an object is the one of the question: by its UID, or, if that is not known, because it was there
// before the last of the spans began. Objects say by the second when they were created, and the span of the creation
// begins before.
func isLife(q *hierarchy.Question, found *metav1.PartialObjectMetadata) bool {
	if q.UID != "" {
		return q.UID == string(found.UID)
	}
	return q.Latest == 0 || !found.CreationTimestamp.After(q.Latest.AsTime().Add(time.Second))
}

func groupResource(o identity.Object) schema.GroupResource {
	return schema.GroupResource{Group: o.Group, Resource: o.Resource}
}
