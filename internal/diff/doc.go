// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package diff compares two states of a Kubernetes object, as JSON, and lists what changed in the words of the people
// who write such objects: spec.template.spec.containers[name=app].image.
//
//	d := diff.New(diff.Options{MaxChanges: 100})
//	result, err := d.Compare(before, after, diff.SchemaOf("apps", "Deployment"))
//	for _, change := range result.Changes {
//		fmt.Println(change.Path, change.Text(1024))
//	}
//
// Items of lists are matched by their merge key where the type has one, as server-side apply does; where nothing is known
// of the type, by a field such as name or type if it tells all items of both lists apart; otherwise by index.
//
// No tree is built: members of both sides are listed as slices of the text, and only those whose text differs are looked
// into. So most of the work is to skip what did not change.
//
// It knows nothing of secrets. Give it documents that are redacted, with different markers for different values, see
// package redact.
package diff // import "github.com/kelemetry/kelemetry/internal/diff"
