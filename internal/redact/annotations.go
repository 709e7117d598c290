// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import "bytes"

// Label marks objects of which only the metadata may be shown. Any value but "false" does.
const Label = "kelemetry.kubewharf.io/diff-redacted"

// ofAnnotations hides annotations that hold a full copy of the object, with all that is secret in it.
//
// Many operators keep one under a name of their own that begins with last-applied, as kubectl does:
// kubectl.kubernetes.io/last-applied-configuration, banzaicloud.com/last-applied, pingcap.com/last-applied-configuration.
func (r *rules) ofAnnotations(key []byte) place {
	switch string(key) {
	case "objectset.rio.cattle.io/applied", // Rancher, K3s, Fleet
		"kapp.k14s.io/original",                       // kapp
		"kopf.zalando.org/last-handled-configuration": // operators made with Kopf
		return hidden
	}
	name := key[bytes.LastIndexByte(key, '/')+1:]
	if bytes.HasPrefix(name, []byte("last-applied")) || r.copies[string(key)] {
		return hidden
	}
	return anywhere
}
