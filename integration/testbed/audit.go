// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// policy returns the audit policy as YAML.
func (a Audit) policy() string {
	if a.Policy != "" {
		return a.Policy
	}
	var b strings.Builder
	b.WriteString("apiVersion: audit.k8s.io/v1\nkind: Policy\n")
	if !a.AllStages {
		b.WriteString("omitStages: [RequestReceived]\n")
	}
	fmt.Fprintf(&b, "rules:\n- level: %s\n", a.Level)
	return b.String()
}

// flags writes the files that kube-apiserver needs into the folder and returns its flags.
func (a Audit) flags(dir string) ([]string, error) {
	policy := filepath.Join(dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(a.policy()), 0o600); err != nil {
		return nil, err
	}
	flags := []string{"--audit-policy-file=" + policy}
	if a.Webhook.URL != "" {
		more, err := a.Webhook.flags(dir)
		if err != nil {
			return nil, err
		}
		flags = append(flags, more...)
	}
	if a.Log.Path != "" {
		more, err := a.Log.flags()
		if err != nil {
			return nil, err
		}
		flags = append(flags, more...)
	}
	return flags, nil
}

func (w AuditWebhook) flags(dir string) ([]string, error) {
	config := filepath.Join(dir, "audit-webhook.kubeconfig")
	if err := writeKubeconfig(config, w.URL, nil, ""); err != nil {
		return nil, err
	}
	flags := []string{
		"--audit-webhook-config-file=" + config,
		"--audit-webhook-batch-max-wait=" + w.MaxWait.String(),
	}
	if w.Blocking {
		flags = append(flags, "--audit-webhook-mode=blocking")
	}
	if w.MaxBatch > 0 {
		flags = append(flags, "--audit-webhook-batch-max-size="+strconv.Itoa(w.MaxBatch))
	}
	if w.Buffer > 0 {
		flags = append(flags, "--audit-webhook-batch-buffer-size="+strconv.Itoa(w.Buffer))
	}
	if w.ThrottleQPS > 0 {
		flags = append(flags, fmt.Sprintf("--audit-webhook-batch-throttle-qps=%g", w.ThrottleQPS))
	}
	if w.InitialBackoff > 0 {
		flags = append(flags, "--audit-webhook-initial-backoff="+w.InitialBackoff.String())
	}
	if w.TruncateEvent > 0 || w.TruncateBatch > 0 {
		flags = append(flags, "--audit-webhook-truncate-enabled")
	}
	if w.TruncateEvent > 0 {
		flags = append(flags, "--audit-webhook-truncate-max-event-size="+strconv.Itoa(w.TruncateEvent))
	}
	if w.TruncateBatch > 0 {
		flags = append(flags, "--audit-webhook-truncate-max-batch-size="+strconv.Itoa(w.TruncateBatch))
	}
	return flags, nil
}

func (l AuditLog) flags() ([]string, error) {
	// kube-apiserver runs in a folder of its own.
	path, err := filepath.Abs(l.Path)
	if err != nil {
		return nil, err
	}
	flags := []string{
		"--audit-log-path=" + path,
		"--audit-log-maxsize=" + strconv.Itoa(l.MaxSizeMB),
		"--audit-log-maxbackup=" + strconv.Itoa(l.MaxBackups),
	}
	if l.Compress {
		flags = append(flags, "--audit-log-compress")
	}
	return flags, nil
}
