// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kelemetry/kelemetry/integration/testbed"
)

const (
	demo = "demo" // one Deployment alone
	shop = "shop" // several at once
	lab  = "lab"  // everything else
)

// namespaces are those in which play does something.
var namespaces = []string{demo, shop, lab}

const (
	// dashboard is a user that only reads, as most of a cluster's clients do.
	dashboard = "dashboard"
	// observer is the user that Kelemetry is.
	observer = "kelemetry"
)

// play lets several users work in the cluster at the same time: Alice rolls out demo, Bob the shop, everything else that makes
// audit logs interesting happens beside them, and a dashboard looks on.
func play(ctx context.Context, c *testbed.Cluster) error {
	for _, namespace := range namespaces {
		if err := c.CreateNamespace(ctx, c.Admin, namespace); err != nil {
			return err
		}
	}
	looking, stopLooking := context.WithCancel(ctx)
	var looker sync.WaitGroup
	looker.Go(func() { look(looking, c.Users[dashboard]) })
	defer looker.Wait()
	defer stopLooking()

	return together(ctx, c,
		func(ctx context.Context, c *testbed.Cluster) error {
			_, err := testbed.RolloutScenario(ctx, c, testbed.RolloutOptions{User: c.Alice, Namespace: demo, Name: "demo"})
			return err
		},
		playShop, playObjects, playPods, playSecrets,
	)
}

type part func(context.Context, *testbed.Cluster) error

func together(ctx context.Context, c *testbed.Cluster, parts ...part) error {
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() { errs[i] = p(ctx, c) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// look lists what a dashboard shows, once a second. It ends with the context, and what it is told in the end does not matter.
func look(ctx context.Context, u *testbed.User) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		for _, namespace := range namespaces {
			_, _ = u.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Limit: 500})
			_, _ = u.Client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{Limit: 500})
		}
		_, _ = u.Client.CoreV1().Nodes().Get(ctx, testbed.NodeName(0), metav1.GetOptions{})
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func playShop(ctx context.Context, c *testbed.Cluster) error {
	rollOut := func(name string, foreground bool) part {
		return func(ctx context.Context, c *testbed.Cluster) error {
			_, err := testbed.RolloutScenario(ctx, c, testbed.RolloutOptions{User: c.Bob, Namespace: shop, Name: name, Foreground: foreground})
			return err
		}
	}
	return together(ctx, c, rollOut("cart", false), rollOut("checkout", true), rollOut("web", false))
}

func playObjects(ctx context.Context, c *testbed.Cluster) error {
	if _, err := testbed.CreateGenerateName(ctx, c.Alice, lab, "report-"); err != nil {
		return err
	}
	if _, err := testbed.DeleteConfigMaps(ctx, c.Bob, lab, "batch", 5); err != nil {
		return err
	}
	if _, _, err := testbed.Recreate(ctx, c.Bob, lab, "phoenix"); err != nil {
		return err
	}
	return errors.Join(
		testbed.UpdateStale(ctx, c.Bob, lab, "contended"),
		testbed.DoForbidden(ctx, c.Mallory, lab, "contraband"),
		testbed.CreateInvalid(ctx, c.Bob, lab),
		testbed.UpdateNothing(ctx, c.Alice, lab, "unchanged"),
		testbed.CreateDryRun(ctx, c.Bob, lab, "rehearsal"),
		testbed.CreateImpersonating(ctx, c.Admin, "carol", lab, "masked"),
		testbed.PatchInEveryWay(ctx, c.Alice, lab, "quilt"),
	)
}

func playPods(ctx context.Context, c *testbed.Cluster) error {
	if _, err := testbed.CreatePod(ctx, c.Alice, lab, "shell"); err != nil {
		return err
	}
	for _, protocol := range []testbed.ExecProtocol{testbed.ExecSPDY, testbed.ExecWebSocket} {
		if _, err := testbed.ExecInPod(ctx, c.Alice, lab, "shell", protocol, "cat", "/etc/hostname"); err != nil {
			return err
		}
	}
	if err := testbed.EvictPod(ctx, c.Bob, lab, "shell"); err != nil {
		return err
	}
	if _, err := testbed.BindPod(ctx, c.Bob, lab, "bound"); err != nil {
		return err
	}
	if _, _, err := testbed.RunJob(ctx, c.Alice, lab, "import"); err != nil {
		return err
	}
	_, err := testbed.DeletePods(ctx, c.Bob, lab, "flock", 3)
	return err
}

// syntheticSecrets are values that no span may tell.
var syntheticSecrets = []string{"synthetic-secret", "synthetic-secret-in-release"}

func playSecrets(ctx context.Context, c *testbed.Cluster) error {
	if _, err := testbed.HandleSecret(ctx, c.Alice, lab, "database", syntheticSecrets[0]); err != nil {
		return err
	}
	if _, err := testbed.InstallHelmRelease(ctx, c.Bob, lab, "wordpress", syntheticSecrets[1]); err != nil {
		return err
	}
	token, err := testbed.RequestToken(ctx, c.Bob, lab)
	if err != nil {
		return err
	}
	return testbed.ReviewToken(ctx, c.Admin, token)
}
