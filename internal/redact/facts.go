// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import "bytes"

// facts are what other members of an object say about it. They may come late: JSON that is written from a map has data
// before kind. See [walker.object].
type facts uint16

const (
	factSecret facts = 1 << iota
	factConfigMap
	// factToken is a kind whose spec or status holds a token.
	factToken
	factSecretList
	factConfigMapList
	factList
	factTable
	factStatus
	factDeleteOptions
	// factClosed is that only metadata may be shown.
	factClosed
)

// ofKind returns what a kind says. The group is not asked: whatever calls itself a Secret is one.
func (r *rules) ofKind(kind []byte) facts {
	var f facts
	switch string(kind) {
	case "Secret":
		f = factSecret
	case "ConfigMap":
		f = factConfigMap
	case "SecretList":
		f = factSecretList | factList
	case "ConfigMapList":
		f = factConfigMapList | factList
	case "TokenRequest", "TokenReview", "ExecCredential", "CertificateSigningRequest":
		f = factToken
	case "Table":
		f = factTable
	case "Status":
		f = factStatus
	case "DeleteOptions":
		f = factDeleteOptions
	default:
		if bytes.HasSuffix(kind, []byte("List")) {
			f = factList
		}
	}
	return f & r.known
}

// of returns what a member is that facts decide about.
func (f facts) of(key []byte) place {
	switch f & hiddenBy(key) {
	case 0:
		return anywhere
	case factSecretList:
		return secretItems
	case factConfigMapList:
		return configMapItems
	case factToken:
		return hidden
	default:
		return hiddenValues
	}
}

// hiddenBy returns the facts that hide a member.
func hiddenBy(key []byte) facts {
	switch string(key) {
	case "data":
		return factSecret | factConfigMap
	case "binaryData":
		return factConfigMap
	case "spec", "status":
		return factToken
	case "items":
		return factSecretList | factConfigMapList
	default:
		return 0
	}
}

// then returns a place if a fact is known. Otherwise, in an object that hides things, the value is hidden.
func (f facts) then(fact facts, p place) place {
	if f&fact != 0 {
		return p
	}
	return hidden
}
