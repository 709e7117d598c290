// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package servers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// recipeVersion is part of every cache key: raise it when the way of building changes what comes out.
const recipeVersion = "2"

// store is a cache of built servers: <cache>/<server>/<key>/<server>, an entry being whole from the moment that it has its name.
type store struct {
	root, cache string
	recipes     map[Server]recipe
	log         io.Writer
}

func (s store) path(ctx context.Context, name Server) (string, error) {
	r, ok := s.recipes[name]
	if !ok {
		return "", fmt.Errorf("unknown server %q", name)
	}
	module := filepath.Join(s.root, "integration", "servers", r.module)
	key, err := cacheKey(module)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	entry := filepath.Join(s.cache, string(name), key)
	binary := filepath.Join(entry, string(name))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(entry), 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	// One lock for all servers: two link steps at once are more than a small machine's memory holds.
	unlock, err := lock(ctx, filepath.Join(s.cache, "lock"))
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := s.build(ctx, name, r, module, entry); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	return binary, nil
}

// build makes the entry beside its final place and renames it, so that an interrupted build leaves no half entry.
func (s store) build(ctx context.Context, name Server, r recipe, module, entry string) error {
	started := time.Now()
	fmt.Fprintf(s.log, "building %s from %s (minutes, the first time)\n", name, r.pkg)
	tmp, err := os.MkdirTemp(filepath.Dir(entry), ".building-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	flags, err := linkerFlags(ctx, module, r)
	if err != nil {
		return err
	}
	if _, err := goTool(ctx, module, "build", "-trimpath", "-ldflags", flags, "-o", filepath.Join(tmp, string(name)), r.pkg); err != nil {
		return err
	}
	if err := keepFiles(ctx, module, r, tmp); err != nil {
		return err
	}
	// MkdirTemp makes folders for the owner alone; a cache may be shared.
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, entry); err != nil {
		return err
	}
	fmt.Fprintf(s.log, "built %s in %s\n", name, time.Since(started).Round(time.Second))
	return nil
}

// cacheKey changes whenever any dependency of the server does, or the server where it is the module itself.
func cacheKey(module string) (string, error) {
	h := sha256.New()
	io.WriteString(h, recipeVersion)
	sources, err := filepath.Glob(filepath.Join(module, "*.go"))
	if err != nil {
		return "", err
	}
	files := []string{"go.mod", "go.sum"}
	for _, source := range sources {
		files = append(files, filepath.Base(source))
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(module, file))
		if errors.Is(err, os.ErrNotExist) && file == "go.sum" {
			err = nil // a module without dependencies
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "\n%s %d\n", file, len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// linkerFlags gives Kubernetes the version that release builds have linked in: without it servers and
// their clients call themselves v0.0.0-master, in user agents too.
func linkerFlags(ctx context.Context, module string, r recipe) (string, error) {
	flags := "-s -w"
	if r.versionOf == "" {
		return flags, nil
	}
	version, err := goTool(ctx, module, "list", "-m", "-f", "{{.Version}}", r.versionOf)
	if err != nil {
		return "", err
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		// A module does not tell its commit: without a value it is shown as unknown.
		flags += fmt.Sprintf(" -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s -X %[1]s.gitCommit=", pkg, version, major, minor)
	}
	return flags, nil
}

func keepFiles(ctx context.Context, module string, r recipe, into string) error {
	if len(r.keep) == 0 {
		return nil
	}
	source, err := goTool(ctx, module, "list", "-f", "{{.Module.Dir}}", r.pkg)
	if err != nil {
		return err
	}
	for from, to := range r.keep {
		if err := os.CopyFS(filepath.Join(into, to), os.DirFS(filepath.Join(source, from))); err != nil {
			return err
		}
	}
	return nil
}

// goTool runs the go command in a nested module and returns what it printed.
func goTool(ctx context.Context, module string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = module
	// A nested module stands by itself, also where the checkout is part of a workspace.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
