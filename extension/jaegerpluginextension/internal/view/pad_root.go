// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package view // import "github.com/kelemetry/kelemetry/extension/jaegerpluginextension/internal/view"

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// padRoot lets the root begin a twentieth of its length before and end as much after what is in it, so that what happened first
// and last is not at the edge of the page.
func (t *tree) padRoot() {
	root := t.root()
	by := max((root.end-root.start)/20, pcommon.Timestamp(time.Millisecond))
	root.start -= min(by, root.start)
	root.end += by
}
