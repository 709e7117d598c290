// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"slices"
	"unique"

	"github.com/kelemetry/kelemetry/internal/identity"
)

// Bounds on what is kept of one object. Kubernetes allows names of 253 bytes and groups of 253; real objects with more
// than a handful of owners are rare.
const (
	maxReferences = 16
	maxText       = 512
)

// Several says which owner an object is placed under that has several and no controller among them.
type Several string

// The answers.
const (
	// ControllerOnly: none is more the owner than the others, so the object is its own root.
	ControllerOnly Several = "controller_only"
	// First: the first in the list.
	First Several = "first"
)

// Owners is what an object's owner references say. The siblings under one owner share one copy.
type Owners = unique.Handle[OwnerList]

// OwnerList is a list of owner references and the one among them that an object is placed under.
type OwnerList struct {
	// JSON is the list as identity.FormatOwners writes it.
	JSON string

	owner identity.OwnerReference
}

// ParseOwners reads the attribute k8s.object.owner_references. References that cannot be followed, because they lack a
// kind or a name or are longer than Kubernetes allows, are left out.
func ParseOwners(text string, several Several) (Owners, error) {
	all, err := identity.ParseOwners(text)
	if err != nil {
		return Owners{}, err
	}
	return NewOwners(all, several), nil
}

// NewOwners is ParseOwners for references that were read. It overwrites the slice.
func NewOwners(all []identity.OwnerReference, several Several) Owners {
	valid := all[:0]
	for _, ref := range all {
		if ref.Kind != "" && ref.Name != "" && max(len(ref.APIVersion), len(ref.Kind), len(ref.Name), len(ref.UID)) <= maxText {
			valid = append(valid, ref)
		}
	}
	owner := chooseOwner(valid, several)
	if len(valid) > maxReferences {
		valid = valid[:maxReferences]
		if owner.Controller && !slices.Contains(valid, owner) {
			valid[maxReferences-1] = owner
		}
	}
	return unique.Make(OwnerList{JSON: identity.FormatOwners(valid), owner: owner})
}

// chooseOwner takes the controller, of which Kubernetes admits one; else the only owner there is, or what several says.
func chooseOwner(refs []identity.OwnerReference, several Several) identity.OwnerReference {
	for _, ref := range refs {
		if ref.Controller {
			return ref
		}
	}
	if len(refs) == 1 || (len(refs) > 1 && several == First) {
		return refs[0]
	}
	return identity.OwnerReference{}
}

// Owner returns the owner that an object is placed under, if it has one.
func (l OwnerList) Owner() (identity.OwnerReference, bool) {
	return l.owner, l.owner.Kind != ""
}

// None is true when the list is empty: the object is known to have no owner.
func (l OwnerList) None() bool { return l.JSON == "[]" }
