// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package text // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/text"

import "strings"

// ShortUser is a user as a person would say it: "deployment-controller", "argocd/sync", "kubelet node-1".
func ShortUser(user string) string {
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		if own, ok := strings.CutPrefix(account, "kube-system:"); ok {
			return own
		}
		return strings.Replace(account, ":", "/", 1)
	}
	if node, ok := strings.CutPrefix(user, "system:node:"); ok {
		return "kubelet " + node
	}
	return strings.TrimPrefix(user, "system:")
}
