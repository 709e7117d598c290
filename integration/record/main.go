// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command record makes the recorded audit log that `make run`, tests and benchmarks use: it starts a real control plane, lets
// several users work in it, and keeps what kube-apiserver logged. Beside the log it writes a README that says what is in it.
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

type options struct {
	out      string
	maxBytes int
	pods     testbed.PodBehavior
	progress io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{pods: testbed.PodsRealistic, progress: os.Stderr}
	flag.StringVar(&o.out, "o", "integration/testdata/recording/audit.json.gz", "`file` to write")
	flag.IntVar(&o.maxBytes, "max-bytes", 1_000_000, "how large the file may be; reads are left out until it fits")
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
	raw := filepath.Join(dir, "audit.log")
	about, err := runCluster(ctx, o, dir, raw)
	if errors.Is(err, errStraddles) {
		fmt.Fprintln(o.progress, err)
		raw = filepath.Join(dir, "audit-again.log")
		about, err = runCluster(ctx, o, dir, raw)
	}
	if err != nil {
		return err
	}
	events, err := readEvents(raw)
	if err != nil {
		return err
	}
	if err := redact(events); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	rename(events, host, "control-plane")
	for _, form := range hostForms {
		about.secrets = append(about.secrets, fmt.Sprintf(form, host))
	}
	if err := about.check(events); err != nil {
		return err
	}
	kept, packed, err := fit(events, o.maxBytes)
	if err != nil {
		return err
	}
	about.kept, about.of = kept, len(events)
	if err := write(o.out, packed, about); err != nil {
		return err
	}
	fmt.Fprintf(o.progress, "%s: %d of %d events, %d bytes\n", o.out, len(kept), len(events), len(packed))
	return nil
}

// runCluster lets the scenario play and returns what is to be said about it, once the cluster has stopped.
func runCluster(ctx context.Context, o options, dir, raw string) (about, error) {
	fmt.Fprintln(o.progress, "starting a control plane")
	c, err := testbed.StartCluster(ctx, testbed.Options{
		Dir:   dir,
		Nodes: 3,
		Pods:  o.pods,
		Users: []testbed.UserSpec{{Name: dashboard, Groups: []string{"viewers"}, ClusterAdmin: true}},
		Audit: testbed.Audit{Level: testbed.LevelRequestResponse, Log: testbed.AuditLog{Path: raw}},
	})
	if err != nil {
		return about{}, err
	}
	defer func() { _ = c.Remove() }() // the folder around it goes too
	version, err := c.Version()
	if err != nil {
		return about{}, err
	}
	fmt.Fprintln(o.progress, "playing: about half a minute")
	started := time.Now()
	if err := play(ctx, c); err != nil {
		c.WriteLogTails(o.progress)
		return about{}, err
	}
	ended := time.Now()
	if identity.DefaultWindow.Start(started) != identity.DefaultWindow.Start(ended) {
		return about{}, errStraddles
	}
	secrets := []string{dir}
	for _, u := range c.Users {
		secrets = append(secrets, u.Token)
	}
	return about{version: version, started: started, ended: ended, secrets: secrets}, c.Stop()
}

// write puts the recording and its README where they belong, each whole or not at all.
func write(out string, packed []byte, about about) error {
	dir := filepath.Dir(out)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for path, data := range map[string][]byte{
		out:                             packed,
		filepath.Join(dir, "README.md"): about.readme(filepath.Base(out)),
	} {
		if err := os.WriteFile(path+".tmp", data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			return err
		}
	}
	return nil
}
