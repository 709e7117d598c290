// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command gen writes the table of lists that have keys from the schema that client-go ships for server-side apply.
//
//	gen OUTPUT
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: gen OUTPUT")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// document is the part of the schema that is used here.
type document struct {
	Types []typeDef `json:"types"`
}

type typeDef struct {
	Name string `json:"name"`
	Map  *mapOf `json:"map"`
}

type mapOf struct {
	Fields      []fieldDef `json:"fields"`
	ElementType *typeRef   `json:"elementType"`
}

type fieldDef struct {
	Name string  `json:"name"`
	Type typeRef `json:"type"`
}

type typeRef struct {
	NamedType string  `json:"namedType"`
	List      *listOf `json:"list"`
	Map       *mapOf  `json:"map"`
}

type listOf struct {
	ElementType         typeRef  `json:"elementType"`
	ElementRelationship string   `json:"elementRelationship"`
	Keys                []string `json:"keys"`
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// anyObject is the name of the type that stands for kinds of which nothing is known.
const anyObject = "any object"

func run(output string) error {
	source, release, err := clientGo()
	if err != nil {
		return err
	}
	var doc document
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	doc.Types = append(doc.Types, typeDef{Name: anyObject, Map: &mapOf{Fields: []fieldDef{{Name: "metadata", Type: typeRef{NamedType: meta}}}}})
	return newTable(doc).write(output, release)
}

// clientGo returns the schema in the source of client-go, and its version.
func clientGo() (source, release string, err error) {
	out, err := exec.Command("go", "list", "-m", "-json", "k8s.io/client-go").Output()
	if err != nil {
		return "", "", fmt.Errorf("finding client-go: %w", err)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", "", fmt.Errorf("reading the module's description: %w", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(module.Dir, "applyconfigurations", "internal", "internal.go"), nil, 0)
	if err != nil {
		return "", "", err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(lit.Value, "`types:") {
			source, err = strconv.Unquote(lit.Value)
		}
		return true
	})
	if source == "" {
		err = cmp.Or(err, errors.New("client-go has no schema where it used to be"))
	}
	return source, module.Version, err
}

// table numbers the types that lead to a list with keys, or to a set.
type table struct {
	types   map[string]*typeDef
	matters map[string]bool
	numbers map[string]int
	order   []string
}

func newTable(doc document) *table {
	t := &table{types: map[string]*typeDef{}, matters: map[string]bool{}, numbers: map[string]int{}}
	for i := range doc.Types {
		t.types[doc.Types[i].Name] = &doc.Types[i]
	}
	for again := true; again; { // until nothing new matters, because types can hold themselves
		again = false
		for name, def := range t.types {
			if !t.matters[name] && def.Map != nil && slices.ContainsFunc(def.Map.Fields, func(f fieldDef) bool { return t.leads(f.Type) }) {
				t.matters[name], again = true, true
			}
		}
	}
	return t
}

// leads reports whether a type is, or can hold, a list of which the items can be told apart.
func (t *table) leads(r typeRef) bool {
	switch {
	case r.List != nil:
		return r.List.ElementRelationship == "associative" || t.leads(r.List.ElementType)
	case r.Map != nil && r.Map.ElementType != nil:
		return t.leads(*r.Map.ElementType)
	default:
		return t.matters[r.NamedType]
	}
}

// roots are the objects, in their newest stable version: "apps/Deployment" to the type's name.
func (t *table) roots() map[string]string {
	best := map[string]string{}
	for name, def := range t.types {
		parts := strings.Split(strings.TrimPrefix(name, "io.k8s.api."), ".")
		if !strings.HasPrefix(name, "io.k8s.api.") || len(parts) != 3 || !t.matters[name] ||
			!slices.ContainsFunc(def.Map.Fields, func(f fieldDef) bool { return f.Name == "metadata" && f.Type.NamedType == meta }) {
			continue
		}
		key := parts[0] + "/" + parts[2]
		other, known := best[key]
		if !known || version.CompareKubeAwareVersionStrings(parts[1], strings.Split(other, ".")[4]) > 0 {
			best[key] = name
		}
	}
	return best
}

// index numbers a type and all below it.
func (t *table) index(name string) {
	if _, known := t.numbers[name]; known {
		return
	}
	t.numbers[name] = len(t.order)
	t.order = append(t.order, name)
	for _, f := range t.fields(name) {
		if f.of != "" {
			t.index(f.of)
		}
	}
}

type entry struct {
	name, of, list string
	values         bool
	keys           []string
}

func (t *table) fields(name string) []entry {
	var entries []entry
	for _, f := range t.types[name].Map.Fields {
		e := entry{name: f.Name}
		r := f.Type
		switch {
		case r.Map != nil && r.Map.ElementType != nil:
			e.values, r = true, *r.Map.ElementType
		case r.List != nil:
			e.list, e.keys = "atomic", r.List.Keys
			if r.List.ElementRelationship == "associative" {
				e.list = map[bool]string{true: "keyed", false: "set"}[len(e.keys) > 0]
			}
			r = r.List.ElementType
		}
		if t.matters[r.NamedType] {
			e.of = r.NamedType
		}
		if e.of != "" || e.list == "keyed" || e.list == "set" {
			entries = append(entries, e)
		}
	}
	return entries
}

func (t *table) write(output, release string) error {
	roots := t.roots()
	names := make([]string, 0, len(roots))
	for name := range roots {
		names = append(names, name)
	}
	slices.Sort(names)
	t.index(anyObject)
	for _, name := range names {
		t.index(roots[name])
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by internal/diff/gen from client-go %s. DO NOT EDIT.\n\n", release)
	b.WriteString("// Copyright The Kelemetry Authors\n// SPDX-License-Identifier: Apache-2.0\n\npackage diff\n\n")
	fmt.Fprintf(&b, "const anyObject = %d\n\nvar types = [...]Schema{\n", t.numbers[anyObject])
	for i, name := range t.order {
		fmt.Fprintf(&b, "%d: {fields: []field{ // %s\n", i, strings.TrimPrefix(name, "io.k8s."))
		for _, e := range t.fields(name) {
			b.WriteString(e.source(t.numbers))
		}
		b.WriteString("}},\n")
	}
	b.WriteString("}\n\nvar roots = [...]root{\n")
	for _, name := range names {
		fmt.Fprintf(&b, "{%q, %d},\n", name, t.numbers[roots[name]])
	}
	b.WriteString("}\n")
	source, err := format.Source(b.Bytes())
	if err != nil {
		return err
	}
	return os.WriteFile(output, source, 0o644)
}

func (e entry) source(numbers map[string]int) string {
	of := -1
	if e.of != "" {
		of = numbers[e.of]
	}
	text := fmt.Sprintf("{name: %q, of: %d", e.name, of)
	if e.list != "" {
		text += ", list: " + e.list
	}
	if e.values {
		text += ", values: true"
	}
	if len(e.keys) > 0 {
		text += fmt.Sprintf(", keys: %#v", e.keys)
	}
	return text + "},\n"
}
