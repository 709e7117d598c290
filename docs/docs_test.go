// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package docs holds no code: its tests keep the documentation true.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryAttributeIsDocumented reads the constants of internal/attr and looks for each value on docs/attributes.md. A
// constant whose name ends in Prefix documents what may follow it.
func TestEveryAttributeIsDocumented(t *testing.T) {
	page := read(t, "attributes.md")
	names := stringConstants(t, "../internal/attr")
	require.NotEmpty(t, names)
	for constant, value := range names {
		want := "`" + value + "`"
		if strings.HasSuffix(constant, "Prefix") {
			want = "`" + value + "<"
		}
		if !strings.Contains(page, want) {
			t.Errorf("docs/attributes.md does not document attr.%s, %s", constant, value)
		}
	}
}

// TestEveryDocumentedAttributeExists is the other direction: the first column of the tables about attributes.
func TestEveryDocumentedAttributeExists(t *testing.T) {
	known := map[string]bool{}
	for _, value := range stringConstants(t, "../internal/attr") {
		known[value] = true
	}
	row := regexp.MustCompile("(?m)^\\| `((?:k8s|kelemetry|user|url|http|client|error|service|user_agent)\\.[^`<]+)(?:<[^`]*)?` \\|")
	rows := row.FindAllStringSubmatch(read(t, "attributes.md"), -1)
	require.NotEmpty(t, rows)
	for _, r := range rows {
		assert.True(t, known[r[1]], "docs/attributes.md documents %s, which internal/attr does not declare", r[1])
	}
}

// TestLinksLeadSomewhere follows every relative link of every page in the repository, to the heading that it names.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^):]*))?\)`)
	for _, page := range markdownFiles(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := filepath.Join(filepath.Dir(page), m[1])
			if m[1] == "" {
				target = page
			}
			if _, err := os.Stat(target); !assert.NoError(t, err, "%s links to %s", page, m[1]) || m[2] == "" {
				continue
			}
			assert.Contains(t, anchors(read(t, target)), m[2], "%s links to a heading of %s", page, target)
		}
	}
}

// anchors are what the headings of a page are linked by.
func anchors(text string) []string {
	notInAnchors := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

// TestEveryPageIsListed: a page that no index leads to is not found by anybody.
func TestEveryPageIsListed(t *testing.T) {
	for index, pages := range map[string]string{"README.md": "*.md", "adr/README.md": "adr/*.md"} {
		found, err := filepath.Glob(pages)
		require.NoError(t, err)
		for _, page := range found {
			if name := filepath.Base(page); name != "README.md" {
				assert.Contains(t, read(t, index), "("+name+")", "docs/%s does not list %s", index, page)
			}
		}
	}
}

// TestReadmesNameMakeTargetsThatExist looks up each `make x` that a page tells the reader to call.
func TestReadmesNameMakeTargetsThatExist(t *testing.T) {
	makefile := read(t, "../Makefile")
	call := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)")
	for _, page := range markdownFiles(t) {
		for _, m := range call.FindAllStringSubmatch(read(t, page), -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s says make %s", page, m[1])
			}
		}
	}
}

// TestEveryFolderIsExplained: whoever looks for something finds its folder, or example, in a list of them.
func TestEveryFolderIsExplained(t *testing.T) {
	for _, list := range []struct {
		page, pattern, entry string // %s is the path below the page's folder
	}{
		{"CONTRIBUTING.md", "*/*receiver", "\n%s/ "},
		{"CONTRIBUTING.md", "*/*processor", "\n%s/ "},
		{"CONTRIBUTING.md", "*/*extension", "\n%s/ "},
		{"CONTRIBUTING.md", "internal/*", "\n%s/ "},
		{"integration/README.md", "[^R]*", "`%s/"},
		{"config-examples/README.md", "*.yaml", "(%s)"},
	} {
		root := filepath.Dir(filepath.Join("..", list.page))
		found, err := filepath.Glob(filepath.Join(root, list.pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, list.pattern)
		text := read(t, filepath.Join("..", list.page))
		for _, path := range found {
			name, err := filepath.Rel(root, path)
			require.NoError(t, err)
			assert.Contains(t, text, fmt.Sprintf(list.entry, name), "%s does not list %s", list.page, path)
		}
	}
}

// TestEveryThreatHasATestThatExists: no line of a table of threats is without a test, but for what cannot be held, and each test is there once,
// so that its name is enough to find it.
func TestEveryThreatHasATestThatExists(t *testing.T) {
	declared := declaredTests(t)
	_, threats, _ := strings.Cut(read(t, "threat-model.md"), "\n## What could leak")
	rows := 0
	for line := range strings.Lines(threats) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "threat" {
			continue
		}
		rows++
		tests := testName.FindAllString(cells[3], -1)
		assert.True(t, len(tests) > 0 || strings.HasPrefix(cells[2], " nothing:"), "no test is named: %s", line)
		for _, test := range tests {
			assert.Len(t, declared[test], 1, "docs/threat-model.md names %s, of which there must be one", test)
		}
	}
	assert.NotZero(t, rows)
}

