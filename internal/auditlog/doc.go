// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package auditlog turns Kubernetes audit events into spans on the objects that they concern, and into log records. Whatever brings the
// events uses it, so that an event becomes the same span however it comes.
package auditlog // import "github.com/kelemetry/kelemetry/internal/auditlog"
