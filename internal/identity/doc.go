// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package identity names Kubernetes objects and computes every trace and span ID from those names.
//
// IDs are computed, never handed out: a retry, a second replica or a restart produces the same bytes again,
// so that delivery at least once becomes display exactly once, without coordination.
// docs/ids.md specifies the algorithm together with test vectors; changing it is a breaking change.
//
//	root := identity.Object{Cluster: "prod", Group: "apps", Resource: "deployments", Namespace: "default", Name: "hello"}
//	traceID := identity.TraceID(root, identity.DefaultWindow.Start(at))
//	spanID := identity.ObjectSpanID(traceID, root)
package identity // import "github.com/kelemetry/kelemetry/internal/identity"