// TestTestsThatPagesNameExist looks up each test that any page names, be it by the beginning of its name in a command.
func TestTestsThatPagesNameExist(t *testing.T) {
	var all strings.Builder
	for test := range declaredTests(t) {
		fmt.Fprintf(&all, " %s ", test)
	}
	for _, page := range markdownFiles(t) {
		text := read(t, page)
		for _, at := range testName.FindAllStringIndex(text, -1) {
			test, end := text[at[0]:at[1]], " "
			if strings.HasSuffix(text[:at[0]], "-run ") {
				end = ""
			}
			if !strings.Contains(all.String(), " "+test+end) {
				t.Errorf("%s names %s, which does not exist", page, test)
			}
		}
	}
}

var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)

// declaredTests are the folders of each test function.
func declaredTests(t *testing.T) map[string][]string {
	t.Helper()
	declared := map[string][]string{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	require.NoError(t, filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			for _, found := range function.FindAllStringSubmatch(read(t, path), -1) {
				declared[found[1]] = append(declared[found[1]], filepath.Dir(path))
			}
		}
		return err
	}))
	return declared
}

// TestEveryDependencyHasAReason compares docs/dependencies.md with what go.mod requires directly.
func TestEveryDependencyHasAReason(t *testing.T) {
	direct := regexp.MustCompile(`(?m)^\t(?:tool )?(\S+) v\S+$`)
	reasons := map[string]bool{} // by module, or beginning of modules with a slash at its end; whether there is such a requirement
	for line := range strings.Lines(read(t, "dependencies.md")) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, found := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			reasons[strings.TrimSuffix(found[1], "...")] = false
		}
	}
	modules := direct.FindAllStringSubmatch(read(t, "../go.mod"), -1)
	require.NotEmpty(t, modules)
	for _, m := range modules {
		given := false
		for reason := range reasons {
			if m[1] == reason || strings.HasSuffix(reason, "/") && strings.HasPrefix(m[1], reason) {
				reasons[reason], given = true, true
			}
		}
		assert.True(t, given, "docs/dependencies.md does not say why %s is required", m[1])
	}
	for reason, needed := range reasons {
		assert.True(t, needed, "docs/dependencies.md gives a reason for %s, which is not required", reason)
	}
}

// TestMetricsThatPagesNameExist: what tells of a symptom must be found, with the labels that a page gives it. Those of our components are in
// their documentation.md; integration/distribution looks for those of others in the program.
func TestMetricsThatPagesNameExist(t *testing.T) {
	documented := metricsOfComponents(t)
	name := regexp.MustCompile(`(otelcol_|…_)([a-z0-9_]+)(?:\{([^}]*)\})?`)
	ours := regexp.MustCompile(`^otelcol_(?:receiver_(?:auditlog|k8sevent|watch)|processor_k8slink|extension_(?:auditlog_encoding|kube_clusters|trace_store|jaeger_plugin))_.`)
	for _, page := range markdownFiles(t) {
		if filepath.Base(page) == "documentation.md" {
			continue
		}
		all := name.FindAllStringSubmatch(read(t, page), -1)
		var named []string // in full
		for _, m := range all {
			if documented[m[1]+m[2]] != nil {
				named = append(named, m[1]+m[2])
			}
		}
		for _, m := range all {
			metric := m[1] + m[2]
			if suffix, short := strings.CutPrefix(metric, "…"); short {
				if metric = completed(suffix, named, documented); !assert.NotEmpty(t, metric, "%s names %s, but no component of which it names a metric in full has one", page, m[0]) {
					continue
				}
			}
			if ours.MatchString(metric) {
				requireLabels(t, page, metric, m[3], documented)
			}
		}
	}
}

