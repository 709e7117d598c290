// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package links // import "github.com/kelemetry/kelemetry/processor/k8slinkprocessor/internal/links"

import (
	"fmt"
	"strconv"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"

	"github.com/kelemetry/kelemetry/internal/jsonscan"
)

// paths is a tree of the members of an object that somebody looks at. A leaf is looked at as a whole; nil is nothing.
// Most of an object, such as the template of a Pod, is never decoded thanks to it.
type paths map[string]paths

// add includes a path. The empty one is the whole object.
func (p paths) add(path []string) paths {
	switch {
	case p != nil && len(p) == 0:
		return p // already the whole
	case len(path) == 0:
		return paths{}
	case p == nil:
		p = make(paths)
	}
	p[path[0]] = p[path[0]].add(path[1:])
	return p
}

// addAll includes another tree.
func (p paths) addAll(other paths) paths {
	switch {
	case other == nil:
		return p
	case len(other) == 0:
		return paths{}
	case p != nil && len(p) == 0:
		return p
	case p == nil:
		p = make(paths, len(other))
	}
	for member, below := range other {
		p[member] = p[member].addAll(below)
	}
	return p
}

// touches reports whether a change of what is at the path changes what is looked at.
func (p paths) touches(path []string) bool {
	if p == nil {
		return false
	}
	for _, member := range path {
		if len(p) == 0 {
			return true
		}
		below, ok := p[member]
		if !ok {
			return false
		}
		p = below
	}
	return true
}

// within reports whether everything that is looked at is in the other tree.
func (p paths) within(other paths) bool {
	switch {
	case p == nil:
		return true
	case other == nil:
		return false
	case len(other) == 0:
		return true
	case len(p) == 0:
		return false
	}
	for member, below := range p {
		inOther, ok := other[member]
		if !ok || !below.within(inOther) {
			return false
		}
	}
	return true
}

// decode reads the parts of a JSON object that are looked at.
func (p paths) decode(text []byte) (map[string]any, error) {
	s := jsonscan.New(text)
	if p == nil {
		return nil, s.Skip()
	}
	v, err := p.value(&s)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("an object is a JSON object, not %T", v)
	}
	return object, nil
}

func (p paths) value(s *jsonscan.Scanner) (any, error) {
	if len(p) == 0 || s.Next() != jsonscan.Object {
		return readValue(s)
	}
	object := make(map[string]any, len(p))
	err := s.Object(func(key []byte) error {
		below, ok := p[string(key)]
		if !ok {
			return nil
		}
		member := string(key)
		v, err := below.value(s)
		if v != nil {
			object[member] = v
		}
		return err
	})
	return object, err
}

// parse reads a text that is one value.
func parse(text []byte) (any, error) {
	s := jsonscan.New(text)
	v, err := readValue(&s)
	if err == nil {
		err = s.End()
	}
	return v, err
}

// readValue reads a value as encoding/json does, in less time, and without the members that are null: to Kubernetes that is the
// same as not being there.
func readValue(s *jsonscan.Scanner) (any, error) {
	switch s.Next() {
	case jsonscan.Object:
		object := make(map[string]any)
		err := s.Object(func(key []byte) error {
			member := string(key)
			v, err := readValue(s)
			if v == nil {
				delete(object, member) // of two members of one name the second counts
			} else {
				object[member] = v
			}
			return err
		})
		return object, err
	case jsonscan.Array:
		list := []any{}
		err := s.Array(func() error {
			v, err := readValue(s)
			list = append(list, v)
			return err
		})
		return list, err
	case jsonscan.String:
		return s.Str()
	case jsonscan.Bool:
		return s.Bool()
	case jsonscan.Number:
		raw, err := s.Raw()
		if err != nil {
			return nil, err
		}
		return strconv.ParseFloat(string(raw), 64)
	default:
		return nil, s.Skip()
	}
}

// readPaths finds what an expression looks at. It may find more than that, never less.
func readPaths(e ast.Expr) paths {
	if path, ok := pathOf(e); ok {
		return paths(nil).add(path)
	}
	var all paths
	switch e.Kind() {
	case ast.SelectKind:
		all = readPaths(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			all = readPaths(call.Target())
		}
		for _, arg := range call.Args() {
			all = all.addAll(readPaths(arg))
		}
	case ast.ListKind:
		for _, element := range e.AsList().Elements() {
			all = all.addAll(readPaths(element))
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			all = all.addAll(readPaths(entry.AsMapEntry().Key())).addAll(readPaths(entry.AsMapEntry().Value()))
		}
	case ast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			all = all.addAll(readPaths(field.AsStructField().Value()))
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, part := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			all = all.addAll(readPaths(part))
		}
	}
	return all
}

// pathOf reads a.b["c"].?d[?"e"] from the variable object on.
func pathOf(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return nil, e.AsIdent() == varObject
	case ast.SelectKind:
		path, ok := pathOf(e.AsSelect().Operand())
		return append(path, e.AsSelect().FieldName()), ok
	case ast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case "_[_]", "_[?_]", "_?._":
		default:
			return nil, false
		}
		path, ok := pathOf(call.Args()[0])
		if !ok || call.Args()[1].Kind() != ast.LiteralKind {
			return nil, false
		}
		member, isText := call.Args()[1].AsLiteral().(types.String)
		return append(path, string(member)), isText
	default:
		return nil, false
	}
}
