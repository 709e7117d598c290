// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package conntrack has the names of github.com/mwitkow/go-conntrack that Prometheus's HTTP client uses. Connections are made
// without counting them.
package conntrack

import (
	"context"
	"net"
)

// DialFunc makes a connection.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// Option says how connections are made.
type Option func(*DialFunc)

// DialWithTracing is without effect.
func DialWithTracing() Option { return func(*DialFunc) {} }

// DialWithName is without effect.
func DialWithName(string) Option { return func(*DialFunc) {} }

// DialWithDialContextFunc makes connections by dial.
func DialWithDialContextFunc(dial DialFunc) Option { return func(d *DialFunc) { *d = dial } }

// NewDialContextFunc returns what the options say, or else the standard library's dialer.
func NewDialContextFunc(options ...Option) DialFunc {
	dial := (&net.Dialer{}).DialContext
	for _, set := range options {
		set(&dial)
	}
	return dial
}