// TestWhereIsMyObjectNamesMetricsOfK8slink: the page leaves out their prefix.
func TestWhereIsMyObjectNamesMetricsOfK8slink(t *testing.T) {
	documented := metricsOfComponents(t)
	word := regexp.MustCompile("`([a-z_]+)(?:\\{([^}]*)\\})?`( by `([a-z]+)`)?")
	rows := 0
	for line := range strings.Lines(read(t, "where-is-my-object.md")) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		components := []string{"otelcol_processor_k8slink_"}
		if strings.Contains(cells[2], "otelcol_extension_kube_clusters_") {
			components = append(components, "otelcol_extension_kube_clusters_")
		}
		for _, m := range word.FindAllStringSubmatch(cells[2]+cells[3], -1) {
			found := slices.IndexFunc(components, func(component string) bool { return documented[component+m[1]] != nil })
			if found < 0 {
				assert.True(t, m[2] == "" && (m[4] == "" || len(components) > 1), "%s is no metric: %s", m[0], line)
				continue
			}
			rows++
			metric := components[found] + m[1]
			requireLabels(t, "where-is-my-object.md", metric, m[2], documented)
			assert.True(t, m[4] == "" || documented[metric][m[4]] != nil, "%s has no label %s", metric, m[4])
		}
	}
	assert.Greater(t, rows, 15)
}

// metric is the labels of a metric, and the values that each can have; none if it can have any.
type metric map[string][]string

// metricsOfComponents reads what mdatagen writes of them.
func metricsOfComponents(t *testing.T) map[string]metric {
	t.Helper()
	all := map[string]metric{}
	files, err := filepath.Glob("../*/*/documentation.md")
	require.NoError(t, err)
	heading, value := regexp.MustCompile(`^### (otelcol_\S+)\n$`), regexp.MustCompile("``([^`]+)``")
	for _, file := range files {
		var at metric
		for line := range strings.Lines(read(t, file)) {
			cells := strings.Split(line, " | ")
			switch m := heading.FindStringSubmatch(line); {
			case m != nil:
				at = metric{}
				all[m[1]] = at
			case at != nil && len(cells) == 4 && !strings.HasPrefix(line, "| Name ") && !strings.HasPrefix(line, "| --"):
				values := []string{}
				for _, v := range value.FindAllStringSubmatch(cells[2], -1) {
					values = append(values, v[1])
				}
				at[strings.TrimPrefix(cells[0], "| ")] = values
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// completed is a metric that ends like this, of a component of which one of these is, too.
func completed(suffix string, named []string, documented map[string]metric) string {
	for i := range named {
		for at := len(named[i]); at > 0; at = strings.LastIndexByte(named[i][:at], '_') {
			if metric := named[i][:at] + suffix; documented[metric] != nil {
				return metric
			}
		}
	}
	return ""
}

// requireLabels checks labels such as reason="size".
func requireLabels(t *testing.T, page, name, labels string, documented map[string]metric) {
	t.Helper()
	known, ok := documented[name]
	if !assert.True(t, ok, "%s names the metric %s, which no component documents", page, name) {
		return
	}
	for _, m := range regexp.MustCompile(`([a-z_]+)="([^"]*)"`).FindAllStringSubmatch(labels, -1) {
		values, ok := known[m[1]]
		for label := range known {
			if strings.ReplaceAll(label, ".", "_") == m[1] { // as Prometheus has it
				values, ok = known[label], true
			}
		}
		assert.True(t, ok, "%s: %s has no label %s", page, name, m[1])
		assert.True(t, len(values) == 0 || slices.Contains(values, m[2]), "%s: %s{%s} is never %q", page, name, m[1], m[2])
	}
}

func markdownFiles(t *testing.T) []string {
	t.Helper()
	var pages []string
	require.NoError(t, filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "build" || name == "bin" || name == "testdata" || name != ".." && strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			pages = append(pages, path)
		}
		return nil
	}))
	require.NotEmpty(t, pages)
	return pages
}

func stringConstants(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	constants := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, value := range spec.Values {
				if lit, ok := value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					s, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					constants[spec.Names[i].Name] = s
				}
			}
			return true
		})
	}
	return constants
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}
