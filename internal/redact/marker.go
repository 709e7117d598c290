// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package redact // import "github.com/kelemetry/kelemetry/internal/redact"

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// Redacted is what a value is replaced by, unless a hash key makes it tell one value from another.
const Redacted = "<redacted>"

// marker appends the JSON string that replaces a value of which the text is given.
type marker func(dst, raw []byte) []byte

func newMarker(key string) marker {
	if key == "" {
		return func(dst, _ []byte) []byte { return append(dst, `"`+Redacted+`"`...) }
	}
	type hasher struct {
		hash.Hash
		sum [sha256.Size]byte
	}
	pool := sync.Pool{New: func() any { return &hasher{Hash: hmac.New(sha256.New, []byte(key))} }}
	return func(dst, raw []byte) []byte {
		h := pool.Get().(*hasher)
		defer pool.Put(h)
		h.Reset()
		h.Write(raw)
		dst = append(dst, `"<redacted:`...)
		dst = hex.AppendEncode(dst, h.Sum(h.sum[:0])[:4])
		return append(dst, `>"`...)
	}
}
