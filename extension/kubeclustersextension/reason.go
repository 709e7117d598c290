// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package kubeclustersextension // import "github.com/kelemetry/kelemetry/extension/kubeclustersextension"

import (
	"context"
	"errors"
	"net"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// reason is why a request failed, as in the metric.
type reason string

const (
	reasonUnreachable  reason = "unreachable"
	reasonTimeout      reason = "timeout"
	reasonUnauthorized reason = "unauthorized"
	reasonForbidden    reason = "forbidden"
	reasonThrottled    reason = "throttled"
	reasonServer       reason = "server"
	reasonOther        reason = "other"
)

// reasonOf classifies the error of a request.
func reasonOf(err error) reason {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		switch code := status.Status().Code; {
		case code == http.StatusUnauthorized:
			return reasonUnauthorized
		case code == http.StatusForbidden:
			return reasonForbidden
		case code == http.StatusTooManyRequests:
			return reasonThrottled
		case code == http.StatusGatewayTimeout:
			return reasonTimeout
		case code >= http.StatusInternalServerError:
			return reasonServer
		default:
			return reasonOther
		}
	}
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return reasonTimeout
	case errors.Is(err, context.Canceled):
		return reasonOther
	case errors.As(err, &network):
		return reasonUnreachable // *url.Error, which each failed round trip gives, is one
	default:
		return reasonOther
	}
}
