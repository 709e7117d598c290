// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateCluster(t *testing.T) {
	for _, name := range []string{"prod", "a", "arn:aws:eks:eu-1:1:cluster/prod", "gke_project_zone_name", strings.Repeat("x", 253)} {
		require.NoError(t, ValidateCluster(name), name)
	}
	for _, name := range []string{"", "a b", "a\nb", "\x00", "ü", strings.Repeat("x", 254)} {
		require.Error(t, ValidateCluster(name), name)
	}
}
