// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command build fills the cache of servers, so that tests do not wait for it: build [name...], all if none is named.
// It prints the path of each binary.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kelemetry/kelemetry/integration/servers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	names := servers.All()
	if len(args) > 0 {
		names = nil
		for _, arg := range args {
			names = append(names, servers.Server(arg))
		}
	}
	if err := servers.Build(ctx, names...); err != nil {
		return err
	}
	for _, name := range names {
		path, err := servers.Path(ctx, name)
		if err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}
