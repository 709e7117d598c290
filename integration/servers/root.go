// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package servers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	mainModule = "github.com/kelemetry/kelemetry"
	// cacheEnv names a folder to use in place of .cache/ in the repository, for instance one that CI keeps between runs.
	cacheEnv = "KELEMETRY_CACHE"
)

// findRoot walks up from the working directory to the folder of the main module, past nested modules.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for from := dir; ; {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("find the repository: %w", err)
		}
		if first, _, _ := bytes.Cut(data, []byte("\n")); string(bytes.TrimSpace(first)) == "module "+mainModule {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find the repository: no folder above %s holds the module %s: run this inside a checkout", from, mainModule)
		}
		dir = parent
	}
}

func cacheDir(root string) string {
	if dir := os.Getenv(cacheEnv); dir != "" {
		return filepath.Join(dir, "servers")
	}
	return filepath.Join(root, ".cache", "servers")
}
