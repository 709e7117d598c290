// Copyright The Kelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package spanstore

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// childDirectory is the environment variable that makes the test binary a process that writes into a directory until it is killed.
const childDirectory = "KELEMETRY_SPANSTORE_TEST_DIRECTORY"

// writeUntilKilled prints the ID of each span once it is acknowledged.
func writeUntilKilled(dir string) {
	o := testOptions(nil, dir)
	o.BufferSize = 1 << 20
	s, err := Open(o)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	from, _ := strconv.ParseUint(os.Getenv(childDirectory+"_FROM"), 10, 64)
	var mu sync.Mutex
	for range 3 {
		go func() {
			for {
				mu.Lock()
				id := from + 1
				from++
				mu.Unlock()
				if _, err := s.Write(encode(spans(told{trace: id%50 + 1, id: id, service: "prod", name: "n", span: map[string]any{"text": strings.Repeat("x", 3000)}}))); err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(id)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestWhatWasAcknowledgedSurvivesKill kills a writing process several times, with -9, and looks for everything that it had acknowledged.
func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[uint64]bool{}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDirectory+"="+dir, childDirectory+"_FROM="+strconv.Itoa(len(acknowledged)+1000))
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewReader(stdout)
		kill := 50 + random.IntN(300)
		for n := 0; ; n++ {
			line, err := lines.ReadString('\n')
			if err == io.EOF { //nolint:errorlint // as the package returns it
				break
			}
			require.NoError(t, err)
			id, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
			require.NoError(t, err, "%s", line)
			acknowledged[id] = true
			if n == kill {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait()
	}
	s := open(t, testOptions(nil, dir))
	found := map[uint64]bool{}
	for trace := range uint64(50) {
		for id := range get(t, s, trace+1) {
			found[id] = true
		}
	}
	for id := range acknowledged {
		assert.True(t, found[id], "%d was acknowledged and is not there", id)
	}
}

// TestWhatWasAcknowledgedSurvivesLossOfPower: all that was not synced is gone, or a random part of it.
func TestWhatWasAcknowledgedSurvivesLossOfPower(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	fs := vfs.NewCrashableMem()
	id := uint64(0)
	for range 10 {
		o := testOptions(fs, "store")
		o.BufferSize = 256 << 10
		s, err := Open(o)
		require.NoError(t, err)
		for range 20 + random.IntN(100) {
			id++
			write(t, s, told{trace: id%10 + 1, id: id, service: "prod", name: "n", span: map[string]any{"text": strings.Repeat("x", 2000)}})
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		require.NoError(t, s.Close())
		fs = crashed
	}
	s := open(t, testOptions(fs, "store"))
	n := 0
	for trace := range uint64(10) {
		n += len(get(t, s, trace+1))
	}
	assert.EqualValues(t, id, n)
}

// TestOneStoreToADirectory, in this process and in another.
func TestOneStoreToADirectory(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(testOptions(nil, dir))
	require.NoError(t, err)
	_, err = Open(testOptions(nil, dir))
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, dir)

	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), childDirectory+"="+dir)
	out, err := other.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), ErrInUse.Error())

	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.Write(encode(spans(told{trace: 1, id: 1})))
	require.ErrorIs(t, err, ErrUnavailable)
	open(t, testOptions(nil, dir))
}
