// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package deploy

import (
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// user is that of the image and of the manifests.
const user = 65532

// TestImage makes the image's file system as the Dockerfile does, and runs the binary in it as the image's user.
func TestImage(t *testing.T) {
	image := t.TempDir()
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "image", "rootfs.sh"), filepath.Join(root, "bin", "kelemetry"), image).CombinedOutput()
	require.NoError(t, err, "%s", out)

	binary, err := elf.Open(filepath.Join(image, "kelemetry"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, binary.Close()) }()
	for _, part := range binary.Progs {
		assert.NotContains(t, []elf.ProgType{elf.PT_INTERP, elf.PT_DYNAMIC}, part.Type, "it is not static")
	}
	dockerfile := string(read(t, folder, "image", "Dockerfile"))
	for _, line := range []string{"deploy/image/rootfs.sh bin/kelemetry /rootfs", "FROM scratch\n", "USER 65532:65532\n", `ENTRYPOINT ["/kelemetry"]`} {
		assert.Contains(t, dockerfile, line)
	}

	if os.Getuid() != 0 {
		t.Skip("the rest changes root and user, which root alone may do")
	}
	size := int64(0)
	require.NoError(t, filepath.WalkDir(image, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		size += info.Size()
		inside := path[len(image):]
		owned := info.Sys().(*syscall.Stat_t).Uid == user
		assert.Equal(t, inside == "/var/lib/kelemetry", owned, "%s is the user's: %t", inside, owned)
		if inside != "" { // the folder of the test
			assert.Zero(t, info.Mode().Perm()&0o022, "%s can be written by others", inside)
		}
		return nil
	}))
	t.Logf("%d bytes", size)
	require.NoError(t, os.Chmod(image, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(image, "etc", "kelemetry", "kelemetry.yaml"), read(t, folder, "kubernetes/kelemetry.yaml"), 0o644))
	// Here is no /proc, which would tell how much memory a percentage is of.
	limits := []string{"--set=processors.memory_limiter.limit_mib=500", "--set=processors.memory_limiter.spike_limit_mib=100"}
	for _, args := range [][]string{{"--version"}, append([]string{"validate", "--config=/etc/kelemetry/kelemetry.yaml"}, limits...)} {
		command := exec.CommandContext(t.Context(), "/kelemetry", args...)
		command.Dir, command.Env = "/", []string{"KELEMETRY_CLUSTER=prod"}
		command.SysProcAttr = &syscall.SysProcAttr{Chroot: image, Credential: &syscall.Credential{Uid: user, Gid: user}}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
}
