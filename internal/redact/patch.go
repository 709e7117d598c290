// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"strings"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// patch copies a JSON patch. One whose operations set the label that hides the object is copied again as that of such an
// object.
func (w *walker) patch() error {
	start, length := w.scan, len(w.out)
	err := w.operations()
	w.takeFacts()
	if err != nil || w.root == closedObject || !w.closed {
		return err
	}
	w.scan, w.out, w.redacted, w.root = start, w.out[:length], 0, closedObject
	return w.operations()
}

func (w *walker) operations() error {
	w.out = append(w.out, '[')
	comma := false
	err := w.scan.Array(func() error {
		if comma {
			w.out = append(w.out, ',')
		}
		comma = true
		if w.scan.Next() != jsonscan.Object {
			return w.hide()
		}
		return w.operation()
	})
	w.out = append(w.out, ']')
	return err
}

func (w *walker) operation() error {
	path, ok := w.operationPath()
	w.out = append(w.out, '{')
	comma := false
	err := w.scan.Object(func(key []byte) error {
		if comma {
			w.out = append(w.out, ',')
		}
		comma = true
		w.out = append(append(w.out, w.scan.RawKey()...), ':')
		switch {
		case string(key) == "op", string(key) == "path", string(key) == "from":
			return w.value(shown, trail{})
		case string(key) == "value" && ok:
			return w.operationValue(path)
		default:
			return w.hide()
		}
	})
	w.out = append(w.out, '}')
	return err
}

// operationPath looks ahead for the path of an operation, which may come after the value. It is not known if there is
// none or more than one.
func (w *walker) operationPath() (path string, ok bool) {
	ahead := w.scan
	found := 0
	err := ahead.Object(func(key []byte) (err error) {
		if string(key) == "path" {
			found++
			path, err = ahead.Str()
		}
		return err
	})
	return path, err == nil && found == 1
}

// operationValue copies the value of an operation as what it is at its path.
func (w *walker) operationValue(path string) error {
	p, t := w.root, w.rootTrail
	defer w.giveUp(trail{lo: w.rootTrail.hi})
	for depth := 0; path != ""; depth++ {
		if path[0] != '/' || depth == maxDepth {
			return w.hide() // no JSON pointer, or none into a real object
		}
		var token string
		token, path = cutToken(path[1:])
		key := []byte(unescapeToken.Replace(token))
		w.observe(p, key)
		var end bool
		if t, end = w.descend(t, key); end {
			return w.hide()
		}
		p = w.rules.descend(p, key)
	}
	if p == dropped {
		return w.hide()
	}
	return w.value(p, t)
}

// descend leads the trail to what a token of a path names: a member, or an item of a list, or perhaps either.
func (w *walker) descend(t trail, key []byte) (trail, bool) {
	if !isIndex(key) {
		return w.followMember(t, key)
	}
	asItem, end := w.followItem(t)
	asMember, endOfMember := w.followMember(t, key)
	return trail{asItem.lo, asMember.hi}, end || endOfMember
}

// descend is like member for a token of a path, which does not tell whether it is a key or an index. What kind of object it
// leads into is not known either: data is taken for that of a Secret.
func (r *rules) descend(p place, key []byte) place {
	if isIndex(key) && isList(p) {
		return item(p)
	}
	return r.member(p, r.known&(factSecret|factConfigMap), key)
}

func isIndex(key []byte) bool {
	if string(key) == "-" {
		return true
	}
	for _, c := range key {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(key) > 0
}

var unescapeToken = strings.NewReplacer("~1", "/", "~0", "~")

func cutToken(path string) (token, rest string) {
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}
