// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// change is one path with its values before and after, each JSON as far as it was stored whole.
type change struct{ path, before, after string }

// mostLeaves is up to how many values an object that is added or removed at once is told by.
const mostLeaves = 40

// changesOf are the changes of an entry. What was added or removed whole is told by its members, so that it can be added up with
// later changes of one member.
func changesOf(attrs pcommon.Map) (all []change) {
	for key, v := range attrs.All() {
		path, ok := strings.CutPrefix(key, keyDiff)
		if !ok || key == keyDiffCut || key == keyJoin {
			continue
		}
		before, after, ok := splitChange(v.AsString())
		if !ok {
			before, after = "", v.AsString()
		}
		all = append(all, change{path, before, after}.leaves()...)
	}
	return all
}

func (c change) leaves() []change {
	var value any
	var found []change
	switch none {
	case c.before:
		if json.Unmarshal([]byte(c.after), &value) == nil {
			found = leaves(nil, c.path, value, func(json string) (before, after string) { return none, json })
		}
	case c.after:
		if json.Unmarshal([]byte(c.before), &value) == nil {
			found = leaves(nil, c.path, value, func(json string) (before, after string) { return json, none })
		}
	}
	if len(found) == 0 || len(found) > mostLeaves { // an empty object that appears is worth a line too
		return []change{c}
	}
	return found
}

// leaves appends the values in a value that are not empty. Lists are one value, unless each item has a name or type of its own, by
// which diffs tell them apart too.
func leaves(all []change, path string, value any, sides func(json string) (before, after string)) []change {
	switch value := value.(type) {
	case nil:
		return all
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = leaves(all, path+member(name), value[name], sides)
		}
		return all
	case string:
		if value == "" {
			return all
		}
	case []any:
		if len(value) == 0 {
			return all
		}
		if key := keyOf(value); key != "" {
			for _, item := range value {
				members := maps.Clone(item.(map[string]any)) //nolint:forcetypeassert // keyOf has seen it, and the key
				name := members[key].(string)                //nolint:forcetypeassert // likewise
				delete(members, key)
				all = leaves(all, path+"["+key+"="+name+"]", members, sides)
			}
			return all
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return all
	}
	before, after := sides(string(text))
	return append(all, change{path, before, after})
}

// keyOf is the member that each item of a list has as a text.
func keyOf(list []any) string {
	for _, key := range []string{"name", "type"} {
		if !slices.ContainsFunc(list, func(item any) bool {
			object, _ := item.(map[string]any)
			_, ok := object[key].(string)
			return !ok
		}) {
			return key
		}
	}
	return ""
}

// member is the last part of a path, as diffs write it.
func member(name string) string {
	if strings.ContainsAny(name, ".[]/ ") {
		return `["` + name + `"]`
	}
	return "." + name
}

// addUp adds later changes to earlier ones: what changed twice is told by its first and its last value, and not at all if these
// are the same.
func addUp(earlier, later []change) []change {
	sum := slices.Clone(earlier)
	for _, c := range later {
		i := slices.IndexFunc(sum, func(other change) bool { return other.path == c.path })
		if i < 0 {
			sum = append(sum, c)
			continue
		}
		sum[i].after = c.after
	}
	return slices.DeleteFunc(sum, func(c change) bool { return c.before == c.after && c.before != "" })
}

// parent splits a path before its last part.
func parent(path string) (of, last string) {
	if inner, ok := strings.CutSuffix(path, `"]`); ok {
		if at := strings.LastIndex(inner, `["`); at >= 0 {
			return path[:at], inner[at+2:]
		}
	}
	if at := strings.LastIndexByte(path, '.'); at >= 0 && !strings.Contains(path[at:], "]") {
		return path[:at], path[at+1:]
	}
	return "", path
}

// told is false of changes that say what the line says anyway: when it was, that a deletion was asked for, and that a controller
// has seen the object.
func (c change) told() bool {
	switch _, last := parent(c.path); last {
	case "observedGeneration", "deletionGracePeriodSeconds":
		return false
	}
	isTime := func(json string) bool {
		_, err := time.Parse(`"`+time.RFC3339+`"`, json)
		return err == nil
	}
	return !isTime(c.after) && (!isTime(c.before) || c.after != none)
}

// condition is true of a path to a member of a condition, as Kubernetes objects of all kinds have them.
func condition(of string) (kind string, ok bool) {
	_, kind, ok = strings.Cut(of, ".conditions[type=")
	return strings.TrimSuffix(kind, "]"), ok
}
