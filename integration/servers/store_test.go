// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package servers

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newStore returns a store whose only server is a program that prints its text.
func newStore(t *testing.T, text string) (s store, log *bytes.Buffer) {
	t.Helper()
	root := t.TempDir()
	module := filepath.Join(root, "integration", "servers", "hello")
	write(t, filepath.Join(module, "go.mod"), "module example.com/hello\n\ngo 1.24\n")
	write(t, filepath.Join(module, "main.go"), "package main\n\nfunc main() { print(`"+text+"`) }\n")
	write(t, filepath.Join(module, "data", "stages.yaml"), "kept")
	log = &bytes.Buffer{}
	return store{
		root:    root,
		cache:   filepath.Join(root, ".cache"),
		recipes: map[Server]recipe{"hello": {module: "hello", pkg: "example.com/hello", keep: map[string]string{"data": "stage"}}},
		log:     log,
	}, log
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSecondCallFindsWhatTheFirstBuilt(t *testing.T) {
	s, log := newStore(t, "hello")
	first, err := s.path(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(first).CombinedOutput(); err != nil || string(out) != "hello" {
		t.Errorf("the program prints %q, %v", out, err)
	}
	if data, err := os.ReadFile(filepath.Join(filepath.Dir(first), "stage", "stages.yaml")); err != nil || string(data) != "kept" {
		t.Errorf("kept file is %q, %v", data, err)
	}
	log.Reset()
	second, err := s.path(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	if second != first || log.Len() > 0 {
		t.Errorf("second call returned %s instead of %s and said %q", second, first, log)
	}
}

func TestChangedModuleIsBuiltAnew(t *testing.T) {
	s, _ := newStore(t, "hello")
	first, err := s.path(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.root, "integration", "servers", "hello", "go.mod"), "module example.com/hello\n\ngo 1.25\n")
	second, err := s.path(t.Context(), "hello")
	if err != nil {
		t.Fatal(err)
	}
	if second == first {
		t.Error("the binary of another version was returned")
	}
}

func TestBuildsAtOnceGiveOneEntry(t *testing.T) {
	s, log := newStore(t, "hello")
	paths := make([]string, 3)
	var wg sync.WaitGroup
	for i := range paths {
		wg.Go(func() {
			var err error
			if paths[i], err = s.path(context.Background(), "hello"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(log.String(), "building hello"); n != 1 {
		t.Errorf("built %d times", n)
	}
	for _, p := range paths {
		if p != paths[0] {
			t.Errorf("different paths %v", paths)
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.cache, "hello"))
	if err != nil || len(entries) != 1 {
		t.Errorf("the cache holds %v, %v", entries, err)
	}
}

func TestFailedBuildLeavesNoEntryAndSaysWhy(t *testing.T) {
	s, _ := newStore(t, "hello")
	main := filepath.Join(s.root, "integration", "servers", "hello", "main.go")
	write(t, main, "package main\n\nfunc main() { undefinedName() }\n")
	if _, err := s.path(t.Context(), "hello"); err == nil || !strings.Contains(err.Error(), "undefinedName") {
		t.Errorf("error is %v", err)
	}
	write(t, main, "package main\n\nfunc main() {}\n")
	if _, err := s.path(t.Context(), "hello"); err != nil {
		t.Errorf("after the cause is gone: %v", err)
	}
}

func TestWaitingForAnotherBuildEndsWithTheContext(t *testing.T) {
	s, _ := newStore(t, "hello")
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), filepath.Join(s.cache, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.path(ctx, "hello"); err == nil || !strings.Contains(err.Error(), "wait for another build") {
		t.Errorf("error is %v", err)
	}
}

func TestRecipesAreWholeAndTheirModulesExist(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	if len(All()) != len(recipes) {
		t.Errorf("All() names %d servers, there are %d recipes", len(All()), len(recipes))
	}
	for name, r := range recipes {
		data, err := os.ReadFile(filepath.Join(root, "integration", "servers", r.module, "go.mod"))
		if err != nil {
			t.Error(err)
		}
		if !bytes.Contains(data, []byte(r.pkg+"\n")) {
			t.Errorf("%s: the nested module %s has no tool line for %s", name, r.module, r.pkg)
		}
	}
}

func TestUnknownServerIsAnError(t *testing.T) {
	if err := Build(t.Context(), "kubelet"); err == nil || !strings.Contains(err.Error(), "kube-apiserver") {
		t.Errorf("error is %v, want one that lists what there is", err)
	}
}
