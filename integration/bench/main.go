// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Command bench runs the benchmarks that show what Kelemetry costs, each beside a loop that is always the same, and prints one table: what was
// measured in CPU time, and how much of it that loop takes, so that figures of different days and machines can be compared.
// `make bench` calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

// begin and end are around the table in a file.
const begin, end = "<!-- bench: written by make bench -->", "<!-- bench: end -->"

func main() {
	root := flag.String("root", ".", "folder of the repository")
	only := flag.String("bench", ".", "run the rows whose part, subject or benchmark matches the `regexp`")
	benchtime := flag.String("benchtime", "1s", "how long each benchmark runs at least")
	into := flag.String("into", "", "a `file` in which to replace the table, too; only with all rows")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *root, *only, *benchtime, *into); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, root, only, benchtime, into string) error {
	pick, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-bench: %w", err)
	}
	var picked []row
	for _, r := range rows {
		if pick.MatchString(r.part) || pick.MatchString(r.what) || pick.MatchString(r.name) {
			picked = append(picked, r)
		}
	}
	if len(picked) == 0 {
		return fmt.Errorf("-bench: no row matches %q", only)
	}
	if into != "" && len(picked) < len(rows) {
		return errors.New("-into: a file gets all rows or none")
	}
	runner := &runner{root: root, benchtime: benchtime, results: map[string]measured{}}
	defer runner.close()
	var lines []string
	part := ""
	for _, r := range picked {
		m, err := runner.measure(ctx, r)
		if err != nil {
			return err
		}
		if r.part == part {
			r.part = "" // is told once
		} else {
			part = r.part
		}
		line, err := m.line(r)
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, line)
		lines = append(lines, line)
	}
	table := runner.table(lines)
	fmt.Print(table)
	if into == "" {
		return nil
	}
	return replace(into, table)
}

// replace puts the table in its place in a file.
func replace(file, table string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the table: write %s and %s where it belongs", file, begin, end)
	}
	return os.WriteFile(file, []byte(before+begin+"\n"+table+end+after), 0o644)
}
