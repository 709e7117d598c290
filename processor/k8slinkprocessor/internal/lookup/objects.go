// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package lookup // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/lookup"

import (
	"context"
	"errors"

	"github.com/kelemetry/kelemetry/extension/kubeclustersextension/kubecluster"
	"github.com/kelemetry/kelemetry/internal/identity"
	"github.com/kelemetry/kelemetry/internal/jsonscan"
	"github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"
)

// Wanted is a whole object that is looked up, and the answer.
type Wanted struct {
	identity.Object
	// UID of the life that is wanted, if known.
	UID string

	// Content is the object as JSON if Result is Found. It must not be changed.
	Content []byte
	// Version is its resourceVersion.
	Version string
	Result  Result

	cluster kubecluster.Cluster
	err     error
}

// Objects looks whole objects up, within what is left of the batch's time.
func (b *Batch) Objects(ctx context.Context, wanted []*Wanted) {
	var asked []*Wanted
	for _, w := range wanted {
		if b.misses.has(missOfObject(w), b.now()) {
			w.Result = Remembered
			continue
		}
		cluster, err := b.clusters.Cluster(w.Cluster)
		if err != nil {
			w.Result = NoCluster
			continue
		}
		w.cluster = cluster
		asked = append(asked, w)
	}
	if len(asked) == 0 {
		return
	}
	b.spend(ctx, func(ctx context.Context) {
		b.each(ctx, len(asked), func(i int) {
			w := asked[i]
			w.Content, w.err = w.cluster.Object(ctx, groupResource(w.Object), w.Namespace, w.Name)
			if w.err != nil && ctx.Err() != nil {
				w.err = errLate
			}
		}, func(i int) { asked[i].err = errLate })
	})
	for _, w := range asked {
		b.judgeObject(w)
	}
}

// judgeObject says how a look-up ended, and remembers for a while what there was no answer to.
func (b *Batch) judgeObject(w *Wanted) {
	remember := b.settings.NegativeTTL
	switch {
	case errors.Is(w.err, errLate):
		w.Result = b.late()
		return
	case errors.Is(w.err, kubecluster.ErrNotFound):
		w.Result = NotFound
	case w.err != nil:
		w.Result, remember = Unavailable, min(failedTTL, remember)
	default:
		var uid string
		if uid, w.Version = uidAndVersion(w.Content); w.UID == "" || uid == w.UID {
			w.Result = Found
			return
		}
		w.Result = OtherLife
	}
	b.misses.add(missOfObject(w), b.now().Add(remember))
}

// missOfObject differs from the miss of the same object's owners, which have another answer.
func missOfObject(w *Wanted) miss {
	m := missOf(&hierarchy.Question{Object: w.Object, UID: w.UID})
	m.rest = ^m.rest
	return m
}

// uidAndVersion reads metadata.uid and metadata.resourceVersion; they are empty if there are none.
func uidAndVersion(object []byte) (uid, version string) {
	s := jsonscan.New(object)
	err := s.Object(func(key []byte) error {
		if string(key) != "metadata" {
			return nil
		}
		return s.Object(func(key []byte) (err error) {
			switch string(key) {
			case "uid":
				uid, err = s.Str()
			case "resourceVersion":
				version, err = s.Str()
			}
			return err
		})
	})
	if err != nil {
		return "", ""
	}
	return uid, version
}
