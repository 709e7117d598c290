// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package mode // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/mode"

import "slices"

// Scope is how far around an object to look.
type Scope struct {
	// Owners is how many owners up.
	Owners int
	// Owned is how many levels of owned objects down.
	Owned int
	// FromTop is set if Owned counts from the topmost owner that is shown, so that all of its tree is shown.
	FromTop bool
	// Links is how many references in a row are followed from each of those objects.
	Links int
	// LinkClasses are the classes of references to follow; none for all.
	LinkClasses []string
	// Tracers are the other tracers whose spans are put below what happened.
	Tracers []string
}

// or joins two scopes: what one of them shows, both together show.
func (s Scope) or(other Scope) Scope {
	joined := Scope{
		Owners: max(s.Owners, other.Owners), Owned: max(s.Owned, other.Owned), FromTop: s.FromTop || other.FromTop,
		Links: max(s.Links, other.Links),
	}
	joined.Tracers = slices.Concat(s.Tracers, other.Tracers)
	slices.Sort(joined.Tracers)
	joined.Tracers = slices.Compact(joined.Tracers)
	switch {
	case s.Links == 0:
		joined.LinkClasses = other.LinkClasses
	case other.Links == 0:
		joined.LinkClasses = s.LinkClasses
	case len(s.LinkClasses) > 0 && len(other.LinkClasses) > 0:
		joined.LinkClasses = slices.Concat(s.LinkClasses, other.LinkClasses)
		slices.Sort(joined.LinkClasses)
		joined.LinkClasses = slices.Compact(joined.LinkClasses)
	}
	return joined
}

// Follows is true of references that are of a class to follow.
func (s Scope) Follows(class string) bool {
	return s.Links > 0 && (len(s.LinkClasses) == 0 || slices.Contains(s.LinkClasses, class))
}

func (s Scope) equal(other Scope) bool {
	return s.Owners == other.Owners && s.Owned == other.Owned && s.FromTop == other.FromTop && s.Links == other.Links &&
		slices.Equal(s.LinkClasses, other.LinkClasses) && slices.Equal(s.Tracers, other.Tracers)
}
