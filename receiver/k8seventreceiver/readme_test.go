// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package k8seventreceiver

import (
	"testing"

	"github.com/kelemetry/kelemetry/internal/readmetest"
)

func TestReadmeExamplesWork(t *testing.T) { readmetest.Examples(t, "receivers", NewFactory()) }

func TestReadmeNamesEveryOption(t *testing.T) { readmetest.NamesEveryOption(t, createDefaultConfig()) }
