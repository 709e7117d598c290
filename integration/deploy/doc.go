// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy holds the tests of deploy/: its manifests, image and configuration, as far as a real control plane and the built
// binary can tell without a container engine.
package deploy
