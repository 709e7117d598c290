// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// pathRules are the paths of the configuration, one tree of keys for each glob.
type pathRules []pathTree

type pathTree struct {
	glob string
	root *pathNode
}

// pathNode is where some path has led to. Paths with the same beginning share its nodes.
type pathNode struct {
	// end is that of a path: the value is redacted.
	end bool
	// keys lead on by name, and any by whatever name or by an item of a list.
	keys map[string]*pathNode
	any  *pathNode
}

func newPathRules(configured []PathRule) (pathRules, error) {
	var trees pathRules
	for _, rule := range configured {
		keys, err := parsePath(rule.Path)
		if err != nil {
			return nil, err
		}
		trees = trees.add(rule.Resource, keys)
	}
	return trees, nil
}

func (trees pathRules) add(glob string, keys []pathKey) pathRules {
	for _, tree := range trees {
		if tree.glob == glob {
			tree.root.add(keys)
			return trees
		}
	}
	root := new(pathNode)
	root.add(keys)
	return append(trees, pathTree{glob, root})
}

func (n *pathNode) add(keys []pathKey) {
	for _, key := range keys {
		next := n.any
		if !key.any {
			next = n.keys[key.name]
		}
		if next == nil {
			next = new(pathNode)
			n.lead(key, next)
		}
		n = next
	}
	n.end = true
}

func (n *pathNode) lead(key pathKey, to *pathNode) {
	if key.any {
		n.any = to
		return
	}
	if n.keys == nil {
		n.keys = make(map[string]*pathNode)
	}
	n.keys[key.name] = to
}

// of returns the roots of the trees that apply to a target.
func (trees pathRules) of(t Target) []*pathNode {
	var roots []*pathNode
	for _, tree := range trees {
		if matchesGlob(tree.glob, t) {
			roots = append(roots, tree.root)
		}
	}
	return roots
}

func matchesGlob(glob string, t Target) bool {
	if ok, _ := path.Match(glob, t.Resource); ok && !strings.Contains(glob, ".") {
		return true
	}
	name := t.Resource
	if t.Group != "" {
		name += "." + t.Group
	}
	ok, _ := path.Match(glob, name)
	return ok
}

func checkGlob(glob string) error {
	if glob == "" {
		return errors.New("must be a glob for resource.group, got none")
	}
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("must be a glob for resource.group: %w", err)
	}
	return nil
}

// pathKey is one step of a path: a name, or any.
type pathKey struct {
	name string
	any  bool
}

// parsePath reads a path such as spec.users[*].password or metadata.annotations["example.com/key"].
func parsePath(text string) ([]pathKey, error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(text, "$"), ".")
	var keys []pathKey
	for first := true; rest != "" || first; first = false {
		var key pathKey
		var ok bool
		if key, rest, ok = cutKey(rest, first); !ok {
			return nil, fmt.Errorf(`must be keys joined by dots, such as spec.users[*].password or metadata.annotations["a.b/c"], got %q`, text)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// cutKey takes the first step off a path.
func cutKey(text string, first bool) (key pathKey, rest string, ok bool) {
	if strings.HasPrefix(text, "[") {
		return cutBracket(text)
	}
	if !first {
		if text, ok = strings.CutPrefix(text, "."); !ok {
			return key, "", false
		}
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	if text[:end] == "*" {
		return pathKey{any: true}, text[end:], true
	}
	key.name = text[:end]
	return key, text[end:], key.name != "" && !strings.ContainsAny(key.name, "]\"'")
}

func cutBracket(text string) (key pathKey, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(text, "[*]"); ok {
		return pathKey{any: true}, rest, true
	}
	if len(text) < 2 || text[1] != '"' && text[1] != '\'' {
		return key, "", false
	}
	name, rest, ok := strings.Cut(text[2:], text[1:2]+"]")
	return pathKey{name: name}, rest, ok && name != ""
}
