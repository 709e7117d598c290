// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runner builds and runs benchmarks, each once.
type runner struct {
	root, benchtime string

	folder  string // of what was built
	results map[string]measured
	loops   []time.Duration
}

func (r *runner) close() {
	if r.folder != "" {
		_ = os.RemoveAll(r.folder)
	}
}

// measure runs the benchmark of a row, with the calibration loop before and after.
func (r *runner) measure(ctx context.Context, of row) (measured, error) {
	key := of.folder + " " + of.name
	if m, ok := r.results[key]; ok {
		return m, nil
	}
	test, err := r.build(ctx, of.folder)
	if err != nil {
		return measured{}, err
	}
	before := calibrate()
	var out bytes.Buffer
	command := exec.CommandContext(ctx, test, "-test.run", "^$", "-test.bench", exactly(of.name), "-test.benchtime", r.benchtime, "-test.timeout", "30m")
	command.Dir = filepath.Join(r.root, of.folder)
	command.Stdout, command.Stderr = &out, os.Stderr
	if err := command.Run(); err != nil {
		return measured{}, fmt.Errorf("benchmark %s in %s: %w\n%s", of.name, of.folder, err, out.Bytes())
	}
	loop := (before + calibrate()) / 2
	r.loops = append(r.loops, loop)
	result, err := find(out.String(), of.name)
	if err != nil {
		return measured{}, fmt.Errorf("%s: %w", of.folder, err)
	}
	m := measured{metrics: result, loop: loop}
	r.results[key] = m
	return m, nil
}

// build makes the test binary of a package. That of the store is without C, as the distribution is, because zstd is another one with it.
func (r *runner) build(ctx context.Context, folder string) (string, error) {
	if r.folder == "" {
		made, err := os.MkdirTemp("", "kelemetry-bench-")
		if err != nil {
			return "", err
		}
		r.folder = made
	}
	test := filepath.Join(r.folder, strings.ReplaceAll(folder, "/", "-")+".test")
	if _, err := os.Stat(test); err == nil {
		return test, nil
	}
	command := exec.CommandContext(ctx, "go", "test", "-c", "-tags", "integration", "-o", test, "./"+folder)
	command.Dir = r.root
	if folder == store {
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("build the benchmarks of %s: %w", folder, err)
	}
	return test, nil
}

// exactly is the regular expression that -bench wants for one benchmark.
func exactly(name string) string {
	parts := strings.Split("Benchmark"+name, "/")
	for i := range parts {
		parts[i] = "^" + parts[i] + "$"
	}
	return strings.Join(parts, "/")
}

// metrics are what a benchmark printed, by unit.
type metrics map[string]float64

// find returns the metrics of a benchmark's last line: its name, how often it ran, and pairs of a value and its unit.
func find(out, name string) (metrics, error) {
	var found metrics
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !isNamed(fields[0], "Benchmark"+name) {
			continue
		}
		found = metrics{}
		for pair := range slices.Chunk(fields[2:], 2) {
			value, err := strconv.ParseFloat(pair[0], 64)
			if err != nil || len(pair) < 2 {
				return nil, fmt.Errorf("not what a benchmark prints: %q", line)
			}
			found[pair[1]] = value
		}
	}
	if found == nil {
		return nil, fmt.Errorf("there is no benchmark %s", name)
	}
	return found, nil
}

// isNamed says whether a line is of a benchmark. go test appends the number of cores if it is not one.
func isNamed(got, want string) bool {
	cores, ok := strings.CutPrefix(got, want)
	return ok && (cores == "" || strings.HasPrefix(cores, "-") && !strings.Contains(cores, "/"))
}

// table joins the lines.
func (r *runner) table(lines []string) string {
	var sum time.Duration
	for _, loop := range r.loops {
		sum += loop
	}
	loop := sum / time.Duration(len(r.loops))
	return fmt.Sprintf("%s, %s/%s, %d cores, %s. A calibration loop (integration/bench/calibrate.go) took %d ms CPU on average.\n\n"+
		"| part | what | seen | beside the calibration loop | target |\n|---|---|---|---|---|\n%s\n",
		time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), loop.Milliseconds(), strings.Join(lines, "\n"))
}
