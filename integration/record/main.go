// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command record makes the recording that `make run`, tests and benchmarks use: it starts a real control plane and bin/kelemetry, lets
// several users work in it, and keeps what kube-apiserver logged, and what the receivers of Events and of changes made of it. Beside
// both it writes a README that says what is in them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kelemetry/kelemetry/integration/testbed"
	"github.com/kelemetry/kelemetry/internal/identity"
)

const limit = 10 * time.Minute

var errStraddles = errors.New("the recording straddles the end of a window, so that each trace would be in two parts: once more")

const auditFile = "audit.json.gz"

type options struct {
	// root is the folder of the repository, out the folder to write.
	root, out string
	// maxBytes is how large the audit log may be.
	maxBytes int
	pods     testbed.PodBehavior
	progress io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{pods: testbed.PodsRealistic, progress: os.Stderr}
	flag.StringVar(&o.root, "root", ".", "`folder` of the repository")
	flag.StringVar(&o.out, "o", "integration/testdata/recording", "`folder` to write")
	flag.IntVar(&o.maxBytes, "max-bytes", 1_000_000, "how large the audit log may be; reads are left out until it fits")
	flag.Parse()
	if err := record(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context, o options) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %s", limit))
	defer cancel()
	dir, err := os.MkdirTemp("", "kelemetry-record-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	raw := filepath.Join(dir, "first")
	about, err := runCluster(ctx, o, dir, raw)
	if errors.Is(err, errStraddles) {
		fmt.Fprintln(o.progress, err)
		raw = filepath.Join(dir, "again")
		about, err = runCluster(ctx, o, dir, raw)
	}
	if err != nil {
		return err
	}
	return keepRecording(o, about, raw)
}

// The files that the recording is made of.
func rawAudit(raw string) string { return raw + "-audit.log" }
func rawSpans(raw string) string { return raw + "-spans.json" }

// keepRecording makes the recording of what was written while the scenario played.
func keepRecording(o options, about about, raw string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	for _, form := range hostForms {
		about.secrets = append(about.secrets, fmt.Sprintf(form, host))
	}
	events, err := readEvents(rawAudit(raw))
	if err != nil {
		return err
	}
	if err := redact(events); err != nil {
		return err
	}
	for i := range events {
		events[i].line = rename(events[i].line, host)
	}
	if err := about.check(linesOf(events)); err != nil {
		return fmt.Errorf("the audit log: %w", err)
	}
	kept, audit, err := fit(events, o.maxBytes)
	if err != nil {
		return err
	}
	about.kept, about.of = kept, len(events)

	lines, counts, err := recordSpans(rawSpans(raw), host)
	if err != nil {
		return err
	}
	about.spans = counts
	about.secrets = append(about.secrets, syntheticSecrets...)
	if err := about.check(lines); err != nil {
		return fmt.Errorf("the spans: %w", err)
	}
	spans, err := pack(lines)
	if err != nil {
		return err
	}
	if err := write(o.out, map[string][]byte{auditFile: audit, spansFile: spans, "README.md": about.readme()}); err != nil {
		return err
	}
	fmt.Fprintf(o.progress, "%s: %d of %d audit events in %d bytes, %v spans in %d bytes\n", o.out, len(kept), len(events), len(audit), counts, len(spans))
	return nil
}

// runCluster lets the scenario play and returns what is to be said about it, once the cluster has stopped.
func runCluster(ctx context.Context, o options, dir, raw string) (about, error) {
	fmt.Fprintln(o.progress, "starting a control plane")
	c, err := testbed.StartCluster(ctx, testbed.Options{
		Dir:   dir,
		Nodes: 3,
		Pods:  o.pods,
		Users: []testbed.UserSpec{
			{Name: dashboard, Groups: []string{"viewers"}, ClusterAdmin: true},
			{Name: observer, ClusterAdmin: true},
		},
		Audit: testbed.Audit{Level: testbed.LevelRequestResponse, Log: testbed.AuditLog{Path: rawAudit(raw)}},
	})
	if err != nil {
		return about{}, err
	}
	defer func() { _ = c.Remove() }() // the folder around it goes too
	version, err := c.Version()
	if err != nil {
		return about{}, err
	}
	kelemetry, err := watchOn(ctx, o.root, rawSpans(raw), c)
	if err != nil {
		return about{}, err
	}
	defer func() { _ = kelemetry.Stop() }() // when it was stopped in good time, this does nothing
	fmt.Fprintln(o.progress, "playing: about half a minute")
	started := time.Now()
	if err := play(ctx, c); err != nil {
		c.WriteLogTails(o.progress)
		return about{}, err
	}
	ended := time.Now()
	if err := awaitQuiet(ctx, rawSpans(raw)); err != nil {
		return about{}, err
	}
	if err := kelemetry.Stop(); err != nil {
		return about{}, err
	}
	if identity.DefaultWindow.Start(started) != identity.DefaultWindow.Start(ended) {
		return about{}, errStraddles
	}
	secrets := []string{dir}
	for _, u := range c.Users {
		secrets = append(secrets, u.Token)
	}
	return about{version: version, started: started, ended: ended, secrets: secrets}, c.Stop()
}

// write puts files into a folder, each whole or not at all.
func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".tmp", data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			return err
		}
	}
	return nil
}
