// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity // import "github.com/kelemetry/kelemetry/internal/identity"

import (
	"fmt"
	"strings"
)

// maxClusterLength is longer than any name that a cloud gives a cluster.
const maxClusterLength = 253

// ValidateCluster reports a name that cannot be a cluster's. Every component takes the same names, because those that
// concern one cluster have to name it alike.
func ValidateCluster(name string) error {
	if name == "" || len(name) > maxClusterLength || strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return fmt.Errorf("a cluster's name must be 1 to %d printable ASCII characters without spaces, got %q", maxClusterLength, name)
	}
	return nil
}
