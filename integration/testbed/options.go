// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"fmt"
	"time"
)

// Options say what cluster to start. The zero value is a whole cluster with two nodes, whose audit log goes nowhere.
type Options struct {
	// Dir is where the cluster's own folder is made; the system's place for temporary files if empty.
	Dir string
	// Components that run besides kube-apiserver and its etcd; AllComponents if zero, APIServerOnly for none.
	Components Components
	// Nodes is how many simulated nodes there are: 2 if zero, none if negative or without Kwok.
	Nodes int
	// Pods says how simulated Pods behave; PodsRealistic if empty.
	Pods PodBehavior
	// Users are known to the cluster in addition to Admin, Alice, Bob and Mallory.
	Users []UserSpec
	Audit Audit
	// APIServerFlags are added to those of kube-apiserver and win over them.
	APIServerFlags []string
}

// Components is a set of programs.
type Components uint8

const (
	ControllerManager Components = 1 << iota
	Scheduler
	Kwok
	// APIServerOnly is enough for what needs no controller. Namespaces then have no default ServiceAccount,
	// objects of a deleted Namespace or owner stay, and Pods are never scheduled.
	APIServerOnly Components = 1 << 7
	AllComponents            = ControllerManager | Scheduler | Kwok
)

func (c Components) has(other Components) bool { return c&other != 0 }

// PodBehavior names a set of kwok stages.
type PodBehavior string

const (
	// PodsRealistic start and complete within 2 to 12 s, and take part of their grace period to end.
	PodsRealistic PodBehavior = "general"
	// PodsFast are ready, complete or gone at once.
	PodsFast PodBehavior = "fast"
)

// UserSpec describes a user to make.
type UserSpec struct {
	Name   string
	Groups []string
	// ClusterAdmin gives the user all rights, by a ClusterRoleBinding of their own.
	ClusterAdmin bool
}

// Audit says what is audited and where it goes: to a webhook, a file, or both.
type Audit struct {
	// Level of every request; LevelRequestResponse if empty.
	Level AuditLevel
	// AllStages adds stage RequestReceived, which most policies of real clusters leave out.
	AllStages bool
	// Policy is an audit.k8s.io/v1 Policy in YAML, in place of Level and AllStages.
	Policy  string
	Webhook AuditWebhook
	Log     AuditLog
}

// AuditLevel is how much of a request is logged.
type AuditLevel string

const (
	LevelMetadata        AuditLevel = "Metadata"
	LevelRequest         AuditLevel = "Request"
	LevelRequestResponse AuditLevel = "RequestResponse"
)

// AuditWebhook says where batches are posted. There is none if URL is empty. Fields left zero keep kube-apiserver's
// default, except where noted.
type AuditWebhook struct {
	// URL with path, for instance http://127.0.0.1:8080/audit/prod. kube-apiserver adds a timeout parameter.
	URL string
	// MaxWait until a batch that is not full is sent; 300 ms if zero, while kube-apiserver's own default is 30 s.
	MaxWait time.Duration
	// MaxBatch events in one request.
	MaxBatch int
	// Buffer is how many events may wait; more are dropped.
	Buffer int
	// ThrottleQPS limits batches a second.
	ThrottleQPS float64
	// InitialBackoff before the first retry; each of the 4 further ones waits longer by a factor of 1.5.
	InitialBackoff time.Duration
	// Blocking sends each event in a request of its own, and lets the audited request wait for it.
	Blocking bool
	// TruncateEvent and TruncateBatch switch truncation on, at that many bytes.
	TruncateEvent, TruncateBatch int
}

// AuditLog says which file events are written to, one JSON object a line. There is none if Path is empty.
type AuditLog struct {
	Path string
	// MaxSizeMB is the size at which the file is rotated: renamed with the time in its name. Never, if zero.
	MaxSizeMB int
	// MaxBackups is how many rotated files are kept; all, if zero.
	MaxBackups int
	// Compress makes .gz files of the rotated ones.
	Compress bool
}

func (o Options) withDefaults() (Options, error) {
	if o.Components == 0 {
		o.Components = AllComponents
	}
	if o.Nodes == 0 {
		o.Nodes = 2
	}
	if !o.Components.has(Kwok) {
		o.Nodes = 0
	}
	if o.Pods == "" {
		o.Pods = PodsRealistic
	}
	if o.Audit.Level == "" {
		o.Audit.Level = LevelRequestResponse
	}
	if o.Audit.Webhook.MaxWait == 0 {
		o.Audit.Webhook.MaxWait = 300 * time.Millisecond
	}
	return o, o.validate()
}

func (o Options) validate() error {
	var errs []error
	switch o.Pods {
	case PodsRealistic, PodsFast:
	default:
		errs = append(errs, fmt.Errorf("option Pods is %q: want %q or %q", o.Pods, PodsRealistic, PodsFast))
	}
	switch o.Audit.Level {
	case LevelMetadata, LevelRequest, LevelRequestResponse:
	default:
		errs = append(errs, fmt.Errorf("option Audit.Level is %q: want Metadata, Request or RequestResponse", o.Audit.Level))
	}
	for _, u := range o.Users {
		if u.Name == "" {
			errs = append(errs, errors.New("a user in Users has no Name"))
		}
	}
	return errors.Join(errs...)
}
