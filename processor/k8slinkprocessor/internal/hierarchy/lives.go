// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package hierarchy // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/hierarchy"

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// fact is what a span told of an object's owners: at that time, in the life with that UID.
type fact struct {
	// uid is empty when the span did not tell it.
	uid    string
	at     pcommon.Timestamp
	owners Owners
}

// newerThan orders facts totally, so that the newest of a set does not depend on the order they came in.
func (f fact) newerThan(other fact) bool {
	if f.at != other.at {
		return f.at > other.at
	}
	if f.owners != other.owners {
		return f.owners.Value().JSON > other.owners.Value().JSON
	}
	return f.uid > other.uid
}

// maxLives bounds how many lives of one object are remembered. Those heard of most recently stay.
const maxLives = 4

// lives is the newest fact of each life of an object, the newest of all first. It is a value: with returns another.
type lives struct {
	newest fact
	older  []fact
}

// with adds a fact. Facts may be added in any order and any number of times: the result is the same.
//
// Proof for the bound: the newest fact of a life only ever grows, so a life that was dropped because maxLives others
// are newer would be dropped in any other order too, until a newer fact of it arrives and makes the same difference.
func (l lives) with(f fact) lives {
	if f.uid == l.newest.uid {
		if f.newerThan(l.newest) {
			f.uid = l.newest.uid // the copy that we own
			l.newest = f
		}
		return l
	}
	all := append(make([]fact, 0, len(l.older)+2), l.newest)
	all = append(all, l.older...)
	i := slices.IndexFunc(all, func(known fact) bool { return known.uid == f.uid })
	switch {
	case i < 0:
		f.uid = strings.Clone(f.uid)
		all = append(all, f)
	case f.newerThan(all[i]):
		f.uid = all[i].uid
		all[i] = f
	default:
		return l
	}
	slices.SortFunc(all, func(a, b fact) int {
		if a.newerThan(b) {
			return -1
		}
		return 1
	})
	all = all[:min(len(all), maxLives)]
	return lives{newest: all[0], older: all[1:]}
}

// firstFact starts the knowledge about an object. It owns its text, so that no batch is kept alive by it.
func firstFact(f fact) lives {
	f.uid = strings.Clone(f.uid)
	return lives{newest: f}
}

// of picks the fact for the life with that UID: one about this very life, else one that does not say which life it
// is about. Without a UID it is the newest of all. A fact about another life is never taken.
func (l lives) of(uid string) (fact, bool) {
	if uid == "" || l.newest.uid == uid {
		return l.newest, true
	}
	anonymous, found := l.newest, l.newest.uid == ""
	for _, f := range l.older {
		switch f.uid {
		case uid:
			return f, true
		case "":
			anonymous, found = f, true
		}
	}
	return anonymous, found
}
