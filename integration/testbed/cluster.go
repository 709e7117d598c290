// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"fmt"
	"time"
)

// stopGrace is how long a process may take to end by itself. kube-apiserver alone wants longer, for
// connections that nobody will use again.
const stopGrace = 3 * time.Second

// Cluster is a running control plane.
type Cluster struct {
	*bed
	// URL of kube-apiserver.
	URL string
	// Kubeconfig is the path of a file with Admin's access.
	Kubeconfig string

	// Admin belongs to system:masters, past all authorization.
	Admin *User
	// Alice and Bob have all rights, by RBAC.
	Alice, Bob *User
	// Mallory has none.
	Mallory *User
	// Users holds these four and those of Options.Users by name.
	Users map[string]*User
}

// StartCluster starts a control plane and returns when it can be used: kube-apiserver is ready, the controllers answer and
// every node is ready. The context bounds the start alone; the cluster then runs until Stop or Remove, or until this program
// ends in whatever way.
func StartCluster(ctx context.Context, opts Options) (*Cluster, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start a cluster: %w", err)
	}
	binaries, err := findBinaries(ctx, opts.Components)
	if err != nil {
		return nil, fmt.Errorf("start a cluster: %w", err)
	}
	var c *Cluster
	b, err := startBed(ctx, opts.Dir, "kelemetry-cluster-*", func(ctx context.Context, b *bed) error {
		c = &Cluster{bed: b}
		return c.setUp(ctx, opts, binaries)
	})
	if err != nil {
		return nil, fmt.Errorf("start a cluster: %w", err)
	}
	c.bed = b
	return c, nil
}

func (c *Cluster) setUp(ctx context.Context, opts Options, binaries binaries) error {
	p := &plane{bed: c.bed, opts: opts, binaries: binaries}
	if err := p.prepare(); err != nil {
		return err
	}
	c.URL = p.url()
	c.Admin, c.Alice, c.Bob, c.Mallory = p.people[0], p.people[1], p.people[2], p.people[3]
	c.Kubeconfig = c.Admin.Kubeconfig
	c.Users = make(map[string]*User)
	for _, u := range p.people {
		c.Users[u.Name] = u
		c.onStop = append(c.onStop, u.disconnect)
	}
	if err := p.startAPIServer(ctx); err != nil {
		return err
	}
	if err := c.grantRights(ctx); err != nil {
		return err
	}
	if err := p.startComponents(); err != nil {
		return err
	}
	if err := c.createNodes(ctx, opts.Nodes); err != nil {
		return err
	}
	if opts.Components.has(ControllerManager) {
		if err := c.awaitDefaultServiceAccount(ctx, "default"); err != nil {
			return err
		}
	}
	return c.alive()
}
