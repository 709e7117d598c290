// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package linker is for extensions that find links between objects which no rule in the configuration of k8slink can
// express: because they follow from a service, a table or a computation of your own.
//
// An extension that implements [Linker] is named in the processor's links::linkers. docs/links.md has a whole example.
package linker // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/linker"

import "context"

// Linker finds links. It is called by many goroutines at once.
type Linker interface {
	// Links returns the objects that an object is linked to. It is called when an object is seen whole in a version that has
	// not been seen yet, and what it returns counts until the next call for the object.
	//
	// It must return when ctx is done, which is soon: batches of spans wait for it. If it does not, the batch goes on
	// without its links, and so do further batches while too many of its calls have not come back. It must not
	// change object.JSON nor keep it. Links that cannot be, because they lack a name, a type or a role, are left out and counted
	// as an error; so are an error and a panic.
	Links(ctx context.Context, object Object) ([]Link, error)
}

// Object is the object for which links are asked.
type Object struct {
	// Cluster is the name that the user gave the cluster.
	Cluster string
	// Group, Version and Kind are of the API; Version and Kind are empty where the source does not tell.
	Group, Version, Kind string
	// Resource is the lower-case plural.
	Resource string
	// Namespace is empty for cluster-scoped objects.
	Namespace string
	Name      string
	// UID is empty where the source does not tell.
	UID string
	// JSON is the whole object, redacted and without managedFields.
	JSON []byte
}

// Link leads from the object to another one.
type Link struct {
	// Cluster is that of the object if it is empty.
	Cluster string
	// Group and Resource or Kind name the type. Version is for display only.
	Group, Version, Resource, Kind string
	Namespace, Name                string
	// UID is optional.
	UID string

	// Role is what the target is to the object: "parent", "child" or another lower-case word.
	Role string
	// Class groups links for display; empty or a lower-case word.
	Class string
	// Place puts the object under the target in the tree if the role is "parent" and the object has no owner.
	Place bool
}
